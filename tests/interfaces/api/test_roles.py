"""Roles and grants through the API: made, granted, taken back; closed to everybody but the owner."""

from collections.abc import Callable

import pytest

from changke.foundation.access.models import Grant
from tests.cast import Cast
from tests.interfaces.api.conftest import Caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(key_of: Callable[[str], Caller]) -> Caller:
    return key_of("owner")


def test_a_role_is_made_granted_and_taken_back(cast: Cast, owner: Caller) -> None:
    made = owner.post("/roles", {"name": "收银", "capabilities": ["facts.record", "customer.view"]})
    assert made.status_code == 201
    role = made.json()
    assert role["capabilities"] == ["customer.view", "facts.record"]
    changed = owner.send("PUT", f"/roles/{role['id']}", {"name": "收银台", "capabilities": ["facts.record"]})
    assert changed.json()["name"] == "收银台"
    given = {"staff_id": cast.clerk.pk, "role": role["key"], "store": "XH", "until": "2099-01-01T00:00:00+08:00"}
    grant = owner.post("/grants", given)
    assert (grant.status_code, grant.json()["store"], grant.json()["standing"]) == (201, "XH", False)
    held = owner.get("/grants", staff_id=cast.clerk.pk).json()
    assert [one["role"] for one in held] == ["staff", role["key"]]
    assert owner.send("DELETE", f"/roles/{role['id']}", "").status_code == 409
    assert owner.send("DELETE", f"/grants/{grant.json()['id']}", "").status_code == 204
    assert owner.send("DELETE", f"/roles/{role['id']}", "").status_code == 204
    assert [one["key"] for one in owner.get("/roles").json()] == ["owner", "hq", "manager", "staff", "analyst"]


@pytest.mark.parametrize("role", ["hq", "manager", "staff", "analyst"])
def test_nobody_else_comes_near(cast: Cast, key_of: Callable[[str], Caller], role: str) -> None:
    caller, grant = key_of(role), Grant.objects.filter(staff=cast.clerk).get()
    for method, path, body in (
        ("GET", "/roles", {}),
        ("POST", "/roles", {"name": "x", "capabilities": ["customer.view"]}),
        ("PUT", "/roles/1", {"name": "x", "capabilities": ["customer.view"]}),
        ("DELETE", "/roles/1", {}),
        ("GET", f"/grants?staff_id={cast.clerk.pk}", {}),
        ("POST", "/grants", {"staff_id": cast.clerk.pk, "role": "owner"}),
        ("DELETE", f"/grants/{grant.pk}", {}),
    ):
        assert caller.send(method, path, body).status_code == 403, (method, path)
    assert Grant.objects.filter(staff=cast.clerk).count() == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"role": "staff"}, 422),
        ({"staff_id": 1, "key_id": 1, "role": "staff"}, 422),
        ({"staff_id": 999_999, "role": "staff"}, 404),
        ({"staff_id": "clerk", "role": "queen"}, 422),
        ({"staff_id": "clerk", "role": "own:abc"}, 422),
        ({"staff_id": "clerk", "role": "own:99"}, 404),
        ({"staff_id": "clerk", "role": "staff", "store": "NOWHERE"}, 404),
        ({"staff_id": "clerk", "role": "staff", "region_id": 999_999}, 404),
        ({"staff_id": "clerk", "role": "staff", "region_id": 1, "store": "JA"}, 422),
        ({"staff_id": "clerk", "role": "staff", "until": "2020-01-01T00:00:00+08:00"}, 422),
    ],
)
def test_what_cannot_be_granted_is_refused(cast: Cast, owner: Caller, body: dict[str, object], status: int) -> None:
    sent = body | ({"staff_id": cast.clerk.pk} if body.get("staff_id") == "clerk" else {})
    assert owner.post("/grants", sent).status_code == status


def test_a_list_of_grants_is_somebodys(owner: Caller) -> None:
    assert owner.get("/grants").status_code == 422
