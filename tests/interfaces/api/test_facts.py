"""Visits, events and follow-ups that machines send."""

import datetime as dt
import json
from typing import Any

import pytest

from changke.facts.events.services import KINDS, OUR_OWN
from changke.facts.models import Event, Visit
from tests.cast import Cast
from tests.interfaces.api.conftest import NOW, YESTERDAY, Caller

pytestmark = pytest.mark.django_db


def visit(**changes: Any) -> dict[str, Any]:
    right = {"id": "v1", "store": "JA", "happened_at": YESTERDAY, "customer": {"phone": "13800000003"}} | changes
    return {name: value for name, value in right.items() if value is not None}


def event(**changes: Any) -> dict[str, Any]:
    right = {"id": "e1", "kind": "complaint.received", "store": "JA", "happened_at": YESTERDAY} | changes
    return {name: value for name, value in right.items() if value is not None}


def told(answer: Any) -> list[tuple[str, str]]:
    """Code and place of each refusal, or the status."""
    return [
        (one["error"]["code"], one["error"]["field"] or "") if one["error"] else (one["status"], "")
        for one in answer.json()["results"]
    ]


def test_a_visit_counts_once_and_shows_in_her_history(hq: Caller, cast: Cast) -> None:
    for status in ("created", "skipped", "skipped"):
        assert told(hq.post("/visits", {"visits": [visit(staff=None, purpose="咨询")]})) == [(status, "")]
    assert Visit.objects.get().customer_id == cast.vera.pk
    shown = hq.get(f"/customers/{cast.vera.pk}/visits").json()["items"]
    assert [(one["store"], one["purpose"]) for one in shown] == [("JA", "咨询")]


def test_a_stranger_who_only_looked_around_is_written_down(hq: Caller, cast: Cast) -> None:
    hq.post("/visits", {"visits": [visit(customer={"phone": "13811112222", "name": "张三"})]})
    assert Visit.objects.get().customer.name == "张三"


def test_wrong_visits_are_refused_one_by_one(hq: Caller, cast: Cast) -> None:
    wrong: list[tuple[Any, str, str]] = [
        (visit(id=None), "invalid", "id"),
        (visit(store=None), "invalid", "store"),
        (visit(store="??"), "unknown_store", ""),
        (visit(customer=None), "invalid", "customer"),
        (visit(customer={"id": 999_999}), "unknown_customer", ""),
        (visit(happened_at="2026-03-01T12:00:00"), "invalid", "happened_at"),
        (visit(happened_at=(NOW + dt.timedelta(days=1)).isoformat()), "invalid", "happened_at"),
        (visit(purpose="x" * 121), "invalid", "purpose"),
        (visit(mood="good"), "invalid", "mood"),
        (7, "invalid", "body"),
    ]
    answer = hq.post("/visits", {"visits": [item for item, _, _ in wrong] + [visit()]})
    assert told(answer) == [(code, place) for _, code, place in wrong] + [("created", "")]
    other = visit(customer={"phone": "13800000001"})
    assert told(hq.post("/visits", {"visits": [other]})) == [("content_differs", "")]
    assert Visit.objects.count() == 1


@pytest.mark.parametrize(("minutes", "outcome"), [(9, ("created", "")), (11, ("invalid", "happened_at"))])
def test_the_clock_of_a_till_may_run_ahead_by_ten_minutes(
    minutes: int, outcome: tuple[str, str], hq: Caller, cast: Cast
) -> None:
    ahead = (dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes)).isoformat()
    assert told(hq.post("/visits", {"visits": [visit(happened_at=ahead)]})) == [outcome]


def test_an_event_counts_once_and_shows_in_her_history(hq: Caller, cast: Cast) -> None:
    right = event(customer={"phone": "13800000003"}, data={"about": "waiting", "minutes": 40, "loud": True})
    for status in ("created", "skipped"):
        assert told(hq.post("/events", {"events": [right]})) == [(status, "")]
    shown = hq.get(f"/customers/{cast.vera.pk}/events").json()["items"]
    assert [(one["kind"], one["data"]["minutes"]) for one in shown] == [("complaint.received", 40)]
    assert told(hq.post("/events", {"events": [right | {"data": {}}]})) == [("content_differs", "")]


def test_every_kind_that_is_not_our_own_may_be_sent(hq: Caller, cast: Cast) -> None:
    answer = hq.post("/events", {"events": [event(kind=kind) for kind in sorted(KINDS)]})
    assert [status for status, _ in told(answer)] == [
        "invalid" if kind in OUR_OWN else "created" for kind in sorted(KINDS)
    ]
    assert not Event.objects.filter(kind__in=OUR_OWN).exists()


def test_wrong_events_are_refused_one_by_one(hq: Caller, manager: Caller, cast: Cast) -> None:
    wrong: list[tuple[Any, str, str]] = [
        (event(kind="moon.rose"), "invalid", "kind"),
        (event(kind="stage.changed"), "invalid", "kind"),
        (event(id=""), "invalid", "id"),
        (event(happened_at="2026-03-01T12:00:00"), "invalid", "happened_at"),
        (event(happened_at=(NOW + dt.timedelta(days=1)).isoformat()), "invalid", "happened_at"),
        (event(data={"x" * 61: 1}), "invalid", "data"),
        (event(data={f"n{n}": n for n in range(21)}), "invalid", "data"),
        (event(data={"deep": {"a": 1}}), "invalid", "data"),
        (event(data={"nul": "\x00"}), "invalid", "data"),
        (event(data=[]), "invalid", "data"),
        (event(store="??"), "unknown_store", ""),
        (event(customer={"id": 999_999}), "unknown_customer", ""),
    ]
    answer = hq.post("/events", {"events": [item for item, _, _ in wrong] + [event()]})
    places = [(code, place.partition(".")[0]) for code, place in told(answer)]
    assert places == [(code, place) for _, code, place in wrong] + [("created", "")]
    assert told(manager.post("/events", {"events": [event(store=None)]})) == [("invalid", "store")]


def test_what_json_does_not_know_is_refused_in_an_event(hq: Caller, cast: Cast) -> None:
    raw = json.dumps({"events": [event(data={"minutes": float("nan")})]})
    assert "NaN" in raw
    assert told(hq.post("/events", raw))[0][0] == "invalid"


def test_a_follow_up_counts_once_and_is_listed(hq: Caller, cast: Cast) -> None:
    body = {"id": "t1", "customer_id": cast.vera.pk, "reason": "birthday", "outcome": "postponed"}
    first, again = hq.post("/followups", body), hq.post("/followups", body)
    assert (first.status_code, again.status_code, first.json()["id"]) == (201, 201, again.json()["id"])
    assert [one["outcome"] for one in hq.get("/followups").json()["items"]] == ["postponed"]
    assert Event.objects.filter(kind="followup.recorded").count() == 1


@pytest.mark.parametrize(
    ("changes", "status", "place"),
    [
        ({"outcome": "forgotten"}, 422, "outcome"),
        ({"reason": "mood"}, 422, "reason"),
        ({"outcome": "postponed", "until": "2020-01-01"}, 422, "until"),
        ({"until": "soon"}, 422, "until"),
        ({"customer_id": 999_999}, 404, None),
        ({"id": ""}, 422, "id"),
    ],
)
def test_a_wrong_follow_up_is_refused(
    changes: dict[str, Any], status: int, place: str | None, hq: Caller, cast: Cast
) -> None:
    right = {"id": "t1", "customer_id": cast.vera.pk, "reason": "birthday", "outcome": "done"}
    answer = hq.post("/followups", right | changes)
    assert (answer.status_code, answer.json().get("field")) == (status, place)
