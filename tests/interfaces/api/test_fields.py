"""The chain's own fields, for machines."""

from collections.abc import Callable

import pytest

from changke.facts.fields.services import define
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
