"""Stages that ask what the chain's own scores say: by night, after a fact, in the past, in words; and who may not."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from changke.facts.customers.models import Customer
from changke.facts.events.models import Event
from changke.facts.scores.models import Score, ScoreValue
from changke.facts.scores.services import ScoreInUse, change_score, define_score, retire_score
from changke.foundation.batches.models import Batch
from changke.foundation.database.append_only import current_xid
from changke.foundation.organisation.queries import the_chain
from changke.profiles.attributes.models import Profile
from changke.profiles.lifecycle.models import StageCount, StageModel, Standing
from changke.profiles.lifecycle.rules import ModelError
from changke.profiles.lifecycle.services import (
    bring_into_use,
    compare,
    dry_run,
    explain,
    fold,
    refresh_all,
    refresh_customers,
    replay,
    some,
    switch_off,
)
from tests.kept import keeping
from tests.profiles.world import NOW, TODAY, build

pytestmark = pytest.mark.django_db(transaction=True)

DAY = dt.timedelta(days=1)
SCORED = TODAY - 40 * DAY


def said(text: str) -> dict[str, str]:
    return dict.fromkeys(("zh-hans", "en", "zh-hant"), text)


def model(at_least: int = 70, score: str = "churn") -> dict[str, Any]:
    going = {"attribute": f"score.{score}", "op": ">=", "value": at_least}
    return {
        "key": "risk",
        "words": said("Risk"),
        "stages": [{"key": "going", "words": said("Going")}, {"key": "fine", "words": said("Fine")}],
        "ask": [
            {
                "stage": "going",
                "when": going,
                "reason": said(f"May leave: {{score.{score}}} % as of {{score.{score}_on}}, {{visits}} visits"),
            },
            {"stage": "fine", "reason": said("Stays")},
        ],
    }


def tell(person: Customer, percent: int, on: dt.date = SCORED) -> ScoreValue:
    return ScoreValue.objects.create(
        customer=person, score=Score.objects.get(key="churn"), number=percent * 100, scored_on=on
    )


@keeping
def invented() -> list[Customer]:
    build(customers=60)
    define_score(key="churn", kind="chance", labels={"en": "Churn"}, now=NOW)
    found = list(Customer.objects.filter(is_active=True, known_on__lt=SCORED - 30 * DAY).order_by("pk"))
    for place, person in enumerate(found):
        tell(person, 90 if place % 3 == 0 else 20, SCORED - 20 * DAY)
    return found


@pytest.fixture
def people() -> list[Customer]:
    return invented()


@pytest.fixture
def file(people: list[Customer], tmp_path: Path) -> Path:
    """The mirror after a night in which the model was asked."""
    path = tmp_path / "mirror.duckdb"
    refresh_all(now=NOW, mirror=path, months=0)
    bring_into_use(model(), chain=the_chain(), now=NOW)
    refresh_all(now=NOW, mirror=path, months=0)
    return path


def stands() -> dict[int, str]:
    return dict(Standing.objects.filter(model="risk").order_by("customer").values_list("customer", "stage"))


def test_the_night_and_every_other_way_place_alike(
    people: list[Customer], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_night = stands()
    assert {pk for pk, stage in by_night.items() if stage == "going"} == {one.pk for one in people[::3]}
    assert len(by_night) == Profile.objects.count() > len(people[::3])
    assert compare(now=NOW, sample=1000, mirror=file).agrees
    for several in (10_000, 2):
        monkeypatch.setattr(some, "SEVERAL", several)
        assert refresh_customers(list(by_night), now=NOW).changed == 0
    assert stands() == by_night


def test_a_score_that_comes_or_goes_moves_her_at_once(people: list[Customer], file: Path) -> None:
    vera = people[1]
    fold(NOW)
    newer = tell(vera, 75)
    assert fold(NOW).customers == 1
    assert stands()[vera.pk] == "going"
    last = Event.objects.filter(kind="stage.changed", customer=vera).latest("pk").data
    assert (last["model"], last["from"], last["to"], last["cause"]) == ("risk", "fine", "going", "late")
    gone = Batch.objects.create(kind="load", created_at=NOW)
    ScoreValue.objects.filter(pk=newer.pk).update(withdrawn_by=gone, txid=current_xid())
    fold(NOW)
    assert stands()[vera.pk] == "fine"


def test_a_night_puts_right_what_was_followed_and_then_taken_back(people: list[Customer], file: Path) -> None:
    """As the mirror sees her, nothing has changed since last night; in PostgreSQL something has."""
    vera, gone = people[1], Batch.objects.create(kind="load", created_at=NOW)
    newer = tell(vera, 75)
    fold(NOW)
    assert stands()[vera.pk] == "going"
    ScoreValue.objects.filter(pk=newer.pk).update(withdrawn_by=gone, txid=current_xid())
    refresh_all(now=NOW + DAY, mirror=file, months=0)
    assert stands()[vera.pk] == "fine"


def test_where_no_model_asks_a_load_of_scores_is_no_news(people: list[Customer], file: Path) -> None:
    fold(NOW)
    switch_off("risk", now=NOW)
    tell(people[1], 75)
    assert fold(NOW).customers == 0


def test_the_reason_names_what_was_said_and_when_it_was_not_yet(people: list[Customer], file: Path) -> None:
    vera = people[0]
    visits = Profile.objects.get(pk=vera.pk).visits
    found = explain(vera.pk, TODAY, now=NOW, model="risk")
    assert found.reason("en") == f"May leave: 90 % as of {SCORED - 20 * DAY}, {visits} visits"
    assert [(line.attribute, line.known, line.asked, line.holds) for line in found.asked[0].lines] == [
        ("score_churn", 90, 70, True)
    ]
    tell(vera, 10, SCORED)
    found = explain(vera.pk, TODAY, now=NOW, model="risk")
    assert [(band.stage, band.first) for band in found.bands][-2:] == [("going", SCORED - 20 * DAY), ("fine", SCORED)]
    assert explain(vera.pk, SCORED - DAY, now=NOW, model="risk").stage == "going"
    assert explain(vera.pk, SCORED - 21 * DAY, now=NOW, model="risk").stage == "fine"


def test_other_rules_are_tried_over_today_and_over_the_past(people: list[Customer], file: Path) -> None:
    going = len(people[::3])
    tried = dry_run(model(at_least=95))
    assert [(move.was, move.will, move.customers) for move in tried.moves] == [("going", "fine", going)]
    assert dry_run(model(at_least=80)).moving == 0
    past = {one.day: one for one in replay(model(at_least=95), now=NOW, months=3, mirror=file)}
    assert past[TODAY].differing == going
    assert past[dt.date(2026, 1, 31)].before.get("going", 0) == going, "scored on the 30th"
    assert past[dt.date(2025, 12, 31)].differing == 0, "nobody was scored yet"


def test_the_charts_know_when_it_was_said(people: list[Customer], file: Path) -> None:
    refresh_all(now=NOW, mirror=file, months=3)

    def going(day: dt.date) -> int:
        return sum(one.customers for one in StageCount.objects.filter(model="risk", stage="going", day=day))

    assert (going(dt.date(2025, 12, 31)), going(dt.date(2026, 1, 31))) == (0, len(people[::3]))
    tell(people[1], 99, dt.date(2025, 12, 30))
    refresh_all(now=NOW, mirror=file, months=3)
    assert going(dt.date(2025, 12, 31)) == 1, "what is said of a past day changes it"


def test_a_score_that_a_model_asks_for_stays(people: list[Customer], file: Path) -> None:
    score = Score.objects.get(key="churn")
    for refused in (
        lambda: retire_score(score, now=NOW),
        lambda: change_score(score, {"roles": ["owner"]}, now=NOW),
    ):
        with pytest.raises(ScoreInUse, match="Risk asks for this score"):
            refused()
    switch_off("risk", now=NOW)
    with pytest.raises(ScoreInUse):  # it may be switched on again
        retire_score(score, now=NOW)
    StageModel.objects.filter(key="risk").delete()
    assert retire_score(score, now=NOW).retired_at == NOW


@pytest.mark.parametrize("score", ["never", "secret", "old"])
def test_what_nobody_says_or_not_everybody_sees_is_refused(people: list[Customer], score: str) -> None:
    define_score(key="secret", kind="chance", labels={"en": "Secret"}, roles=["owner"], now=NOW)
    retire_score(define_score(key="old", kind="chance", labels={"en": "Old"}, now=NOW), now=NOW)
    with pytest.raises(ModelError, match=f"score.{score}"):
        bring_into_use(model(score=score), chain=the_chain(), now=NOW)
    assert not StageModel.objects.filter(key="risk").exists()
