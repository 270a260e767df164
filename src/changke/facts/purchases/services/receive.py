"""Receipts of a machine's batch: checked one by one, written by one statement per table, in one transaction."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db import connection, transaction

from changke.facts.customers.services.meet import ID, Meeting, Reference, UnknownCustomer, known_since
from changke.facts.customers.services.together import Whom, Written, take_in
from changke.facts.purchases import rules
from changke.facts.purchases.models import Line, Receipt, Tender, WaitingReturn
from changke.facts.purchases.services import waiting
from changke.facts.purchases.services.give_back import MoreThanLeft, NewReturn, exceeding
from changke.facts.purchases.services.newcomers import NewReceipt
from changke.facts.purchases.services.record import (
    ReceiptNumberTaken,
    check_contents,
    sold_line,
    unit_price,
)
from changke.facts.purchases.services.waiting import Purchase
from changke.foundation.database.rows import insert
from changke.foundation.errors import DomainError, NotFound
from changke.foundation.intake import ONCE, Outcome, Taken, Waits, check_moment
from changke.foundation.organisation.scope import Scope
from changke.foundation.periods import business_date

NOBODY = 0
"""Stands for a customer whom only a repeated receipt names: nobody is written down for a receipt we have."""

Contents = tuple[object, ...]
"""What makes two receipts under one key the same: kind, day, customer, money, lines, tenders."""


@dataclass(frozen=True)
class Owner:
    """To whom a return belongs: to whoever bought, or to nobody if nobody was named then."""

    customer_id: int | None


@dataclass(frozen=True)
class _Reckoned:
    """A receipt that passed its checks, rolled up."""

    receipt: NewReceipt
    day: dt.date
    sold: list[rules.SoldLine]
    rolled: rules.Reckoning
    owner: Owner | None = None

    @classmethod
    def of(cls, receipt: NewReceipt, *, now: dt.datetime, owner: Owner | None = None) -> "_Reckoned":
        check_moment(receipt.happened_at, now=now)
        check_contents(receipt.lines, receipt.tenders)
        sold = [sold_line(line) for line in receipt.lines]
        rolled = rules.reckon(sold, receipt.tenders, is_return=receipt.is_return)
        return cls(receipt, business_date(receipt.happened_at, receipt.store.time_zone), sold, rolled, owner)

    @property
    def key(self) -> str:
        return self.receipt.source_key

    @property
    def is_attached(self) -> bool:
        """Whether it gives back a receipt that it names."""
        return self.receipt.is_return and bool(self.receipt.original_number)

    def customer_id(self, people: Mapping[Reference, int]) -> int | None:
        if self.owner is not None:
            return self.owner.customer_id
        return None if self.receipt.who is None else people[self.receipt.who]

    def as_return(self, people: Mapping[Reference, int]) -> NewReturn:
        receipt, back = self.receipt, sum(line.amount_minor for line in self.receipt.lines)
        store_id: int = receipt.store.pk
        return NewReturn(self.key, receipt.source, store_id, self.customer_id(people), receipt.original_number, back)

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


class Receipts:
    """The receipts of a batch, each checked on its own."""

    def __init__(self, receipts: Sequence[NewReceipt], *, now: dt.datetime) -> None:
        self.now = now
        self.refused: dict[int, Outcome] = {}
        self.reckoned: dict[int, _Reckoned] = {}
        for index, receipt in enumerate(receipts):
            try:
                self.reckoned[index] = _Reckoned.of(receipt, now=now)
            except DomainError as refusal:
                self.refused[index] = refusal

    def whom(self) -> Whom:
        """Whom they name; but nobody is written down for a receipt that we have already, nor for a return that names
        its purchase: that belongs to whoever bought."""
        named = [(one, one.receipt.who) for one in self.reckoned.values() if one.receipt.who is not None]
        loose = [(one, who) for one, who in named if not one.is_attached]
        living = Receipt.objects.filter(withdrawn_by__isnull=True)
        keys = [one.key for one, _ in loose]
        old = set(living.filter(source_key__in=keys).values_list("source_key", flat=True)) if keys else set()
        return Whom(
            meetings=[
                Meeting(who, one.receipt.store, one.day, one.receipt.name, one.receipt.source)
                for one, who in loose
                if one.key not in old
            ],
            also=[who for one, who in named if one.key in old or (one.is_attached and who.kind == ID)],
        )

    def write(self, people: Mapping[Reference, int]) -> Written:
        """Insert those that are new; say of each what came of it. A return may come before its purchase: it waits. One
        that gives back more than is left of its purchase is refused."""
        loose, attached = (
            {index: one for index, one in self.reckoned.items() if one.is_attached is given_back}
            for given_back in (False, True)
        )
        written = Written(dict(self.refused))
        outcomes = _take_in(loose, people, written, now=self.now)
        came = [loose[i] for i, outcome in outcomes.items() if isinstance(outcome, Taken) and outcome.is_new]
        _settle([_purchase(one.receipt) for one in came if one.receipt.number], written, now=self.now)
        written.outcomes |= outcomes | _give_back(attached, people, written, now=self.now)
        return written


def receive(receipts: Sequence[NewReceipt], *, scope: Scope, now: dt.datetime) -> list[Outcome]:
    """Take in what is right and new; say of each what came of it, in the order given.

    A customer nobody knew is written down under the name she came with. Of several receipts with one key the first
    counts: equal ones are known already, others are refused.
    """
    (outcomes,) = take_in([Receipts(receipts, now=now)], scope=scope, now=now)
    return [outcomes[index] for index in range(len(receipts))]


@transaction.atomic
def settle(purchases: Collection[Purchase], *, now: dt.datetime) -> int:
    """These purchases came: record the returns that waited for them; how many. One that does not fit stays, with the
    reason."""
    written = Written()
    taken = _settle(purchases, written, now=now)
    known_since(written.days)
    return taken


def _settle(purchases: Collection[Purchase], written: Written, *, now: dt.datetime) -> int:
    rows = waiting.waiting_for(purchases)
    returns = waiting.awake(rows)
    owners = _owners(returns)
    taken = 0
    for row, receipt in zip(rows, returns, strict=True):
        owner = owners.get(_original(receipt))
        if owner is None:
            continue
        outcome = _take_in({0: _Reckoned.of(receipt, now=now, owner=owner)}, {}, written, now=now)[0]
        if isinstance(outcome, Taken):
            row.delete()
            taken += 1
        elif isinstance(outcome, DomainError):
            row.refusal = outcome.code
            row.save(update_fields=["refusal"])
    return taken


@transaction.atomic
def settle_late(*, now: dt.datetime) -> int:
    """Record waiting returns whose purchase came by another door, or in the same moment as they; how many."""
    return settle(waiting.whose_purchase_came(), now=now)


@transaction.atomic
def count_anyway(row: WaitingReturn, *, now: dt.datetime) -> int:
    """Somebody decided that the purchase will never come: the return counts for its store, for no customer. The id of
    the receipt."""
    found = WaitingReturn.objects.select_for_update().select_related("store").filter(pk=row.pk).first()
    if found is None:
        raise NotFound
    one = _Reckoned.of(waiting.awake([found])[0], now=now, owner=Owner(None))
    outcome = _take_in({0: one}, {}, Written(), now=now)[0]  # of no customer: nobody is known earlier by it
    if isinstance(outcome, DomainError):
        raise outcome
    found.delete()
    return outcome.id if isinstance(outcome, Taken) else 0


def _give_back(
    returns: Mapping[int, _Reckoned], people: Mapping[Reference, int], written: Written, *, now: dt.datetime
) -> dict[int, Outcome]:
    """Returns that name their purchase: recorded if it is there, kept until it comes if not."""
    if not returns:
        return {}
    owners = _owners([one.receipt for one in returns.values()])
    ready: dict[int, _Reckoned] = {}
    early: dict[int, _Reckoned] = {}
    outcomes: dict[int, Outcome] = {}
    for index, one in returns.items():
        who = one.receipt.who
        owner = owners.get(one.key, owners.get(_original(one.receipt)))
        if who is not None and who.kind == ID and who not in people:
            outcomes[index] = UnknownCustomer(value=who.value)
        elif owner is not None:
            ready[index] = replace(one, owner=owner)
        else:
            early[index] = one
    first: dict[str, int] = {}
    for index, one in early.items():
        first.setdefault(one.key, index)
    before = waiting.hold([one.receipt for one in early.values()], now=now)
    for index, one in early.items():
        kept = before.get(one.key, waiting.told(early[first[one.key]].receipt))
        is_new = one.key not in before and first[one.key] == index
        same = kept == waiting.told(one.receipt)
        outcomes[index] = Waits(is_new) if same else ReceiptNumberTaken(number=one.receipt.number or one.key)
    return outcomes | _take_in(ready, people, written, now=now)


def _take_in(
    reckoned: Mapping[int, _Reckoned], met: Mapping[Reference, int], written: Written, *, now: dt.datetime
) -> dict[int, Outcome]:
    """Write those that are new; what came of each. The days of new facts are added to `written`."""
    outcomes: dict[int, Outcome] = {}
    known: dict[int, _Reckoned] = dict(reckoned)
    named = [one.receipt.who for one in reckoned.values() if one.owner is None and one.receipt.who is not None]
    people = {who: met.get(who, NOBODY) for who in named if who.kind != ID or who in met}
    first: dict[str, int] = {}
    for index, one in reckoned.items():
        who = one.receipt.who
        if one.owner is None and who is not None and who not in people:
            outcomes[index] = UnknownCustomer(value=who.value)
            del known[index]
        else:
            first.setdefault(one.key, index)
    fresh = {key: known[index] for key, index in first.items()}
    over = exceeding([one.as_return(people) for one in fresh.values() if one.is_attached])
    ids = _write({key: one for key, one in fresh.items() if key not in over}, people, written, now=now)
    outcomes |= {first[key]: Taken(pk, is_new=True) for key, pk in ids.items()}
    outcomes |= {first[key]: MoreThanLeft(left) for key, left in over.items()}
    return outcomes | _known_before({index: one for index, one in known.items() if index not in outcomes}, people)


def _purchase(receipt: NewReceipt) -> Purchase:
    return receipt.store.pk, receipt.source, receipt.number


def _original(receipt: NewReceipt) -> Purchase:
    return receipt.store.pk, receipt.source, receipt.original_number


def _owners(returns: Collection[NewReceipt]) -> dict[Purchase | str, Owner]:
    """Whose the purchases are that these returns name, and whose the returns that are recorded already (by key)."""
    if not returns:
        return {}
    stores, sources, numbers = (list(column) for column in zip(*map(_original, returns), strict=True))
    with connection.cursor() as sql:
        # A number may come twice; the earlier receipt is meant, as in the view `returns`.
        sql.execute(
            """
            SELECT DISTINCT ON (store_id, source, number) store_id, source, number, receipts.customer_id
            FROM facts_receipt AS receipts
            JOIN unnest(%s::bigint[], %s::text[], %s::text[]) AS wanted (store_id, source, number)
              USING (store_id, source, number)
            WHERE receipts.kind <> 'return' AND receipts.withdrawn_by_id IS NULL AND receipts.number <> ''
            ORDER BY store_id, source, number, receipts.id
            """,
            [stores, sources, numbers],
        )
        owners: dict[Purchase | str, Owner] = {(s, source, n): Owner(who) for s, source, n, who in sql.fetchall()}
    recorded = Receipt.objects.filter(source_key__in=[one.source_key for one in returns], withdrawn_by__isnull=True)
    return owners | {key: Owner(who) for key, who in recorded.values_list("source_key", "customer_id")}


def _write(
    fresh: Mapping[str, _Reckoned], people: Mapping[Reference, int], written: Written, *, now: dt.datetime
) -> dict[str, int]:
    """Insert those that are not there yet: id by source key. Sorted, so that two batches never wait in a circle."""
    rows = [_row(one, one.customer_id(people), now) for _, one in sorted(fresh.items())]
    ids: dict[str, int] = dict(insert("facts_receipt", RECEIPT, rows, once=ONCE, returning=["source_key", "id"]))
    new = [(pk, fresh[key]) for key, pk in ids.items()]
    insert("facts_line", LINE, [row for pk, one in new for row in _lines(pk, one)])
    insert("facts_tender", TENDER, [(pk, p.kind, p.amount_minor) for pk, one in new for p in one.receipt.tenders])
    for _, one in new:
        written.new(one.customer_id(people), one.day)
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
