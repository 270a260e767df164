"""Consents, her data and erasure through the API."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from changke.facts.customers.models import Customer
from tests.cast import Cast
from tests.interfaces.api.conftest import Caller

pytestmark = pytest.mark.django_db
YES = {
    "id": "form-1", "topics": [{"purpose": "marketing", "channel": "sms"}], "given": True,
    "happened_at": "2026-03-02T10:00:00+08:00",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _stones(settings: Any, tmp_path: Path) -> None:
    settings.ERASED_FILE = tmp_path / "erased.jsonl"


def verdict(answer: Any, purpose: str = "marketing", channel: str = "sms") -> str:
    (found,) = [one for one in answer["verdicts"] if (one["purpose"], one["channel"]) == (purpose, channel)]
    return str(found["reason"])


def test_a_till_records_what_she_said(hq: Caller, cast: Cast) -> None:
    path = f"/customers/{cast.vera.pk}/consents"
    assert verdict(hq.get(path).json()) == "not_asked"
    assert verdict(hq.post(path, YES).json()) == "given"
    assert verdict(hq.post(path, YES).json()) == "given"
    no = {**YES, "id": "form-2", "given": False, "happened_at": "2026-03-03T10:00:00+08:00"}
    assert verdict(hq.post(path, no).json()) == "withdrawn"


def test_a_purpose_without_its_channel_is_refused(hq: Caller, cast: Cast) -> None:
    answer = hq.post(f"/customers/{cast.vera.pk}/consents", {**YES, "topics": [{"purpose": "marketing"}]})
    assert (answer.status_code, answer.json()["field"]) == (422, "channel")


def test_her_data_and_what_erasing_takes(hq: Caller, cast: Cast) -> None:
    path = f"/customers/{cast.vera.pk}"
    found = hq.post(f"{path}/export", {"reason": "asked"}).json()
    assert found["identifiers"][0]["value"] == "+8613800000003"
    assert hq.post(f"{path}/export", {"reason": ""}).status_code == 422


def test_erased_she_does_not_exist(key_of: Callable[[str], Caller], cast: Cast) -> None:
    path = f"/customers/{cast.vera.pk}"
    owner = key_of("owner")
    going = {one["key"]: one["goes"] for one in owner.get(f"{path}/erasure").json()}
    assert (going["identifiers"], going["purchases"]) == (True, False)
    assert owner.post(f"{path}/erasure", {"reason": "asked"}).json()["changed"]["identifiers"] == 1
    assert owner.get(path).status_code == 404
    assert Customer.objects.get(pk=cast.vera.pk).is_erased


def test_another_stores_customer_does_not_exist(manager: Caller, cast: Cast) -> None:
    path = f"/customers/{cast.lan.pk}"
    assert manager.get(f"{path}/consents").status_code == 404
    assert manager.post(f"{path}/consents", YES).status_code == 404
    assert manager.post(f"{path}/export", {"reason": "x"}).status_code == 404
    assert manager.post(f"{path}/erasure", {"reason": "x"}).status_code in (403, 404)


def test_her_own_page_is_opened_and_closed(hq: Caller, manager: Caller, cast: Cast) -> None:
    path = f"/customers/{cast.vera.pk}/member-link"
    first, second = (hq.post(path, "").json()["address"] for _ in range(2))
    page = Client()
    assert [page.get(address).status_code for address in (first, second)] == [404, 200], "only the last one opens"
    assert hq.send("DELETE", path, "").status_code == 204
    assert page.get(second).status_code == 404
    foreign = f"/customers/{cast.lan.pk}/member-link"
    assert (manager.post(foreign, "").status_code, manager.send("DELETE", foreign, "").status_code) == (404, 404)
    assert manager.post(path, "").status_code == 201
