"""Receipts in the making: blocks of equal receipts, joined, ordered by time and numbered at the end."""

from dataclasses import dataclass, field, replace

import numpy as np

from .catalogue import Catalogue
from .organisation import Chain
from .tables import MISSING, Flags, Integers, Lines, Receipts, Tenders, Texts

SALE, USE, RETURN = range(3)
KINDS = ("sale", "use", "return")
TENDERS = ("cash", "card", "wechat", "alipay", "stored_value", "session")
CASH, CARD, WECHAT, ALIPAY, STORED_VALUE, SESSION = range(6)
PREPAID_KINDS = ("card", "topup")  # selling them is cash in, not consumption
PERCENT_SCALE = 10_000


@dataclass(frozen=True)
class Line:
    """One line for every receipt of the block where `there`."""

    there: Flags
    item: Integers
    unit_price: Integers
    amount: Integers


@dataclass(frozen=True)
class Tender:
    there: Flags
    kind: Integers
    amount: Integers


@dataclass(frozen=True)
class Block:
    """`second` counts from 1970 in UTC. `original` is a position among the receipts of the blocks before, in the order
    they were made.
    """

    kind: int
    customer: Integers
    store: Integers
    staff: Integers
    day: Integers
    second: Integers
    lines: tuple[Line, ...]
    tenders: tuple[Tender, ...]
    original: Integers | None = None
    original_number: Texts = field(default_factory=list)
    returns_cost: bool = True  # of a return: the goods come back, so their cost does too

    def __len__(self) -> int:
        return len(self.customer)

    def only(self, there: Flags) -> "Block":
        """The receipts where `there`."""
        return replace(
            self,
            **{name: getattr(self, name)[there] for name in ("customer", "store", "staff", "day", "second")},
            lines=tuple(
                Line(line.there[there], line.item[there], line.unit_price[there], line.amount[there])
                for line in self.lines
            ),
            tenders=tuple(
                Tender(tender.there[there], tender.kind[there], tender.amount[there]) for tender in self.tenders
            ),
            original=None if self.original is None else self.original[there],
            original_number=[text for text, kept in zip(self.original_number, there.tolist(), strict=False) if kept],
        )


def seconds(chain: Chain, store: Integers, day: Integers, minute: Integers) -> Integers:
    """UTC seconds of a local minute; tills write whole minutes, so equal moments happen."""
    return day * 86_400 + minute * 60 - chain.utc_offset_seconds[store]


def join(
    blocks: list[Block], *, shop: Catalogue, store_codes: Texts, recorded: Integers
) -> tuple[Receipts, Lines, Tenders]:
    """The tables. `recorded` is the second at which each receipt was written into the books, in the order of the
    blocks.
    """
    second = np.concatenate([block.second for block in blocks])
    store = np.concatenate([block.store for block in blocks])
    order = np.lexsort((np.arange(len(second)), store, second))
    place = np.empty(len(order), dtype=np.int64)  # where a receipt of the blocks ends up
    place[order] = np.arange(len(order))
    lines, line_kinds = _lines(blocks, place, shop)
    tenders = _tenders(blocks, place)
    return _receipts(blocks, order, place, shop, lines, line_kinds, tenders, store_codes, recorded), lines, tenders


def _lines(blocks: list[Block], place: Integers, shop: Catalogue) -> tuple[Lines, Flags]:
    """The lines, and which of them sell something prepaid."""
    receipt, position, item, price, amount, costs = [], [], [], [], [], []
    offset = 0
    for block in blocks:
        count = np.zeros(len(block), dtype=np.int64)
        for line in block.lines:
            rows = np.nonzero(line.there)[0]
            count[rows] += 1
            receipt.append(place[offset + rows])
            position.append(count[rows])
            item.append(line.item[rows])
            price.append(line.unit_price[rows])
            amount.append(line.amount[rows])
            costs.append(np.full(len(rows), block.returns_cost))
        offset += len(block)
    whole_receipt, whole_position = np.concatenate(receipt), np.concatenate(position)
    order = np.lexsort((whole_position, whole_receipt))
    items = np.concatenate(item)[order]
    prepaid = np.array([kind in PREPAID_KINDS for kind in shop.items.kind])[items]
    cost = np.where(prepaid, 0, shop.items.unit_cost_minor[items])
    cost = np.where(np.concatenate(costs)[order], cost, 0)
    names = shop.items.name
    table = Lines(
        receipt=whole_receipt[order],
        position=whole_position[order],
        item=items,
        description=[names[position] for position in items.tolist()],
        quantity_milli=np.full(len(order), 1000, dtype=np.int64),
        unit_price_minor=np.concatenate(price)[order],
        amount_minor=np.concatenate(amount)[order],
        cost_minor=cost,
    )
    return table, prepaid


def _tenders(blocks: list[Block], place: Integers) -> Tenders:
    receipt, kind, amount = [], [], []
    offset = 0
    for block in blocks:
        for tender in block.tenders:
            rows = np.nonzero(tender.there)[0]
            receipt.append(place[offset + rows])
            kind.append(tender.kind[rows])
            amount.append(tender.amount[rows])
        offset += len(block)
    whole = np.concatenate(receipt)
    order = np.argsort(whole, kind="stable")
    kinds = np.concatenate(kind)[order].tolist()
    return Tenders(whole[order], [TENDERS[position] for position in kinds], np.concatenate(amount)[order])


def _receipts(
    blocks: list[Block],
    order: Integers,
    place: Integers,
    shop: Catalogue,
    lines: Lines,
    prepaid: Flags,
    tenders: Tenders,
    store_codes: Texts,
    recorded: Integers,
) -> Receipts:
    size = len(order)
    day = np.concatenate([block.day for block in blocks])[order]
    store = np.concatenate([block.store for block in blocks])[order]
    kind = np.concatenate([np.full(len(block), block.kind) for block in blocks])[order]
    original = np.concatenate(
        [np.full(len(block), MISSING) if block.original is None else block.original for block in blocks]
    )[order]
    original = np.where(original == MISSING, MISSING, place[np.maximum(original, 0)])
    told = [text for block in blocks for text in (block.original_number or [""] * len(block))]
    numbers = _numbers(day, store, kind, store_codes)
    margin, basis = _margin(lines, prepaid, shop, size)
    real = np.array([name not in ("stored_value", "session") for name in tenders.kind], dtype=bool)
    second = np.concatenate([block.second for block in blocks])[order]
    return Receipts(
        source_key=[f"till:{number}" for number in numbers],
        number=numbers,
        source=["till"] * size,
        kind=[KINDS[position] for position in kind.tolist()],
        customer=np.concatenate([block.customer for block in blocks])[order],
        store=store,
        staff=np.concatenate([block.staff for block in blocks])[order],
        original=original,
        original_number=[
            told[made] if sale == MISSING else numbers[sale]
            for made, sale in zip(order.tolist(), original.tolist(), strict=True)
        ],
        cash_minor=_sum(tenders.receipt[real], tenders.amount_minor[real], size),
        consumed_minor=_sum(lines.receipt[~prepaid], lines.amount_minor[~prepaid], size),
        margin_minor=margin,
        margin_basis=basis,
        items=_sum(lines.receipt, lines.quantity_milli // 1000, size),
        happened_at=second.astype("datetime64[s]"),
        business_date=day.astype("datetime64[D]"),
        recorded_at=recorded[order].astype("datetime64[s]"),
    )


def _numbers(day: Integers, store: Integers, kind: Integers, store_codes: Texts) -> Texts:
    """Store, day and a running number of the day, R before it for a return; rows come in order of time."""
    order = np.lexsort((np.arange(len(day)), day, store))
    fresh = np.r_[True, (np.diff(store[order]) != 0) | (np.diff(day[order]) != 0)]
    starts = np.nonzero(fresh)[0]
    running = np.empty(len(day), dtype=np.int64)
    running[order] = np.arange(len(day)) - np.repeat(starts, np.diff(np.r_[starts, len(day)])) + 1
    first = int(day.min(initial=0))
    dates = [
        str(text).replace("-", "") for text in np.arange(first, int(day.max(initial=0)) + 1).astype("datetime64[D]")
    ]
    return [
        f"{'R' if which == RETURN else ''}{store_codes[shop]}-{dates[date - first]}-{number:03d}"
        for which, shop, date, number in zip(kind.tolist(), store.tolist(), day.tolist(), running.tolist(), strict=True)
    ]


def _margin(lines: Lines, prepaid: Flags, shop: Catalogue, size: int) -> tuple[Integers, Texts]:
    """Amount less cost, else the category's percentage, else unknown. Money for a card or a top-up has earned nothing
    yet: margin 0.
    """
    percent = shop.categories.margin_basis_points[shop.items.category[lines.item]]
    by_cost = (lines.cost_minor != MISSING) & ~prepaid
    by_percent = ~by_cost & ~prepaid & (percent != MISSING)
    of_line = np.where(by_cost, lines.amount_minor - np.where(by_cost, lines.cost_minor, 0), 0)
    of_line = np.where(by_percent, lines.amount_minor * np.where(by_percent, percent, 0) // PERCENT_SCALE, of_line)
    has_cost, has_percent, has_unknown = (
        _sum(lines.receipt[which], np.ones(int(which.sum()), dtype=np.int64), size) > 0
        for which in (by_cost, by_percent, ~by_cost & ~by_percent & ~prepaid)
    )
    basis = np.select([has_unknown, has_cost & has_percent, has_percent], ["unknown", "mixed", "percent"], "cost")
    return np.where(has_unknown, MISSING, _sum(lines.receipt, of_line, size)), basis.tolist()


def _sum(receipt: Integers, amount: Integers, size: int) -> Integers:
    result = np.zeros(size, dtype=np.int64)
    np.add.at(result, receipt, amount)
    return result
