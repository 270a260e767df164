"""Every write of the API honours `Idempotency-Key`: found from the document callers read, not from a list of ours."""

import copy
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from changke.facts.catalog.models import Item
from changke.facts.customers.models import Identifier
from changke.facts.customers.queries import phone_of
from changke.facts.customers.services.add_name import add_name
from changke.facts.customers.services.change import change
from changke.facts.customers.services.merge import merge
from changke.facts.customers.services.register import register
from changke.facts.customers.services.tag_words import save_group, save_word
from changke.facts.customers.services.tags import add_tag
from changke.facts.duplicates.models import Duplicate
from changke.facts.duplicates.services import find_duplicates, not_same
from changke.facts.fields.services import define, retire
from changke.facts.models import Receipt, WaitingReturn
from changke.facts.purchases.services.void import void
from changke.facts.referrals.services import name_referrer
from changke.facts.scores.services import define_score
from changke.foundation.access.models import Grant, OwnRole
from changke.foundation.access.services import issue_key
from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.rules import HOUSE
from changke.foundation.batches.models import Batch
from changke.foundation.login.services.devices import bind
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.foundation.organisation.services import add_region, change_settings
from changke.interfaces.api.models import KeptAnswer
from changke.interfaces.api.v1.service import api
from changke.interfaces.webhooks.models import PrivacyRequest, WebhookAddress
from changke.interfaces.webhooks.services.addresses import make_address
from changke.interfaces.webhooks.services.process import process_some
from changke.profiles.affinity.services.tag_rules import save_rule
from changke.profiles.lifecycle.services import dry_run
from changke.profiles.lifecycle.services.publish import shipped_models
from changke.profiles.risk.models import ServiceLine
from changke.profiles.segments.services.save import save_segment
from tests.cast import Cast
from tests.interfaces.api.conftest import NOW, Caller, Files
from tests.interfaces.api.test_permissions import CASES, filled, lived_in, own
from tests.interfaces.webhooks.senders import Shopify, sample

pytestmark = pytest.mark.django_db
__all__ = ["lived_in"]

NOTED = {"foundation_ratebucket", "foundation_apikey"}
"""How fast and when a key asked is noted for a repetition too."""


@cache
def writes() -> list[tuple[str, str, str, Any]]:
    return [
        (told["operationId"], method.upper(), path, told)
        for path, methods in api.get_openapi_schema(path_prefix="")["paths"].items()
        for method, told in methods.items()
        if method != "get"
    ]


def rows() -> dict[str, int]:
    """How many rows each table has."""
    models = [one for one in apps.get_models() if one._meta.managed and one.__module__.startswith("changke")]
    tables = {one._meta.db_table for one in models} - NOTED
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in sorted(tables)))
        return dict(cursor.fetchall())


@pytest.mark.parametrize("operation", sorted(operation for operation, *_ in writes()))
def test_the_document_names_the_header(operation: str) -> None:
    told = next(told for name, _, _, told in writes() if name == operation)
    assert [one["name"] for one in told["parameters"] if one["in"] == "header"] == ["Idempotency-Key"]


@pytest.mark.parametrize("operation", sorted(operation for operation, *_ in writes()))
def test_a_write_sent_twice_has_one_effect_and_another_one_under_the_key_is_refused(
    operation: str, lived_in: Cast, key_of: Any
) -> None:
    caller, (method, path, body) = key_of("owner"), request_of(operation, lived_in)
    once = {"Idempotency-Key": f"twice-{operation}"}
    first = caller.send(method, path, body, **once)
    assert first.status_code < 300, (operation, first.content)
    after = rows()
    again = caller.send(method, path, body, **once)
    assert (again.status_code, again.content) == (first.status_code, first.content), operation
    assert rows() == after, f"{operation} did something twice"
    other = caller.send(method, path, {"another": 1}, **once)
    assert other.status_code in {409, 422}, operation
    elsewhere = caller.send("POST", "/customers", {"name": "新", "home_store": "JA"}, **once)
    assert operation == "post_customer" or elsewhere.json()["code"] == "key_reused"
    assert rows() == after


def test_what_is_kept_cannot_be_read_in_the_database(lived_in: Cast, key_of: Any) -> None:
    caller = key_of("owner")
    phone = caller.send("POST", f"/customers/{own().pk}/unmask", {"reason": "call"}, **{"Idempotency-Key": "k"}).json()[
        "phone"
    ]
    assert phone.startswith("+86139")
    assert phone not in KeptAnswer.objects.get().answer


def request_of(operation: str, cast: Cast) -> tuple[str, str, Any]:
    """A right request: from its case in the matrix of permissions where it has one, else from here."""
    method = next(method for name, method, _, _ in writes() if name == operation)
    if operation == "count_waiting_return":
        return method, f"/waiting-returns/{WaitingReturn.objects.get(store__code='JA').pk}/count", {}
    if operation == "post_tag_off":
        add_tag(own(), "常客", now=NOW)
    if operation in CASES:
        case, places = CASES[operation][0], {"id": own().pk, "store": "JA"}
        return method, case.path.format(**places), filled(copy.deepcopy(case.body), **places)
    path, body = OTHERS[operation](cast)
    return method, path, body


def a_key() -> int:
    return issue_key(name="till", role="hq", now=NOW).key.pk


def a_role() -> int:
    return OwnRole.objects.create(name="Friend", capabilities=["customer.view"]).pk


def a_grant(cast: Cast) -> int:
    return Grant.objects.create(staff=cast.clerk, built_in="manager", store=cast.jing_an, granted_at=NOW).pk


def a_line_of_services() -> int:
    line, _ = ServiceLine.objects.get_or_create(
        item_id=Item.objects.get(code="F1").pk, defaults={"learned_on": NOW.date()}
    )
    return line.pk


def a_previewed_model() -> dict[str, object]:
    definition = shipped_models()[0]
    return {"definition": definition, "preview": dry_run(definition).token}


def a_segment() -> str:
    """One may be made once; asked again it is the same."""
    return save_segment(None, name="Came", text="visits >= 1", now=NOW).key


def a_value() -> dict[str, object]:
    define_score(key="churn", kind="chance", labels={"en": "Churn"}, now=NOW)
    return {"customer_id": own().pk, "score": "churn", "value": 0.5}


def a_batch() -> int:
    return Batch.objects.create(kind="bulk_edit", title="x", status="done", created_at=NOW, finished_at=NOW).pk


def a_receipt(*, voided: bool) -> int:
    """Of today: later a receipt is not taken back but returned."""
    receipt = Receipt.objects.filter(customer=own()).latest("id")
    if voided:
        void(receipt.pk, scope=CHAIN_WIDE, staff=None, by=HOUSE, reason="", now=NOW)
    return receipt.pk


def a_shop() -> WebhookAddress:
    """A web shop that has sent an order of a place nobody knows yet."""
    address, _ = make_address(source="shopify", name="shop", secret="shpss_secret", created_by=None, by=HOUSE, now=NOW)
    Shopify(address.path).send(sample("shopify_order", location_id=7))
    while process_some(NOW):
        pass
    return address


def a_delivery() -> str:
    address = a_shop()
    return f"/webhooks/{address.pk}/deliveries/{address.deliveries.get().pk}/replay"


def a_request() -> str:
    """A web shop asks for the data of somebody whom nobody knows."""
    Shopify(a_shop().path).send({"customer": {"id": 1}}, "customers/data_request")
    while process_some(NOW):
        pass
    return f"/webhooks/requests/{PrivacyRequest.objects.get().pk}/answer"


def an_adviser(cast: Cast) -> int:
    change(own().pk, {"adviser": cast.clerk}, now=NOW)
    return cast.clerk.pk


def a_merge(cast: Cast) -> int:
    return int(merge(cast.vera.pk, own().pk, now=NOW).batch_id or 0)


def a_pair() -> Duplicate:
    """Somebody with the phone and the name of the customer."""
    phone, store = phone_of(own()), Store.objects.get(code="JA")
    register(name=own().name, phone=phone, home_store=store, share=True, now=NOW)
    find_duplicates(now=NOW)
    return Duplicate.objects.get()


def a_referrer(cast: Cast) -> str:
    """Somebody brought her."""
    name_referrer(own().pk, cast.vera.pk, now=NOW)
    return f"/customers/{own().pk}/referrer"


def a_name() -> str:
    """A second phone of hers."""
    add_name(own(), "phone", "13900000098", now=NOW)
    return f"/customers/{own().pk}/identifiers/{Identifier.objects.latest('pk').pk}"


def two_persons() -> int:
    return not_same(a_pair().pk, now=NOW).pk


A_FILE = Files({"sales.csv": "单号,消费时间,手机号,金额,门店\nA-1,2026-02-01 14:05,13900000001,288,JA\n".encode()})


def a_draft() -> int:
    """Files that were brought and not loaded."""
    answer = Caller(issue_key(name="loads", role="hq", now=NOW).secret).post("/imports", A_FILE)
    return int(answer.json()["id"])


def a_field(*, retired: bool = False) -> str:
    field = define(key="skin", kind="text", labels={"en": "Skin"}, now=NOW)
    if retired:
        retire(field, now=NOW)
    return field.key


def a_group() -> int:
    return save_group(None, name="肤质", only_one=False, now=NOW).pk


def a_word() -> str:
    return save_word("油性", group=None, stale_after_days=30, now=NOW).name


TAG_RULE = {"name": "补水", "item": "F1", "tag": "做过补水"}


def a_tag_rule(cast: Cast) -> int:
    told = {"name": "补水", "occasion": "any", "item": cast.facial, "category": None, "tag": "做过补水"}
    return save_rule(None, **told, now=NOW).pk


def a_changed_name() -> int:
    change_settings(the_chain(), {"name": "别的"}, now=NOW)
    return AuditLine.objects.filter(action="chain.changed").latest("pk").pk


def a_region() -> int:
    return add_region(name="浦东", now=NOW).pk


def a_device(cast: Cast) -> int:
    return bind(cast.jing_an, name="till", person=cast.owner, by=HOUSE, now=NOW).device.pk


def a_load_that_failed() -> int:
    return Batch.objects.create(kind="purchases", title="x", status="failed", created_at=NOW, finished_at=NOW).pk


ROLE = {"name": "Neighbour", "capabilities": ["customer.view"]}
OTHERS: dict[str, Callable[[Cast], tuple[str, Any]]] = {
    "post_duplicate_merge": lambda _: (f"/duplicates/{a_pair().pk}/merge", {"into_id": own().pk}),
    "post_duplicate_not_same": lambda _: (f"/duplicates/{a_pair().pk}/not-same", ""),
    "delete_duplicate_not_same": lambda _: (f"/duplicates/{two_persons()}/not-same", ""),
    "delete_identifier": lambda _: (a_name(), ""),
    "put_referrer": lambda cast: (f"/customers/{own().pk}/referrer", {"referrer": {"id": cast.vera.pk}}),
    "delete_referrer": lambda cast: (a_referrer(cast), ""),
    "post_key": lambda _: ("/keys", {"name": "till", "role": "staff", "stores": ["JA"]}),
    "rotate_own_key": lambda _: ("/keys/self/rotate", {"overlap_hours": 1}),
    "rotate_key": lambda _: (f"/keys/{a_key()}/rotate", {"overlap_hours": 1}),
    "delete_key": lambda _: (f"/keys/{a_key()}", ""),
    "post_role": lambda _: ("/roles", ROLE),
    "put_role": lambda _: (f"/roles/{a_role()}", ROLE),
    "delete_role": lambda _: (f"/roles/{a_role()}", ""),
    "post_grant": lambda cast: ("/grants", {"staff_id": cast.clerk.pk, "role": "manager"}),
    "delete_grant": lambda cast: (f"/grants/{a_grant(cast)}", ""),
    "post_bulk_edit": lambda _: ("/batches/bulk-edits", {"customers": [own().pk], "add_tags": ["唤醒"]}),
    "void_purchase": lambda _: (f"/purchases/{a_receipt(voided=False)}/void", {}),
    "restore_purchase": lambda _: (f"/purchases/{a_receipt(voided=True)}/restore", ""),
    "post_hand_over": lambda cast: (f"/staff/{an_adviser(cast)}/hand-over", {"receivers": [cast.owner.pk]}),
    "post_merge": lambda cast: (f"/customers/{own().pk}/merges", {"merged_id": cast.vera.pk}),
    "delete_merge": lambda cast: (f"/customers/{own().pk}/merges/{a_merge(cast)}", ""),
    "post_export": lambda _: ("/exports", {"dataset": "customers", "format": "csv"}),
    "export_person": lambda _: (f"/customers/{own().pk}/export", {"reason": "she asked for it"}),
    "erase_person": lambda _: (f"/customers/{own().pk}/erasure", {"reason": "she asked for it"}),
    "post_webhook": lambda _: ("/webhooks", {"source": "standard", "name": "till"}),
    "patch_webhook": lambda _: (f"/webhooks/{a_shop().pk}", {"name": "other"}),
    "rotate_webhook": lambda _: (f"/webhooks/{a_shop().pk}/rotate", {"secret": "shpss_other"}),
    "map_webhook_place": lambda _: (f"/webhooks/{a_shop().pk}/places", {"place": "7", "store": "JA"}),
    "replay_webhook_delivery": lambda _: (a_delivery(), {}),
    "answer_privacy_request": lambda _: (a_request(), {"outcome": "nobody"}),
    "confirm_sending": lambda _: ("/sending/confirm", ""),
    "preview_stage_model": lambda _: ("/stage-models/preview", {"definition": shipped_models()[0]}),
    "post_stage_past": lambda _: ("/stage-models/past", {"definition": shipped_models()[0], "months": 1}),
    "put_stage_model": lambda _: (f"/stage-models/{shipped_models()[0]['key']}", a_previewed_model()),
    "patch_stage_model": lambda _: ("/stage-models/m8", {"in_use": True}),
    "post_segment": lambda _: ("/segments", {"name": "Silent", "text": "silent_days >= 60"}),
    "count_condition": lambda _: ("/segments/count", {"text": "silent_days >= 60"}),
    "patch_segment": lambda _: (f"/segments/{a_segment()}", {"text": "silent_days >= 90"}),
    "delete_segment": lambda _: (f"/segments/{a_segment()}", ""),
    "patch_value_rules": lambda _: ("/value/rules", {"margin_percent": 40}),
    "post_backtest": lambda _: ("/risk/backtests", {"precision_percent": 60}),
    "put_risk_rule": lambda _: ("/risk/rule", {"kind": "fixed", "threshold": 45}),
    "delete_risk_rule": lambda _: ("/risk/rule", ""),
    "patch_service_line": lambda _: (f"/risk/lines/{a_line_of_services()}", {"is_on": False}),
    "post_item": lambda _: ("/items", {"code": "N/1", "name": "新"}),
    "patch_item": lambda _: ("/items/F1", {"kind": "product"}),
    "post_category": lambda _: ("/categories", {"name": "身体", "margin_basis_points": 6000}),
    "patch_category": lambda cast: (f"/categories/{cast.facial.category_id}", {"margin_basis_points": 5000}),
    "post_score": lambda _: ("/scores", {"key": "worth", "kind": "money", "labels": {"en": "Worth"}}),
    "post_score_values": lambda _: ("/scores/values", {"values": [a_value()]}),
    "post_import": lambda _: ("/imports", A_FILE),
    "delete_import": lambda _: (f"/imports/{a_draft()}", ""),
    "look_at_import": lambda _: (f"/imports/{a_draft()}/look", {"kind": "visits"}),
    "put_import_columns": lambda _: (f"/imports/{a_draft()}/columns", {}),
    "load_import": lambda _: (f"/imports/{a_load_that_failed()}/load", {}),
    "post_field": lambda _: ("/fields", {"key": "shoe", "kind": "number", "labels": {"en": "Shoe"}}),
    "patch_field": lambda _: (f"/fields/{a_field()}", {"required": True}),
    "retire_field": lambda _: (f"/fields/{a_field()}/retire", ""),
    "ask_field": lambda _: (f"/fields/{a_field(retired=True)}/ask", ""),
    "post_tag_group": lambda _: ("/tag-groups", {"name": "肤质"}),
    "put_tag_group": lambda _: (f"/tag-groups/{a_group()}", {"name": "皮肤"}),
    "delete_tag_group": lambda _: (f"/tag-groups/{a_group()}", ""),
    "put_tag_word": lambda _: ("/tag-words", {"name": "油性", "stale_after_days": 30}),
    "forget_tag_word": lambda _: ("/tag-words/forget", {"name": a_word()}),
    "post_tag_rule": lambda _: ("/tag-rules", TAG_RULE | {"past": True}),
    "put_tag_rule": lambda cast: (f"/tag-rules/{a_tag_rule(cast)}", TAG_RULE | {"tag": "别的"}),
    "delete_tag_rule": lambda cast: (f"/tag-rules/{a_tag_rule(cast)}", ""),
    "post_restore": lambda _: (f"/audit/{a_changed_name()}/restore", {}),
    "post_audit_check": lambda _: ("/audit/check", ""),
    "patch_chain": lambda _: ("/chain", {"silent_after_days": 45}),
    "post_region": lambda _: ("/regions", {"name": "浦东"}),
    "put_region": lambda _: (f"/regions/{a_region()}", {"name": "浦西"}),
    "delete_region": lambda _: (f"/regions/{a_region()}", ""),
    "post_store": lambda _: ("/stores", {"code": "PD", "name": "浦东店"}),
    "patch_store": lambda _: ("/stores/JA", {"time_zone": "Asia/Urumqi"}),
    "post_staff": lambda _: ("/staff", {"username": "anna", "name": "安娜", "role": "staff", "stores": ["JA"]}),
    "patch_staff": lambda cast: (f"/staff/{cast.clerk.pk}", {"name": "苏苏"}),
    "delete_device": lambda cast: (f"/devices/{a_device(cast)}", ""),
    "post_batch_undo": lambda _: (f"/batches/{a_batch()}/undo", {}),
}


def test_this_file_knows_a_right_request_of_every_write() -> None:
    assert {operation for operation, *_ in writes()} <= set(CASES) | set(OTHERS)
