"""Consents on her page in the shop, her own page, her data, and to be forgotten."""

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from changke.facts.consents.models import Consent, MemberLink
from changke.facts.consents.queries import may, personalised
from changke.facts.consents.rules import Channel, Purpose
from changke.facts.consents.services.links import GOOD_FOR, make_link
from changke.facts.consents.services.state import Proof, state
from changke.facts.customers.models import Customer
from changke.facts.events.models import Event
from changke.foundation.audit import queries as trail
from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.rules import MASK
from tests.cast import NOW, TODAY, Cast, know_everybody
from tests.clock import Clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    cache.clear()
    return Clock(monkeypatch, NOW)


@pytest.fixture
def shop(cast: Cast, clock: Clock, settings: Any, tmp_path: Path) -> Cast:
    settings.ERASED_FILE = tmp_path / "erased.jsonl"
    know_everybody()
    return cast


def at_work(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


def may_text(customer: Customer) -> str:
    return may([customer.pk], Purpose.MARKETING, Channel.SMS, at=NOW, on=TODAY).reason


SMS = {"topic": "marketing-sms", "given": "yes", "how": "counter", "evidence": "F-7", "token": "t1"}


def test_a_clerk_writes_her_yes_down_with_its_proof(shop: Cast) -> None:
    clerk, address = at_work(shop.clerk), reverse("customer-consents", args=[shop.vera.pk])
    assert clerk.post(address, SMS).status_code == 303
    assert clerk.post(address, SMS).status_code == 303
    said = Consent.objects.get()
    assert (said.staff, said.store, said.how, said.given) == (shop.clerk, shop.jing_an, "counter", True)
    page = clerk.get(address).content.decode()
    assert "F-7" in page
    assert may_text(shop.vera) == "given"


def test_her_no_holds_at_once(shop: Cast) -> None:
    clerk, address = at_work(shop.clerk), reverse("customer-consents", args=[shop.vera.pk])
    clerk.post(address, SMS)
    clerk.post(address, {**SMS, "given": "no", "token": "t2"})
    assert may_text(shop.vera) == "withdrawn"


@pytest.mark.parametrize("wrong", [{"topic": ""}, {"topic": "marketing"}, {"given": ""}, {"how": "machine"}])
def test_what_is_missing_is_said_and_nothing_is_written(shop: Cast, wrong: dict[str, str]) -> None:
    answer = at_work(shop.clerk).post(reverse("customer-consents", args=[shop.vera.pk]), {**SMS, **wrong})
    assert answer.status_code == 422
    assert not Consent.objects.exists()


# Her own page


def opened(token: str, **headers: str) -> Any:
    return Client().get(reverse("member", args=[token]), headers=headers)


def test_the_qr_code_leads_to_her_page_and_a_new_one_closes_the_old(shop: Cast) -> None:
    clerk, address = at_work(shop.clerk), reverse("customer-link", args=[shop.vera.pk])
    pages = [clerk.post(address).content.decode() for _ in range(2)]
    tokens = [re.findall(r"/m/([\w-]+)/", page)[0] for page in pages]
    assert [opened(token).status_code for token in tokens] == [404, 200]
    assert not MemberLink.objects.filter(digest__in=tokens).exists(), "the token itself is kept nowhere"
    clerk.post(address, {"revoke": "1"})
    assert opened(tokens[1]).status_code == 404


def test_it_ends_by_itself(shop: Cast, clock: Clock) -> None:
    token = make_link(shop.vera, by=None, now=NOW)
    clock.at(NOW + GOOD_FOR)
    assert opened(token).status_code == 404


def test_nothing_on_it_says_who_she_is(shop: Cast) -> None:
    answer = opened(make_link(shop.vera, by=None, now=NOW))
    page = answer.content.decode()
    assert "138****0003" in page
    for secret in ("薇拉", "13800000003", "静安", f"/customers/{shop.vera.pk}/"):
        assert secret not in page
    assert "<script" not in page
    assert (answer["Referrer-Policy"], answer["Cache-Control"].split(",")[0]) == ("same-origin", "max-age=0")


@pytest.mark.parametrize("language", ["zh-hans", "en", "zh-hant"])
def test_it_speaks_three_languages(shop: Cast, language: str) -> None:
    answer = opened(make_link(shop.vera, by=None, now=NOW), **{"Accept-Language": language})
    assert answer["Content-Language"] == language


def consented(customer: Customer) -> None:
    state(
        [customer.pk],
        [(Purpose.MARKETING, Channel.SMS), (Purpose.CARE, Channel.WECHAT)],
        given=True,
        proof=Proof("form"),
        source_key="form",
        happened_at=NOW,
        time_zone="Asia/Shanghai",
        now=NOW,
    )


def test_looking_withdraws_nothing(shop: Cast) -> None:
    consented(shop.vera)
    token = make_link(shop.vera, by=None, now=NOW)
    address = reverse("member", args=[token])
    assert Client().get(f"{address}?act=withdraw&topic=marketing-sms").status_code == 200
    assert may_text(shop.vera) == "given"


def test_one_tap_withdraws_one_consent(shop: Cast, clock: Clock) -> None:
    consented(shop.vera)
    address = reverse("member", args=[make_link(shop.vera, by=None, now=NOW)])
    clock.at(NOW.replace(hour=11))
    answer = Client().post(address, {"act": "withdraw", "topic": "marketing-sms"}, follow=True)
    assert answer.status_code == 200
    later = NOW.replace(hour=12)
    assert may([shop.vera.pk], Purpose.MARKETING, Channel.SMS, at=later, on=TODAY).reason == "withdrawn"
    assert may([shop.vera.pk], Purpose.CARE, Channel.WECHAT, at=later, on=TODAY).allowed
    Client().post(address, {"act": "withdraw_all"})
    assert not may([shop.vera.pk], Purpose.CARE, Channel.WECHAT, at=later, on=TODAY).allowed
    assert set(Consent.objects.filter(given=False).values_list("how", flat=True)) == {"member_page"}


def test_a_foreign_page_withdraws_nothing(shop: Cast) -> None:
    consented(shop.vera)
    address = reverse("member", args=[make_link(shop.vera, by=None, now=NOW)])
    assert Client(enforce_csrf_checks=True).post(address, {"act": "withdraw_all"}).status_code == 403
    assert may_text(shop.vera) == "given"


def test_the_switch_goes_both_ways(shop: Cast, clock: Clock) -> None:
    address = reverse("member", args=[make_link(shop.vera, by=None, now=NOW)])
    found = []
    for hour, act in ((11, "impersonal"), (12, "personal")):
        clock.at(NOW.replace(hour=hour))
        Client().post(address, {"act": act})
        found.append(personalised([shop.vera.pk], at=NOW.replace(hour=hour)))
    assert found == [False, True]


def test_the_shop_sees_what_she_asks_for(shop: Cast) -> None:
    address = reverse("member", args=[make_link(shop.vera, by=None, now=NOW)])
    for _ in range(3):
        Client().post(address, {"act": "erase"})
    event = Event.objects.get(kind="data.requested")
    assert (event.customer, event.data) == (shop.vera, {"what": "erase"})
    page = at_work(shop.clerk).get(reverse("customer", args=[shop.vera.pk]), headers={"Accept-Language": "en"})
    assert "asked to be forgotten" in page.content.decode() or "2026-03-04" in page.content.decode()


def test_guessing_is_slowed_down(shop: Cast) -> None:
    assert [opened(f"guess-{number}").status_code for number in range(31)] == [404] * 30 + [429]


# Her data


def test_a_manager_hands_her_data_out_with_a_reason(shop: Cast) -> None:
    manager, address = at_work(shop.manager), reverse("customer-data", args=[shop.vera.pk])
    assert manager.get(address).status_code == 200
    assert manager.post(address, {"reason": ""}).status_code == 422
    answer = manager.post(address, {"reason": "她在店里要求"})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert {"person.json", "profile.csv", "purchases.csv"} <= set(archive.namelist())
        assert "+8613800000003" in archive.read("person.json").decode()
    (line,) = AuditLine.objects.filter(action="customer.exported")
    assert (line.reason, trail.opened([line])[0].reason) == (MASK, "她在店里要求")


def test_a_clerk_neither_hands_out_nor_erases(shop: Cast) -> None:
    clerk = at_work(shop.clerk)
    assert clerk.get(reverse("customer-data", args=[shop.vera.pk])).status_code == 403
    assert clerk.post(reverse("customer-forget", args=[shop.vera.pk]), {"number": shop.vera.pk}).status_code == 403


def test_a_foreign_customer_is_neither_handed_out_nor_erased(shop: Cast) -> None:
    manager = at_work(shop.manager)
    assert manager.get(reverse("customer-data", args=[shop.lan.pk])).status_code == 404
    assert manager.post(reverse("customer-forget", args=[shop.lan.pk])).status_code in (403, 404)


@pytest.mark.parametrize("typed", [{"number": "1"}, {"reason": ""}])
def test_the_owner_does_not_erase_by_accident(shop: Cast, typed: dict[str, str]) -> None:
    sent = {"number": str(shop.vera.pk), "reason": "asked", **typed}
    answer = at_work(shop.owner).post(reverse("customer-forget", args=[shop.vera.pk]), sent)
    assert answer.status_code == 422
    assert Customer.objects.get(pk=shop.vera.pk).name == "薇拉"


def test_the_owner_erases_her(shop: Cast) -> None:
    owner = at_work(shop.owner)
    sent = {"number": str(shop.vera.pk), "reason": "asked"}
    assert owner.post(reverse("customer-forget", args=[shop.vera.pk]), sent).status_code == 303
    assert owner.get(reverse("customer", args=[shop.vera.pk])).status_code == 404
    assert "薇拉" not in owner.get(reverse("customers")).content.decode()
