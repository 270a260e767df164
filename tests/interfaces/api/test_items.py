"""The catalogue for machines: found, added, changed; costs for those who keep it only."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from changke.facts.catalog.models import Category, Item
from changke.facts.catalog.services import keep
from changke.foundation.audit.models import AuditLine
from tests.cast import Cast
from tests.examples import few
from tests.interfaces.api.conftest import NOW, Caller
from tests.interfaces.api.test_anything import ANYTHING, TEXT

pytestmark = pytest.mark.django_db
FEW = settings(max_examples=few(15), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def codes(answer: Any) -> list[str]:
    return [one["code"] for one in answer.json()["items"]]


def test_items_are_narrowed_and_paged(cast: Cast, hq: Caller) -> None:
    keep.add_item(code="A/1", name="什么", now=NOW)
    assert codes(hq.get("/items")) == ["A/1", "C10", "F1"]
    assert codes(hq.get("/items", kind="card")) == ["C10"]
    assert codes(hq.get("/items", category="面部护理")) == ["F1"]
    assert codes(hq.get("/items", q="补水")) == ["C10", "F1"]
    assert codes(hq.get("/items", attention="true")) == ["A/1"]
    first = hq.get("/items", limit=2).json()
    assert codes(hq.get("/items", limit=2, cursor=first["next"])) == ["F1"]
    assert hq.get("/items", kind="haircut").status_code == 422
    assert hq.get("/items/A/1").json()["name"] == "什么"
    assert hq.get("/items/nobody").status_code == 404
    assert hq.get("/items/%00").status_code == 404


@pytest.mark.parametrize(
    ("role", "cost", "margin"), [("hq", 6_000, 6_000), ("manager", None, None), ("staff", None, None)]
)
def test_costs_and_margins_are_for_those_who_keep_them(
    cast: Cast, key_of: Callable[[str], Caller], role: str, cost: int | None, margin: int | None
) -> None:
    item = key_of(role).get("/items/F1").json()
    assert (item["unit_cost_minor"], item["price_minor"], item["currency"]) == (cost, 28_800, "CNY")
    assert [one["margin_basis_points"] for one in key_of(role).get("/categories").json()] == [margin]


def test_an_item_is_added_and_changed(cast: Cast, hq: Caller) -> None:
    new = {"code": "N1", "name": "肩颈", "kind": "service", "category": "面部护理", "price_minor": 19_800}
    added = hq.post("/items", new)
    assert (added.status_code, added.json()["category"], added.json()["is_active"]) == (201, "面部护理", True)
    assert hq.post("/items", new).json()["code"] == "item_code_taken"
    changed = hq.patch("/items/N1", {"unit_cost_minor": 3_000, "category": None, "usual_cycle_days": 21})
    assert changed.json() == {
        **new, "category": "", "unit_cost_minor": 3_000, "usual_cycle_days": 21, "currency": "CNY", "is_active": True,
    }  # fmt: skip
    assert hq.patch("/items/N1", {}).json() == changed.json(), "nothing sent, nothing changed"
    line = AuditLine.objects.get(action="item.changed")
    assert (line.actor_kind, line.before) == (
        "key", {"unit_cost_minor": None, "category": cast.facial.category_id, "usual_cycle_days": None},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"kind": "haircut"}, 422, "invalid", "kind"),
        ({"name": " "}, 422, "invalid", "name"),
        ({"name": None}, 422, "invalid", "name"),
        ({"name": "\u200b"}, 422, "invalid", "name"),
        ({"name": "a\0b"}, 422, "invalid", "name"),
        ({"price_minor": -1}, 422, "invalid", "price_minor"),
        ({"price_minor": 10**12}, 422, "invalid", "price_minor"),
        ({"unit_cost_minor": 1.5}, 422, "invalid", "unit_cost_minor"),
        ({"usual_cycle_days": 0}, 422, "invalid", "usual_cycle_days"),
        ({"usual_cycle_days": 3651}, 422, "invalid", "usual_cycle_days"),
        ({"is_active": "perhaps"}, 422, "invalid", "is_active"),
        ({"code": "F2"}, 422, "invalid", "code"),
        ({"colour": "red"}, 422, "invalid", "colour"),
        ({"category": "没有的"}, 404, "unknown_category", None),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(
    cast: Cast, hq: Caller, body: dict[str, Any], status: int, code: str, field: str | None
) -> None:
    answer = hq.patch("/items/F1", body)
    assert (answer.status_code, answer.json()["code"], answer.json().get("field")) == (status, code, field)
    assert not AuditLine.objects.filter(action="item.changed").exists()


def test_a_category_is_added_and_changed(cast: Cast, hq: Caller) -> None:
    added = hq.post("/categories", {"name": "身体", "margin_basis_points": 6_250})
    assert (added.status_code, added.json()["margin_basis_points"]) == (201, 6_250)
    address = f"/categories/{added.json()['id']}"
    assert hq.patch(address, {"margin_basis_points": None}).json()["margin_basis_points"] is None
    assert hq.patch(address, {"name": "面部护理"}).json()["code"] == "category_name_taken"
    assert hq.patch(address, {"margin_basis_points": 10_001}).json()["field"] == "margin_basis_points"
    assert hq.patch("/categories/4711", {"name": "x"}).status_code == 404
    assert Category.objects.get(name="身体").margin_basis_points is None


@pytest.mark.parametrize("role", ["manager", "staff"])
def test_stores_do_not_keep_the_catalogue(cast: Cast, key_of: Callable[[str], Caller], role: str) -> None:
    caller = key_of(role)
    for method, path, body in (
        ("POST", "/items", {"code": "x", "name": "x"}),
        ("PATCH", "/items/F1", {"kind": "card"}),
        ("POST", "/categories", {"name": "x"}),
        ("PATCH", f"/categories/{cast.facial.category_id}", {"name": "x"}),
    ):
        assert caller.send(method, path, body).status_code == 403
    assert Item.objects.get(code="F1").kind == "service"


@FEW
@given(data=st.data())
def test_whatever_is_sent_gets_an_answer(data: st.DataObject, hq: Caller, cast: Cast) -> None:
    field = st.sampled_from(["name", "kind", "category", "price_minor", "usual_cycle_days", "is_active", "code"])
    body = {data.draw(field): data.draw(ANYTHING), data.draw(field): data.draw(ANYTHING)}
    code = data.draw(TEXT.filter(lambda text: text.isprintable() and bool(text)))
    for method, path in (("PATCH", "/items/F1"), ("POST", "/items"), ("PATCH", f"/items/{quote(code)}")):
        assert hq.send(method, path, body).status_code in {200, 201, 400, 404, 405, 409, 422}, (method, path, body)
    assert hq.get("/items", q=code, category=code).status_code in {200, 422}
