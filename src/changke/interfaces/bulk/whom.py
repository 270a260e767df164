"""Whom a bulk change means: everybody of a filter of the customer list, or those who were ticked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.http import QueryDict

from changke.facts.customers.models import Customer
from changke.facts.customers.queries import LIVING
from changke.foundation.errors import Invalid
from changke.foundation.organisation.scope import NOBODY, Scope
from changke.interfaces.exporters import searched
from changke.interfaces.web.customers import narrowed, reads
from changke.interfaces.web.customers.filters import Filters, read_filters

MOST_TICKED = 10_000


@dataclass(frozen=True)
class Whom:
    """`query` is the filter as the address of the list says it; `ids` wins where it is there. `scope` is that of
    whoever asked."""

    query: str = ""
    ids: tuple[int, ...] = ()
    scope: Scope = NOBODY

    @classmethod
    def asked(cls, query: str, ids: Sequence[int], scope: Scope) -> "Whom":
        if len(ids) > MOST_TICKED:
            raise Invalid(field="customers", reason="at most %(most)s at a time", most=MOST_TICKED)
        return cls(query, tuple(dict.fromkeys(ids)), scope)

    def as_json(self) -> dict[str, object]:
        """As a batch keeps it: the filter masked, and sealed until it is known whom it means (`without_search`)."""
        query, search = searched.put_away(self.query)
        return {"query": query, "search": search, "ids": list(self.ids), **self.scope.as_json()}

    @classmethod
    def from_json(cls, kept: Mapping[str, object]) -> "Whom":
        return cls(
            searched.opened(str(kept.get("query") or ""), str(kept.get("search") or "")),
            tuple(kept.get("ids") or ()),  # type: ignore[arg-type]  # ours
            Scope.from_json({"stores": None, **kept}),
        )

    @staticmethod
    def without_search(kept: Mapping[str, object]) -> dict[str, object]:
        """What `as_json` made, when nobody has to be searched for any more."""
        return {**kept, "query": searched.masked(str(kept.get("query") or "")), "search": ""}

    @property
    def filters(self) -> Filters:
        return read_filters(QueryDict(self.query)).at(None)

    def customers(self) -> Iterator[int]:
        """Their ids, each once, in order."""
        if self.ids:
            seen = Customer.objects.for_scope(self.scope).filter(pk__in=self.ids, **LIVING)
            yield from seen.order_by("pk").values_list("pk", flat=True)
        else:
            yield from narrowed.everybody(self.filters, self.scope)

    def count(self) -> int:
        if self.ids:
            seen = Customer.objects.for_scope(self.scope).filter(pk__in=self.ids, **LIVING)
            return int(seen.count())
        return narrowed.count_everybody(self.filters, self.scope)

    def some(self, most: int) -> list[int]:
        """The first few, to show what would happen."""
        if self.ids:
            return list(self.customers())[:most]
        return [row.customer.pk for row in reads.page_of(self.filters, self.scope, size=most).rows]
