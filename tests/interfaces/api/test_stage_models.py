"""Lifecycle models over the API: listed, asked what they would do, published, switched."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from changke.facts.models import Customer
from changke.foundation.organisation.queries import the_chain
from changke.profiles.lifecycle.models import StageModel, Standing
from changke.profiles.lifecycle.services import publish_models, refresh_customers
from tests.cast import Cast
from tests.interfaces.api.conftest import NOW, Caller
from tests.kept import keeping

pytestmark = pytest.mark.django_db


@pytest.fixture
def known(cast: Cast) -> Cast:
    known_today()
    return cast


@keeping
def known_today() -> None:
    publish_models(the_chain(), now=NOW)
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)


def of(caller: Caller, key: str) -> dict[str, Any]:
    models: list[dict[str, Any]] = caller.get("/stage-models").json()
    return next(one for one in models if one["model"] == key)


def lost_after(definition: dict[str, Any], days: int) -> dict[str, Any]:
    changed = copy.deepcopy(definition)
    rule = next(one for one in changed["ask"] if one["stage"] == "lost")
    rule["when"] = {"attribute": "silent_days", "op": ">=", "value": days}
    return changed


def test_the_list_names_those_in_use_first_and_those_that_wait(known: Cast, hq: Caller) -> None:
    models = hq.get("/stage-models").json()
    assert [one["model"] for one in models] == ["m4", "m1", "m2", "m3", "m5", "m6", "m7", "m8", "m12"]
    assert [one["in_use"] for one in models] == [True] * 3 + [False] * 6
    assert (models[0]["is_default"], models[0]["version"], models[3]["version"]) == (True, 1, 0)


def test_what_other_rules_would_do_is_told_and_publishing_does_it(known: Cast, hq: Caller) -> None:
    wanted = lost_after(of(hq, "m4")["definition"], 2_000)
    told = hq.post("/stage-models/preview", {"definition": wanted}).json()
    assert told["moving"] == sum(one["customers"] for one in told["moves"]) > 0
    assert StageModel.objects.get(key="m4").version == 1
    answer = hq.send("PUT", "/stage-models/m4", {"definition": wanted, "preview": told["token"]})
    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)
    stages = list(Standing.objects.filter(model="m4").values_list("stage", flat=True))
    assert {stage: stages.count(stage) for stage in stages} == told["after"]


def test_what_was_not_previewed_is_not_published(known: Cast, hq: Caller) -> None:
    ours = of(hq, "m4")["definition"]
    wanted, other = lost_after(ours, 2_000), lost_after(ours, 2_001)
    token = hq.post("/stage-models/preview", {"definition": wanted}).json()["token"]

    def put(definition: dict[str, Any], **preview: str) -> tuple[int, object]:
        answer = hq.send("PUT", "/stage-models/m4", {"definition": definition, **preview})
        return answer.status_code, answer.json().get("code")

    assert put(wanted) == (409, "stage_model_not_previewed")
    assert put(wanted, preview="0" * 32) == (409, "stage_model_not_previewed")
    assert put(wanted, preview="三")[0] == 409
    assert put(other, preview=token) == (409, "stage_model_not_previewed")
    assert StageModel.objects.get(key="m4").version == 1
    assert put(wanted, preview=token)[0] == 200
    assert put(wanted, preview=token)[0] == 200, "sent once more it changes nothing"
    assert put(wanted)[0] == 200, "it is published already"
    assert put(ours, preview=token)[0] == 409
    assert StageModel.objects.get(key="m4").version == 2


def test_models_are_switched_on_and_off_and_one_of_them_leads(known: Cast, hq: Caller) -> None:
    assert hq.send("PATCH", "/stage-models/m8", {"in_use": True}).json()["in_use"] is True
    assert hq.send("PATCH", "/stage-models/m8", {"is_default": True}).json()["is_default"] is True
    refused = hq.send("PATCH", "/stage-models/m8", {"in_use": False})
    assert (refused.status_code, refused.json()["code"]) == (409, "default_model_stays")
    assert hq.send("PATCH", "/stage-models/m4", {"in_use": False}).json()["in_use"] is False
    assert of(hq, "m8")["is_default"]


@pytest.mark.parametrize(("change", "field"), [
    ({"key": "other"}, "definition.key"),
    ({"ask": [{"stage": "intro", "reason": {"en": "so"}}]}, "definition.ask[0].reason"),
    ({"ask": {"stage": "intro"}}, "definition.ask"),
    ({"ask": ["intro"]}, "definition.ask"),
    ({"stages": []}, "definition.stages"),
    ({"stages": [{}] * 401}, "definition.stages"),
])  # fmt: skip
def test_what_cannot_be_asked_is_refused_with_the_spot(
    known: Cast, hq: Caller, change: dict[str, Any], field: str
) -> None:
    definition = {**of(hq, "m4")["definition"], **change}
    answer = hq.send("PUT", "/stage-models/m4", {"definition": definition})
    assert answer.status_code == 422
    assert answer.json()["field"] == field, answer.content
    assert StageModel.objects.get(key="m4").version == 1


@pytest.mark.parametrize(("method", "path", "body", "status"), [
    ("PATCH", "/stage-models/m99", {"in_use": True}, 404),
    ("PATCH", "/stage-models/m99", {"in_use": False}, 404),
    ("PATCH", "/stage-models/m8", {"in_use": False}, 404),
    ("PATCH", "/stage-models/m4", {}, 422),
    ("PATCH", "/stage-models/m4", {"is_default": False}, 422),
])  # fmt: skip
def test_what_makes_no_sense_is_refused(
    known: Cast, hq: Caller, method: str, path: str, body: dict[str, Any], status: int
) -> None:
    assert hq.send(method, path, body).status_code == status


@pytest.mark.parametrize("role", ["manager", "staff"])
def test_a_store_reads_models_and_changes_none(known: Cast, key_of: Callable[..., Caller], role: str) -> None:
    caller = key_of(role)
    assert caller.get("/stage-models").status_code == 200
    definition = {"definition": StageModel.objects.get(key="m4").definition}
    assert caller.send("PUT", "/stage-models/m4", definition).status_code == 403
    assert caller.post("/stage-models/preview", definition).status_code == 403
    assert caller.send("PATCH", "/stage-models/m8", {"in_use": True}).status_code == 403


def test_past_days_are_asked_and_answered(known: Cast, hq: Caller, settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    wanted = lost_after(of(hq, "m4")["definition"], 2_000)
    answer = hq.post("/stage-models/past", {"definition": wanted, "days": ["2026-01-15"], "months": 1})
    assert answer.status_code == 201
    told = hq.get(f"/stage-models/past/{answer.json()['id']}").json()
    assert told["state"] == "done"
    first, *_ = told["rows"]
    assert "2026-01-15" in [row["day"] for row in told["rows"]]
    assert len(told["rows"]) >= 2
    assert all(row["differing"] == sum(one["customers"] for one in row["moves"]) for row in told["rows"])
    assert sum(first["before"].values()) == sum(first["after"].values())


@pytest.mark.parametrize(("sent", "field"), [
    ({"days": ["2999-01-01"]}, "days"),
    ({}, "days"),
    ({"definition": {"key": "x", "stages": [], "ask": []}, "months": 1}, "definition.stages"),
])  # fmt: skip
def test_a_past_that_cannot_be_asked_is_refused(known: Cast, hq: Caller, sent: dict[str, Any], field: str) -> None:
    answer = hq.post("/stage-models/past", {"definition": of(hq, "m4")["definition"], **sent})
    assert (answer.status_code, field in str(answer.json())) == (422, True)
    assert hq.get("/stage-models/past/999999").status_code == 404
