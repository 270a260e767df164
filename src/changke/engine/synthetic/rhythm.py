"""When each customer comes in: her own gaps, laid over a year that is fuller in some weeks than in others.

Gaps are drawn on a clock that runs faster in full seasons (`Almanac.clock`), so a regular stays regular while the whole
chain breathes. Then life interferes: closed days move a visit to the next open one, a baby or a posting abroad makes a
break, and one who is about to leave may come ever less often.
"""

from dataclasses import dataclass

import numpy as np

from .chance import Chance, Streams
from .organisation import NEVER, Chain
from .people import CASUAL, ONCE, PROSPECT, REGULAR, TRIAL, VIP, People
from .seasons import Almanac
from .tables import MISSING, Flags, Integers, Numbers

BREAK_SHARE = 0.08
BREAK_DAYS = (100, 210)
FADING_DAYS = 120


@dataclass(frozen=True)
class Attendances:
    """One row per time somebody came in, ordered by customer and day; at most one a day each."""

    customer: Integers
    ordinal: Integers  # 0 is the first in these years
    day: Integers
    minute: Integers  # of the local day
    store: Integers
    staff: Integers
    trial: Flags  # looked, tried, bought nothing
    to_go: Integers  # how many more will follow

    def rounds(self) -> list[Integers]:
        """Positions of all first attendances, all second ones, ..."""
        order = np.argsort(self.ordinal, kind="stable")
        return np.split(order, np.cumsum(np.bincount(self.ordinal))[:-1]) if len(self.ordinal) else []


def attend(
    streams: Streams, people: People, *, chain: Chain, days: Almanac, first_day: int, today: int
) -> tuple[Attendances, Integers]:
    """All attendances, and the longest break that each customer made (days, 0 for none)."""
    chance = streams("rhythm")
    customer, day, breaks = _calendar(chance, people, days, first_day, today)
    day = days.next_open(day, chain.open_weekdays[people.store[customer]])
    gone = (people.leaves != NEVER) & (people.leaves >= first_day) & (people.kind >= CASUAL)
    fades = (
        people.fading[customer]
        & gone[customer]
        & (day > people.leaves[customer] - FADING_DAYS)
        & (chance.random(len(day)) < 0.5)
    )
    # One who left came until that day, or came once before it mattered; a first visit that a holiday moved still
    # happens.
    first = np.r_[True, customer[1:] != customer[:-1]] if len(customer) else np.zeros(0, dtype=bool)
    stays = (day <= today) & (
        (day <= people.leaves[customer]) & ~fades | (first & (people.leaves[customer] >= first_day))
    )
    same = np.r_[False, (customer[1:] == customer[:-1]) & (day[1:] == day[:-1])] if len(customer) else first
    customer, day = customer[stays & ~same], day[stays & ~same]
    return _details(streams("attendance"), people, chain, customer, day), breaks


def _calendar(
    chance: Chance, people: People, days: Almanac, first_day: int, today: int
) -> tuple[Integers, Integers, Integers]:
    end = float(days.clock_at(np.array([today + 1]))[0])
    customers, dates, breaks = [], [], np.zeros(len(people.kind), dtype=np.int64)
    for kind in (CASUAL, REGULAR, VIP):
        who = np.nonzero(people.kind == kind)[0]
        start = days.clock_at(np.maximum(people.joined[who], first_day))
        start = start + np.where(people.before[who], chance.random(len(who)) * people.gap[who], 0.0)
        gaps, pauses = _gaps(chance, people.gap[who], people.spread[who], longest=float((end - start).max(initial=0.0)))
        clock = np.concatenate((start[:, None], start[:, None] + np.cumsum(gaps, axis=1)), axis=1)
        row, place = np.nonzero(clock < end)
        found = days.day_of(clock[row, place])
        first = place == 0
        found[first] = np.maximum(found[first], np.maximum(people.joined[who][row[first]], first_day))
        customers.append(who[row])
        dates.append(found)
        breaks[who] = pauses
    for kind, second in ((ONCE, 0.0), (TRIAL, 0.4)):  # a trial is one or two visits
        who = np.nonzero(people.kind == kind)[0]
        again = who[chance.random(len(who)) < second]
        customers += [who, again]
        dates += [people.joined[who], people.joined[again] + chance.integers(3, 12, len(again))]
    customer, day = np.concatenate(customers), np.concatenate(dates)
    order = np.lexsort((day, customer))
    return customer[order], day[order], breaks


def _gaps(chance: Chance, gap: Numbers, spread: Numbers, *, longest: float) -> tuple[Numbers, Integers]:
    size = len(gap)
    shortest = float(gap.min(initial=1e9))
    steps = max(4, int(longest / max(shortest, 3.0) * 1.2) + 4)
    gaps = gap[:, None] * np.exp(spread[:, None] * chance.standard_normal((size, steps)))
    gaps = np.maximum(gaps, 1.5)
    pauses = np.where(chance.random(size) < BREAK_SHARE, chance.integers(*BREAK_DAYS, size), 0)
    where = np.minimum((chance.random(size) * 365 / gap).astype(np.int64) + 2, steps - 1)
    gaps[np.arange(size), where] += pauses
    return gaps, pauses


def _details(chance: Chance, people: People, chain: Chain, customer: Integers, day: Integers) -> Attendances:
    size = len(customer)
    starts = np.nonzero(np.r_[True, customer[1:] != customer[:-1]])[0] if size else np.zeros(0, dtype=np.int64)
    counts = np.diff(np.r_[starts, size])
    ordinal = np.arange(size) - np.repeat(starts, counts)
    home = people.store[customer]
    elsewhere = _elsewhere(chance, chain, home, day)
    store = np.where(chance.random(size) < 0.04, elsewhere, home)
    opens, closes = chain.stores.opens_at_minute[store], chain.stores.closes_at_minute[store]
    minute = opens + 5 + (chance.beta(1.7, 1.5, size) * (closes - opens - 125)).astype(np.int64)
    return Attendances(
        customer=customer,
        ordinal=ordinal,
        day=day,
        minute=minute,
        store=store,
        staff=_served_by(chance, people, chain, customer, store, day),
        trial=(people.kind[customer] == TRIAL) | (people.kind[customer] == PROSPECT),
        to_go=np.repeat(counts, counts) - ordinal - 1,
    )


def _elsewhere(chance: Chance, chain: Chain, home: Integers, day: Integers) -> Integers:
    """Another store that is open that day, else her own."""
    other = chance.integers(0, len(chain.opened), len(home))
    is_open = (chain.opened[other] <= day) & chain.open_weekdays[other, (day + 3) % 7]
    same_region = chain.stores.region[other] == chain.stores.region[home]
    return np.where(is_open & same_region, other, home)


def _served_by(
    chance: Chance, people: People, chain: Chain, customer: Integers, store: Integers, day: Integers
) -> Integers:
    """Mostly her adviser while he is there, else anybody of the team, else the manager."""
    size = len(customer)
    own = people.adviser[customer]
    known = np.maximum(own, 0)
    has_own = (
        (own != MISSING) & (chain.joined[known] <= day) & (day < chain.left[known]) & (store == people.store[customer])
    )
    anybody = chain.team[store, chance.integers(1, chain.team.shape[1], size)]
    there = (chain.joined[anybody] <= day) & (day < chain.left[anybody])
    return np.where(has_own & (chance.random(size) < 0.65), own, np.where(there, anybody, chain.team[store, 0]))
