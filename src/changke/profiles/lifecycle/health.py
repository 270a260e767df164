"""The health of a store: the circle of few customers, few deals, little loyalty and low profit, and where it breaks.

Of what happened in the store, month by month (`StoreMonth`), beside its own past and the other stores. Pure but for
`health_of`. docs/algorithms/store-health.md
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median_low

from changke.foundation.organisation.scope import Scope, in_places
from changke.profiles.lifecycle.models import StoreMonth

CUSTOMERS, DEALS, LOYALTY, PROFIT = "customers", "deals", "loyalty", "profit"
LINKS = (CUSTOMERS, DEALS, LOYALTY, PROFIT)
"""In the order of the circle: too few customers make few deals, few deals few who stay, few who stay little profit."""

MUCH_BP = 500
"""A twentieth: what lies less than that below is told as the same."""


@dataclass(frozen=True)
class Month:
    """One store in one month, as counted. Sums add up; ratios are made of them here."""

    day: dt.date
    buyers: int
    newcomers: int
    deal_days: int
    base: int
    came_back: int
    margin_minor: int | None
    revenue_minor: int
    known_minor: int

    def link(self, name: str) -> int | None:
        """Customers: who bought. Deals: days on which they bought. Loyalty: of those who had bought in the three months
        before the last three, how many came back in these, in basis points. Profit: of each buyer, in minor units;
        revenue where no profit is known. None where it cannot be said."""
        if name == CUSTOMERS:
            return self.buyers
        if name == DEALS:
            return self.deal_days
        if name == LOYALTY:
            return 10_000 * self.came_back // self.base if self.base else None
        return self.margin_minor // self.buyers if self.margin_minor is not None and self.buyers else None


@dataclass(frozen=True)
class Link:
    """One link of the circle in the last whole month. `change_bp`: against `before`, None where it cannot be said."""

    name: str
    value: int | None
    before: int | None
    """The same month a year earlier; before a year is known, the middle one of the months before, three at most."""
    change_bp: int | None
    of_others: int | None
    """The middle one of all stores of the chain; None with fewer than three stores, and for customers and deals, which
    a large store has more of."""
    is_weak: bool
    """Clearly below its own past, or below the others."""


@dataclass(frozen=True)
class StoreHealth:
    store_id: int
    months: tuple[Month, ...]
    """The oldest first, whole months only."""
    links: tuple[Link, ...]
    breaks_at: str
    """The first weak link of the circle; empty where none is weak."""


def health_of(scope: Scope, *, months: int = 13) -> list[StoreHealth]:
    """Of every store that the scope works in and that sold in a month that is told; in the order of the stores."""
    everywhere = _by_store(StoreMonth.objects.all())
    if scope.store_ids is None:
        seen = set(everywhere)
    else:
        seen = set(StoreMonth.objects.filter(in_places(scope)).values_list("store_id", flat=True))
    latest = max((rows[-1].day for rows in everywhere.values()), default=None)
    others = {name: _middle([_on(rows, latest, name) for rows in everywhere.values()]) for name in (LOYALTY, PROFIT)}
    return [_health(store, everywhere[store][-months:], latest, others) for store in sorted(seen)]


def _by_store(rows) -> dict[int, list[Month]]:  # type: ignore[no-untyped-def]  # a queryset
    found: dict[int, list[Month]] = {}
    names = tuple(Month.__dataclass_fields__)
    for store, *told in rows.filter(is_whole=True).order_by("store_id", "day").values_list("store_id", *names):
        found.setdefault(store, []).append(Month(*told))
    return found


def _on(months: Sequence[Month], day: dt.date | None, name: str) -> int | None:
    return next((one.link(name) for one in months if one.day == day), None)


def _middle(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return median_low(known) if len(known) >= 3 else None


def _health(
    store: int, months: Sequence[Month], latest: dt.date | None, others: Mapping[str, int | None]
) -> StoreHealth:
    links = tuple(_link(name, months, latest, others.get(name)) for name in LINKS)
    return StoreHealth(store, tuple(months), links, next((one.name for one in links if one.is_weak), ""))


def _link(name: str, months: Sequence[Month], latest: dt.date | None, others: int | None) -> Link:
    value = _on(months, latest, name)
    if value is None and name in (CUSTOMERS, DEALS):
        value = 0  # nothing was sold in the month
    before = _before(name, [one for one in months if one.day != latest], latest)
    change = None if value is None or not before or before < 0 else 10_000 * (value - before) // before
    weak = change is not None and change <= -MUCH_BP
    if value is not None and others is not None and others > 0:
        weak = weak or 10_000 * (value - others) // others <= -MUCH_BP
    return Link(name, value, before, change, others, weak)


def _before(name: str, months: Sequence[Month], latest: dt.date | None) -> int | None:
    if latest is None:
        return None
    year_ago = [one for one in months if (one.day.year, one.day.month) == (latest.year - 1, latest.month)]
    found = [one.link(name) for one in year_ago] or [one.link(name) for one in months[-3:]]
    known = [value for value in found if value is not None]
    return median_low(known) if known else None
