"""Who stands where in the three models, and why, in words."""

# ruff: noqa: E501 -- one case per line
import datetime as dt
from typing import Any

import pytest

from changke.facts.customers.models import Customer
from changke.facts.events.models import Event
from changke.foundation.organisation.models import Chain, Store
from changke.foundation.organisation.queries import the_chain
from changke.profiles.attributes.catalogue import REGISTRY
from changke.profiles.lifecycle.models import StageModel, Standing
from changke.profiles.lifecycle.queries import models_in_use
from changke.profiles.lifecycle.rules import LANGUAGES, ModelError, placeholders, read_model
from changke.profiles.lifecycle.services import NoSuchCustomer, explain, publish_models, refresh_customers
from changke.profiles.lifecycle.services.publish import shipped_models
from tests.profiles.world import NOW, TODAY, Book, make_chain, make_stores

LONG_AGO = TODAY - dt.timedelta(days=2000)
SETTINGS = {"silent_after_days": 60, "lost_after_days": 180, "mature_visit_days": 6}
MODELS = {one["key"]: read_model(one, attributes=REGISTRY.attributes, settings=SETTINGS) for one in shipped_models()}
NOBODY: dict[str, Any] = dict.fromkeys(REGISTRY.attributes) | {
    name: 0 for name, column in REGISTRY.attributes.items() if column.absent
}


@pytest.mark.parametrize(("known", "m1", "m2", "m4"), [
    ({}, "awareness", "attract", "intro"),
    # she came and did not buy
    ({"silent_days": 5, "visit_days": 1}, "interest", "acquire", "intro"),
    ({"silent_days": 5, "visit_days": 2}, "decision", "acquire", "growth"),
    ({"silent_days": 60, "visit_days": 1}, "interest", "acquire", "silent"),
    ({"silent_days": 200, "visit_days": 1}, "lost", "acquire", "lost"),
    # she bought once
    ({"silent_days": 0, "visit_days": 1, "purchases": 1}, "purchase", "convert", "intro"),
    ({"silent_days": 59, "visit_days": 1, "purchases": 1}, "purchase", "convert", "intro"),
    ({"silent_days": 60, "visit_days": 1, "purchases": 1}, "purchase", "win_back", "silent"),
    ({"silent_days": 179, "visit_days": 1, "purchases": 1}, "purchase", "win_back", "silent"),
    ({"silent_days": 180, "visit_days": 1, "purchases": 1}, "lost", "win_back", "lost"),
    # she came again
    ({"silent_days": 9, "visit_days": 2, "purchases": 1}, "use", "convert", "growth"),
    ({"silent_days": 9, "visit_days": 2, "purchases": 1, "uses": 1}, "use", "retain", "growth"),
    ({"silent_days": 9, "visit_days": 1, "uses": 1}, "use", "convert", "intro"),
    ({"silent_days": 9, "visit_days": 2, "purchases": 2}, "use", "retain", "growth"),
    # a regular, by her value
    ({"silent_days": 9, "visit_days": 9, "visit_days_365d": 6, "purchases": 3, "value_group": "middle"}, "use", "develop", "mature"),
    ({"silent_days": 9, "visit_days": 9, "visit_days_365d": 5, "purchases": 3, "value_group": "high"}, "use", "retain", "growth"),
    ({"silent_days": 9, "visit_days": 9, "visit_days_365d": 6, "purchases": 3, "value_group": "low"}, "use", "retain", "growth"),
    ({"silent_days": 9, "visit_days": 9, "visit_days_365d": 9, "uses": 9}, "use", "develop", "mature"),
    ({"silent_days": 60, "visit_days": 9, "visit_days_365d": 9, "purchases": 9, "value_group": "high"}, "use", "win_back", "silent"),
])  # fmt: skip
def test_the_table_of_stages(known: dict[str, Any], m1: str, m2: str, m4: str) -> None:
    row = NOBODY | known
    assert {key: MODELS[key].rule_for(row).stage for key in ("m1", "m2", "m4")} == {"m1": m1, "m2": m2, "m4": m4}


@pytest.mark.parametrize(("known", "m3", "m5", "m6", "m7", "m8", "m12"), [
    ({}, "know", "before", "not_old", "identify", "target", "before_visit"),
    ({"silent_days": 0, "visit_days": 1, "visits": 1}, "know", "before", "not_old", "approach", "target", "at_visit"),
    ({"silent_days": 8, "visit_days": 2, "visits": 2}, "know", "before", "not_old", "trust", "target", "before_visit"),
    ({"silent_days": 7, "visit_days": 1, "purchases": 1, "new_or_old": "new"}, "buy", "first_order", "not_old", "converted", "partner", "after_visit"),
    ({"silent_days": 60, "visit_days": 1, "purchases": 1, "new_or_old": "new"}, "buy", "wake", "not_old", "converted", "partner", "before_visit"),
    ({"silent_days": 180, "visit_days": 1, "purchases": 1, "new_or_old": "new"}, "buy", "wake", "not_old", "converted", "ended", "before_visit"),
    ({"silent_days": 90, "visit_days": 2, "purchases": 2, "new_or_old": "old"}, "again", "nurture", "match", "converted", "repurchase", "before_visit"),
    ({"silent_days": 400, "visit_days": 1, "purchases": 1, "new_or_old": "old"}, "buy", "wake", "not_old", "converted", "ended", "before_visit"),
    ({"silent_days": 9, "visit_days": 5, "purchases": 4, "new_or_old": "old", "value_group": "high"}, "again", "old", "favour", "converted", "repurchase", "before_visit"),
    ({"silent_days": 9, "visit_days": 5, "purchases": 4, "new_or_old": "old", "value_group": "high", "loyalty_group": "loyal"}, "again", "old", "upgrade", "converted", "repurchase", "before_visit"),
    ({"silent_days": 9, "visit_days": 2, "uses": 2}, "again", "first_order", "not_old", "converted", "repurchase", "before_visit"),
])  # fmt: skip
def test_the_table_of_the_models_that_wait_to_be_switched_on(
    known: dict[str, Any], m3: str, m5: str, m6: str, m7: str, m8: str, m12: str
) -> None:
    row = NOBODY | known
    wanted = {"m3": m3, "m5": m5, "m6": m6, "m7": m7, "m8": m8, "m12": m12}
    assert {key: MODELS[key].rule_for(row).stage for key in wanted} == wanted


def test_a_reason_in_three_languages() -> None:
    row = NOBODY | {"silent_days": 61, "usual_gap_days": 24, "visit_days": 4}
    rule = MODELS["m4"].rule_for(row)
    assert [rule.because(row, language) for language in LANGUAGES] == [
        "已有 61 天没来，她平常每隔 24 天来一次",
        "Last visit 61 days ago; her usual gap is 24 days",
        "已有 61 天沒來，她平常每隔 24 天來一次",
    ]


@pytest.mark.parametrize("key", MODELS)
def test_every_language_says_the_same_numbers(key: str) -> None:
    for rule in MODELS[key].rules:
        assert len({tuple(sorted(placeholders(text))) for text in rule.reason.values()}) == 1, rule.reason


def test_a_stage_names_the_facts_that_are_not_there_yet() -> None:
    decision = MODELS["m1"].stage("decision")
    assert decision.missing is not None
    assert decision.missing["en"] == "quotes and bookings"
    assert MODELS["m4"].stage("silent").missing is None


def words(text: str) -> dict[str, str]:
    return dict.fromkeys(LANGUAGES, text)


@pytest.mark.parametrize(("change", "problem"), [
    ({"key": "no good"}, "key: a short word"),
    ({"ask": []}, "ask: the last rule has no condition"),
    ({"ask": [{"stage": "x", "reason": words("so")}]}, "ask[0].stage: there is no stage 'x'"),
    ({"ask": [{"stage": "a", "reason": {"en": "so"}}]}, "ask[0].reason: words in"),
    ({"ask": [{"stage": "a", "reason": words("{shoe_size}")}]}, "ask[0].reason.zh-hans: unknown attribute 'shoe_size'"),
    ({"ask": [{"stage": "a", "reason": words("so")}] * 2}, "ask: a rule without a condition ends the list"),
    ({"ask": [{"stage": "a", "reason": words("{silent_days:>999999999}")}]}, "ask[0].reason.zh-hans: braces stand"),
    ({"ask": [{"stage": "a", "reason": words("{silent_days!r}")}]}, "ask[0].reason.zh-hans: braces stand"),
    ({"ask": [{"stage": "a", "reason": words("{")}]}, "ask[0].reason.zh-hans: braces stand"),
    ({"ask": [{"stage": "a", "reason": words("{silent_days.__class__}")}]}, "ask[0].reason.zh-hans: unknown attribute"),
    ({"ask": [{"stage": "a", "reason": words("so" * 300)}]}, "ask[0].reason: words in"),
    ({"key": "a; DROP"}, "key: a short word"),
    ({"key": 7}, "key: a short word"),
    ({"position": "first"}, "position: a whole number"),
    ({"stages": [{"key": "Ａ", "words": words("A")}]}, "stages[0].key: a short word"),
    ({"stages": [{"key": "a", "words": words("A"), "missing": "much"}]}, "stages[0].missing: words in"),
    ({"stages": [{"key": "a", "words": words("A")}, {"key": "b", "words": words("B")}]}, "ask: nobody can ever stand in b"),
    ({"ask": [{"stage": "a", "reason": words("so"), "when": {"attribute": "silent_days", "op": ">", "value": {"setting": "z"}}}]},
     "ask[0].when.value: unknown setting 'z'"),
])  # fmt: skip
def test_a_model_that_could_not_be_asked_is_refused(change: dict[str, Any], problem: str) -> None:
    good = {
        "key": "mine",
        "words": words("Mine"),
        "stages": [{"key": "a", "words": words("A")}],
        "ask": [{"stage": "a", "reason": words("because")}],
    }
    assert read_model(good, attributes=REGISTRY.attributes, settings=SETTINGS).rule_for(NOBODY).stage == "a"
    with pytest.raises(ModelError) as refusal:
        read_model({**good, **change}, attributes=REGISTRY.attributes, settings=SETTINGS)
    assert str(refusal.value).startswith(problem)


@pytest.fixture
def store(db: None) -> Store:
    make_chain()
    return make_stores(1)[0]


@pytest.fixture
def vera(store: Store) -> Customer:
    """Bought on the first of January, came on the 20th, bought on the 1st of February; then nothing."""
    book = Book()
    vera = book.customer(store, dt.date(2025, 1, 1))
    for fact in (
        book.receipt(vera, store, dt.date(2025, 1, 1)),
        book.visit(vera, store, dt.date(2025, 1, 20)),
        book.receipt(vera, store, dt.date(2025, 2, 1)),
    ):
        fact.save(force_insert=True)
    return vera


def test_vera_through_time(vera: Customer) -> None:
    found = explain(vera.pk, dt.date(2025, 12, 31), now=NOW)
    assert [(band.stage, band.first, band.last) for band in found.bands] == [
        ("intro", dt.date(2025, 1, 1), dt.date(2025, 1, 19)),
        ("growth", dt.date(2025, 1, 20), dt.date(2025, 4, 1)),
        ("silent", dt.date(2025, 4, 2), dt.date(2025, 7, 30)),
        ("lost", dt.date(2025, 7, 31), dt.date(2025, 12, 31)),
    ]
    assert (found.stage, found.since) == ("lost", dt.date(2025, 7, 31))
    assert found.attributes["silent_days"] == 333
    assert found.stages == {"m4": "lost", "m1": "lost", "m2": "win_back"}
    [line] = found.asked[0].lines
    assert (line.attribute, line.op, line.asked, line.known, line.holds) == ("silent_days", ">=", 180, 333, True)


@pytest.mark.parametrize(("day", "stage", "reason"), [
    (dt.date(2025, 1, 1), "intro", "First came 0 days ago and has not come again yet"),
    (dt.date(2025, 1, 31), "growth", "Came on 2 days so far, most recently 11 days ago"),
    (dt.date(2025, 4, 1), "growth", "Came on 3 days so far, most recently 59 days ago"),
    (dt.date(2025, 4, 2), "silent", "Last visit 60 days ago; her usual gap is "),
])  # fmt: skip
def test_any_day_can_be_asked_again(vera: Customer, day: dt.date, stage: str, reason: str) -> None:
    found = explain(vera.pk, day, now=NOW)
    assert (found.stage, found.bands[-1].stage) == (stage, stage)
    assert found.reason("en").startswith(reason)


def test_before_she_was_known_there_is_nothing_to_explain(vera: Customer) -> None:
    with pytest.raises(NoSuchCustomer):
        explain(vera.pk, dt.date(2024, 12, 31), now=NOW)


def test_she_comes_back_and_the_events_say_so(vera: Customer, store: Store) -> None:
    at = dt.datetime(2025, 2, 1, 12, tzinfo=dt.UTC)
    refresh_customers([vera.pk], now=at)
    refresh_customers([vera.pk], now=at + dt.timedelta(days=70), causes={vera.pk: "time"})
    Book().receipt(vera, store, dt.date(2025, 4, 13)).save(force_insert=True)
    refresh_customers([vera.pk], now=at + dt.timedelta(days=71))
    events = Event.objects.filter(kind="stage.changed", data__model="m4").order_by("pk")
    assert [(event.data["from"], event.data["to"], event.data["cause"]) for event in events] == [
        (None, "growth", "fact"),
        ("growth", "silent", "time"),
        ("silent", "growth", "fact"),
    ]
    assert {event.data["version"] for event in events} == {1}
    assert [event.business_date for event in events][1:] == [dt.date(2025, 4, 12), dt.date(2025, 4, 13)]
    assert Standing.objects.get(customer=vera, model="m4").previous == "silent"


def test_nothing_is_recorded_where_nothing_changed(vera: Customer) -> None:
    first = refresh_customers([vera.pk], now=NOW)
    again = refresh_customers([vera.pk], now=NOW)
    assert (first.written, first.changed) == (1, 3)
    assert (again.written, again.changed) == (0, 0)
    assert Event.objects.filter(kind="stage.changed").count() == 3


def test_publishing_again_makes_a_version_only_when_something_changed(store: Store) -> None:
    chain = the_chain()
    assert publish_models(chain, now=NOW) == ["m1", "m2", "m4"]
    assert publish_models(chain, now=NOW) == []
    assert [model.key for model in models_in_use()] == ["m4", "m1", "m2"]
    Chain.objects.update(silent_after_days=45)
    assert publish_models(the_chain(), now=NOW) == ["m1", "m2", "m4"]
    assert StageModel.objects.get(key="m4").version == 2
    assert 45 in models_in_use()[0].thresholds("silent_days")


def test_the_chains_own_model_stands_beside_the_others(vera: Customer) -> None:
    mine = {
        "key": "mine",
        "words": words("Mine"),
        "stages": [{"key": "paying", "words": words("Paying")}, {"key": "rest", "words": words("Rest")}],
        "ask": [
            {
                "stage": "paying",
                "reason": words("{purchases}"),
                "when": {"attribute": "purchases", "op": ">", "value": 1},
            },
            {"stage": "rest", "reason": words("-")},
        ],
    }
    publish_models(the_chain(), now=NOW, definitions=[mine])
    refresh_customers([vera.pk], now=NOW)
    assert dict(Standing.objects.filter(customer=vera).values_list("model", "stage")) == {
        "m1": "lost", "m2": "win_back", "m4": "lost", "mine": "paying",
    }  # fmt: skip
