"""Receipts of a machine's batch: checked one by one, written by one statement per table, in one transaction."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from changke.facts.customers.services.meet import (
    ID,
    Meeting,
    Reference,
    UnknownCustomer,
    find,
    find_or_create,
    known_since,
)
from changke.facts.purchases import rules
from changke.facts.purchases.models import Line, Receipt, Tender
from changke.facts.purchases.services.record import (
    NewLine,
    ReceiptNumberTaken,
    check_contents,
    sold_line,
    unit_price,
)
from changke.foundation.database.rows import insert
from changke.foundation.errors import DomainError
from changke.foundation.intake import ONCE, Outcome, Taken, check_moment
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import Scope
from changke.foundation.periods import business_date

NOBODY = 0
"""Stands for a customer whom only a repeated receipt names: nobody is written down for a receipt we have."""

Contents = tuple[object, ...]
"""What makes two receipts under one key the same: kind, day, customer, money, lines, tenders."""


@dataclass(frozen=True)
class NewReceipt:
    """A receipt as a machine tells it. The same `source_key` with the same contents is the same receipt."""

    store: Store
    source: str
    source_key: str
    happened_at: dt.datetime
    lines: Sequence[NewLine]
    tenders: Sequence[rules.Paid] = ()
    is_return: bool = False
    number: str = ""
    original_number: str = ""
    who: Reference | None = None
    name: str = ""
    """What to call the customer if nobody knew her yet."""
    staff_id: int | None = None


@dataclass(frozen=True)
class _Reckoned:
    """A receipt that passed its checks, rolled up."""

    receipt: NewReceipt
    day: dt.date
    sold: list[rules.SoldLine]
    rolled: rules.Reckoning

    @classmethod
    def of(cls, receipt: NewReceipt, *, now: dt.datetime) -> "_Reckoned":
        check_moment(receipt.happened_at, now=now)
        check_contents(receipt.lines, receipt.tenders)
        sold = [sold_line(line) for line in receipt.lines]
        rolled = rules.reckon(sold, receipt.tenders, is_return=receipt.is_return)
        return cls(receipt, business_date(receipt.happened_at, receipt.store.time_zone), sold, rolled)

    @property
    def key(self) -> str:
        return self.receipt.source_key

    def customer_id(self, people: Mapping[Reference, int]) -> int | None:
        return None if self.receipt.who is None else people[self.receipt.who]

    def contents(self, customer_id: int | None) -> Contents:
        return (
            self.rolled.kind,
            self.day,
            customer_id,
            self.rolled.cash_minor,
            self.rolled.consumed_minor,
            sorted(
                (line.item.pk if line.item else 0, line.description[:200], line.quantity_milli, line.amount_minor)
                for line in self.receipt.lines
            ),
            sorted((paid.kind, paid.amount_minor) for paid in self.receipt.tenders),
        )


@transaction.atomic
def receive(receipts: Sequence[NewReceipt], *, scope: Scope, now: dt.datetime) -> list[Outcome]:
    """Take in what is right and new; say of each what came of it, in the order given.

    A return may come before its purchase. A customer nobody knew is written down under the name she came with. Of
    several receipts with one key the first counts: equal ones are known already, others are refused.
    """
    outcomes: dict[int, Outcome] = {}
    reckoned: dict[int, _Reckoned] = {}
    for index, receipt in enumerate(receipts):
        try:
            reckoned[index] = _Reckoned.of(receipt, now=now)
        except DomainError as refusal:
            outcomes[index] = refusal
    people = _people(reckoned.values(), scope=scope, now=now)
    first: dict[str, int] = {}
    for index, one in list(reckoned.items()):
        who = one.receipt.who
        if who is not None and who not in people:
            outcomes[index] = UnknownCustomer(value=who.value)
            del reckoned[index]
        else:
            first.setdefault(one.key, index)
    for key, pk in _write({key: reckoned[index] for key, index in first.items()}, people, now=now).items():
        outcomes[first[key]] = Taken(pk, is_new=True)
    outcomes |= _known_before({index: one for index, one in reckoned.items() if index not in outcomes}, people)
    return [outcomes[index] for index in range(len(receipts))]


def _people(reckoned: Collection[_Reckoned], *, scope: Scope, now: dt.datetime) -> dict[Reference, int]:
    """Who they are, strangers written down; but not those of receipts that we have already."""
    living = Receipt.objects.filter(withdrawn_by__isnull=True)
    old = set(living.filter(source_key__in=[one.key for one in reckoned]).values_list("source_key", flat=True))
    repeated = [one.receipt.who for one in reckoned if one.receipt.who is not None and one.key in old]
    meetings = [
        Meeting(one.receipt.who, one.receipt.store, one.day, one.receipt.name, one.receipt.source)
        for one in reckoned
        if one.receipt.who is not None and one.key not in old
    ]
    known = find(repeated, scope=scope) | find_or_create(meetings, scope=scope, now=now)
    return {who: NOBODY for who in repeated if who.kind != ID} | known


def _write(fresh: Mapping[str, _Reckoned], people: Mapping[Reference, int], *, now: dt.datetime) -> dict[str, int]:
    """Insert those that are not there yet: id by source key. Sorted, so that two batches never wait in a circle."""
    rows = [_row(one, one.customer_id(people), now) for _, one in sorted(fresh.items())]
    ids: dict[str, int] = dict(insert("facts_receipt", RECEIPT, rows, once=ONCE, returning=["source_key", "id"]))
    new = [(pk, fresh[key]) for key, pk in ids.items()]
    insert("facts_line", LINE, [row for pk, one in new for row in _lines(pk, one)])
    insert("facts_tender", TENDER, [(pk, p.kind, p.amount_minor) for pk, one in new for p in one.receipt.tenders])
    earliest: dict[int, dt.date] = {}
    for _, one in new:
        if customer_id := one.customer_id(people):
            earliest[customer_id] = min(earliest.get(customer_id, one.day), one.day)
    known_since(earliest)
    return ids


def _known_before(repeated: Mapping[int, _Reckoned], people: Mapping[Reference, int]) -> dict[int, Outcome]:
    """Those whose key was there: the same receipt once more, or another one under its number."""
    if not repeated:
        return {}
    recorded = _recorded({one.key for one in repeated.values()})
    outcomes: dict[int, Outcome] = {}
    for index, one in repeated.items():
        pk, contents = recorded[one.key]
        same = contents == one.contents(one.customer_id(people))
        outcomes[index] = Taken(pk, is_new=False) if same else ReceiptNumberTaken(number=one.receipt.number or one.key)
    return outcomes


def _recorded(keys: Collection[str]) -> dict[str, tuple[int, Contents]]:
    found = {one.pk: one for one in Receipt.objects.filter(source_key__in=keys, withdrawn_by__isnull=True)}
    lines: dict[int, list[tuple[int, str, int, int]]] = {pk: [] for pk in found}
    tenders: dict[int, list[tuple[str, int]]] = {pk: [] for pk in found}
    for line in Line.objects.filter(receipt__in=found):
        lines[line.receipt_id].append((line.item_id or 0, line.description, line.quantity_milli, line.amount_minor))
    for tender in Tender.objects.filter(receipt__in=found):
        tenders[tender.receipt_id].append((tender.kind, tender.amount_minor))
    return {one.source_key: (pk, _contents(one, lines[pk], tenders[pk])) for pk, one in found.items()}


def _contents(one: Receipt, lines: list[tuple[int, str, int, int]], tenders: list[tuple[str, int]]) -> Contents:
    money = (one.cash_minor, one.consumed_minor)
    return (str(one.kind), one.business_date, one.customer_id, *money, sorted(lines), sorted(tenders))


RECEIPT = {
    "kind": "text",
    "number": "text",
    "source": "text",
    "customer_id": "bigint",
    "store_id": "bigint",
    "staff_id": "bigint",
    "original_number": "text",
    "cash_minor": "bigint",
    "consumed_minor": "bigint",
    "margin_minor": "bigint",
    "margin_basis": "text",
    "items": "integer",
    "happened_at": "timestamptz",
    "business_date": "date",
    "recorded_at": "timestamptz",
    "source_key": "text",
}
LINE = {
    "receipt_id": "bigint",
    "position": "integer",
    "item_id": "bigint",
    "description": "text",
    "quantity_milli": "bigint",
    "unit_price_minor": "bigint",
    "amount_minor": "bigint",
    "cost_minor": "bigint",
}
TENDER = {"receipt_id": "bigint", "kind": "text", "amount_minor": "bigint"}


def _row(one: _Reckoned, customer_id: int | None, now: dt.datetime) -> tuple[object, ...]:
    receipt, rolled = one.receipt, one.rolled
    return (
        rolled.kind,
        receipt.number,
        receipt.source,
        customer_id,
        receipt.store.pk,
        receipt.staff_id,
        receipt.original_number,
        rolled.cash_minor,
        rolled.consumed_minor,
        rolled.margin_minor,
        rolled.margin_basis,
        rolled.items,
        receipt.happened_at,
        one.day,
        now,
        receipt.source_key,
    )


def _lines(pk: int, one: _Reckoned) -> Iterable[tuple[object, ...]]:
    for position, (line, sold) in enumerate(zip(one.receipt.lines, one.sold, strict=True), 1):
        yield (
            pk,
            position,
            line.item.pk if line.item else None,
            line.description[:200],
            line.quantity_milli,
            unit_price(line),
            line.amount_minor,
            sold.cost_minor,
        )
