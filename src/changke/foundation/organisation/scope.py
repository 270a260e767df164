"""Whom somebody may see. A scope chooses whom one sees, never a different number about her."""

from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import models

M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True)
class Scope:
    """Stores somebody answers for; None means the whole chain."""

    store_ids: frozenset[int] | None = None

    @property
    def whole_chain(self) -> bool:
        return self.store_ids is None

    def includes(self, store_id: int | None) -> bool:
        """Rows without a store belong to the chain and are seen by those who see all of it."""
        return self.store_ids is None or store_id in self.store_ids

    def narrowed(self, store_id: int | None) -> "Scope":
        """The same scope looking at one store only; a store outside it leaves nothing."""
        if store_id is None:
            return self
        return Scope(frozenset({store_id}) if self.includes(store_id) else frozenset())


CHAIN_WIDE = Scope(None)
NOBODY = Scope(frozenset())


class ScopedQuerySet(models.QuerySet[M]):
    """Every QuerySet of rows that belong to a store can be asked `for_scope`. The model names its column."""

    def for_scope(self, scope: Scope) -> "Any":
        if scope.store_ids is None:
            return self
        path: str = getattr(self.model, "SCOPE_PATH", "store_id")
        return self.filter(**{f"{path}__in": scope.store_ids})
