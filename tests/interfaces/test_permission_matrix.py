"""The permission matrix: every page and API route, found by itself, asked as every role about an own and a foreign
customer. What a role lacks is refused, what is foreign does not exist, and what is one's own is answered by the same
address, or the test could not fail. docs/reference/permissions.md prints what is asked here.
"""

import copy
import json
import re
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from changke.facts.customers.models import Customer
from changke.facts.customers.services.tags import add_tag
from changke.foundation.access.models import Grant, OwnRole, Staff
from changke.foundation.access.queries import allows, asking, scope_of
from changke.foundation.access.services import add_staff, issue_key
from changke.interfaces.permissions import Door, pages, routes
from tests.cast import NOW, Cast, know_everybody
from tests.clock import Clock
from tests.rows import as_app, roles

__all__ = ["as_app", "roles"]

pytestmark = pytest.mark.django_db

ROLES = ("owner", "hq", "manager", "staff", "analyst", "nobody")
"""`nobody` is logged in, or has a key, and was granted nothing."""

SENT: dict[str, dict[str, Any]] = {
    "customer-call": {"reason": "call"},
    "customer-tags": {"tag": "爱聊天"},
    "customer-tag-remove": {"tag": "常客"},
    "risk-tick": {"outcome": "done"},
    "today-tick": {"outcome": "done", "reason": "overdue"},
    "today-reopen": {},
    "patch_customer": {"city": "上海"},
    "unmask_phone": {"reason": "call"},
    "customer-forget": {"number": "{id}", "reason": "asked"},
    "post_consent": {
        "id": "f",
        "topics": [{"purpose": "care", "channel": "call"}],
        "given": True,
        "happened_at": "2026-03-01T10:00:00+08:00",
    },
    "export_person": {"reason": "asked"},
    "erase_person": {"reason": "asked"},
    "post_tag": {"name": "爱聊天"},
    "post_merge": {"merged_id": 999_999_999},
    "post_identifier": {"kind": "phone", "value": "13900000099"},
    "post_tag_off": {"name": "常客"},
    "patch_customer_fields": {"values": {}},
}
"""What an address about a customer wants to be sent. An address that is not here is sent nothing."""

NEEDS_MORE = {
    "customer-separate": "a link between records of hers: tests/interfaces/web/test_duplicates.py",
    "delete_identifier": "a phone or number of hers: tests/interfaces/api/test_duplicates.py",
    "post_merge": "another record of hers: tests/interfaces/api/test_merges.py",
    "delete_merge": "a link between records of hers: tests/interfaces/api/test_merges.py",
    "get_prediction": "a prediction of hers: tests/interfaces/api/test_value.py",
    "customer-photo": "a note of hers with a photo: tests/interfaces/web/test_customer.py",
}
"""Addresses about a customer that name a second thing of hers: an own answer is tested there."""

STRICTER = {
    "settings-person-code-reset": "never of somebody who may more: tests/interfaces/web/test_second_factor.py",
}
"""Addresses that ask more than the capability."""

LEAVES = {"device-lock"}
"""Addresses that lead to the log-in because that is what they are for."""

FINE = {200, 201, 204, 302, 303}


@dataclass
class Asker:
    """One role, come in by page and by key."""

    person: Staff
    client: Client
    bearer: dict[str, str]


@dataclass
class Shop:
    cast: Cast
    places: dict[str, object]
    askers: dict[str, Asker]


@pytest.fixture
def shop(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Shop:
    Clock(monkeypatch, NOW)
    know_everybody()
    for customer in (cast.mo, cast.lan):
        add_tag(customer, "常客", now=NOW)
    analyst = add_staff(username="analyst", name="安", role="analyst", stores=[cast.jing_an], now=NOW)
    nobody = add_staff(username="nobody", name="无", role="staff", now=NOW)
    people = dict(zip(ROLES, (cast.owner, cast.hq, cast.manager, cast.clerk, analyst, nobody), strict=True))
    askers = {}
    for role, person in people.items():
        client = Client()
        client.force_login(person)
        key_role = "staff" if role == "nobody" else role
        stores = [] if role in ("owner", "hq", "nobody") else [cast.jing_an]
        secret = issue_key(name=role, role=key_role, stores=stores, now=NOW).secret
        askers[role] = Asker(person, client, {"Authorization": f"Bearer {secret}", "Accept-Language": "en"})
    grant = Grant.objects.filter(staff=cast.clerk).get()
    places = {
        "store_id": cast.jing_an.pk,
        "region_id": cast.jing_an.region_id,
        "staff_id": cast.clerk.pk,
        "key_id": 1,
        "grant_id": grant.pk,
        "role_id": OwnRole.objects.create(name="盘点", capabilities=["customer.view"]).pk,
        "sample": "customers",
        "token": "x",
    }
    return Shop(cast, places, askers)


def ask(shop: Shop, door: Door, asker: Asker, customer: Customer) -> HttpResponse:
    """One question whose traces are taken away again, in the rows and in the cookies, so that the next finds everything
    as it was, and the asker still logged in.
    """
    places = {"customer_id": customer.pk, "note_id": 1, **shop.places}
    path = re.sub(r"[<{](?:\w+:)?(\w+)[>}]", lambda found: str(places.get(found.group(1), 1)), door.path)
    sent = SENT.get(door.name, {})
    body = {name: str(customer.pk) if value == "{id}" else value for name, value in sent.items()}
    cookies = copy.deepcopy(asker.client.cookies)
    with transaction.atomic():
        if door.api and door.method == "GET":
            answer = asker.client.get(path, headers=asker.bearer)
        elif door.api:
            answer = asker.client.generic(
                door.method, path, json.dumps(body), content_type="application/json", headers=asker.bearer
            )
        else:
            answer = getattr(asker.client, door.method.lower())(path, body)
        transaction.set_rollback(True)
    asker.client.cookies = cookies
    return answer  # type: ignore[no-any-return]


@pytest.mark.parametrize("role", ROLES)
def test_every_address_as_this_role(shop: Shop, role: str) -> None:
    asker, wrong = shop.askers[role], []
    asking(asker.person, NOW)
    for door in (*pages(), *routes()):
        if door.open or door.name in {"logout", "find"}:
            continue
        may = door.needs is None or allows(asker.person, door.needs)
        answers = {"own": ask(shop, door, asker, shop.cast.mo)}
        if door.about_customer:
            answers["foreign"] = ask(shop, door, asker, shop.cast.lan)
        for whose, answer in answers.items():
            status = answer.status_code
            if _to_the_log_in(answer) and door.name not in LEAVES:
                wrong.append(f"{door.method} {door.path} ({whose}): sent to the log-in, though logged in")
            elif wanted := _wrong(shop, door, asker, may, whose, status):
                wrong.append(f"{door.method} {door.path} ({whose}): {status}, not {wanted}")
    assert wrong == []


def _to_the_log_in(answer: HttpResponse) -> bool:
    return answer.status_code == 302 and answer["Location"].startswith("/login/")


def _wrong(shop: Shop, door: Door, asker: Asker, may: bool, whose: str, status: int) -> str:
    """What the answer should have been, or nothing."""
    if status >= 500:
        return "a crash"
    if not may:
        # What a route is sent is read before it is asked who sends it: then 422 stands before 403.
        return "" if status == 403 or (door.api and door.method != "GET" and status == 422) else "403"
    if not door.about_customer:
        return "open" if status == 403 and door.name not in STRICTER else ""
    assert door.needs is not None
    seen = scope_of(asker.person, door.needs).includes(
        (shop.cast.mo if whose == "own" else shop.cast.lan).home_store_id
    )
    if not seen:
        return "" if status == 404 else "404"
    if door.name in NEEDS_MORE:
        return "" if status in FINE | {404} else "an answer"
    return "" if status in FINE else "an answer (say in SENT what the address wants)"


def test_nobody_comes_in_without_a_log_in_or_a_key(shop: Shop) -> None:
    stranger = Asker(shop.cast.owner, Client(), {})
    for door in (*pages(), *routes()):
        if door.open or door.name == "logout":
            continue
        answer = ask(shop, door, stranger, shop.cast.mo)
        if door.api:
            assert answer.status_code == 401, door.path
        else:
            assert answer.status_code in (302, 405), door.path
            assert answer.status_code == 405 or _to_the_log_in(answer), door.path
