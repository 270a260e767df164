"""How long customers stay in a stage, what they need there, and whether the stores are well."""

import datetime as dt
from pathlib import Path

import pytest

from changke.facts.customers.models import Customer
from changke.facts.customers.services.tags import add_tag
from changke.facts.purchases.models import Receipt
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import CHAIN_WIDE, Scope
from changke.profiles.affinity.models import Proposal
from changke.profiles.lifecycle.health import CUSTOMERS, DEALS, LOYALTY, PROFIT, Month, _health, health_of
from changke.profiles.lifecycle.models import StageSpell, StoreMonth
from changke.profiles.lifecycle.needs import BOUGHT, CAUSES, PROPOSED, TAGS, Need, StageNeeds, needs_of
from changke.profiles.lifecycle.queries import models_in_use
from changke.profiles.lifecycle.services import explain, refresh_all, refresh_customers
from changke.profiles.lifecycle.services.spells import sample_spells
from changke.profiles.lifecycle.times import FEWEST, TimeInStage, times_in, weighted_median
from changke.profiles.risk.models import ChurnWarning, RiskRule
from tests.cast import NOW, TODAY, Cast, ago, know_everybody
from tests.profiles.world import NOW as WORLDS_NOW
from tests.profiles.world import TODAY as WORLDS_TODAY
from tests.profiles.world import Book, make_chain, make_stores

pytestmark = pytest.mark.django_db(transaction=True)


def in_stage(needs: list[StageNeeds], stage: str) -> StageNeeds:
    return next(one for one in needs if one.stage == stage)


# How long


def test_the_spells_of_everybody_are_those_of_her_page(cast: Cast) -> None:
    know_everybody()
    assert sample_spells(now=NOW) == 6 * len(models_in_use())
    hers = explain(cast.mo.pk, TODAY, now=NOW).bands
    kept = StageSpell.objects.filter(model="m4", stage="silent", store_id=cast.jing_an.pk, last_on=None)
    assert [one.first_on for one in kept] == [hers[-1].first] == [ago(1)], "her sixtieth day of silence was yesterday"
    everybody = sum(len(explain(pk, TODAY, now=NOW).bands) for pk in Customer.objects.values_list("pk", flat=True))
    assert StageSpell.objects.filter(model="m4").count() == everybody
    assert set(StageSpell.objects.values_list("weight_milli", flat=True)) == {1_000}, "each stands for herself"
    sample_spells(now=NOW)
    assert StageSpell.objects.filter(model="m4").count() == everybody, "taken again they replace those of before"


def test_a_few_stand_for_their_stage(cast: Cast) -> None:
    know_everybody()
    for _turn in range(5):
        Book(NOW).customer(cast.jing_an, ago(5))
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)
    sample_spells(now=NOW, most=2)
    now = StageSpell.objects.filter(model="m4", stage="intro", last_on=None)
    assert [one.weight_milli for one in now] == [3_500, 3_500], "two of seven"


def test_medians_are_told_from_five_on_and_of_the_stores_asked_for(cast: Cast) -> None:
    know_everybody()
    model = models_in_use()[0]
    assert times_in(model, CHAIN_WIDE).as_of is None

    def spell(days: int, *, store: Store = cast.jing_an, left: int | None = None, weight: int = 1_000) -> None:
        StageSpell.objects.create(
            model="m4", stage="growth", store_id=store.pk, first_on=ago(days), weight_milli=weight, as_of=TODAY,
            last_on=None if left is None else ago(left),
        )  # fmt: skip

    for days in (10, 20, 30, 40):
        spell(days)
    for days in (101, 201, 301):
        spell(days, left=2)
    for days in (900, 901):
        spell(days, left=366)

    def growth(scope: Scope = CHAIN_WIDE) -> TimeInStage:
        return next(one for one in times_in(model, scope).stages if one.stage == "growth")

    assert growth() == TimeInStage("growth", None, 4, None, 3), "who left more than a year ago is past"
    spell(50, store=cast.xu_hui)
    spell(401, left=2)
    spell(501, left=2)
    assert growth() == TimeInStage("growth", 30, 5, 300, 5)
    assert growth(Scope(frozenset({cast.jing_an.pk}))).now_days is None
    assert times_in(model, CHAIN_WIDE).as_of == TODAY
    spell(500, weight=4_000)
    assert growth().now_days == 50, "who stands for many weighs as many"


@pytest.mark.parametrize(("values", "median"), [
    ([(1, 1)] * (FEWEST - 1), None),
    ([(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)], 3),
    ([(5, 1), (4, 1), (3, 1), (2, 1), (1, 1), (9, 1)], 3),
    ([(1, 10), (2, 1), (3, 1), (4, 1), (5, 1)], 1),
])  # fmt: skip
def test_the_weighted_median(values: list[tuple[int, int]], median: int | None) -> None:
    assert weighted_median(values) == median


# What they need


def test_a_stage_needs_what_is_known_of_those_who_stand_there(cast: Cast) -> None:
    know_everybody()
    for customer in (cast.ying, cast.bai):
        add_tag(customer, "怕疼", now=NOW)
    add_tag(cast.vera, "怕疼", now=NOW)
    add_tag(cast.ying, "敏感肌", now=NOW)
    Proposal.objects.create(customer=cast.ying, as_of=TODAY, items=[{"item": cast.card.pk}, {"item": cast.facial.pk}])
    intro = in_stage(needs_of(models_in_use()[0], CHAIN_WIDE, today=TODAY), "intro")
    assert intro.customers == 2
    assert intro.told[TAGS] == (Need("怕疼", 2, 1.0, 0.5), Need("敏感肌", 1, 0.5, 1 / 6))
    assert intro.told[PROPOSED] == (Need("补水十次卡", 1, 0.5, 1 / 6),), "what stands first for her"
    assert intro.told[BOUGHT] == (Need("深层补水", 1, 0.5, 4 / 6),), "Lan bought it 200 days ago, Bai never"
    assert intro.told[CAUSES] == ()


def test_only_of_those_whom_one_may_see(cast: Cast) -> None:
    know_everybody()
    add_tag(cast.lan, "怕疼", now=NOW)
    model = models_in_use()[0]
    assert in_stage(needs_of(model, CHAIN_WIDE, today=TODAY), "lost").told[TAGS][0].customers == 1
    hers = in_stage(needs_of(model, Scope(frozenset({cast.jing_an.pk})), today=TODAY), "lost")
    assert (hers.customers, hers.told[TAGS]) == (0, ())


def test_what_may_drive_them_away_is_of_open_warnings(cast: Cast) -> None:
    know_everybody()
    rule = RiskRule.objects.create(
        kind="fixed", threshold=60, horizon_days=90, minimum_silence_days=14, chosen_by="owner", since=NOW
    )

    def warned(customer: Customer, cause: str, **fields: object) -> None:
        ChurnWarning.objects.create(
            customer=customer, silent_since=ago(61), rule=rule, opened_on=TODAY, opened_at=NOW, purchases=6,
            outlook_then_bp=1, outlook_opened_bp=1, outlook_bp=1, cause=cause, **fields,
        )  # fmt: skip

    warned(cast.mo, "price")
    warned(cast.lan, "complaint", ended="returned", ended_on=TODAY)
    needs = needs_of(models_in_use()[0], CHAIN_WIDE, today=TODAY)
    assert in_stage(needs, "silent").told[CAUSES] == (Need("price", 1, 1.0, 1 / 6),)
    assert in_stage(needs, "lost").told[CAUSES] == ()


# The health of stores


@pytest.fixture
def stores() -> list[Store]:
    make_chain()
    return make_stores(2)


def sold(customer: Customer, store: Store, day: dt.date, margin: int | None = 4_000) -> Receipt:
    basis = "unknown" if margin is None else "cost"
    receipt = Book().receipt(customer, store, day, margin_minor=margin, margin_basis=basis)
    receipt.save(force_insert=True)
    return receipt


def test_what_happened_in_a_store_in_a_month(stores: list[Store], tmp_path: Path) -> None:
    here, there = stores
    old, new, stranger = (Book().customer(here, dt.date(2025, 6, 1)) for _ in range(3))
    sold(old, here, dt.date(2025, 10, 1))
    sold(stranger, here, dt.date(2025, 9, 2))  # in the quarter that ends on 30 November, and never again
    sold(old, here, dt.date(2026, 2, 1))
    sold(old, here, dt.date(2026, 2, 1), None)  # the same day is one deal
    sold(old, there, dt.date(2026, 2, 20))
    sold(new, here, dt.date(2026, 2, 28))
    sold(new, here, dt.date(2026, 3, 2))
    refresh_all(now=WORLDS_NOW, mirror=tmp_path / "mirror.duckdb", months=3)

    def month(day: dt.date, store: Store) -> tuple[int | None, ...]:
        return StoreMonth.objects.values_list(
            "buyers", "newcomers", "deal_days", "base", "came_back", "margin_minor", "revenue_minor", "known_minor"
        ).get(day=day, store_id=store.pk)

    february = dt.date(2026, 2, 28)
    assert month(february, here) == (2, 1, 2, 2, 1, 8_000, 30_000, 20_000)
    assert month(february, there) == (1, 0, 1, 0, 0, 4_000, 10_000, 10_000)
    march = StoreMonth.objects.get(day=WORLDS_TODAY, store_id=here.pk)
    assert (march.buyers, march.newcomers, march.is_whole) == (1, 0, False)
    (told,) = health_of(Scope(frozenset({here.pk})))
    assert (told.store_id, told.months[-1].day) == (here.pk, february)
    assert {one.store_id for one in health_of(CHAIN_WIDE)} == {here.pk, there.pk}


FEBRUARY = dt.date(2026, 2, 28)
FEBRUARY_BEFORE = dt.date(2025, 2, 28)


def a_month(day: dt.date, **changes: int | None) -> Month:
    usual = {
        "buyers": 100, "newcomers": 10, "deal_days": 200, "base": 100, "came_back": 50, "margin_minor": 500_000,
        "revenue_minor": 900_000, "known_minor": 900_000,
    }  # fmt: skip
    return Month(day=day, **{**usual, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(("now", "breaks_at"), [
    ({}, ""),
    ({"buyers": 96, "margin_minor": 480_000}, ""),  # four of a hundred are as many
    ({"buyers": 95, "margin_minor": 475_000}, CUSTOMERS),
    ({"deal_days": 150}, DEALS),
    ({"came_back": 40}, LOYALTY),
    ({"margin_minor": 400_000}, PROFIT),
    ({"deal_days": 150, "came_back": 40, "margin_minor": 1}, DEALS),  # the first of the circle
    ({"margin_minor": None, "known_minor": 0}, ""),  # where no profit is known none is weak
    ({"base": 0, "came_back": 0}, ""),
])  # fmt: skip
def test_the_circle_breaks_at_its_first_weak_link(now: dict[str, int | None], breaks_at: str) -> None:
    months = [a_month(FEBRUARY_BEFORE), a_month(FEBRUARY, **now)]
    assert _health(1, months, FEBRUARY, {}).breaks_at == breaks_at


def test_a_young_store_is_held_against_its_last_months_and_the_others() -> None:
    months = [a_month(dt.date(2025, 11, 30), buyers=50), a_month(dt.date(2025, 12, 31), buyers=60),
              a_month(dt.date(2026, 1, 31), buyers=70), a_month(FEBRUARY, buyers=80, margin_minor=480_000)]  # fmt: skip
    told = _health(1, months, FEBRUARY, {LOYALTY: 6_000, PROFIT: 6_000})
    customers, _deals, loyalty, profit = told.links
    assert (customers.value, customers.before, customers.change_bp, customers.is_weak) == (80, 60, 3_333, False)
    assert (loyalty.value, loyalty.of_others, loyalty.is_weak) == (5_000, 6_000, True)
    assert (profit.value, profit.is_weak) == (6_000, True), "her own past was better"
    assert told.breaks_at == LOYALTY


def test_a_store_that_sold_nothing_in_the_month_has_no_customers() -> None:
    told = _health(1, [a_month(dt.date(2026, 1, 31))], FEBRUARY, {})
    assert (told.links[0].value, told.links[0].change_bp, told.breaks_at) == (0, -10_000, CUSTOMERS)
    assert told.links[2].value is None
