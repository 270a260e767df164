"""What each attendance brings: which service, and how it is paid.

A card and a stored value are a memory that the next visit needs, so visits are played in rounds: everybody's first,
everybody's second, and so on; within a round all customers move at once.
"""

from dataclasses import dataclass

import numpy as np

from .catalogue import Catalogue
from .chance import Chance, Streams, pick
from .people import CASUAL, ONCE, OVERSOLD, REGULAR, VIP, People
from .rhythm import Attendances
from .seasons import Almanac
from .second import Second, had
from .tables import MISSING, Flags, Integers, Numbers

TRIAL_ONLY, PAID, SESSION, STORED, MIXED, GIFT = range(6)

BUYS_CARD = {ONCE: 0.03, CASUAL: 0.12, REGULAR: 0.34, VIP: 0.5}
BUYS_TOPUP = {ONCE: 0.01, CASUAL: 0.05, REGULAR: 0.09, VIP: 0.25}
BUYS_PRODUCT = {ONCE: 0.06, CASUAL: 0.09, REGULAR: 0.1, VIP: 0.2}
STARTS_WITH_TRIAL = (0.6, 0.65, 0.4, 0.45, 0.2, 0.3, 0.3)  # by source, as in people.SOURCES
TOPUP_BY_KIND = {ONCE: (9, 1, 0, 0), CASUAL: (6, 3, 1, 0), REGULAR: (3, 4, 2, 0.4), VIP: (0, 2, 4, 4)}
PRICE_RISE_PER_YEAR = 0.04


@dataclass(frozen=True)
class Baskets:
    """One row per attendance; positions of items, MISSING where there is none."""

    how: Integers
    service: Integers
    list_price: Integers  # of the service on that day, fen
    value: Integers  # what the service counts: price after discount, or a session's share of its card
    stored: Integers  # of it paid by stored value
    card_sold: Integers
    card_price: Integers
    topup_sold: Integers
    product: Integers
    product_price: Integers
    second: Integers  # had besides, on its own receipt
    second_price: Integers


@dataclass(frozen=True)
class Wallets:
    """What each customer still holds at the end, and the attendance at which she bought it (MISSING: none)."""

    card_bought: Integers
    card_rest: Integers  # fen not yet consumed
    topup_bought: Integers
    balance: Integers  # fen, the chain's bonus included


def fill(
    streams: Streams,
    people: People,
    visits: Attendances,
    second: Second,
    *,
    shop: Catalogue,
    days: Almanac,
    today: int,
) -> tuple[Baskets, Wallets]:
    chance = streams("baskets")
    plan = _plan(chance, people, visits, second, shop, days, today)
    size, crowd = len(visits.customer), len(people.kind)
    how, value, stored = np.full(size, PAID), plan.price.copy(), np.zeros(size, dtype=np.int64)
    service, card_sold, topup_sold = plan.service.copy(), np.full(size, MISSING), np.full(size, MISSING)
    card, card_bought, left = np.full(crowd, MISSING), np.full(crowd, MISSING), np.zeros(crowd, dtype=np.int64)
    topup_bought, balance = np.full(crowd, MISSING), np.zeros(crowd, dtype=np.int64)
    items = shop.items
    for now in visits.rounds():
        who = visits.customer[now]
        card_of = np.where(plan.may_sell[now], plan.card[now], MISSING)
        buys = (left[who] == 0) & (card_of != MISSING) & plan.buys_card[now] & ~plan.trial[now]
        card[who[buys]], card_bought[who[buys]] = card_of[buys], now[buys]
        left[who[buys]] = items.sessions[card_of[buys]]
        card_sold[now[buys]] = card_of[buys]

        uses = (left[who] > 0) & (plan.wants_card_service[now] | buys) & ~plan.trial[now]
        row, holder = now[uses], who[uses]
        how[row] = SESSION
        service[row] = items.service[card[holder]]
        value[row] = _share(plan.card_price[card_bought[holder]], items.sessions[card[holder]], left[holder])
        left[holder] -= 1

        pays = ~uses & ~plan.trial[now]
        wants = pays & plan.may_sell[now] & plan.buys_topup[now] & (balance[who] < plan.price[now]) | plan.pushed[now]
        chosen = plan.topup[now]
        topup_sold[now[wants]] = chosen[wants]
        topup_bought[who[wants]] = now[wants]
        balance[who[wants]] += items.price_minor[chosen[wants]] + items.bonus_minor[chosen[wants]]

        gift = pays & plan.gift[now] & (topup_sold[now] == MISSING)
        how[now[gift]], value[now[gift]] = GIFT, 0
        holds = pays & ~gift & (balance[who] > 0)
        paid = np.where(holds, np.minimum(balance[who], plan.price[now]), 0)
        stored[now] = paid
        balance[who] -= paid
        how[now[holds]] = np.where(paid[holds] == plan.price[now][holds], STORED, MIXED)
    how[plan.trial], value[plan.trial] = TRIAL_ONLY, 0
    list_price = np.where(
        service == plan.service, plan.list_price, _price_then(items.price_minor[service], plan.year_factor)
    )
    product = np.where(plan.trial, MISSING, plan.product)
    besides = had(streams, second, visits, service, shop) & ~plan.trial & plan.may_sell
    besides_item = np.where(besides, second.service[visits.customer], MISSING)
    besides_price = _price_then(items.price_minor[np.maximum(besides_item, 0)], plan.year_factor)
    baskets = Baskets(
        how, service, list_price, value, stored, card_sold, plan.card_price, topup_sold, product, plan.product_price,
        besides_item, besides_price,
    )  # fmt: skip
    rest = np.zeros(crowd, dtype=np.int64)
    held = np.nonzero(left > 0)[0]
    rest[held] = _rest(plan.card_price[card_bought[held]], items.sessions[card[held]], left[held])
    return baskets, Wallets(
        np.where(left > 0, card_bought, MISSING), rest, np.where(balance > 0, topup_bought, MISSING), balance
    )


def _rest(price: Integers, sessions: Integers, left: Integers) -> Integers:
    """What is not yet consumed; shares are whole fen and add up to the price."""
    return np.asarray(price * left // sessions, dtype=np.int64)


def _share(price: Integers, sessions: Integers, left: Integers) -> Integers:
    return _rest(price, sessions, left) - _rest(price, sessions, left - 1)


@dataclass(frozen=True)
class _Plan:
    """All that chance decides about an attendance before wallets are looked at."""

    trial: Flags
    may_sell: Flags  # not on the very first trial service
    service: Integers
    list_price: Integers
    price: Integers  # after discount
    year_factor: Numbers
    card: Integers  # the card for her need
    card_price: Integers
    buys_card: Flags
    wants_card_service: Flags
    buys_topup: Flags
    topup: Integers
    pushed: Flags  # over-sold: a large top-up whether she needs it or not
    product: Integers
    product_price: Integers
    gift: Flags


def _plan(
    chance: Chance,
    people: People,
    visits: Attendances,
    second: Second,
    shop: Catalogue,
    days: Almanac,
    today: int,
) -> _Plan:
    who, size, items = visits.customer, len(visits.customer), shop.items
    kind, need = people.kind[who], people.need[who]
    newcomer = (visits.ordinal == 0) & ~people.before[who]
    taster = newcomer & (chance.random(size) < np.asarray(STARTS_WITH_TRIAL)[people.source[who]]) & people.woman[who]
    other = np.where(
        people.woman[who], pick(chance, shop.for_women.tolist(), size), pick(chance, shop.for_men.tolist(), size)
    )
    service = np.where(chance.random(size) < np.where(kind == VIP, 0.55, 0.8), need, other)
    hot = days.dog_days[days.at(visits.day)] & (chance.random(size) < 0.12)
    service = np.where(hot, shop.by_code["Y03"], service)
    # Who has let a line go has nothing of it by chance either.
    gone = second.over(who, visits.day) & (
        items.category[service] == items.category[np.maximum(second.service[who], 0)]
    )
    service = np.where(gone, need, service)
    service = np.where(taster | visits.trial, shop.by_code["T01"], service)
    year_factor = np.asarray((1 - PRICE_RISE_PER_YEAR) ** ((today - visits.day) // 365), dtype=np.float64)
    list_price = _price_then(items.price_minor[service], year_factor)
    promotion = days.promotion[days.at(visits.day)]
    discount = np.where(promotion & (chance.random(size) < 0.6), 15, np.where(chance.random(size) < 0.07, 10, 0))
    discount = np.where(service == shop.by_code["T01"], 0, discount)
    price = (list_price * (100 - discount) // 10_000) * 100  # tills round to the yuan
    cards = np.full(len(items), MISSING)
    sold = np.nonzero(items.service != MISSING)[0]
    cards[items.service[sold]] = sold
    card = cards[need]
    season = np.where(promotion, 1.4, 1.0)
    pushed = (people.reason[who] == OVERSOLD) & (visits.to_go == 1) & (kind >= CASUAL)
    topup = _topup(chance, kind)
    topup = np.where(pushed, len(items) - 1, len(items) - 4 + topup)  # the last four items are the top-ups
    products = np.nonzero(np.array([kind == "product" for kind in items.kind]))[0]
    product = products[chance.integers(0, len(products), size)]
    has_product = chance.random(size) < _by_kind(BUYS_PRODUCT, kind) * season
    birthday = (chance.random(size) < 0.03) & (kind == VIP)
    return _Plan(
        trial=visits.trial,
        may_sell=~taster,
        service=service,
        list_price=list_price,
        price=price,
        year_factor=year_factor,
        card=card,
        card_price=_price_then(items.price_minor[np.maximum(card, 0)], year_factor),
        buys_card=chance.random(size) < _by_kind(BUYS_CARD, kind) * season,
        wants_card_service=(chance.random(size) < np.where(kind == VIP, 0.6, 0.88)) & ~taster,
        buys_topup=chance.random(size) < _by_kind(BUYS_TOPUP, kind) * season,
        topup=topup,
        pushed=pushed,
        product=np.where(has_product, product, MISSING),
        product_price=_price_then(items.price_minor[product], year_factor),
        gift=birthday,
    )


def _price_then(price: Integers, year_factor: Numbers) -> Integers:
    """The list price in an earlier year, in full yuan."""
    return (np.round(price * year_factor / 100) * 100).astype(np.int64)


def _by_kind(shares: dict[int, float], kind: Integers) -> Numbers:
    return np.array([shares.get(which, 0.0) for which in range(6)])[kind]


def _topup(chance: Chance, kind: Integers) -> Integers:
    result = np.zeros(len(kind), dtype=np.int64)
    for which, weights in TOPUP_BY_KIND.items():
        here = kind == which
        result[here] = pick(chance, weights, int(here.sum()))
    return result
