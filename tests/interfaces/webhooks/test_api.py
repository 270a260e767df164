"""Addresses by API: who may, what is shown once, what can be seen and mended."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from changke.foundation.access.models import Role
from changke.foundation.audit.models import AuditLine
from changke.interfaces.webhooks.models import WebhookAddress
from tests.cast import Cast
from tests.interfaces.api.conftest import Caller
from tests.interfaces.api.conftest import hq as hq
from tests.interfaces.api.conftest import key_of as key_of
from tests.interfaces.webhooks.conftest import address_of, work
from tests.interfaces.webhooks.senders import Own, Shopify, sample

pytestmark = pytest.mark.django_db


def test_a_machine_sets_up_its_own_address(hq: Caller, cast: Cast) -> None:
    made = hq.post("/webhooks", {"source": "standard", "name": "till"})
    assert made.status_code == 201
    told = made.json()
    assert Own(told["path"], told["secret"]).send({"type": "ping"}).status_code == 200
    listed = hq.get("/webhooks").json()
    assert [(one["name"], "secret" in one) for one in listed] == [("till", False)]
    assert AuditLine.objects.filter(action="webhook.added", actor_kind="key").count() == 1
    turned = hq.post(f"/webhooks/{told['id']}/rotate", {}).json()
    assert turned["secret"] != told["secret"]
    assert Own(told["path"], turned["secret"]).send({"type": "ping"}).status_code == 200
    assert hq.patch(f"/webhooks/{told['id']}", {"is_active": False, "name": "old till"}).json()["name"] == "old till"
    assert Own(told["path"], turned["secret"]).send({"type": "ping"}).status_code == 404


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"source": "amazon", "name": "x"}, "source"),
    ({"source": "shopify", "name": "x"}, "secret"),
    ({"source": "youzan", "name": "x", "secret": "s"}, "client_id"),
    ({"source": "standard", "name": ""}, "name"),
    ({"source": "standard", "name": "x", "keep_days": 0}, "keep_days"),
    ({"source": "standard", "name": "x", "allowed_networks": ["home"]}, "allowed_networks"),
    ({"source": "standard", "name": "x", "colour": "red"}, "colour"),
]


@pytest.mark.parametrize(("body", "field"), WRONG)
def test_a_wrong_address_is_refused(body: dict[str, Any], field: str, hq: Caller, cast: Cast) -> None:
    answer = hq.post("/webhooks", body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert not WebhookAddress.objects.exists()


def test_what_waits_is_seen_and_mended(hq: Caller, shopify: Shopify, cast: Cast) -> None:
    address = address_of(shopify).pk
    shopify.send(sample("shopify_order", location_id=7))
    work()
    (shown,) = hq.get(f"/webhooks/{address}/deliveries").json()["items"]
    assert (shown["state"], shown["reason"], shown["can_replay"]) == ("waiting", "place", True)
    places = {one["place"]: one["store"] for one in hq.get("/webhooks").json()[0]["places"]}
    assert places == {"905684977": "JA", "7": None}
    assert hq.post(f"/webhooks/{address}/places", {"place": "7", "store": "??"}).json()["code"] == "unknown_store"
    assert hq.post(f"/webhooks/{address}/places", {"place": "7", "store": "XH"}).json() == {"deliveries": 1}
    work()
    assert hq.get(f"/webhooks/{address}/deliveries").json()["items"][0]["state"] == "done"
    assert hq.post(f"/webhooks/{address}/deliveries/{shown['id']}/replay", {}).json() == {"is_queued": True}
    work()
    assert hq.get(f"/webhooks/{address}/deliveries").json()["items"][0]["created"] == 0


def test_wrong_signatures_are_seen_in_the_list(hq: Caller, shopify: Shopify, cast: Cast) -> None:
    Shopify(shopify.path, secret="guessed").send({})
    assert hq.get("/webhooks").json()[0]["refused_this_week"] == [{"reason": "wrong_signature", "times": 1}]


@pytest.mark.parametrize("role", [role for role in Role.values if role not in {"owner", "hq"}])
def test_stores_do_not_reach_them(role: str, key_of: Callable[[str], Caller], shopify: Shopify, cast: Cast) -> None:
    caller, address = key_of(role), address_of(shopify).pk
    for method, path, body in (
        ("GET", "/webhooks", ""),
        ("POST", "/webhooks", {"source": "standard", "name": "x"}),
        ("PATCH", f"/webhooks/{address}", {"name": "x"}),
        ("POST", f"/webhooks/{address}/rotate", {"secret": "x"}),
        ("POST", f"/webhooks/{address}/places", {"place": "7"}),
        ("GET", f"/webhooks/{address}/deliveries", ""),
        ("POST", f"/webhooks/{address}/deliveries/1/replay", {}),
        ("GET", "/webhooks/requests", ""),
        ("POST", "/webhooks/requests/1/answer", {"outcome": "nobody"}),
    ):
        assert caller.send(method, path, body).status_code == 403, (role, method, path)


def test_what_is_not_there_is_not_found(hq: Caller, shopify: Shopify, cast: Cast) -> None:
    address = address_of(shopify).pk
    for path in ("/webhooks/999999/rotate", f"/webhooks/{address}/deliveries/999999/replay"):
        assert hq.post(path, {"secret": "x"} if path.endswith("rotate") else {}).status_code == 404
    assert re.fullmatch(r"[\w-]{32}", address_of(shopify).path)
