"""Search by card number and union id: on the page and through the API, for whoever may see her, phones masked."""

import pytest
from django.test import Client

from changke.facts.customers.models import Identifier
from changke.facts.customers.services.meet import add_identifiers, reference
from changke.facts.customers.services.merge import merge
from changke.facts.customers.services.remove_name import remove_name
from changke.profiles.lifecycle.services import refresh_customers
from tests.cast import NOW, Cast
from tests.clock import Clock
from tests.interfaces.api.conftest import Caller, cast, hq, key_of, manager

__all__ = ["cast", "hq", "key_of", "manager"]
pytestmark = pytest.mark.django_db

UNION = "oWx6_bmasdasdsad6"


@pytest.fixture
def known(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Cast:
    """Mo of the own store and Lan of another one, each with a card and a union id."""
    Clock(monkeypatch, NOW)
    for who, card, union in ((cast.mo, "VIP-8800123", UNION), (cast.lan, "VIP-8800999", f"{UNION}-lan")):
        add_identifiers(who, [reference("card", card), reference("unionid", union)])
    refresh_customers([cast.mo.pk, cast.lan.pk], now=NOW)
    return cast


def page(cast: Cast, who: str, text: str) -> str:
    client = Client()
    client.force_login(getattr(cast, who))
    said = client.get("/customers/", {"q": text}).content.decode()
    return said.replace(f'value="{text}"', "")


@pytest.mark.parametrize("text", ["VIP-8800123", "VIP-88001", " VIP-8800123 ", UNION])
@pytest.mark.parametrize("who", ["manager", "hq"])
def test_the_page_finds_her_and_shows_her_phone_masked(known: Cast, who: str, text: str) -> None:
    said = page(known, who, text)
    assert f"/customers/{known.mo.pk}/" in said
    assert f"/customers/{known.lan.pk}/" not in said
    assert "138****0004" in said
    assert "13800000004" not in said


@pytest.mark.parametrize("text", ["VIP-8800124", UNION[:-1], UNION.lower()])
def test_a_sealed_id_is_found_whole_and_nobody_by_chance(known: Cast, text: str) -> None:
    said = page(known, "hq", text)
    assert f"/customers/{known.mo.pk}/" not in said
    assert f"/customers/{known.lan.pk}/" not in said


@pytest.mark.parametrize(
    ("text", "asked"),
    [("VIP-8800999", "card_number"), (f"{UNION}-lan", "union_id")],
)
def test_who_is_of_another_store_does_not_exist(
    known: Cast, manager: Caller, hq: Caller, text: str, asked: str
) -> None:
    assert f"/customers/{known.lan.pk}/" not in page(known, "manager", text)
    assert f"/customers/{known.lan.pk}/" in page(known, "hq", text)
    assert ids(manager, asked, text) == []
    assert ids(hq, asked, text) == [known.lan.pk]


def ids(caller: Caller, asked: str, text: str) -> list[int]:
    answer = caller.get("/customers", **{asked: text})
    assert answer.status_code == 200
    assert "1380000" not in answer.content.decode()
    return [one["id"] for one in answer.json()["items"]]


@pytest.mark.parametrize(
    ("asked", "text", "found"),
    [
        ("card_number", "VIP-8800123", True),
        ("card_number", " VIP-8800123 ", True),
        ("card_number", "VIP-88001", False),  # a machine asks for one, and gets one
        ("card_number", UNION, False),
        ("union_id", UNION, True),
        ("union_id", UNION[:-1], False),
        ("union_id", "VIP-8800123", False),
        ("wecom_id", UNION, False),
    ],
)
def test_the_api_finds_her_by_the_whole_number_of_its_kind(
    known: Cast, manager: Caller, asked: str, text: str, found: bool
) -> None:
    assert ids(manager, asked, text) == ([known.mo.pk] if found else [])


NUMBERS = (("card_number", "VIP-8800123"), ("union_id", UNION))


def test_the_number_of_a_record_that_is_read_as_another_finds_the_person(known: Cast, hq: Caller) -> None:
    merge(known.mo.pk, known.vera.pk, now=NOW)
    refresh_customers([known.mo.pk, known.vera.pk], now=NOW)
    for asked, text in NUMBERS:
        assert ids(hq, asked, text) == [known.vera.pk]
        assert f"/customers/{known.vera.pk}/" in page(known, "hq", text)


def test_what_was_taken_off_finds_nobody(known: Cast, hq: Caller) -> None:
    for one in Identifier.objects.filter(customer=known.mo, kind__in=["card", "unionid"]):
        remove_name(known.mo, one.pk, now=NOW)
    for asked, text in NUMBERS:
        assert ids(hq, asked, text) == []
        assert f"/customers/{known.mo.pk}/" not in page(known, "hq", text)


def test_several_narrow(known: Cast, hq: Caller) -> None:
    add_identifiers(known.lan, [reference("card", "VIP-8800777")])
    assert hq.get("/customers", card_number="VIP-8800777", union_id=UNION).json()["items"] == []
