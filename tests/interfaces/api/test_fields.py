"""The chain's own fields, for machines."""

from collections.abc import Callable

import pytest

from changke.facts.fields.services import define
from changke.foundation.audit.models import AuditLine
from tests.cast import NOW, Cast
from tests.interfaces.api.conftest import Caller


@pytest.fixture(autouse=True)
def _fields(cast: Cast) -> None:
    define(key="skin", kind="choice", labels={"en": "Skin"}, choices=["dry", "oily"], now=NOW)
    define(key="likes", kind="choices", labels={"en": "Likes"}, choices=["tea", "silence"], now=NOW)
    define(key="debts", kind="money", labels={"en": "Debts"}, roles=["owner"], now=NOW)


def test_what_is_asked_depends_on_the_role(key_of: Callable[[str], Caller]) -> None:
    assert [one["key"] for one in key_of("owner").get("/fields").json()] == ["skin", "likes", "debts"]
    assert [one["key"] for one in key_of("manager").get("/fields").json()] == ["skin", "likes"]


def test_fields_are_written_and_read(cast: Cast, manager: Caller) -> None:
    path = f"/customers/{cast.vera.pk}/fields"
    sent = {"values": {"skin": "oily", "likes": ["silence", "tea"]}}
    assert manager.patch(path, sent).json() == {"values": {"skin": "oily", "likes": ["tea", "silence"]}}
    assert manager.patch(path, {"values": {"skin": None}}).json()["values"]["skin"] is None
    assert manager.get(path).json() == {"values": {"skin": None, "likes": ["tea", "silence"]}}


@pytest.mark.parametrize(
    "values", [{"skin": "blue"}, {"skin": 3}, {"likes": "tea"}, {"shoe": 38}, {"debts": 100}, {"skin": "a" * 300}]
)
def test_what_does_not_fit_is_refused(cast: Cast, manager: Caller, values: dict[str, object]) -> None:
    path = f"/customers/{cast.vera.pk}/fields"
    assert manager.patch(path, {"values": values}).status_code == 422
    assert manager.get(path).json() == {"values": {"skin": None, "likes": None}}


def test_a_foreign_customer_does_not_exist(cast: Cast, manager: Caller) -> None:
    assert manager.get(f"/customers/{cast.lan.pk}/fields").status_code == 404
    assert manager.patch(f"/customers/{cast.lan.pk}/fields", {"values": {"skin": "dry"}}).status_code == 404


def test_a_field_is_defined_changed_and_retired(hq: Caller, manager: Caller, cast: Cast) -> None:
    sent = {"key": "wedding", "kind": "date", "labels": {"zh-hans": "结婚纪念日"}, "roles": ["owner", "hq"]}
    made = hq.post("/fields", sent)
    assert (made.status_code, made.json()["is_retired"], made.json()["roles"]) == (201, False, ["owner", "hq"])
    assert hq.post("/fields", sent).json()["code"] == "field_key_taken"
    assert "wedding" not in [one["key"] for one in manager.get("/fields").json()]
    changed = hq.patch("/fields/wedding", {"roles": [], "required": True}).json()
    assert (changed["roles"], changed["required"], changed["labels"]) == ([], True, {"zh-hans": "结婚纪念日"})
    assert "wedding" in [one["key"] for one in manager.get("/fields").json()]
    assert hq.post("/fields/wedding/retire", "").json()["is_retired"] is True
    assert "wedding" not in [one["key"] for one in hq.get("/fields").json()]
    assert [one["is_retired"] for one in hq.get("/fields/all").json() if one["key"] == "wedding"] == [True]
    assert hq.post("/fields/wedding/ask", "").json()["is_retired"] is False
    actions = AuditLine.objects.filter(subject__startswith="field:", actor_kind="key").values_list("action", flat=True)
    assert sorted(actions) == ["field.changed", "field.defined", "field.retired", "field.revived"]


def test_a_choice_that_somebody_has_stays(hq: Caller, cast: Cast) -> None:
    hq.patch(f"/customers/{cast.vera.pk}/fields", {"values": {"skin": "oily"}})
    refused = hq.patch("/fields/skin", {"choices": ["dry"]})
    assert (refused.status_code, refused.json()["code"]) == (409, "choice_in_use")
    assert hq.patch("/fields/skin", {"choices": ["oily", "mixed"]}).json()["choices"] == ["oily", "mixed"]


@pytest.mark.parametrize(
    "body",
    [
        {"key": "Big", "kind": "text", "labels": {"en": "x"}},
        {"key": "a", "kind": "dream", "labels": {"en": "x"}},
        {"key": "a", "kind": "text", "labels": {}},
        {"key": "a", "kind": "choice", "labels": {"en": "x"}},
        {"key": "a", "kind": "number", "labels": {"en": "x"}, "minimum": 2, "maximum": 1},
        {"key": "a", "kind": "text", "labels": {"en": "x"}, "roles": ["queen"]},
    ],
)
def test_a_field_that_cannot_be_is_refused(hq: Caller, body: dict[str, object]) -> None:
    assert hq.post("/fields", body).status_code == 422
    assert hq.patch("/fields/skin", {"labels": None}).status_code == 422
    assert hq.patch("/fields/nothing", {"labels": {"en": "x"}}).status_code == 404


def test_a_store_defines_no_fields(manager: Caller) -> None:
    assert manager.get("/fields/all").status_code == 403
    assert manager.post("/fields", {"key": "a", "kind": "text", "labels": {"en": "x"}}).status_code == 403
    assert manager.patch("/fields/skin", {"required": True}).status_code == 403
    assert manager.post("/fields/skin/retire", "").status_code == 403
