"""Every route by every role, on the own object as on the foreign one. A route without a case fails."""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest

from changke.decisions.next_best_action.services import record_followup
from changke.facts.customers.queries import by_phone
from changke.facts.models import Customer, WaitingReturn
from changke.foundation.access.models import Role
from changke.foundation.access.services import issue_key
from changke.interfaces.api.v1.service import api
from changke.profiles.lifecycle.models import StageCount
from changke.profiles.lifecycle.services import publish_models, refresh_customers
from tests.cast import Cast
from tests.interfaces.api.conftest import NOW, Caller, sale
from tests.kept import keeping

pytestmark = pytest.mark.django_db

CHAIN_WIDE = {"owner", "hq"}
TODAY = (NOW - dt.timedelta(hours=2)).isoformat()


@dataclass
class Case:
    """One route with its own and its foreign object. Paths and bodies name them in braces: {id}, {store}."""

    method: str
    path: str
    body: dict[str, Any] = field(default_factory=dict)

    def ask(self, caller: Caller, *, customer: Customer, store: str) -> Any:
        path = self.path.format(id=customer.pk, store=store)
        if self.method == "GET":
            return caller.send("GET", path, "")
        return caller.send(self.method, path, filled(self.body, id=customer.pk, store=store))

    def seen(self, caller: Caller, *, customer: Customer, store: str) -> bool:
        """Whether the route does for this object what it is there for; 404 is the one other answer."""
        answer = self.ask(caller, customer=customer, store=store)
        assert answer.status_code in {200, 201, 204, 404}, (self.path, answer.content)
        return bool(answer.status_code != 404)


@dataclass
class Listed(Case):
    """A list: the object is in it, or it is not."""

    items: str = "items"
    names: Callable[[dict[str, Any]], Any] = lambda one: one["customer_id"]
    by_store: bool = False

    def seen(self, caller: Caller, *, customer: Customer, store: str) -> bool:
        answer = self.ask(caller, customer=customer, store=store)
        assert answer.status_code == 200, (self.path, answer.content)
        return (store if self.by_store else customer.pk) in [self.names(one) for one in answer.json()[self.items]]


@dataclass
class Sent(Case):
    """A batch of one: taken in, or refused as not there."""

    def seen(self, caller: Caller, *, customer: Customer, store: str) -> bool:
        report = self.ask(caller, customer=customer, store=store).json()
        if report["refused"]:
            assert report["results"][0]["error"]["code"] in {"unknown_store", "unknown_customer"}
        return bool(report["created"] == 1)


@dataclass
class Waiting(Case):
    """What waits for its purchase in the store."""

    def ask(self, caller: Caller, *, customer: Customer, store: str) -> Any:
        waiting = WaitingReturn.objects.get(store__code=store)
        return caller.post(f"/waiting-returns/{waiting.pk}/count", {})


def filled(body: Any, **places: Any) -> Any:
    if isinstance(body, dict):
        return {name: filled(value, **places) for name, value in body.items()}
    if isinstance(body, list):
        return [filled(value, **places) for value in body]
    if body == "{id}":
        return places["id"]
    return body.format(**places) if isinstance(body, str) else body


AT = {"happened_at": TODAY}
CASES: dict[str, list[Case]] = {
    "get_customers": [Listed("GET", "/customers", names=lambda one: one["id"])],
    "get_customer": [Case("GET", "/customers/{id}")],
    "post_customer": [Case("POST", "/customers", {"name": "新{store}", "home_store": "{store}"})],
    "patch_customer": [
        Case("PATCH", "/customers/{id}", {"city": "上海"}),
        Case("PATCH", "/customers/{id}", {"home_store": "{store}"}),
    ],
    "get_customer_scores": [Case("GET", "/customers/{id}/scores")],
    "get_customer_fields": [Case("GET", "/customers/{id}/fields")],
    "patch_customer_fields": [Case("PATCH", "/customers/{id}/fields", {"values": {}})],
    "post_tag": [Case("POST", "/customers/{id}/tags", {"name": "常客"})],
    "get_tags": [Case("GET", "/customers/{id}/tags")],
    "post_tag_off": [Case("POST", "/customers/{id}/tags/off", {"name": "常客"})],
    "unmask_phone": [Case("POST", "/customers/{id}/unmask", {"reason": "call"})],
    "get_merges": [Case("GET", "/customers/{id}/merges")],
    "get_referrer": [Case("GET", "/customers/{id}/referrer")],
    "get_referred": [Case("GET", "/customers/{id}/referred")],
    "post_identifier": [
        Case("POST", "/customers/{id}/identifiers", {"kind": "phone", "value": "13900000099", "share": True})
    ],
    "get_consents": [Case("GET", "/customers/{id}/consents")],
    "post_consent": [
        Case(
            "POST",
            "/customers/{id}/consents",
            {"id": "f{id}", "topics": [{"purpose": "care", "channel": "call"}], "given": True, "happened_at": TODAY},
        )
    ],
    "post_member_link": [Case("POST", "/customers/{id}/member-link")],
    "delete_member_link": [Case("DELETE", "/customers/{id}/member-link")],
    "get_customer_purchases": [Case("GET", "/customers/{id}/purchases")],
    "get_customer_visits": [Case("GET", "/customers/{id}/visits")],
    "get_customer_events": [Case("GET", "/customers/{id}/events")],
    "get_customer_segments": [Case("GET", "/customers/{id}/segments")],
    "post_purchases": [
        Sent("POST", "/purchases", {"purchases": [sale(store="{store}", number="S-{store}", happened_at=TODAY)]}),
        Sent("POST", "/purchases", {"purchases": [sale(customer={"id": "{id}"}, number="C-{id}")]}),
    ],
    "post_visits": [
        Sent("POST", "/visits", {"visits": [AT | {"id": "s", "store": "{store}", "customer": {"wecom_id": "w"}}]}),
        Sent("POST", "/visits", {"visits": [AT | {"id": "c{id}", "store": "JA", "customer": {"id": "{id}"}}]}),
    ],
    "post_events": [
        Sent("POST", "/events", {"events": [AT | {"id": "s", "kind": "app.opened", "store": "{store}"}]}),
        Sent(
            "POST",
            "/events",
            {"events": [AT | {"id": "c{id}", "kind": "app.opened", "store": "JA", "customer": {"id": "{id}"}}]},
        ),
    ],
    "post_facts": [
        Sent("POST", "/facts", {"facts": [sale(type="purchase", store="{store}", number="F-{store}")]}),
        Sent("POST", "/facts", {"facts": [sale(type="purchase", customer={"id": "{id}"}, number="G-{id}")]}),
    ],
    "get_waiting_returns": [Listed("GET", "/waiting-returns", names=lambda one: one["store"], by_store=True)],
    "count_waiting_return": [Waiting("POST", "/waiting-returns")],
    "get_profile": [Case("GET", "/profiles/{id}")],
    "get_profile_stages": [Case("GET", "/profiles/{id}/stages")],
    "get_proposals": [Case("GET", "/profiles/{id}/proposals")],
    "get_stages": [Case("GET", "/stages?store={store}")],
    "get_stage_series": [Case("GET", "/stages/m4/series?store={store}")],
    "get_stage_times": [Case("GET", "/stages/m4/times?store={store}")],
    "get_stage_needs": [Case("GET", "/stages/m4/needs?store={store}")],
    "get_store_health": [Case("GET", "/store-health?store={store}")],
    "get_stage_flows": [Case("GET", "/stages/m4/flows?store={store}")],
    "get_customer_profit": [Case("GET", "/value/customers/{id}/profit")],
    "get_today": [Listed("GET", "/today", items="lines"), Case("GET", "/today?store={store}")],
    "get_followups": [Listed("GET", "/followups")],
    "post_followup": [
        Case("POST", "/followups", {"id": "t", "customer_id": "{id}", "reason": "birthday", "outcome": "done"})
    ],
    "get_stores": [Listed("GET", "/stores", names=lambda one: one["code"], by_store=True)],
    "get_staff": [Listed("GET", "/staff", names=lambda one: ",".join(one["stores"]), by_store=True)],
}
BY_CAPABILITY = {"export_person", "preview_erasure", "erase_person"}
"""Not for every role: tests/interfaces/api/test_privacy.py."""

THE_OWNERS = {"get_roles", "post_role", "put_role", "delete_role", "get_grants", "post_grant", "delete_grant"}
"""Routes about roles: tests/interfaces/api/test_roles.py."""

BATCHES = {"post_bulk_edit", "get_batch", "get_batch_undo", "post_batch_undo", "post_hand_over"}
"""Routes about batches: tests/interfaces/bulk, tests/interfaces/web/test_hand_over.py."""

IMPORTS = {
    "get_imports", "post_import", "get_import", "delete_import", "look_at_import", "put_import_columns",
    "get_import_check", "load_import", "get_import_errors", "get_import_kept",
}  # fmt: skip
"""Files for the whole chain: tests/interfaces/api/test_imports.py."""

TAGS_AND_FIELDS = {
    "get_all_fields", "post_field", "patch_field", "retire_field", "ask_field",
    "get_tag_groups", "post_tag_group", "put_tag_group", "delete_tag_group",
    "get_tag_words", "put_tag_word", "forget_tag_word",
    "get_tag_rules", "post_tag_rule", "put_tag_rule", "delete_tag_rule",
}  # fmt: skip
"""What the chain decides about fields and tags: test_fields.py, test_tag_words.py."""

THE_HOUSE = {
    "get_chain", "preview_chain", "patch_chain", "get_regions", "post_region", "put_region", "delete_region",
    "post_store", "patch_store", "get_person", "post_staff", "patch_staff", "get_devices", "delete_device",
}  # fmt: skip
"""The chain itself, its people and devices: test_organisation.py."""

MERGES = {
    "post_merge", "delete_merge", "get_duplicates", "post_duplicate_merge", "post_duplicate_not_same",
    "delete_duplicate_not_same", "delete_identifier", "put_referrer", "delete_referrer", "get_referrers",
}  # fmt: skip
"""About two customers, or a phone of hers: test_merges.py, test_duplicates.py, test_referrals.py."""

RECEIPTS = {"void_purchase", "restore_purchase"}
"""About a receipt of one's own stores: test_purchases.py."""

HEADQUARTERS = {"list_audit_lines", "get_restore", "post_restore", "get_audit_check", "post_audit_check"}
"""Routes that headquarters may ask: test_audit.py."""

WEBHOOKS = {
    "get_webhooks",
    "post_webhook",
    "patch_webhook",
    "rotate_webhook",
    "map_webhook_place",
    "get_webhook_deliveries",
    "replay_webhook_delivery",
    "get_privacy_requests",
    "answer_privacy_request",
}
"""Routes about addresses of web shops: tests/interfaces/webhooks/test_api.py."""

EXPORTS = {"post_export", "get_exports", "get_export", "get_export_file"}
"""One's own files: tests/interfaces/exporters/test_exports.py."""

THE_MACHINES = {"get_keys", "post_key", "rotate_own_key", "rotate_key", "delete_key"}
"""Routes about keys: tests/interfaces/api/test_keys.py."""

SENDING = {"get_sending", "confirm_sending"}
"""Whether the installation writes to people: tests/interfaces/api/test_sending.py."""

THE_STAGES = {
    "get_stage_models", "preview_stage_model", "put_stage_model", "patch_stage_model", "post_stage_past",
    "get_stage_past",
}  # fmt: skip
"""Models of the whole chain: tests/interfaces/api/test_stage_models.py."""

THE_SEGMENTS = {
    "get_segments",
    "post_segment",
    "count_condition",
    "get_segment",
    "patch_segment",
    "delete_segment",
    "get_segment_members",
    "get_segment_moves",
    "get_segment_portrait",
    "get_segment_overlap",
}
"""Groups of the whole chain, seen through one's stores: tests/interfaces/api/test_segments.py."""

VALUES = {
    "get_prediction", "get_predictions", "get_product_lines", "get_value_fits", "get_value_grid", "get_value_rules",
    "patch_value_rules",
}  # fmt: skip
"""What is expected of customers, and the chain's numbers for it: test_value.py."""
TOGETHER = {"get_affinity_fits", "get_pairs", "get_starters", "get_seasons", "get_group_favourites"}
"""Counts of one's stores: test_together.py."""
NUMBERS = {"get_numbers", "get_number"}
"""How a number is computed, of nobody in particular: tests/interfaces/test_numbers.py."""
THE_RULE_THAT_WARNS = {
    "get_warnings",
    "get_backtests",
    "post_backtest",
    "get_backtest",
    "get_risk_rule",
    "put_risk_rule",
    "delete_risk_rule",
    "get_service_lines",
    "patch_service_line",
    "get_risk_fits",
}
"""A rule of the whole chain: tests/interfaces/api/test_risk.py."""

THE_CATALOGUE = {"post_item", "patch_item", "post_category", "patch_category"}
"""Of the whole chain: tests/interfaces/api/test_items.py."""

THE_SCORES = {"post_score", "post_score_values"}
"""Of the whole chain: tests/interfaces/api/test_scores.py."""

THE_CHAINS = {
    "get_fields": "/fields", "get_items": "/items", "get_item": "/items/F1", "get_categories": "/categories",
    "get_scores": "/scores",
}  # fmt: skip
"""Routes that show what belongs to the whole chain: everybody with a key may ask."""


@cache
def routes() -> list[tuple[str, str, str]]:
    """Operation, method and path of every route, from the document that callers read."""
    paths = api.get_openapi_schema(path_prefix="")["paths"].items()
    return [(told["operationId"], method.upper(), path) for path, methods in paths for method, told in methods.items()]


def test_every_route_has_a_case() -> None:
    elsewhere = THE_OWNERS | HEADQUARTERS | BATCHES | BY_CAPABILITY | WEBHOOKS | EXPORTS | RECEIPTS | THE_MACHINES
    elsewhere |= THE_STAGES | SENDING | THE_SEGMENTS | MERGES
    elsewhere |= VALUES | NUMBERS | IMPORTS | TAGS_AND_FIELDS | THE_HOUSE
    elsewhere |= THE_SCORES | THE_CATALOGUE
    elsewhere |= THE_RULE_THAT_WARNS
    elsewhere |= TOGETHER
    assert {operation for operation, _, _ in routes()} == set(CASES) | set(THE_CHAINS) | elsewhere


def test_no_route_answers_without_a_key(cast: Cast) -> None:
    for operation, method, path in routes():
        answer = Caller().send(method, re.sub(r"{\w+}", str(cast.vera.pk), path), {})
        assert answer.status_code == 401, operation


@pytest.fixture
def lived_in(cast: Cast) -> Cast:
    return live_in(cast)


@keeping
def live_in(cast: Cast) -> Cast:
    """Own and foreign customer have each a fresh first order, a follow-up and a profile; both stores have staff."""
    key = issue_key(name="orders", role="hq", now=NOW)
    hq = Caller(key.secret)
    cast.manager.stores.set([cast.jing_an])
    cast.hq.stores.set([cast.xu_hui])  # sees the chain: not listed under any store
    cast.clerk.stores.set([cast.xu_hui])
    report = hq.post(
        "/purchases",
        {
            "purchases": [
                sale(customer={"phone": "13900000001"}, store="JA", number="1", happened_at=TODAY),
                sale(customer={"phone": "13900000002"}, store="XH", number="2", happened_at=TODAY),
            ]
        },
    ).json()
    assert report["created"] == 2
    early = [sale(kind="return", store=store, number=store, original_number="never") for store in ("JA", "XH")]
    assert hq.post("/purchases", {"purchases": early}).json()["waiting"] == 2
    publish_models(cast.chain, now=NOW)
    people = [own(), foreign()]
    refresh_customers([one.pk for one in people], now=NOW)
    for one in people:
        record_followup(
            one, reason="birthday", outcome="not_reached", by=None, source_key=f"f{one.pk}", chain=cast.chain, now=NOW
        )
    for store, customers in ((cast.jing_an, 3), (cast.xu_hui, 5)):
        StageCount.objects.create(
            day=NOW.date(), model="m4", stage="intro", store_id=store.pk, customers=customers, value_minor=100
        )
    key.key.delete()
    return cast


def known(phone: str) -> Customer:
    customer = by_phone(phone)
    assert customer is not None
    return customer


def own() -> Customer:
    return known("+8613900000001")


def foreign() -> Customer:
    return known("+8613900000002")


@pytest.mark.parametrize("role", [role for role in Role.values if role != "analyst"])
def test_everybody_works_with_what_is_theirs_and_nothing_else(
    role: str, lived_in: Cast, key_of: Callable[[str], Caller]
) -> None:
    caller = key_of(role)
    for operation, cases in CASES.items():
        for case in cases:
            assert case.seen(caller, customer=own(), store="JA"), f"{role} cannot {operation} at home"
            there = case.seen(caller, customer=foreign(), store="XH")
            assert there == (role in CHAIN_WIDE), f"{role} {operation} elsewhere: {there}"
    for operation, path in THE_CHAINS.items():
        assert caller.get(path).status_code == 200, operation


def test_a_shop_counts_its_own_customers_only(lived_in: Cast, manager: Caller, hq: Caller) -> None:
    def intro(caller: Caller, **query: str) -> int:
        models = {one["model"]: one for one in caller.get("/stages", **query).json()}
        return int(next(one["customers"] for one in models["m4"]["stages"] if one["stage"] == "intro"))

    assert (intro(hq), intro(hq, store="XH"), intro(manager)) == (8, 5, 3)
