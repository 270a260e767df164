"""A chain of stores that never existed: skewed, with churners, ties, strangers, returns, openings, days to come."""

import datetime as dt
import itertools
import random

from changke.facts.catalog.models import Category, Item
from changke.facts.customers.models import Customer
from changke.facts.purchases.models import Line, Opening, Receipt
from changke.facts.referrals.models import How, Referral
from changke.facts.visits.models import Visit
from changke.foundation.batches.models import Batch
from changke.foundation.database.statistics import analyze
from changke.foundation.organisation.models import Chain, Store
from tests.kept import keeping

TODAY = dt.date(2026, 3, 31)
NOW = dt.datetime(2026, 3, 31, 12, 0, tzinfo=dt.UTC)
"""Noon in UTC is the evening of the same day in Shanghai."""


WRITTEN = itertools.count(1)
"""Every fact has a key of its own, whichever book it is written in."""


def make_chain(**settings: object) -> Chain:
    return Chain.objects.create(name="Harbour Spa", **settings)


def make_stores(count: int, **settings: object) -> list[Store]:
    return [Store.objects.create(code=f"S{n}", name=f"Store {n}", **settings) for n in range(1, count + 1)]


class Book:
    """Facts about customers, written down in the words of a shop."""

    def __init__(self, now: dt.datetime = NOW) -> None:
        self.now = now

    def _fact(self, day: dt.date) -> dict[str, object]:
        moment = dt.datetime.combine(day, dt.time(4), tzinfo=dt.UTC)
        return {
            "happened_at": moment,
            "business_date": day,
            "recorded_at": self.now,
            "source_key": f"book:{next(WRITTEN)}",
        }

    def customer(self, store: Store | None, known_on: dt.date, **fields: object) -> Customer:
        return Customer.objects.create(home_store=store, known_on=known_on, recorded_at=self.now, **fields)

    def receipt(self, customer: Customer, store: Store, day: dt.date, kind: str = "sale", **fields: object) -> Receipt:
        values: dict[str, object] = {"cash_minor": 0 if kind == "use" else 10_000, "consumed_minor": 10_000, "items": 1}
        return Receipt(customer=customer, store=store, kind=kind, **{**values, **fields}, **self._fact(day))

    def visit(self, customer: Customer, store: Store, day: dt.date) -> Visit:
        return Visit(customer=customer, store=store, **self._fact(day))

    def brought(self, customer: Customer, referrer: Customer | None, day: dt.date, **fields: object) -> Referral:
        return Referral(customer=customer, referrer=referrer, how=How.BY_HAND, **fields, **self._fact(day))

    def opening(
        self, customer: Customer, store: Store | None, first: dt.date, last: dt.date, n: int, cash: int
    ) -> Opening:
        return Opening(
            customer=customer,
            store=store,
            first_on=first,
            last_on=last,
            purchases=n,
            cash_minor=cash,
            **self._fact(last),
        )


@keeping
def build(customers: int = 700, seed: int = 7) -> None:
    """About ten receipts a customer, the heaviest more than a hundred; a sixth never bought."""
    dice, other_dice, book = random.Random(seed), random.Random(seed + 1), Book()
    make_chain()
    stores = make_stores(5)
    gone = Batch.objects.create(kind="load", created_at=NOW)
    people = []
    for _ in range(customers):
        people.append(
            Customer(
                home_store=dice.choice([*stores, None]),
                known_on=TODAY - dt.timedelta(days=dice.randint(0, 1100)),
                recorded_at=NOW,
                birth_year=dice.choice([None, dice.randint(1950, 2008)]),
                is_active=dice.random() > 0.02,
            )
        )
    Customer.objects.bulk_create(people)
    receipts: list[Receipt] = []
    visits: list[Visit] = []
    openings: list[Opening] = []
    for person in people:
        life = dice.randint(5, 1100)

        def some_day(person: Customer = person, life: int = life) -> dt.date:
            return person.known_on + dt.timedelta(days=dice.randint(0, life))

        sold = 0 if dice.random() < 0.16 else min(int(dice.lognormvariate(1.7, 1.1)), 150)
        for number in range(sold):
            store, day = dice.choice(stores), some_day()
            kind = "use" if dice.random() < 0.3 else "sale"
            cash = 0 if kind == "use" or dice.random() < 0.1 else dice.choice([100, 100 * dice.randint(1, 900)])
            receipt = book.receipt(
                person,
                store,
                day,
                kind,
                number=f"R{dice.randint(1, 60)}" if dice.random() < 0.6 else "",
                cash_minor=cash,
                consumed_minor=100 * dice.randint(0, 700),
                margin_minor=dice.choice([None, cash // 3]),
                margin_basis=dice.choice(["cost", "percent", "mixed"]),
                items=dice.randint(0, 4),
                withdrawn_by=gone if dice.random() < 0.03 else None,
            )
            receipts.append(receipt)
            if dice.random() < 0.12:
                share = dice.choice([1, 1, 2])
                named = other_dice.choice([receipt.number, receipt.number, "", "B1"])
                receipts.append(
                    book.receipt(
                        person,
                        store,
                        day + dt.timedelta(days=dice.randint(-2, 90)),
                        "return",
                        number="B1" if named == "B1" else "",
                        original_number=named,
                        cash_minor=receipt.cash_minor // share,
                        consumed_minor=receipt.consumed_minor // share,
                        margin_minor=dice.choice([None, receipt.cash_minor // 3]),
                        items=receipt.items,
                    )
                )
            if number % 3 == 0:
                visits.append(book.visit(person, dice.choice(stores), some_day()))
        if dice.random() < 0.2:
            visits.append(book.visit(person, dice.choice(stores), some_day()))
        if dice.random() < 0.1:
            first = person.known_on + dt.timedelta(days=dice.randint(0, 60))
            last = first + dt.timedelta(days=dice.choice([0, 200, 500]))
            openings.append(
                book.opening(person, dice.choice([*stores, None]), first, last, dice.randint(0, 30), 777_00)
            )
    Receipt.objects.bulk_create(receipts)
    Visit.objects.bulk_create(visits)
    Opening.objects.bulk_create(openings)
    third = random.Random(seed + 2)
    said: list[Referral] = []
    for place, person in enumerate(people):
        if place and third.random() < 0.4:
            for _ in range(third.choice([1, 1, 1, 2])):  # the second corrects the first
                referrer = None if third.random() < 0.1 else people[int(place * third.random() ** 2)]
                withdrawn = gone if third.random() < 0.1 else None
                day = person.known_on + dt.timedelta(days=third.choice([0, 0, 400]))
                said.append(book.brought(person, referrer, day, withdrawn_by=withdrawn))
    Referral.objects.bulk_create(said)
    write_lines(receipts, random.Random(seed + 3))
    # As after every load: of tables that nobody counted PostgreSQL takes a hundred times as long for each customer.
    analyze([one._meta.db_table for one in (Customer, Receipt, Line, Visit, Opening, Referral)])


def write_lines(receipts: list[Receipt], dice: random.Random) -> None:
    """What stands on most of the receipts: services, products, a card; of four groups and of none."""
    groups = [Category.objects.create(name=name) for name in ("护理", "美甲", "彩妆", "器械")]
    items = [
        Item.objects.create(code=f"W{n}", name=f"Thing {n}", kind=kind, category=groups[n % 5] if n % 5 < 4 else None)
        for n, kind in enumerate(["service", "service", "product", "other", "product", "card", "service", "topup"] * 2)
    ]
    Line.objects.bulk_create(
        Line(receipt=one, position=100 + place, item=dice.choice([*items, None]), amount_minor=100 * dice.randint(0, 9))
        for one in receipts
        for place in range(dice.choice([0, 1, 1, 2]))
    )
