"""From baskets to receipts: what was sold, what was used, what came back, and what nobody's name is on."""

from dataclasses import dataclass

import numpy as np

from .baskets import GIFT, MIXED, PAID, SESSION, STORED, Baskets, Wallets
from .catalogue import Catalogue
from .chance import Chance, Streams, pick
from .organisation import Chain
from .people import People
from .returns import Desk
from .rhythm import Attendances
from .seasons import Almanac
from .slips import ALIPAY, CARD, CASH, SALE, STORED_VALUE, USE, WECHAT, Block, Line, Tender, seconds
from .slips import SESSION as SESSION_TENDER
from .tables import MISSING, Flags, Integers

PAYS_WITH = ((CASH, 6), (CARD, 8), (WECHAT, 56), (ALIPAY, 30))
NOBODY_SHARE = 0.05  # receipts without a customer (散客), against all others


@dataclass(frozen=True)
class Written:
    blocks: list[Block]
    besides: Block  # second lines of services; after all others, which know nothing of them
    refunded_on: Integers  # per customer, day of her last refund; MISSING: none


def write(
    streams: Streams,
    people: People,
    visits: Attendances,
    baskets: Baskets,
    wallets: Wallets,
    *,
    shop: Catalogue,
    chain: Chain,
    days: Almanac,
    first_day: int,
    today: int,
    now: int,
) -> Written:
    chance = streams("receipts")
    sales, card_receipt, topup_receipt, service_receipt, product_receipt = _sales(chance, visits, baskets, shop, chain)
    nobody = _nobody(streams("nobody"), shop, chain, days, sum(map(len, sales)), first_day, today)
    last = np.full(len(people.kind), MISSING)
    last[visits.customer] = np.arange(len(visits.customer))  # ordered by day: the last one wins
    desk = Desk(streams("returns"), people, visits, chain, days, today, last)
    products = desk.products(baskets, product_receipt)
    services = desk.services(baskets, service_receipt)
    cards = desk.wallet(wallets.card_bought, card_receipt, baskets.card_sold, wallets.card_rest)
    prices = np.where(baskets.topup_sold == MISSING, 0, shop.items.price_minor[np.maximum(baskets.topup_sold, 0)])
    # The bonus is not paid out: at most the price of the last top-up comes back.
    rest = np.minimum(wallets.balance, prices[np.maximum(wallets.topup_bought, 0)])
    topups = desk.wallet(wallets.topup_bought, topup_receipt, baskets.topup_sold, rest)
    old = desk.old_system(shop, first_day)
    # The day may not be over: sales end with their attendance, the rest is cut here. Originals are sales, so their
    # positions hold.
    later = [block.only(block.second <= now) for block in (nobody, products, services, cards, topups, old)]
    refunded = np.full(len(people.kind), MISSING)
    for block in later[1:]:
        np.maximum.at(refunded, block.customer, block.day)
    return Written([*sales, *later], _besides(streams("besides"), visits, baskets, chain), refunded)


def _besides(chance: Chance, visits: Attendances, baskets: Baskets, chain: Chain) -> Block:
    """What she had of another line on the same visit is paid apart: other hands did it."""
    rows = np.nonzero(baskets.second != MISSING)[0]
    everywhere = np.ones(len(rows), dtype=bool)
    store, day, price = visits.store[rows], visits.day[rows], baskets.second_price[rows]
    pay = np.array([kind for kind, _ in PAYS_WITH])[pick(chance, [weight for _, weight in PAYS_WITH], len(rows))]
    return Block(
        SALE,
        visits.customer[rows],
        store,
        visits.staff[rows],
        day,
        seconds(chain, store, day, visits.minute[rows] + 78),
        (Line(everywhere, baskets.second[rows], price, price),),
        (Tender(everywhere, pay, price),),
    )


def _sales(
    chance: Chance, visits: Attendances, baskets: Baskets, shop: Catalogue, chain: Chain
) -> tuple[list[Block], Integers, Integers, Integers, Integers]:
    """Blocks, and per attendance the receipt of its card, top-up, service and product, counted over the blocks."""
    size = len(visits.customer)
    pay = np.array([kind for kind, _ in PAYS_WITH])[pick(chance, [weight for _, weight in PAYS_WITH], size)]
    items = shop.items
    paid, mixed = baskets.how == PAID, baskets.how == MIXED
    with_service = (paid | mixed | (baskets.how == GIFT)) & (baskets.product != MISSING)
    product_price = np.where(baskets.product == MISSING, 0, baskets.product_price)
    blocks: list[Block] = []
    made = 0

    def block(which: Flags, kind: int, later: int, lines: list[Line], tenders: list[Tender]) -> Integers:
        nonlocal made
        rows = np.nonzero(which)[0]
        store, day = visits.store[rows], visits.day[rows]
        blocks.append(
            Block(
                kind,
                visits.customer[rows],
                store,
                visits.staff[rows],
                day,
                seconds(chain, store, day, visits.minute[rows] + later),
                tuple(
                    Line(line.there[rows], line.item[rows], line.unit_price[rows], line.amount[rows]) for line in lines
                ),
                tuple(Tender(tender.there[rows], tender.kind[rows], tender.amount[rows]) for tender in tenders),
            )
        )
        receipt = np.full(size, MISSING)
        receipt[rows] = made + np.arange(len(rows))
        made += len(rows)
        return receipt

    everywhere = np.ones(size, dtype=bool)
    card_price = np.where(baskets.card_sold == MISSING, 0, baskets.card_price)
    topup_price = np.where(baskets.topup_sold == MISSING, 0, items.price_minor[np.maximum(baskets.topup_sold, 0)])
    card = block(
        baskets.card_sold != MISSING,
        SALE,
        2,
        [Line(everywhere, baskets.card_sold, baskets.card_price, card_price)],
        [Tender(everywhere, pay, card_price)],
    )
    topup = block(
        baskets.topup_sold != MISSING,
        SALE,
        4,
        [Line(everywhere, baskets.topup_sold, topup_price, topup_price)],
        [Tender(everywhere, pay, topup_price)],
    )
    product_line = Line(with_service, baskets.product, baskets.product_price, product_price)
    service_line = Line(everywhere, baskets.service, baskets.list_price, baskets.value)
    stored = Tender(baskets.stored > 0, np.full(size, STORED_VALUE), baskets.stored)
    money = baskets.value - baskets.stored + np.where(with_service, product_price, 0)
    sold = block(
        paid | mixed | (baskets.how == GIFT),
        SALE,
        75,
        [service_line, product_line],
        [stored, Tender(money > 0, pay, money)],
    )
    session = Tender(everywhere, np.full(size, SESSION_TENDER), baskets.value)
    used_session = block(baskets.how == SESSION, USE, 75, [service_line], [session])
    used_stored = block(baskets.how == STORED, USE, 75, [service_line], [stored])
    alone = (baskets.product != MISSING) & ~with_service
    product = block(
        alone,
        SALE,
        80,
        [Line(everywhere, baskets.product, baskets.product_price, product_price)],
        [Tender(everywhere, pay, product_price)],
    )
    service = np.maximum(np.maximum(sold, used_session), used_stored)
    return blocks, card, topup, service, np.where(with_service, sold, product)


def _nobody(
    chance: Chance, shop: Catalogue, chain: Chain, days: Almanac, others: int, first_day: int, today: int
) -> Block:
    """A jar of cream over the counter, a manicure between two trains: no name was asked."""
    size = int(others * NOBODY_SHARE)
    store = pick(chance, chain.weight.tolist(), size)
    start = days.clock_at(np.maximum(chain.opened[store], first_day))
    end = days.clock_at(np.array([today + 1]))
    day = days.next_open(days.day_of(start + (end - start) * chance.random(size)), chain.open_weekdays[store])
    kept = (day <= today) & (day >= chain.opened[store])
    store, day = store[kept], day[kept]
    size = len(store)
    goods = [position for position, kind in enumerate(shop.items.kind) if kind == "product"]
    walk_ins = [shop.by_code[code] for code in ("F01", "M01", "M02", "B01", "Y02")]
    item = np.array(goods + walk_ins)[chance.integers(0, len(goods) + len(walk_ins), size)]
    price = shop.items.price_minor[item]
    opens, closes = chain.stores.opens_at_minute[store], chain.stores.closes_at_minute[store]
    minute = opens + 10 + (chance.random(size) * (closes - opens - 20)).astype(np.int64)
    everywhere = np.ones(size, dtype=bool)
    pay = np.array([kind for kind, _ in PAYS_WITH])[pick(chance, [weight for _, weight in PAYS_WITH], size)]
    return Block(
        SALE,
        np.full(size, MISSING),
        store,
        _on_duty(chance, chain, store, day),
        day,
        seconds(chain, store, day, minute),
        (Line(everywhere, item, price, price),),
        (Tender(everywhere, pay, price),),
    )


def _on_duty(chance: Chance, chain: Chain, store: Integers, day: Integers) -> Integers:
    person = chain.team[store, chance.integers(1, chain.team.shape[1], len(store))]
    there = (chain.joined[person] <= day) & (day < chain.left[person])
    return np.where(there, person, chain.team[store, 0])
