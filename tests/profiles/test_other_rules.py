"""Models switched on and off, and what other rules would do: asked before anything is published."""

import copy
import datetime as dt
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from changke.facts.customers.models import Customer
from changke.facts.events.models import Event
from changke.foundation.audit.models import AuditLine
from changke.foundation.database.statistics import analyze
from changke.foundation.errors import Invalid, NotFound
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.profiles.attributes.models import PopulationVersion, Profile
from changke.profiles.lifecycle.models import StageCount, StageModel, StageReplay, Standing
from changke.profiles.lifecycle.queries import by_day, counts, models_in_use
from changke.profiles.lifecycle.rules import LANGUAGES, ModelError
from changke.profiles.lifecycle.services import (
    DefaultModelStays,
    TooManyReplays,
    ask_past,
    dry_run,
    explain,
    make_default,
    publish_models,
    refresh_all,
    refresh_customers,
    replay,
    switch_off,
    switch_on,
)
from changke.profiles.lifecycle.services.past import MOST_WAITING
from changke.profiles.lifecycle.services.publish import shipped_models
from tests.profiles.world import NOW, TODAY, Book, build, make_chain, make_stores

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = TODAY - dt.timedelta(days=900)
SHIPPED = {one["key"]: one for one in shipped_models()}


@pytest.fixture
def store() -> Store:
    make_chain()
    publish_models(the_chain(), now=NOW)
    return make_stores(1)[0]


@pytest.fixture
def three(store: Store) -> list[Customer]:
    """Each bought once: 20, 45 and 70 days ago, for 100, 200 and 300 yuan."""
    people = []
    for place, ago in enumerate((20, 45, 70), start=1):
        one = Book().customer(store, LONG_AGO, name=f"Customer {place}")
        Book().receipt(one, store, TODAY - dt.timedelta(days=ago), cash_minor=place * 10_000).save(force_insert=True)
        people.append(one)
    refresh_customers([one.pk for one in people], now=NOW)
    return people


def stricter(days: int = 40) -> dict[str, Any]:
    """The store periods, silent after so many days instead of what the chain says."""
    model = copy.deepcopy(SHIPPED["m4"])
    rule = next(one for one in model["ask"] if one["stage"] == "silent")
    rule["when"] = {"attribute": "silent_days", "op": ">=", "value": days}
    return model


def test_who_would_move_is_counted_and_named_and_nothing_is_written(three: list[Customer]) -> None:
    found = dry_run(stricter())
    assert [(one.was, one.will, one.customers, one.examples) for one in found.moves] == [
        ("intro", "silent", 1, (three[1].pk,))
    ]
    assert found.moves[0].value_minor == Profile.objects.get(pk=three[1].pk).value_at_risk
    assert (found.customers, found.moving) == (3, 1)
    assert (dict(found.before), dict(found.after)) == ({"intro": 2, "silent": 1}, {"intro": 1, "silent": 2})
    assert StageModel.objects.get(key="m4").version == 1
    assert dict(Standing.objects.filter(model="m4").values_list("customer", "stage"))[three[1].pk] == "intro"


def test_publishing_does_what_the_dry_run_said(three: list[Customer]) -> None:
    said = dry_run(stricter())
    publish_models(the_chain(), definitions=[stricter()], now=NOW)
    refresh_customers([one.pk for one in three], now=NOW, causes=dict.fromkeys([one.pk for one in three], "rule"))
    stages = list(Standing.objects.filter(model="m4").values_list("stage", flat=True))
    assert {stage: stages.count(stage) for stage in stages} == dict(said.after)
    assert Event.objects.filter(kind="stage.changed", data__cause="rule", data__model="m4").count() == said.moving
    assert dry_run(stricter()).moving == 0


def test_a_model_that_is_new_moves_everybody_from_nowhere(three: list[Customer]) -> None:
    mine = stricter() | {"key": "mine"}
    found = dry_run(mine)
    assert {(one.was, one.customers) for one in found.moves} == {("", 1), ("", 2)}
    assert found.moving == found.customers == 3


@pytest.mark.parametrize("key", sorted(SHIPPED))
def test_every_shipped_model_moves_nobody_against_itself_over_a_skewed_chain(key: str) -> None:
    build(120)
    analyze(["facts_customer", "facts_receipt", "facts_visit", "facts_opening"])  # as after every large load
    publish_models(the_chain(), definitions=[SHIPPED[key]], now=NOW)
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)
    found = dry_run(SHIPPED[key])
    assert (found.moving, found.customers) == (0, Profile.objects.count())
    stages = list(Standing.objects.filter(model=key).values_list("stage", flat=True))
    assert {stage: stages.count(stage) for stage in stages} == dict(found.after), "SQL over profiles and the fold agree"


def test_rules_that_cannot_be_asked_are_refused_with_the_place(three: list[Customer]) -> None:
    wrong = stricter()
    wrong["ask"][0]["when"] = {"attribute": "shoe_size", "op": ">=", "value": 40}
    with pytest.raises(ModelError) as refusal:
        dry_run(wrong)
    assert refusal.value.path.startswith("ask[0].when")


def test_the_past_is_asked_by_both_rules(three: list[Customer], tmp_path: Path) -> None:
    mirror = tmp_path / "mirror.duckdb"
    refresh_all(now=NOW, mirror=mirror, months=4)
    versions = PopulationVersion.objects.count()
    days = replay(stricter(), now=NOW, months=3, mirror=mirror)
    assert [one.day for one in days] == [dt.date(2025, 12, 31), dt.date(2026, 1, 31), dt.date(2026, 2, 28), TODAY]
    told = by_day(counts("m4", CHAIN_WIDE))
    for one in days:
        assert dict(one.before) == {stage: count.customers for stage, count in told[one.day].items()}
        assert sum(one.after.values()) == sum(one.before.values())
    assert (days[-1].after, days[-1].differing) == ({"intro": 1, "silent": 2}, 1)
    assert days[0].differing == 0, "nobody had bought yet"
    assert PopulationVersion.objects.count() == versions, "values of the past that were only asked are not kept"


@pytest.mark.parametrize(("ago", "was", "will", "moves"), [
    (5, {"intro": 2, "silent": 1}, {"intro": 1, "silent": 2}, [("intro", "silent", 1)]),  # 40 days of her who is at 45
    (6, {"intro": 2, "silent": 1}, {"intro": 2, "silent": 1}, []),  # the day before: 39
    (10, {"intro": 2, "silent": 1}, {"intro": 2, "silent": 1}, []),  # 60 days of her who is at 70
    (11, {"intro": 3}, {"intro": 2, "silent": 1}, [("intro", "silent", 1)]),
])  # fmt: skip
def test_any_day_of_the_past_is_asked_and_says_who_would_have_moved(
    three: list[Customer], tmp_path: Path, ago: int, was: Any, will: Any, moves: Any
) -> None:
    [one] = replay(stricter(), now=NOW, days=[TODAY - dt.timedelta(days=ago)], mirror=tmp_path / "mirror.duckdb")
    assert (one.day, dict(one.before), dict(one.after)) == (TODAY - dt.timedelta(days=ago), was, will)
    assert [(move.was, move.will, move.customers) for move in one.moves] == moves
    assert one.differing == sum(move.customers for move in one.moves)
    for customer in three:  # one customer recomputed says the same as everybody counted
        stage = explain(customer.pk, one.day, now=NOW, history=False).stage
        assert stage in was


@pytest.mark.parametrize(("asked", "field"), [
    ({"days": [TODAY + dt.timedelta(days=1)]}, "days"),
    ({"days": [dt.date(1020, 2, 1)]}, "days"),
    ({"days": [TODAY - dt.timedelta(days=n) for n in range(30)], "months": 12}, "days"),
    ({"months": 37}, "months"),
    ({"days": [], "months": 0}, "days"),
])  # fmt: skip
def test_days_that_cannot_be_asked_are_refused(three: list[Customer], asked: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        ask_past(stricter(), **{"months": 0, "days": [], **asked}, by_name="Li", now=NOW)
    assert refusal.value.field == field


def test_only_so_many_questions_wait_and_old_ones_are_forgotten(three: list[Customer]) -> None:
    ask = partial(ask_past, stricter(), months=1, days=[], by_name="Li")
    waiting = [ask(now=NOW) for _ in range(MOST_WAITING)]
    with pytest.raises(TooManyReplays):
        ask(now=NOW)
    assert ask(now=NOW + dt.timedelta(days=40)).is_busy
    assert not StageReplay.objects.filter(pk__in=[one.pk for one in waiting]).exists()


def test_a_shipped_model_waits_to_be_switched_on(store: Store) -> None:
    assert [one.key for one in models_in_use()] == ["m4", "m1", "m2"]
    switch_on("m8", chain=the_chain(), now=NOW)
    assert [one.key for one in models_in_use()] == ["m4", "m1", "m2", "m8"]
    assert publish_models(the_chain(), now=NOW) == []


def test_switched_off_it_is_computed_no_more_and_comes_back_as_it_was(three: list[Customer]) -> None:
    switch_off("m2", now=NOW)
    assert publish_models(the_chain(), now=NOW) == [], "a restart does not bring it back"
    ids = [one.pk for one in three]
    later = NOW + dt.timedelta(days=200)
    refresh_customers(ids, now=later)
    assert set(Standing.objects.filter(model="m2").values_list("stage", flat=True)) == {"convert", "win_back"}
    assert set(Standing.objects.filter(model="m4").values_list("stage", flat=True)) == {"lost"}
    switch_on("m2", chain=the_chain(), now=later)
    refresh_customers(ids, now=later)
    assert set(Standing.objects.filter(model="m2").values_list("stage", flat=True)) == {"win_back"}
    lines = AuditLine.objects.filter(action="stages.switched").order_by("pk")
    assert [line.after for line in lines] == [{"in_use": False}, {"in_use": True}]


def test_lists_go_by_another_model_once_everybody_is_computed(three: list[Customer]) -> None:
    with pytest.raises(DefaultModelStays):
        switch_off("m4", now=NOW)
    make_default("m8", chain=the_chain(), now=NOW)
    assert models_in_use()[0].key == "m8"
    refresh_customers([one.pk for one in three], now=NOW)
    assert set(Profile.objects.values_list("stage", flat=True)) == {"partner"}
    switch_off("m4", now=NOW)
    assert AuditLine.objects.get(action="stages.default_chosen").after == {"default": "m8"}


@pytest.mark.parametrize("verb", [switch_on, make_default])
def test_a_model_that_is_not_there_is_not_found(store: Store, verb: Any) -> None:
    with pytest.raises(NotFound):
        verb("m99", chain=the_chain(), now=NOW)


def test_the_charts_forget_nothing_of_a_model_that_is_off(three: list[Customer], tmp_path: Path) -> None:
    mirror = tmp_path / "mirror.duckdb"
    refresh_all(now=NOW, mirror=mirror, months=1)
    switch_off("m1", now=NOW)
    refresh_all(now=NOW, mirror=mirror, months=1)
    assert set(StageCount.objects.values_list("model", flat=True)) == {"m2", "m4"}


def test_words_are_there_in_every_language() -> None:
    for model in SHIPPED.values():
        texts = [model["words"], *(one["words"] for one in model["stages"]), *(one["reason"] for one in model["ask"])]
        texts += [one["missing"] for one in model["stages"] if "missing" in one]
        assert all(set(text) == set(LANGUAGES) and all(text.values()) for text in texts), model["key"]
