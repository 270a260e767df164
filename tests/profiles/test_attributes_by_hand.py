"""Cases that a shop would argue about, each with the answer."""

import datetime as dt
from typing import Any

import pytest

from changke.facts.customers.models import Customer
from changke.facts.purchases.models import Receipt
from changke.foundation.batches.models import Batch
from changke.foundation.database.append_only import current_xid
from changke.foundation.organisation.models import Chain, Store
from changke.profiles.attributes.models import POPULATIONS, PopulationVersion, Profile
from changke.profiles.lifecycle.models import Standing
from changke.profiles.lifecycle.services import refresh_customers
from tests.profiles.world import NOW, TODAY, Book, make_chain, make_stores

pytestmark = pytest.mark.django_db

LONG_AGO = TODAY - dt.timedelta(days=2000)


def ago(days: int) -> dt.date:
    return TODAY - dt.timedelta(days=days)


@pytest.fixture
def stores() -> list[Store]:
    make_chain()
    return make_stores(2)


@pytest.fixture
def vera(stores: list[Store]) -> Customer:
    return Book().customer(stores[0], LONG_AGO, name="Vera", birth_year=1996)


book = Book()


def save(*facts: Any) -> None:
    for fact in facts:
        fact.save(force_insert=True)


def profile(customer: Customer, now: dt.datetime = NOW) -> Profile:
    refresh_customers([customer.pk], now=now)
    return Profile.objects.get(pk=customer.pk)


def test_nobody_knows_a_thing_about_a_stranger(vera: Customer) -> None:
    row = profile(vera)
    assert (row.purchases, row.visits, row.spend, row.value_at_risk) == (0, 0, 0, 0)
    assert (row.last_active_on, row.silent_days, row.value_group, row.new_or_old, row.average_ticket) == (None,) * 5
    assert row.usual_gap_days == 30  # she moves at the chain's pace, and the chain's first pace is a month
    assert (row.birth_decade, row.birth_half_decade) == (1990, 1995)
    assert row.stage == "intro"


@pytest.mark.parametrize(("days", "windows"), [
    (0, [1, 1, 1, 1, 1]),
    (29, [1, 1, 1, 1, 1]),
    (30, [0, 1, 1, 1, 1]),
    (59, [0, 1, 1, 1, 1]),
    (60, [0, 0, 1, 1, 1]),
    (89, [0, 0, 1, 1, 1]),
    (90, [0, 0, 0, 1, 1]),
    (179, [0, 0, 0, 1, 1]),
    (180, [0, 0, 0, 0, 1]),
    (364, [0, 0, 0, 0, 1]),
    (365, [0, 0, 0, 0, 0]),
])  # fmt: skip
def test_a_window_holds_today_and_the_days_before_it(
    vera: Customer, stores: list[Store], days: int, windows: list[int]
) -> None:
    save(book.receipt(vera, stores[0], ago(days), cash_minor=500))
    row = profile(vera)
    names = ("30d", "60d", "90d", "180d", "365d")
    assert [getattr(row, f"purchases_{name}") for name in names] == windows
    assert [getattr(row, f"visits_{name}") for name in names] == windows
    assert [getattr(row, f"spend_{name}") for name in names] == [500 * one for one in windows]
    assert row.silent_days == days


@pytest.mark.parametrize(("days", "stage"), [
    (0, "intro"), (59, "intro"), (60, "silent"), (179, "silent"), (180, "lost"), (900, "lost"),
])  # fmt: skip
def test_the_sixtieth_day_is_silent_and_the_hundred_and_eightieth_lost(
    vera: Customer, stores: list[Store], days: int, stage: str
) -> None:
    save(book.receipt(vera, stores[0], ago(days)))
    assert profile(vera).stage == stage


def test_two_receipts_a_day_are_two_purchases_one_visit_and_no_gap(vera: Customer, stores: list[Store]) -> None:
    save(book.receipt(vera, stores[0], ago(5)), book.receipt(vera, stores[0], ago(5)))
    row = profile(vera)
    assert (row.purchases, row.visits, row.visit_days, row.own_gaps) == (2, 1, 1, 0)


def test_two_stores_on_one_day_are_two_visits(vera: Customer, stores: list[Store]) -> None:
    save(
        book.receipt(vera, stores[0], ago(5)), book.visit(vera, stores[1], ago(5)), book.visit(vera, stores[1], ago(5))
    )
    row = profile(vera)
    assert (row.visits, row.visit_days) == (2, 1)


def test_a_purchase_given_back_whole_had_not_been(vera: Customer, stores: list[Store]) -> None:
    save(
        book.receipt(vera, stores[0], ago(200), number="A1", cash_minor=300),
        book.receipt(vera, stores[0], ago(10), number="A2", cash_minor=700),
        book.receipt(vera, stores[0], ago(3), "return", original_number="A2", cash_minor=700),
    )
    row = profile(vera)
    assert (row.purchases, row.returned_purchases, row.visits, row.last_active_on) == (1, 1, 1, ago(200))
    assert (row.spend, row.refunds, row.net_spend, row.refunds_30d, row.average_ticket) == (1000, 700, 300, 700, 300)
    assert row.value_at_risk == 300
    assert row.stage == "lost"


def test_what_is_given_back_in_part_stays(vera: Customer, stores: list[Store]) -> None:
    save(
        book.receipt(vera, stores[0], ago(10), number="A2", cash_minor=700),
        book.receipt(vera, stores[0], ago(3), "return", original_number="A2", cash_minor=699),
    )
    row = profile(vera)
    assert (row.purchases, row.returned_purchases, row.silent_days, row.net_spend, row.value_at_risk) == (
        1,
        0,
        10,
        1,
        1,
    )


@pytest.mark.parametrize("wrong", [{"original_number": "A9"}, {"source": "elsewhere"}])
def test_a_return_that_names_what_is_not_hers_lowers_the_money_only(
    vera: Customer, stores: list[Store], wrong: dict[str, str]
) -> None:
    named = {"original_number": "A2", **wrong}
    save(
        book.receipt(vera, stores[0], ago(10), number="A2", cash_minor=700),
        book.receipt(vera, stores[0], ago(10), "return", cash_minor=700, **named),
    )
    row = profile(vera)
    assert (row.purchases, row.net_spend, row.silent_days, row.value_at_risk) == (1, 0, 10, 0)


Fact = tuple[int, str, int] | tuple[int, str, int, dict[str, Any]]

UNNAMED: list[tuple[str, list[Fact], list[int]]] = [
    ("alike", [(10, "sale", 288), (5, "return", 288)], []),
    ("the latest", [(20, "sale", 288), (10, "sale", 288), (5, "return", 288)], [20]),
    ("not a later one", [(20, "sale", 288), (10, "return", 288), (5, "sale", 288)], [5]),
    ("the same day is early enough", [(5, "return", 288), (5, "sale", 288)], []),
    ("among others", [(20, "sale", 288), (10, "sale", 99), (5, "return", 288)], [10]),
    ("a part is not guessed", [(10, "sale", 288), (5, "return", 200)], [10]),
    ("another amount", [(10, "sale", 200), (5, "return", 288)], [10]),
    ("twice", [(10, "sale", 288), (5, "return", 288), (4, "return", 288)], []),
    ("two of two", [(20, "sale", 288), (10, "sale", 288), (5, "return", 288), (4, "return", 288)], []),
    ("between them", [(20, "sale", 288), (15, "return", 288), (10, "sale", 288), (5, "return", 288)], []),
    ("too early", [(20, "return", 288), (10, "sale", 288), (5, "return", 288)], []),
    ("the inner one first", [(30, "sale", 288), (20, "sale", 288), (15, "return", 288), (10, "sale", 288)], [30, 10]),
    ("other pieces", [(10, "sale", 288, {"items": 2}), (5, "return", 288)], [10]),
    ("other consumption", [(10, "sale", 288, {"consumed_minor": 0}), (5, "return", 288)], [10]),
    ("another store", [(10, "sale", 288, {"elsewhere": True}), (5, "return", 288)], [10]),
    ("given back by name already",
     [(10, "sale", 288, {"number": "7"}), (5, "return", 288, {"original_number": "7", "number": "R1"}),
      (4, "return", 288)], []),
    ("named later, the other stays alone",
     [(20, "sale", 288), (10, "sale", 288, {"number": "7"}), (5, "return", 288),
      (4, "return", 288, {"original_number": "7", "number": "R1"})], []),
    ("named in part, and never guessed",
     [(10, "sale", 288, {"number": "7"}), (5, "return", 100, {"original_number": "7", "number": "R1"}),
      (4, "return", 288)], [10]),
    ("it names its own number, which nothing else has",
     [(10, "sale", 288), (5, "return", 288, {"original_number": "R9", "number": "R9"})], []),
    ("it names its own number, which is the purchase's",
     [(20, "sale", 288, {"number": "7"}), (10, "sale", 288),
      (5, "return", 288, {"original_number": "7", "number": "7"})], [10]),
    ("from another book of the same store", [(10, "sale", 288, {"source": "till"}), (5, "return", 288)], []),
    ("nothing given back", [(10, "sale", 0, {"consumed_minor": 0}),
                            (5, "return", 0, {"consumed_minor": 0})], [10]),
    ("a card sold", [(10, "sale", 1980, {"consumed_minor": 0, "items": 0}),
                     (5, "return", 1980, {"consumed_minor": 0, "items": 0})], []),
]  # fmt: skip
"""What happened (days ago, kind, money) -> the days ago of the purchases that stayed."""


@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "the last first"])
@pytest.mark.parametrize(("facts", "stayed"), [row[1:] for row in UNNAMED], ids=[row[0] for row in UNNAMED])
def test_a_return_that_names_no_receipt_meets_the_latest_purchase_alike(
    vera: Customer, stores: list[Store], facts: list[Fact], stayed: list[int], backwards: bool
) -> None:
    for days, kind, money, *more in reversed(facts) if backwards else facts:
        fields: dict[str, Any] = {"cash_minor": money, "consumed_minor": money, **(dict(more[0]) if more else {})}
        save(book.receipt(vera, stores[fields.pop("elsewhere", False)], ago(days), kind, **fields))
    row = profile(vera)
    assert (row.purchases, row.visits) == (len(stayed), len(stayed))
    assert row.last_purchase_on == (ago(min(stayed)) if stayed else None)
    assert row.refunds == sum(one[2] for one in facts if one[1] == "return")


def test_a_card_use_is_given_back_without_a_number_too(vera: Customer, stores: list[Store]) -> None:
    save(
        book.receipt(vera, stores[0], ago(10), "use", consumed_minor=288),
        book.receipt(vera, stores[0], ago(5), "return", cash_minor=0, consumed_minor=288),
    )
    assert (profile(vera).uses, profile(vera).visits) == (0, 0)


def test_what_a_withdrawn_purchase_had_met_stays_alone(vera: Customer, stores: list[Store]) -> None:
    gone = Batch.objects.create(kind="load", created_at=NOW)
    save(
        book.receipt(vera, stores[0], ago(20), cash_minor=700),
        book.receipt(vera, stores[0], ago(10), cash_minor=500),
        book.receipt(vera, stores[0], ago(5), "return", cash_minor=500),
    )
    assert (profile(vera).purchases, profile(vera).last_active_on) == (1, ago(20))
    Receipt.objects.filter(cash_minor=500, kind="sale").update(withdrawn_by=gone, txid=current_xid())
    row = profile(vera)
    assert (row.purchases, row.returned_purchases, row.net_spend) == (1, 0, 200)


def test_another_customer_s_return_gives_nothing_of_hers_back(vera: Customer, stores: list[Store]) -> None:
    olga = book.customer(stores[0], LONG_AGO)
    save(book.receipt(vera, stores[0], ago(10)), book.receipt(olga, stores[0], ago(5), "return"))
    assert profile(vera).purchases == 1


def test_a_withdrawn_return_brings_the_purchase_back(vera: Customer, stores: list[Store]) -> None:
    gone = Batch.objects.create(kind="load", created_at=NOW)
    save(
        book.receipt(vera, stores[0], ago(10), number="A2"),
        book.receipt(vera, stores[0], ago(3), "return", original_number="A2", withdrawn_by=gone),
    )
    assert profile(vera).purchases == 1


def test_a_card_is_cash_when_sold_and_consumption_when_used(vera: Customer, stores: list[Store]) -> None:
    save(
        book.receipt(vera, stores[0], ago(100), cash_minor=100_000, consumed_minor=0),
        book.receipt(vera, stores[0], ago(50), "use", consumed_minor=20_000),
        book.receipt(vera, stores[0], ago(20), "use", consumed_minor=30_000, number="U2"),
        book.receipt(vera, stores[0], ago(19), "return", original_number="U2", cash_minor=0, consumed_minor=30_000),
    )
    row = profile(vera)
    assert (row.spend, row.consumption, row.purchases, row.uses, row.visits) == (100_000, 20_000, 1, 1, 2)
    assert (row.last_active_on, row.last_use_on, row.last_purchase_on) == (ago(50), ago(50), ago(100))


def test_an_old_customer_does_not_look_new(vera: Customer, stores: list[Store]) -> None:
    save(
        book.opening(vera, None, ago(1000), ago(40), 25, 500_000),
        book.receipt(vera, stores[0], ago(10), cash_minor=100),
    )
    row = profile(vera)
    assert (row.purchases, row.spend, row.new_or_old, row.first_purchase_on) == (26, 500_100, "old", ago(1000))
    assert (row.visits, row.visit_days, row.visit_days_365d, row.purchases_365d) == (26, 26, 2, 1)
    # 24 gaps of 40 days in the old system and one of 30 days since, against three gaps of the chain's month
    assert (row.own_gaps, row.usual_gap_days) == (25, (960 + 30 + 3 * 30) // 28)
    assert row.stage == "growth"


def test_before_its_last_day_an_opening_is_one_purchase(vera: Customer) -> None:
    save(book.opening(vera, None, ago(1000), ago(-5), 25, 500_000))
    row = profile(vera)
    assert (row.purchases, row.spend, row.silent_days) == (1, 0, 1000)


@pytest.mark.parametrize(("own_gaps", "usual_gap_days"), [
    ([], 30),               # a stranger moves at the chain's pace
    ([10], 25),             # one gap says little
    ([10, 10, 10], 20),
    ([10] * 27, 12),        # a regular moves at her own
    ([10, 10, 90, 90], 18),  # the lower median: a long break moves nothing
])  # fmt: skip
def test_a_customers_pace_is_learned_gap_by_gap(
    vera: Customer, stores: list[Store], own_gaps: list[int], usual_gap_days: int
) -> None:
    the_chain_comes_every(30)
    days = [ago(sum(own_gaps[place:])) for place in range(len(own_gaps) + 1)]
    save(*(book.receipt(vera, stores[0], day) for day in days))
    assert profile(vera).usual_gap_days == usual_gap_days


def the_chain_comes_every(days: int) -> None:
    version = PopulationVersion.objects.create(as_of=TODAY, snapshot=0, computed_at=NOW)
    POPULATIONS["chain_pace"]._default_manager.create(version=version, chain_gap_days=days)
    POPULATIONS["rfm_bounds"]._default_manager.create(version=version)


def test_silence_is_measured_by_her_gap(vera: Customer, stores: list[Store]) -> None:
    save(book.receipt(vera, stores[0], ago(45)))
    row = profile(vera)
    assert (row.usual_gap_days, row.expected_next_visit_on, row.overdue_days) == (30, ago(15), 15)
    assert row.silence_percent_of_gap == 150


@pytest.mark.parametrize(("kinds", "last_active"), [
    (["visit", "purchase", "use"], 5),
    (["visit"], 5),          # a receipt implies a visit
    (["purchase"], 20),
    (["use"], 30),
    (["purchase", "use"], 20),
])  # fmt: skip
def test_the_chain_says_what_counts_as_active(stores: list[Store], kinds: list[str], last_active: int) -> None:
    Chain.objects.update(activity_kinds=kinds)
    vera = book.customer(stores[0], LONG_AGO)
    save(
        book.visit(vera, stores[0], ago(5)),
        book.receipt(vera, stores[0], ago(20)),
        book.receipt(vera, stores[0], ago(30), "use"),
    )
    row = profile(vera)
    assert (row.silent_days, row.visit_days) == (last_active, 3)


def test_margin_says_what_it_rests_on(vera: Customer, stores: list[Store]) -> None:
    save(book.receipt(vera, stores[0], ago(400), margin_minor=50, margin_basis="cost"))
    assert (profile(vera).margin, profile(vera).margin_365d, profile(vera).margin_basis) == (50, None, "cost")
    save(book.receipt(vera, stores[0], ago(3), margin_minor=70, margin_basis="percent"))
    row = profile(vera)
    assert (row.margin, row.margin_365d, row.margin_basis) == (120, 70, "mixed")


def test_value_at_risk_is_the_year_before_her_last_activity(vera: Customer, stores: list[Store]) -> None:
    save(
        book.receipt(vera, stores[0], ago(900), cash_minor=7),
        book.receipt(vera, stores[0], ago(864), cash_minor=11),
        book.receipt(vera, stores[0], ago(500), cash_minor=100),
    )
    assert profile(vera).value_at_risk == 111  # 364 days before the last day is in, 400 is out


@pytest.mark.parametrize(("age", "purchases", "flag"), [(364, 1, "new"), (365, 1, "old"), (3, 2, "old"), (3, 1, "new")])
def test_new_until_the_second_purchase_or_a_year(
    vera: Customer, stores: list[Store], age: int, purchases: int, flag: str
) -> None:
    save(*(book.receipt(vera, stores[0], ago(age)) for _ in range(purchases)))
    assert profile(vera).new_or_old == flag


def test_day_sixty_begins_at_the_midnight_of_her_store(stores: list[Store]) -> None:
    """21 January; sixty days later it is 22 March in Auckland while it is still 21 March in Shanghai and Honolulu."""
    east = make_east()
    her = book.customer(east, LONG_AGO)
    him = book.customer(stores[0], LONG_AGO)
    save(book.receipt(her, east, dt.date(2026, 1, 21)), book.receipt(him, stores[0], dt.date(2026, 1, 21)))
    evening = dt.datetime(2026, 3, 21, 12, 0, tzinfo=dt.UTC)
    assert profile(her, evening).as_of == dt.date(2026, 3, 22)
    assert (profile(her, evening).stage, profile(him, evening).stage) == ("silent", "intro")


def make_east() -> Store:
    return Store.objects.create(code="NZ", name="Auckland", time_zone="Pacific/Auckland")


def test_facts_of_tomorrow_wait(vera: Customer, stores: list[Store]) -> None:
    save(book.receipt(vera, stores[0], ago(-1)))
    assert profile(vera).purchases == 0


def test_a_customer_of_a_withdrawn_batch_is_forgotten(vera: Customer, stores: list[Store]) -> None:
    profile(vera)
    Customer.objects.filter(pk=vera.pk).update(is_active=False)
    refresh_customers([vera.pk], now=NOW)
    assert not Profile.objects.filter(pk=vera.pk).exists()
    assert not Standing.objects.filter(customer=vera).exists()


def test_an_older_row_never_overwrites_a_newer(vera: Customer, stores: list[Store]) -> None:
    save(book.receipt(vera, stores[0], ago(10)))
    assert profile(vera).silent_days == 10
    refresh_customers([vera.pk], now=NOW - dt.timedelta(days=3))
    assert Profile.objects.get(pk=vera.pk).as_of == TODAY
    Profile.objects.update(snapshot=2**60, purchases=9)
    assert profile(vera).purchases == 9


@pytest.mark.parametrize(("visits", "purchases", "silent", "stratum"), [
    (0, 0, 0, None),
    (1, 1, 0, "casual"),  # less than once a month, once a year
    (0, 1, 180, "sleeping"),
    (0, 1, 179, "casual"),
    (11, 2, 0, "regular"),  # twice a year is no casual customer
    (12, 1, 0, "regular"),  # and neither is who comes every month
    (36, 10, 0, "super_vip"),
    (35, 10, 0, "regular"),
    (36, 9, 0, "regular"),
])  # fmt: skip
def test_the_strata_of_members(
    vera: Customer, stores: list[Store], visits: int, purchases: int, silent: int, stratum: str | None
) -> None:
    """`visits` days on which she came, the purchases among them; the last `silent` days ago. Nobody else buys, so that
    there are no fifths to be high in."""
    for number in range(max(visits, purchases)):
        day = ago(silent + number)
        save(book.visit(vera, stores[0], day))
        if number < purchases:
            save(book.receipt(vera, stores[0], day))
    row = profile(vera)
    assert row.value_group in (None, "low", "middle")
    assert row.member_stratum == stratum
