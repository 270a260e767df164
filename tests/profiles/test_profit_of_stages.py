"""What the stages brought month by month, and one customer: profit where it is known, never guessed for the rest."""

import datetime as dt
from pathlib import Path

import pytest
from django.db.models import Sum

from changke.facts.customers.models import Customer
from changke.facts.purchases.models import Receipt
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import CHAIN_WIDE, Scope
from changke.foundation.periods import month_ends
from changke.profiles.lifecycle.models import SeriesFill, StageProfit
from changke.profiles.lifecycle.queries import chart_days, profits
from changke.profiles.lifecycle.services import refresh_all
from changke.profiles.value.profit import MonthOfProfit, Profit, months_of, share_known, total
from tests.profiles.world import NOW, TODAY, Book, build, make_chain, make_stores

pytestmark = pytest.mark.django_db(transaction=True)
JANUARY, FEBRUARY, MARCH = dt.date(2026, 1, 31), dt.date(2026, 2, 28), TODAY


@pytest.fixture
def stores() -> list[Store]:
    make_chain()
    return make_stores(2)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mirror.duckdb"


def bought(
    customer: Customer, store: Store, day: dt.date, consumed: int, margin: int | None, kind: str = "sale"
) -> Receipt:
    basis = "unknown" if margin is None else "cost"
    receipt = Book().receipt(
        customer, store, day, kind, cash_minor=consumed, consumed_minor=consumed, margin_minor=margin,
        margin_basis=basis,
    )  # fmt: skip
    receipt.save(force_insert=True)
    return receipt


@pytest.fixture
def lena(stores: list[Store]) -> Customer:
    """January: 100, profit 60. February: 200 of unknown profit, 50 by card with 20. March: 30 given back, 18 of it."""
    one = Book().customer(stores[0], dt.date(2026, 1, 2))
    bought(one, stores[0], dt.date(2026, 1, 31), 10_000, 6_000)
    bought(one, stores[1], dt.date(2026, 2, 1), 20_000, None)
    bought(one, stores[0], dt.date(2026, 2, 28), 5_000, 2_000, "use")
    bought(one, stores[0], dt.date(2026, 3, 1), 3_000, 1_800, "return")
    return one


def test_month_by_month_what_she_brought(lena: Customer) -> None:
    assert months_of(lena.pk, today=TODAY) == [
        MonthOfProfit(JANUARY, Profit(6_000, 10_000, 10_000)),
        MonthOfProfit(FEBRUARY, Profit(2_000, 25_000, 5_000)),
        MonthOfProfit(MARCH, Profit(-1_800, -3_000, -3_000)),
    ]
    assert months_of(lena.pk, today=FEBRUARY, months=1) == [MonthOfProfit(FEBRUARY, Profit(2_000, 25_000, 5_000))]
    assert months_of(lena.pk, today=dt.date(2026, 2, 27), months=1)[0].profit == Profit(None, 20_000, 0)
    assert months_of(lena.pk, today=dt.date(2025, 12, 31)) == []


def test_the_profit_of_a_stage_is_that_of_those_who_stand_there_at_the_end_of_the_month(
    lena: Customer, stores: list[Store], file: Path
) -> None:
    old = Book().customer(stores[1], dt.date(2025, 1, 1))
    bought(old, stores[1], dt.date(2025, 1, 5), 9_900, 4_900)
    bought(old, stores[1], dt.date(2026, 3, 31), 1_000, 400)
    refresh_all(now=NOW, mirror=file, months=3)
    found = profits("m4", CHAIN_WIDE)
    assert found == {
        JANUARY: {"intro": Profit(6_000, 10_000, 10_000)},
        FEBRUARY: {"growth": Profit(2_000, 25_000, 5_000)},
        MARCH: {"growth": Profit(-1_400, -2_000, -2_000)},
    }
    assert profits("m4", Scope(frozenset({stores[1].pk}))) == {MARCH: {"growth": Profit(400, 1_000, 1_000)}}
    assert set(profits("m4", CHAIN_WIDE, since=FEBRUARY)) == {FEBRUARY, MARCH}


def test_a_month_is_summed_again_when_one_of_its_receipts_comes_late(
    lena: Customer, stores: list[Store], file: Path
) -> None:
    refresh_all(now=NOW, mirror=file, months=3)
    bought(lena, stores[0], dt.date(2026, 1, 30), 1_000, 100)
    refresh_all(now=NOW, mirror=file, months=3)
    (january,) = profits("m4", CHAIN_WIDE)[JANUARY].values()
    assert january == Profit(6_100, 11_000, 11_000)


def test_every_model_and_every_customer_add_up_to_the_same(file: Path) -> None:
    build(customers=120)
    for place, customer in enumerate(Customer.objects.filter(is_active=True).select_related("home_store")[:60]):
        store = customer.home_store or Store.objects.first()
        bought(customer, store, max(customer.known_on, TODAY - dt.timedelta(days=5 * place)), 10_000, 4_000)  # type: ignore[arg-type]
    refresh_all(now=NOW, mirror=file, months=12)
    days = chart_days()
    one_by_one = [
        one
        for customer in Customer.objects.filter(merged_into=None, is_active=True).values_list("pk", flat=True)
        for one in months_of(customer, today=TODAY, months=len(days))
    ]
    by_month = {day: total([one.profit for one in one_by_one if one.day == day]) for day in days}
    summed = [Sum("margin_minor"), Sum("revenue_minor"), Sum("known_minor")]
    for model in ("m1", "m2", "m4"):
        rows = StageProfit.objects.filter(model=model).values("day").annotate(*summed)
        told = {
            row["day"]: Profit(*(row[f"{name}_minor__sum"] for name in ("margin", "revenue", "known"))) for row in rows
        }
        assert told == {day: profit for day, profit in by_month.items() if day in told}
        assert len(told) == len(days)
    assert any(0 < (profit.known_share or 0) < 1 for profit in by_month.values())


def test_charts_of_before_are_filled_again(lena: Customer, file: Path) -> None:
    """The migration marks every day as outdated; its next refresh sums it."""
    refresh_all(now=NOW, mirror=file, months=3)
    StageProfit.objects.all().delete()
    SeriesFill.objects.update(snapshot=0)
    refresh_all(now=NOW, mirror=file, months=3)
    assert set(profits("m4", CHAIN_WIDE)) == {JANUARY, FEBRUARY, MARCH}


@pytest.mark.parametrize(("known", "revenue", "share"), [
    (0, 0, None), (0, 100, 0.0), (50, 100, 0.5), (100, 100, 1.0),
    (-10, 100, 0.0),  # more given back of what is known than rendered
    (120, 100, 1.0),  # of what is unknown more was given back
    (0, -50, None),
])  # fmt: skip
def test_on_how_much_of_the_revenue_it_rests(known: int, revenue: int, share: float | None) -> None:
    assert share_known(known, revenue) == share


def test_together_with_what_is_unknown_it_stays_what_is_known() -> None:
    assert total([Profit(None, 10, 0), Profit(5, 20, 20)]) == Profit(5, 30, 20)
    assert total([Profit(None, 10, 0)]) == Profit(None, 10, 0)


def test_the_ends_of_months() -> None:
    assert month_ends(dt.date(2026, 3, 4), 3) == [JANUARY, FEBRUARY, dt.date(2026, 3, 4)]
    assert month_ends(MARCH, 1) == [MARCH]
