"""A second line of services: had at the same visits on a rhythm of its own, and let go by some who go on coming.

Whoever has one comes on the same days as without it, so nothing that is true of the customer as a whole is moved by it:
neither her gaps nor her leaving. Only what she has on some of those days is more.
"""

from dataclasses import dataclass

import numpy as np

from .catalogue import Catalogue
from .chance import Chance, Streams, pick
from .organisation import NEVER
from .people import REGULAR, VIP, People
from .rhythm import Attendances
from .tables import MISSING, Flags, Integers, Numbers

SHARE = {REGULAR: 0.4, VIP: 0.5}
BEGINS_WITHIN_DAYS = 200
KEPT_DAYS = (300.0, 0.8)  # median, spread of the logarithm; who keeps it for longer than these years lets nothing go
GAP_DAYS = (10, 60)
EARLY = 0.15  # of her gap: being there anyway, she has it a little before it is due


@dataclass(frozen=True)
class Second:
    """One entry per customer; days are counted from 1970."""

    service: Integers  # MISSING: she has one line only
    gap: Numbers  # median, days; NaN without
    spread: Numbers
    begins: Integers
    ends: Integers  # the day from which she has none of that category, whatever else she comes for; NEVER

    def over(self, customer: Integers, day: Integers) -> Flags:
        """Attendances of those who have let theirs go by then."""
        return np.asarray((self.service[customer] != MISSING) & (day >= self.ends[customer]), dtype=bool)


def invent(streams: Streams, people: People, *, shop: Catalogue, first_day: int, today: int) -> Second:
    chance = streams("second line")
    size = len(people.kind)
    share = np.array([SHARE.get(kind, 0.0) for kind in range(6)])[people.kind]
    service = _another(chance, people, shop)
    has = (chance.random(size) < share) & (service != MISSING)
    cycle = np.clip(shop.items.usual_cycle_days[np.maximum(service, 0)], *GAP_DAYS)
    gap = cycle * np.exp(0.2 * chance.standard_normal(size))
    spread = 0.1 + 0.2 * chance.random(size)
    begins = np.maximum(people.joined, first_day) + (chance.random(size) * BEGINS_WITHIN_DAYS).astype(np.int64)
    median, wide = KEPT_DAYS
    ends = begins + 2 * gap.astype(np.int64) + (median * np.exp(wide * chance.standard_normal(size))).astype(np.int64)
    keeps = ~has | (ends > np.minimum(people.leaves, today))
    return Second(
        np.where(has, service, MISSING),
        np.where(has, gap, np.nan),
        np.where(has, spread, np.nan),
        begins,
        np.where(keeps, NEVER, ends),
    )


def had(streams: Streams, second: Second, visits: Attendances, service: Integers, shop: Catalogue) -> Flags:
    """The attendances at which she has it too. `service` is what each was for: who had something of the same category
    anyhow has no second one that day.
    """
    chance = streams("second line had")
    who, category = visits.customer, shop.items.category
    own = np.maximum(second.service[who], 0)
    may = (second.service[who] != MISSING) & (visits.day >= second.begins[who]) & ~second.over(who, visits.day)
    alike = may & (category[service] == category[own])
    next_gap = second.gap[who] * np.exp(second.spread[who] * chance.standard_normal(len(who)))
    due = np.full(len(second.service), -np.inf)
    taken = np.zeros(len(who), dtype=bool)
    for now in visits.rounds():
        is_due = may[now] & (visits.day[now] >= due[who[now]] - EARLY * second.gap[who[now]])
        rows = now[is_due | alike[now]]
        due[who[rows]] = visits.day[rows] + next_gap[rows]
        taken[rows] = ~alike[rows]
    return taken


def _another(chance: Chance, people: People, shop: Catalogue) -> Integers:
    """A service of another category than hers, as often as people come for it; a few draw one of hers and have none."""
    size = len(people.kind)
    drawn = np.where(
        people.woman, pick(chance, shop.for_women.tolist(), size), pick(chance, shop.for_men.tolist(), size)
    )
    category = shop.items.category
    return np.where(category[drawn] == category[people.need], MISSING, drawn)
