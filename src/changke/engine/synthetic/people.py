"""The customers: who they are, what they come for, at what pace, and what will make them leave.

Nothing here is drawn the way a model of ours would draw it: gaps are log-normal around a person's own pace, lives are
log-normal by kind of customer, and kinds are mixed by the channel that brought them.
"""

from dataclasses import dataclass

import numpy as np

from . import names
from .catalogue import Catalogue
from .chance import Chance, Streams, pick
from .organisation import NEVER, Chain
from .seasons import Almanac
from .tables import MISSING, Customers, Flags, Integers, Numbers, Texts

ONCE, TRIAL, PROSPECT, CASUAL, REGULAR, VIP = range(6)
KINDS = ("once", "trial", "prospect", "casual", "regular", "vip")

# Where she first heard of us, how many come from there, and what becomes of them (in the order of KINDS).
SOURCES: tuple[tuple[str, float, tuple[float, ...]], ...] = (
    ("抖音", 24, (46, 8, 7, 18, 19, 2)),
    ("美团", 21, (48, 5, 1, 22, 22, 2)),
    ("大众点评", 10, (40, 5, 2, 23, 27, 3)),
    ("小红书", 8, (36, 7, 5, 22, 27, 3)),
    ("朋友介绍", 19, (14, 4, 1, 20, 50, 11)),
    ("路过", 14, (34, 6, 0, 24, 32, 4)),
    ("企业微信", 4, (28, 5, 4, 22, 36, 5)),
)
KNOWN_BEFORE = 0.3  # share of the returning customers who come from the years before the first day

REASONS = ("moved", "price", "complaint", "oversold", "adviser_left", "needs_changed", "not_won")
MOVED, PRICE, COMPLAINT, OVERSOLD, ADVISER_LEFT, NEEDS_CHANGED, NOT_WON = range(7)
NO_REASON = -1
WHY_THEY_LEAVE = (17, 24, 15, 14, 0, 30, 0)  # adviser_left comes from advisers who left
WHY_ONCE = (4, 12, 6, 0, 0, 8, 70)
LIFE_DAYS = {CASUAL: (430.0, 0.9), REGULAR: (520.0, 0.9), VIP: (950.0, 0.8)}  # median, spread of the logarithm
FOLLOW_THE_ADVISER = 0.28
TAGS = ("怕痛", "孕期", "备婚", "敏感肌", "熟客带新", "只约周末", "喜欢安静", "价格敏感", "企业团购", "学生")


@dataclass(frozen=True)
class People:
    """What is fixed before anybody comes in; days are counted from 1970."""

    kind: Integers
    source: Integers
    woman: Flags
    birth_year: Integers
    store: Integers
    adviser: Integers  # the first one, MISSING for some
    need: Integers  # position of a service
    joined: Integers
    before: Flags  # joined before the first day
    gap: Numbers
    spread: Numbers
    leaves: Integers  # day after which she does not come; NEVER
    reason: Integers  # NO_REASON for who stays
    fading: Flags


def invent(
    streams: Streams, *, size: int, chain: Chain, shop: Catalogue, days: Almanac, first_day: int, today: int
) -> People:
    chance = streams("people")
    source = pick(chance, [weight for _, weight, _ in SOURCES], size)
    kind = _kinds(chance, source)
    woman = chance.random(size) < 0.93
    store = pick(chance, chain.weight.tolist(), size)
    needs = np.where(woman, pick(chance, shop.for_women.tolist(), size), pick(chance, shop.for_men.tolist(), size))
    before = (chance.random(size) < KNOWN_BEFORE) & (chain.opened[store] < first_day) & (kind >= CASUAL)
    joined = _joined(chance, before, np.maximum(chain.opened[store], first_day), days, first_day, today)
    gap, spread = _pace(chance, kind, shop.items.usual_cycle_days[needs])
    adviser = _adviser(chance, chain, store, joined, kind)
    leaves, reason = _ends(
        streams("churn"), kind, joined, np.maximum(joined, first_day), chain.quality[store], before, today
    )
    leaves, reason = _follow_the_adviser(streams("followers"), chain, adviser, joined, leaves, reason, kind, first_day)
    return People(
        kind,
        source,
        woman,
        names.birth_years(streams("births"), size, year=_year(today)),
        store,
        adviser,
        needs,
        joined,
        before,
        gap,
        spread,
        leaves,
        reason,
        (chance.random(size) < 0.5) & (leaves != NEVER) & (kind >= CASUAL),
    )


def describe(
    streams: Streams, people: People, *, chain: Chain, shop: Catalogue, phones: Texts, adviser: Integers
) -> Customers:
    """The pages of the customer book; much of it was never asked, as in every shop."""
    chance = streams("descriptions")
    size = len(people.kind)
    year = np.where(chance.random(size) < 0.74, people.birth_year, MISSING)
    day_of_year = chance.integers(0, 366, size)
    birthday = (np.datetime64("2024-01-01") + day_of_year).astype(
        "datetime64[D]"
    )  # a leap year: somebody was born on 29 February
    month = birthday.astype("datetime64[M]").astype(np.int64) % 12 + 1
    day = (birthday - birthday.astype("datetime64[M]")).astype(np.int64) + 1
    day = np.where((month == 2) & (day == 29) & ((people.birth_year % 4 != 0) | (people.birth_year == 1900)), 28, day)
    told = (chance.random(size) < 0.7) | (people.kind == VIP)
    has_phone = (chance.random(size) < np.where(people.kind == PROSPECT, 1.0, 0.965)).tolist()
    has_wecom = (chance.random(size) < np.array([0.15, 0.3, 0.7, 0.35, 0.6, 0.85])[people.kind]).tolist()
    has_email = (chance.random(size) < 0.03).tolist()
    two = chance.integers(0, len(names.INTERESTS), (size, 2)).tolist()
    speaks = (chance.random(size) < 0.35).tolist()
    living = chance.integers(0, len(names.LIVING), size).tolist()
    tells_living = (chance.random(size) < 0.2).tolist()
    allergic = (chance.random(size) < 0.07).tolist()
    allergy = chance.integers(0, len(names.ALLERGIES), size).tolist()
    numbers = [f"{position + 1:06d}" for position in range(size)]
    return Customers(
        source_key=[f"C{number}" for number in numbers],
        name=names.names(streams("names"), women=people.woman.tolist(), birth_years=people.birth_year.tolist()),
        gender=np.where(chance.random(size) < 0.04, "", np.where(people.woman, "f", "m")).tolist(),
        birth_year=year,
        birth_month=np.where(told, month, MISSING),
        birth_day=np.where(told, day, MISSING),
        occupation=names.words(chance, names.OCCUPATIONS, size, known=0.55),
        income_band=names.words(chance, names.INCOME_BANDS, size, known=0.3),
        city=[chain.stores.city[store] for store in people.store.tolist()],
        interests=[
            "、".join(dict.fromkeys((names.INTERESTS[first], names.INTERESTS[second]))) if told else ""
            for (first, second), told in zip(two, speaks, strict=True)
        ],
        living=[names.LIVING[position] if told else "" for position, told in zip(living, tells_living, strict=True)],
        home_store=people.store,
        adviser=adviser,
        source=[SOURCES[position][0] for position in people.source.tolist()],
        known_on=people.joined.astype("datetime64[D]"),
        phone=[phone if has else "" for phone, has in zip(phones, has_phone, strict=True)],
        email=[f"c{number}@example.com" if has else "" for number, has in zip(numbers, has_email, strict=True)],
        wecom_id=[f"wm{number}" if has else "" for number, has in zip(numbers, has_wecom, strict=True)],
        allergies=[names.ALLERGIES[position] if has else "" for position, has in zip(allergy, allergic, strict=True)],
        tags=_tags(chance, people, shop),
    )


def _kinds(chance: Chance, source: Integers) -> Integers:
    mixture = np.array([shares for _, _, shares in SOURCES], dtype=np.float64)
    bounds = np.cumsum(mixture, axis=1) / mixture.sum(axis=1, keepdims=True)
    return np.asarray((chance.random(len(source))[:, None] >= bounds[source][:, :-1]).sum(axis=1), dtype=np.int64)


def _joined(chance: Chance, before: Flags, opened: Integers, days: Almanac, first_day: int, today: int) -> Integers:
    """More people come in full seasons, and a few more every year."""
    size = len(before)
    start, end = days.clock_at(opened), days.clock_at(np.full(size, today + 1))
    new = days.day_of(start + (end - start) * chance.random(size) ** 0.9)
    old = first_day - 30 - (chance.random(size) ** 1.5 * 1500).astype(np.int64)
    return np.where(before, old, np.clip(new, opened, today))


def _pace(chance: Chance, kind: Integers, cycle: Integers) -> tuple[Numbers, Numbers]:
    size = len(kind)
    drift = chance.standard_normal(size)
    regular = np.clip(cycle, 10, 45) * np.exp(0.2 * drift)
    gap = np.select(
        [kind == VIP, kind == REGULAR, kind == CASUAL],
        [9 * np.exp(0.2 * drift), regular, 80 * np.exp(0.45 * drift)],
        np.nan,
    )
    low = np.array([0, 0, 0, 0.5, 0.12, 0.2])[kind]
    high = np.array([0, 0, 0, 0.9, 0.32, 0.4])[kind]
    return gap, np.where(np.isnan(gap), np.nan, low + (high - low) * chance.random(size))


def _adviser(chance: Chance, chain: Chain, store: Integers, joined: Integers, kind: Integers) -> Integers:
    """Somebody of her store who worked there on her first day; who came once often has nobody."""
    size = len(store)
    person = chain.team[store, chance.integers(1, chain.team.shape[1], size)]
    there = (chain.joined[person] <= joined) & (joined < chain.left[person])
    given = chance.random(size) < np.array([0.3, 0.3, 0.5, 0.7, 0.9, 1.0])[kind]
    return np.where(given & there, person, np.where(kind == VIP, chain.team[store, 0], MISSING))


def _ends(
    chance: Chance, kind: Integers, joined: Integers, start: Integers, quality: Numbers, before: Flags, today: int
) -> tuple[Integers, Integers]:
    size = len(kind)
    leaves, reason = np.full(size, NEVER), np.full(size, NO_REASON)
    for which, (median, spread) in LIFE_DAYS.items():
        life = median * quality * np.exp(spread * chance.standard_normal(size))
        leaves = np.where(kind == which, start + 1 + life.astype(np.int64), leaves)
    gone = before & (chance.random(size) < 0.2)  # known only from the old system
    leaves = np.where(gone, joined + ((start - joined) * chance.random(size)).astype(np.int64), leaves)
    leaves = np.where(leaves > today, NEVER, leaves)
    short = (kind == ONCE) | (kind == TRIAL)
    leaves = np.where(short, joined, leaves)
    reason = np.where(leaves != NEVER, pick(chance, WHY_THEY_LEAVE, size), reason)
    return leaves, np.where(short, pick(chance, WHY_ONCE, size), reason)


def _follow_the_adviser(
    chance: Chance,
    chain: Chain,
    adviser: Integers,
    joined: Integers,
    leaves: Integers,
    reason: Integers,
    kind: Integers,
    first_day: int,
) -> tuple[Integers, Integers]:
    day = np.where(adviser == MISSING, NEVER, chain.left[np.maximum(adviser, 0)])
    last = day + chance.integers(3, 50, len(adviser))
    follows = (
        (chance.random(len(adviser)) < FOLLOW_THE_ADVISER) & (day > np.maximum(joined, first_day)) & (kind >= CASUAL)
    )
    follows &= (day != NEVER) & (last < leaves)
    return np.where(follows, last, leaves), np.where(follows, ADVISER_LEFT, reason)


def _tags(chance: Chance, people: People, shop: Catalogue) -> list[tuple[str, ...]]:
    size = len(people.kind)
    wants = (chance.random(size) < np.array([0.25, 0.3, 0.2, 0.5, 0.7, 0.95])[people.kind]).tolist()
    drawn = np.where(chance.random(size) < 0.18, chance.integers(0, len(TAGS), size), -1).tolist()
    category = [shop.categories.name[position] for position in shop.items.category.tolist()]
    result = []
    for need, want, other, vip in zip(people.need.tolist(), wants, drawn, (people.kind == VIP).tolist(), strict=True):
        tags = (f"需求:{category[need]}",) if want else ()
        if vip:
            tags = (*tags, "VIP")
        result.append((*tags, TAGS[other]) if other >= 0 else tags)
    return result


def _year(day: int) -> int:
    return int(np.datetime64(day, "D").astype("datetime64[Y]").astype(int)) + 1970
