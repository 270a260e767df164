"""Who may see whom, by every address of the pages: an address that is not in this matrix fails the first test."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from changke.facts.customers.models import Customer
from changke.facts.customers.services.tags import add_tag
from changke.foundation.access.models import Staff
from tests.cast import NOW, Cast, know_everybody
from tests.clock import Clock

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Ask:
    """How an address about one customer is asked: what is sent, and which further numbers stand in it."""

    method: str = "get"
    sent: dict[str, str] = field(default_factory=dict)
    more: tuple[int, ...] = ()


ABOUT_HER = {
    "customer": Ask(),
    "customer-edit": Ask(),
    "customer-changes": Ask(),
    "customer-names": Ask(),
    "customer-name-off": Ask("post", more=(1,)),
    "customer-referrer": Ask(),
    "customer-referrer-off": Ask("post"),
    "customer-merge": Ask(),
    "customer-separate": Ask("post", more=(1,)),  # both not for every role: test_duplicates.py
    "customer-call": Ask("post", {"reason": "call"}),
    "customer-tags": Ask("post", {"tag": "爱聊天"}),
    "customer-tag-remove": Ask("post", {"tag": "常客"}),
    "customer-photo": Ask(more=(1,)),  # her photo and a foreign one: test_customer.py, test_record.py
    "customer-consents": Ask(),
    "customer-link": Ask("post"),
    "customer-data": Ask(),  # not for every role, like the next: test_privacy.py
    "customer-forget": Ask("post"),
    "customer-value": Ask(),
    "customer-outlook": Ask(),
    "risk-tick": Ask("post", {"outcome": "done"}),
    "today-tick": Ask("post", {"outcome": "done", "reason": "overdue"}),
    "today-reopen": Ask("post", more=(0,)),
    "today-phone": Ask("post"),
}
ELSEWHERE = {"customer-photo", "customer-data", "customer-forget", "customer-merge", "customer-separate"}
"""Tried one by one in the tests of their pages."""
FORMS = ["record", "record-sale", "record-use", "record-return", "record-visit", "record-note", "record-allergy"]
"""Ask for the customer by `?customer=`."""

LISTS = [
    "today",
    "customers",
    "lifecycle",
    "lifecycle-people",
    "lifecycle-models",
    "lifecycle-stages",
    "lifecycle-health",
    "value",
    "value-lines",
    "value-referrers",
    "value-model",
    "risk-model",
    "together-model",
    "value-people",
    "together",
    "together-starters",
    "together-seasons",
    "together-groups",
    "segments",
    "risk-rules",
    "risk-lines",
    "risk",
    "find",
    "record-known-phone",
    "record-referrers",
    "record-items",
    "me",
]
HEADQUARTERS = {
    "audit": (), "audit-restore": (1,),
    "imports": (), "imports-new": (), "imports-sample": ("customers",), "imports-open": (1,), "imports-row": (1,),
    "imports-discard": (1,), "imports-map": (1,), "imports-match": (1,), "imports-run": (1,), "imports-result": (1,),
    "imports-errors": (1,),
    "imports-kept": (1,), "imports-undo": (1,), "settings": (), "settings-preview": (), "settings-stores": (),
    "settings-store-new": (), "settings-store": (1,), "settings-region-new": (),
    "settings-region": (1,), "settings-region-remove": (1,), "settings-staff": (), "settings-staff-new": (),
    "settings-person": (1,), "settings-person-reset": (1,),
    "settings-person-code-reset": (1,), "settings-tags": (), "settings-tag-word": (), "settings-tag-group-new": (),
    "settings-tag-group": (1,), "settings-tag-rule-new": (), "settings-tag-rule": (1,),
    "settings-tag-need-new": (), "settings-tag-need": (1,),
    "settings-fields": (), "settings-field-new": (),
    "scores": (), "score-new": (), "score": (1,), "score-ask": (1,), "scores-load": (), "scores-result": (1,),
    "scores-refused": (1,), "scores-undo": (1,),
    "settings-field": (1,), "settings-field-ask": (1,), "settings-keys": (), "settings-key-revoke": (1,),
    "webhooks": (), "webhook-address": (1,), "webhook-rotate": (1,), "webhook-open": (1,), "webhook-place": (1,),
    "webhook-replay": (1, 1), "webhook-request": (1,),
    "settings-key-rotate": (1,), "lifecycle-model": ("m4",), "lifecycle-model-switch": ("m8",), "value-numbers": (),
    "lifecycle-past": (1,),
    "items": (), "item-new": (), "item": (1,), "items-mark": (), "items-mark-undo": ("x",), "items-sheet": (),
    "items-file": (), "categories": (), "category-new": (), "category": (1,),
    "segment-new": (), "segment-edit": ("vip",), "segment-freeze": ("vip",), "segment-drop": ("vip",),
    "risk-ask": (), "risk-use": (), "risk-lines-switch": (), "risk-line": (1,),
}  # fmt: skip
OWNER = {
    "settings-roles": (), "settings-role-new": (), "settings-role": (1,), "settings-role-remove": (1,),
    "settings-person-roles": (1,), "settings-key-roles": (1,), "settings-grant-end": (1,),
}  # fmt: skip
POSTED = {
    "items-mark-undo",
    "items-mark",
    "settings-tag-word",
    "lifecycle-model-switch",
    "segment-freeze",
    "segment-drop",
    "risk-ask",
    "risk-use",
    "risk-lines-switch",
    "risk-line",
    "settings-field-ask",
    "score-ask",
    "webhook-rotate",
    "webhook-open",
    "webhook-place",
    "webhook-replay",
    "settings-role-remove",
    "settings-grant-end",
    "settings-person-code-reset",
    "settings-region-remove",
    "imports-sample",
    "imports-discard",
    "settings-key-revoke",
    "settings-key-rotate",
    "settings-person-reset",
}
BULK = {"bulk-form", "bulk-result", "bulk-file", "bulk-undo"}
"""One change for many customers: whose, and who may look at it, is in tests/interfaces/bulk."""
SEGMENTS = {"segment", "segment-day", "segment-portrait", "segment-overlap"}
"""A group of the chain through the stores of whoever looks: test_segments.py."""
ADVISERS = {"advisers", "hand-over", "hand-over-result", "hand-over-undo"}
"""Whose customers are handed over, and who may: test_hand_over.py."""
DUPLICATES = {"duplicates", "duplicates-search", "duplicate-merge", "duplicate-not-same", "duplicate-ask-again"}
"""Which pairs one sees, and who may decide: test_duplicates.py."""
DOORS = {
    "member",
    "my-password", "my-second-factor", "my-sessions", "my-session-end", "my-sessions-end", "login-code", "reset",
    "my-pin", "device", "device-lock", "devices", "device-revoke",
}  # fmt: skip
"""Everybody's own, and what is open before one is in: test_login.py, test_second_factor.py, test_devices.py."""
RECEIPTS = {"record-void", "record-restore"}
"""About a receipt of one's own stores: test_record.py."""
SHELL = {"confirm_sending", "setup", "login", "logout", "choose_language", "choose_store", "styleguide"}
EXPORTS = {"exports", "export-file"}
"""One's own files: tests/interfaces/exporters/test_exports.py."""
RETURNS = {"webhook-count-return"}
"""A waiting return of one's own stores: tests/interfaces/webhooks/test_pages.py."""
NUMBERS = {"numbers", "number"}
"""How a number is computed, in words and as SQL: tests/interfaces/test_numbers.py."""
NOBODY = NUMBERS | DOORS | RECEIPTS | RETURNS | EXPORTS | SHELL | {"record-customer"}
"""No customer stands on them."""


@pytest.fixture
def shop(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Cast:
    Clock(monkeypatch, NOW)
    know_everybody()
    for customer in (cast.mo, cast.lan):
        add_tag(customer, "常客", now=NOW)
    return cast


def at_work(person: Staff, *, csrf: bool = False) -> Client:
    client = Client(enforce_csrf_checks=csrf)
    client.force_login(person)
    return client


def addresses(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[tuple[str, str]]:
    for one in patterns:
        path = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from addresses(one.url_patterns, path)
        elif not path.startswith(("api/", "hooks/")):
            yield one.name or "", path


def ask(client: Client, name: str, customer: Customer) -> HttpResponse:
    how = ABOUT_HER[name]
    return getattr(client, how.method)(reverse(name, args=[customer.pk, *how.more]), how.sent)  # type: ignore[no-any-return]


def test_every_address_has_its_place_in_the_matrix() -> None:
    known = [*ABOUT_HER, *FORMS, *LISTS, *HEADQUARTERS, *OWNER, *BULK, *SEGMENTS, *ADVISERS, *DUPLICATES, *NOBODY]
    assert sorted(known) == sorted(name for name, _ in addresses(get_resolver().url_patterns))
    assert {name for name, path in addresses(get_resolver().url_patterns) if "customer_id" in path} == set(ABOUT_HER)


@pytest.mark.parametrize("name", [name for name in ABOUT_HER if name not in ELSEWHERE])
@pytest.mark.parametrize("who", ["manager", "clerk"])
def test_a_store_reaches_its_own_and_a_foreign_customer_does_not_exist(shop: Cast, who: str, name: str) -> None:
    client = at_work(getattr(shop, who))
    assert ask(client, name, shop.mo).status_code in (200, 303)
    assert ask(client, name, shop.lan).status_code == 404
    assert ask(at_work(shop.hq), name, shop.lan).status_code in (200, 303)


@pytest.mark.parametrize("name", FORMS)
def test_a_form_is_about_ones_own_customers(shop: Cast, name: str) -> None:
    client = at_work(shop.clerk)
    assert client.get(reverse(name), {"customer": shop.mo.pk}).status_code == 200
    assert client.get(reverse(name), {"customer": shop.lan.pk}).status_code == 404
    if name != "record":
        assert client.post(reverse(name), {"customer": shop.lan.pk}).status_code == 404


@pytest.mark.parametrize(
    "asked",
    [
        "/", "/customers/", "/customers/?q=岚岚", "/customers/?q=0005", "/customers/?q=lan", "/customers/?stage=lost",
        "/customers/?tag=常客", "/customers/?order=name", "/lifecycle/people/?model=m4&stage=lost",
        "/record/visit/?q=岚岚", "/record/customer/known/?phone=13800000005",
    ],
)  # fmt: skip
@pytest.mark.parametrize("part", [{}, {"HX-Request": "true"}])
def test_no_list_tells_of_another_store(shop: Cast, asked: str, part: dict[str, str]) -> None:
    address = asked.replace("customers/?", f"customers/?store={shop.xu_hui.pk}&") if "stage" in asked else asked
    answer = at_work(shop.manager).get(address, headers=part)
    assert answer.status_code == 200
    said = answer.content.decode().replace('value="岚岚"', "").replace("“岚岚”", "")
    assert f"/customers/{shop.lan.pk}/" not in said
    assert "岚岚" not in said
    assert "138****0005" not in said


@pytest.mark.parametrize("asked", ["/customers/", "/lifecycle/people/?model=m4&stage=lost", "/record/visit/?q=岚岚"])
def test_headquarters_find_her_there(shop: Cast, asked: str) -> None:
    """Or the test above could not fail."""
    assert "岚岚" in at_work(shop.hq).get(asked).content.decode().replace('value="岚岚"', "")


def test_the_switcher_opens_no_foreign_store(shop: Cast) -> None:
    client = at_work(shop.manager)
    client.post(reverse("choose_store"), {"store": shop.xu_hui.pk})
    assert "岚岚" not in client.get("/customers/").content.decode()


@pytest.mark.parametrize("name", HEADQUARTERS)
@pytest.mark.parametrize("who", ["manager", "clerk"])
def test_imports_and_settings_are_closed_to_stores(shop: Cast, who: str, name: str) -> None:
    client, address = at_work(getattr(shop, who)), reverse(name, args=HEADQUARTERS[name])
    if name not in POSTED:
        assert client.get(address).status_code == 403
    assert client.post(address).status_code in (403, 405)


@pytest.mark.parametrize("name", OWNER)
@pytest.mark.parametrize("who", ["hq", "manager", "clerk"])
def test_roles_are_the_owners(shop: Cast, who: str, name: str) -> None:
    client, address = at_work(getattr(shop, who)), reverse(name, args=OWNER[name])
    if name not in POSTED:
        assert client.get(address).status_code == 403
    assert client.post(address).status_code in (403, 405)


@pytest.mark.parametrize("name", [name for name, how in ABOUT_HER.items() if how.method == "post"])
def test_a_foreign_page_can_post_nothing(shop: Cast, name: str) -> None:
    assert ask(at_work(shop.owner, csrf=True), name, shop.mo).status_code == 403
