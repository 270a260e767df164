"""Whom somebody may see. A scope chooses whom one sees, never a different number about her."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from django.db import models
from django.db.models import Q

M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True)
class Scope:
    """Stores somebody answers for; None means the whole chain. Of these the customers are seen whose home it is.

    What has not been taught the other two fields shows too little, never too much: docs/decisions/0092.
    """

    store_ids: frozenset[int] | None = None
    visited: frozenset[int] = frozenset()
    """Those of the stores where everybody is seen who bought or was served there too, wherever her home is."""
    own: frozenset[int] | None = frozenset()
    """Stores of which only the customers of `adviser` are seen; None: of the whole chain."""
    adviser: int | None = None
    """Whose customers `own` means; None where it means nobody's."""

    @property
    def whole_chain(self) -> bool:
        return self.store_ids is None

    @property
    def by_person(self) -> bool:
        """Whether her home does not say it alone: her visits or her adviser are asked too."""
        return self.store_ids is not None and (bool(self.visited) or self.adviser is not None)

    @property
    def sees_some(self) -> bool:
        """Whether there are stores of which only an adviser's own customers are seen."""
        return self.store_ids is not None and (self.own is None or not self.own <= self.store_ids)

    @property
    def places(self) -> frozenset[int] | None:
        """The stores in which somebody works, whomever she sees there; None: all."""
        if self.store_ids is None or (self.adviser is not None and self.own is None):
            return None
        return self.store_ids | (self.own or frozenset())

    def includes(self, store_id: int | None) -> bool:
        """Rows without a store belong to the chain and are seen by those who see all of it."""
        places = self.places
        return self.store_ids is None or (store_id is not None if places is None else store_id in places)

    def narrowed(self, store_id: int | None) -> "Scope":
        """The same scope looking at one store only; a store outside it leaves nothing."""
        if store_id is None:
            return self
        one = frozenset({store_id})
        if self.store_ids is None:
            return Scope(one)
        own = one if self.own is None else self.own & one
        return Scope(self.store_ids & one, self.visited & one, own, self.adviser if own else None)

    def at_home(self) -> "Scope":
        """The same without those who came from another store."""
        return replace(self, visited=frozenset())

    def __or__(self, other: "Scope") -> "Scope":
        """Whoever is seen by one of the two. Both are of one person: there is one adviser."""
        if self.store_ids is None or other.store_ids is None:
            return CHAIN_WIDE
        own = None if self.own is None or other.own is None else self.own | other.own
        adviser = self.adviser if self.adviser is not None else other.adviser
        return Scope(self.store_ids | other.store_ids, self.visited | other.visited, own, adviser)

    def __and__(self, other: "Scope") -> "Scope":
        """Whoever is seen by both. Where they only overlap: those whose home both have."""
        if self.covers(other):
            return other
        if other.covers(self):
            return self
        return Scope((self.store_ids or frozenset()) & (other.store_ids or frozenset()))

    def covers(self, other: "Scope") -> bool:
        """Whether everybody whom the other sees is seen here too."""
        if self.store_ids is None:
            return True
        if other.store_ids is None or not (other.store_ids <= self.store_ids and other.visited <= self.visited):
            return False
        if other.adviser is None or (other.own is not None and other.own <= self.store_ids):
            return True
        same = other.adviser == self.adviser
        return same and (self.own is None or (other.own is not None and other.own <= self.own | self.store_ids))

    def as_json(self) -> dict[str, Any]:
        """For a job that works later with what is seen now."""
        return {
            "stores": None if self.store_ids is None else sorted(self.store_ids),
            "visited": sorted(self.visited),
            "own": None if self.own is None else sorted(self.own),
            "adviser": self.adviser,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Scope":
        """Of what an earlier release kept, stores alone."""
        stores, own = kept.get("stores", ()), kept.get("own", ())
        return cls(
            None if stores is None else frozenset(stores),
            frozenset(kept.get("visited", ())),
            None if own is None else frozenset(own),
            kept.get("adviser"),
        )


CHAIN_WIDE = Scope(None)
NOBODY = Scope(frozenset())


class ScopedQuerySet(models.QuerySet[M]):
    """Every QuerySet of rows that belong to a store can be asked `for_scope`. The model names its column, and
    `seen_by_person` where her visits or her adviser decide too; a row without persons belongs to where one works."""

    def for_scope(self, scope: Scope) -> "Any":
        if scope.store_ids is None:
            return self
        path: str = getattr(self.model, "SCOPE_PATH", "store_id")
        if not scope.by_person:
            return self.filter(**{f"{path}__in": scope.store_ids})
        if by_person := getattr(self.model, "seen_by_person", None):
            return self.filter(by_person(scope))
        return self.filter(in_places(scope, path))


def in_places(scope: Scope, path: str = "store_id") -> Q:
    """Rows of the stores in which somebody works."""
    return Q(**{f"{path}__isnull": False}) if scope.places is None else Q(**{f"{path}__in": scope.places})
