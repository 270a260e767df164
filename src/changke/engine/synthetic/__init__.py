"""A beauty chain that never existed, from a seed, with the truth about every customer kept aside.

    world = invent(seed=42, today=date(2026, 11, 21))
    world.receipts.cash_minor.sum(), world.truth.churn_reason

The same arguments give the same world, bit for bit. It knows nothing of the models that are measured on it: it imports
nothing of ours and shares no constant with them. How it is made, in order: the chain (`organisation`), its goods
(`catalogue`), the year (`seasons`), the customers and what will become of them (`people`), when they come (`rhythm`),
what some have besides (`second`), what they take and how they pay (`baskets`), the receipts (`receipts`, `returns`,
`slips`), and what was written beside them (`stories`).
"""

from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from changke.engine.refusals import above_zero, whole

from . import baskets, catalogue, organisation, people, receipts, rhythm, seasons, second, slips, stories
from .catalogue import Catalogue
from .chance import Chance, streams
from .names import phones
from .organisation import NEVER, Chain
from .tables import (
    MISSING,
    Categories,
    Customers,
    Events,
    Integers,
    Items,
    Lines,
    Openings,
    Receipts,
    Regions,
    Staff,
    Stores,
    Table,
    Tenders,
    Truth,
    Visits,
    World,
)

__all__ = [
    "MISSING",
    "Categories",
    "Customers",
    "Events",
    "Items",
    "Lines",
    "Openings",
    "Receipts",
    "Regions",
    "Staff",
    "Stores",
    "Table",
    "Tenders",
    "Truth",
    "Visits",
    "World",
    "invent",
]

LATE_SHARE = 0.02  # written into the books one to five days later, from paper
WESTERNMOST = timedelta(hours=6)  # when the day is over in Urumqi it is over everywhere in the chain


def invent(
    seed: int, *, today: date, customers: int = 20_000, stores: int = 12, years: int = 3, until: datetime | None = None
) -> World:
    """The chain's last `years` years up to and including `today`.

    `until` cuts the last day at a moment (aware): a demo started at noon has had no evening yet. Without it the day is
    over.
    """
    whole("customers", customers, least=1)
    whole("stores", stores, least=1)
    above_zero("years", years)
    first_day, last_day = _day(today) - round(years * 365.25), _day(today)
    until = until or datetime.combine(today, time(23, 59, 59), UTC) - WESTERNMOST
    now = int(until.timestamp())
    draw = streams(seed)
    shop = catalogue.catalogue()
    numbers = phones(draw("phones"), customers + organisation.staff_needed(stores))
    staff_numbers = numbers[: organisation.staff_needed(stores)]
    chain = organisation.chain(draw, stores=stores, first_day=first_day, today=last_day, phones=staff_numbers)
    days = seasons.almanac(first_day - 40, last_day + 60)
    folk = people.invent(draw, size=customers, chain=chain, shop=shop, days=days, first_day=first_day, today=last_day)
    visits, breaks = rhythm.attend(draw, folk, chain=chain, days=days, first_day=first_day, today=last_day)
    visits = _until(visits, chain, now)
    besides = second.invent(draw, folk, shop=shop, first_day=first_day, today=last_day)
    filled, wallets = baskets.fill(draw, folk, visits, besides, shop=shop, days=days, today=last_day)
    written = receipts.write(
        draw,
        folk,
        visits,
        filled,
        wallets,
        shop=shop,
        chain=chain,
        days=days,
        first_day=first_day,
        today=last_day,
        now=now,
    )
    recording = draw("recording")
    moments = np.concatenate([block.second for block in written.blocks])
    recorded = np.r_[
        _recorded(recording, moments, now), _recorded(draw("recording besides"), written.besides.second, now)
    ]
    books = slips.join([*written.blocks, written.besides], shop=shop, store_codes=chain.stores.code, recorded=recorded)
    last = np.full(customers, MISSING)
    last[visits.customer] = np.arange(len(visits.customer))
    seen = np.where(last == MISSING, MISSING, visits.day[np.maximum(last, 0)] if len(visits.day) else MISSING)
    churned = _churned(draw("churn days"), folk, chain, seen, written.refunded_on, last_day)
    at = slips.seconds(chain, visits.store, visits.day, visits.minute)
    return World(
        name=organisation.CHAIN,
        first_day=_date(first_day),
        today=today,
        until=until.astimezone(UTC),
        closed_days=days.closed_days(),
        regions=chain.regions,
        stores=chain.stores,
        staff=chain.staff,
        categories=shop.categories,
        items=shop.items,
        customers=people.describe(
            draw,
            folk,
            chain=chain,
            shop=shop,
            phones=numbers[len(staff_numbers) :],
            adviser=_adviser_today(draw("hand-over"), folk, chain),
        ),
        receipts=books[0],
        lines=books[1],
        tenders=books[2],
        visits=stories.visits_table(folk, visits, filled, chain=chain, recorded=_recorded(recording, at, now)),
        openings=stories.openings_table(draw, folk, first_day=first_day),
        events=stories.events_table(draw, folk, visits, chain=chain, last=last, churned=churned, until=now),
        truth=_truth(folk, shop, seen, churned, breaks, besides),
    )


def _until(visits: rhythm.Attendances, chain: Chain, now: int) -> rhythm.Attendances:
    """Only what was over by then: the latest receipt of an attendance is written 80 minutes after it began."""
    kept = slips.seconds(chain, visits.store, visits.day, visits.minute + 81) <= now
    if kept.all():
        return visits
    return rhythm.Attendances(**{name: column[kept] for name, column in vars(visits).items()})


def _recorded(chance: Chance, happened: Integers, now: int) -> Integers:
    """Seconds after it happened, for a few days after; never later than now."""
    delay = chance.integers(5, 90, len(happened))
    late = chance.random(len(happened)) < LATE_SHARE
    some_days = chance.integers(1, 6, len(happened)) * 86_400 - chance.integers(0, 6, len(happened)) * 3600
    return np.asarray(np.minimum(happened + np.where(late, some_days, delay), now), dtype=np.int64)


def _churned(
    chance: Chance, folk: people.People, chain: Chain, seen: Integers, refunded: Integers, today: int
) -> Integers:
    """The day on which she was through with us: soon after her last visit, after her refund, after her adviser had
    gone.
    """
    leaves = folk.leaves != NEVER
    day = np.where(
        seen == MISSING, folk.leaves, seen + np.where(folk.kind >= people.CASUAL, chance.integers(0, 11, len(seen)), 0)
    )
    gone = np.where(folk.adviser == MISSING, MISSING, chain.left[np.maximum(folk.adviser, 0)])
    day = np.where((folk.reason == people.ADVISER_LEFT) & (gone != NEVER), np.maximum(day, gone), day)
    day = np.maximum(day, refunded)
    return np.where(leaves, np.minimum(day, today), MISSING)


def _adviser_today(chance: Chance, folk: people.People, chain: Chain) -> Integers:
    """Half of those whose adviser left were handed over to another; the rest belong to nobody since."""
    gone = (folk.adviser != MISSING) & (chain.left[np.maximum(folk.adviser, 0)] != NEVER)
    other = chain.team[folk.store, chance.integers(0, chain.team.shape[1], len(gone))]
    handed = (chance.random(len(gone)) < 0.5) & (chain.left[other] == NEVER)
    return np.where(gone, np.where(handed, other, MISSING), folk.adviser)


def _truth(
    folk: people.People,
    shop: Catalogue,
    seen: Integers,
    churned: Integers,
    breaks: Integers,
    besides: second.Second,
) -> Truth:
    # Who stays away altogether from that day on has left, and let no line go.
    let_go = (besides.ends != organisation.NEVER) & (seen != MISSING) & (seen >= besides.ends)
    return Truth(
        kind=[people.KINDS[kind] for kind in folk.kind.tolist()],
        is_active=(folk.leaves == NEVER) & (folk.kind >= people.CASUAL),
        gap_days=folk.gap,
        spread=folk.spread,
        need=folk.need,
        churned_on=churned.astype("datetime64[D]"),  # numpy writes NaT as the very number that MISSING is
        churn_reason=[people.REASONS[reason] if reason >= 0 else "" for reason in folk.reason.tolist()],
        fading=folk.fading,
        first_adviser=folk.adviser,
        break_days=breaks,
        last_seen_on=seen.astype("datetime64[D]"),
        second_need=besides.service,
        second_gap_days=besides.gap,
        let_go_on=np.where(let_go, besides.ends, MISSING).astype("datetime64[D]"),
    )


def _day(day: date) -> int:
    return day.toordinal() - date(1970, 1, 1).toordinal()


def _date(day: int) -> date:
    return date.fromordinal(day + date(1970, 1, 1).toordinal())
