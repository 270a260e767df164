"""The permission matrix: every page and API route, found by itself, asked as every role about an own and a foreign
customer. What a role lacks is refused, what is foreign does not exist, and what is one's own is answered by the same
address, or the test could not fail. docs/reference/permissions.md prints what is asked here.
"""

import copy
import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from changke.facts.customers.models import Customer
from changke.facts.customers.services.change import change
from changke.facts.customers.services.register import register
from changke.facts.customers.services.tags import add_tag
from changke.facts.referrals.services import name_referrer
from changke.foundation.access.models import Grant, OwnRole, Staff
from changke.foundation.access.queries import allows, asking, scope_of
from changke.foundation.access.services import add_staff, issue_key
from changke.interfaces.permissions import Door, pages, routes
from changke.profiles.lifecycle.services import refresh_customers
from tests.cast import NOW, Cast, ago, buys, know_everybody
from tests.clock import Clock
from tests.rows import as_app, roles

__all__ = ["as_app", "roles"]

pytestmark = pytest.mark.django_db

ROLES = ("owner", "hq", "manager", "staff", "analyst", "nobody", "visited", "assigned")
"""`nobody` is logged in, or has a key, and was granted nothing. The last two manage the store 静安 as `manager` does:
`visited` also sees who bought there, `assigned` only her own; a key is nobody's adviser, so she comes by her log-in."""

AS_THE_MANAGER = ("visited", "assigned")
"""Whose role is the manager's, and who differ from her in which customers they see; lists of customers are tried in
`test_visited_and_assigned.py`."""

TELLING_MORE_APART = ("manager", "visited", "assigned")
"""To whom it matters who bought there and whose customer she is; to the others a guest of the store is as foreign as
anybody, and a colleague's customer as much their own."""

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
    "put_referrer": {"referrer": {"id": 999_999_999}},
    "patch_customer_fields": {"values": {}},
}
"""What an address about a customer wants to be sent. An address that is not here is sent nothing."""

NEEDS_MORE = {
    "customer-separate": "a link between records of hers: tests/interfaces/web/test_duplicates.py",
    "delete_identifier": "a phone or number of hers: tests/interfaces/api/test_duplicates.py",
    "post_merge": "another record of hers: tests/interfaces/api/test_merges.py",
    "delete_merge": "a link between records of hers: tests/interfaces/api/test_merges.py",
    "put_referrer": "somebody else who is hers to see: tests/interfaces/api/test_referrals.py",
    "get_prediction": "a prediction of hers: tests/interfaces/api/test_value.py",
    "customer-photo": "a note of hers with a photo: tests/interfaces/web/test_customer.py",
}
"""Addresses about a customer that name a second thing of hers: an own answer is tested there."""

STRICTER = {
    "settings-person-code-reset": "never of somebody who may more: tests/interfaces/web/test_second_factor.py",
}
"""Addresses that ask more than the capability."""

ONLY_KEYS = {"rotate_own_key"}
"""What a key asks of itself."""

LEAVES = {"device-lock"}
"""Addresses that lead to the log-in because that is what they are for."""

FINE = {200, 201, 204, 302, 303}


@cache
def doors() -> tuple[Door, ...]:
    """Read once: writing the document of the API takes as long as asking fifty of its routes."""
    return (*pages(), *routes())


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
    guest: Customer
    """At home in 徐汇, once in 静安."""


@pytest.fixture
def shop(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Shop:
    Clock(monkeypatch, NOW)
    know_everybody()
    analyst = add_staff(username="analyst", name="安", role="analyst", stores=[cast.jing_an], now=NOW)
    nobody = add_staff(username="nobody", name="无", role="staff", now=NOW)
    visited, assigned = (
        add_staff(username=sees, name=sees, role="manager", stores=[cast.jing_an], sees=sees, now=NOW)
        for sees in ("visited", "assigned")
    )
    change(cast.mo.pk, {"adviser": assigned}, now=NOW)
    jie = register(name="洁", phone="13800000007", home_store=cast.xu_hui, source="路过", now=NOW)
    buys(jie, cast.facial, 28_800, on=ago(300), store=cast.jing_an, key="jie-away")
    refresh_customers([jie.pk, cast.mo.pk], now=NOW)
    for customer in (cast.mo, cast.lan, cast.qiu, jie):
        add_tag(customer, "常客", now=NOW)
        name_referrer(customer.pk, cast.vera.pk, now=NOW)
    people = dict(
        zip(ROLES, (cast.owner, cast.hq, cast.manager, cast.clerk, analyst, nobody, visited, assigned), strict=True)
    )
    askers = {}
    for role, person in people.items():
        client = Client()
        client.force_login(person)
        key_role = "staff" if role == "nobody" else role
        stores = [] if role in ("owner", "hq", "nobody") else [cast.jing_an]
        bearer = {"Accept-Language": "en"}
        if role != "assigned":
            issued = issue_key(name=role, role=key_role if role != "visited" else "manager", stores=stores, now=NOW)
            Grant.objects.filter(key=issued.key).update(sees="visited" if role == "visited" else "home")
            bearer["Authorization"] = f"Bearer {issued.secret}"
        askers[role] = Asker(person, client, bearer)
    grant = Grant.objects.filter(staff=cast.clerk).get()
    places = {
        "store_id": cast.jing_an.pk,
        "region_id": cast.jing_an.region_id,
        "staff_id": cast.clerk.pk,
        "key_id": 1,
        "grant_id": grant.pk,
        "role_id": OwnRole.objects.create(name="盘点", capabilities=["customer.view"]).pk,
        "item_id": cast.facial.pk,
        "category_id": cast.facial.category_id,
        "sample": "customers",
        "token": "x",
    }
    return Shop(cast, places, askers, jie)


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
    for door in doors():
        if door.open or door.name in {"logout", "find"}:
            continue
        if role in AS_THE_MANAGER and not door.about_customer:
            continue
        may = door.needs is None or allows(asker.person, door.needs)
        answers = {"own": ask(shop, door, asker, shop.cast.mo)}
        if door.about_customer:
            answers["foreign"] = ask(shop, door, asker, shop.cast.lan)
            if role in TELLING_MORE_APART:
                answers["guest"] = ask(shop, door, asker, shop.guest)
                answers["another's"] = ask(shop, door, asker, shop.cast.qiu)
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
        of_a_key = "Authorization" not in asker.bearer and door.name in ONLY_KEYS
        return "open" if status == 403 and door.name not in STRICTER and not of_a_key else ""
    assert door.needs is not None
    persons = {"own": shop.cast.mo, "foreign": shop.cast.lan, "guest": shop.guest, "another's": shop.cast.qiu}
    seen = Customer.objects.for_scope(scope_of(asker.person, door.needs)).filter(pk=persons[whose].pk)
    if not seen.exists():
        return "" if status == 404 else "404"
    if door.name in NEEDS_MORE:
        return "" if status in FINE | {404} else "an answer"
    return "" if status in FINE else "an answer (say in SENT what the address wants)"


def test_nobody_comes_in_without_a_log_in_or_a_key(shop: Shop) -> None:
    stranger = Asker(shop.cast.owner, Client(), {})
    for door in doors():
        if door.open or door.name == "logout":
            continue
        answer = ask(shop, door, stranger, shop.cast.mo)
        if door.api:
            assert answer.status_code == 401, door.path
        else:
            assert answer.status_code in (302, 405), door.path
            assert answer.status_code == 405 or _to_the_log_in(answer), door.path
