"""A manager who also sees visitors, and one who sees her own customers only: on every door that shows persons."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from changke.actions.tasks import services as tasks
from changke.decisions.next_best_action.queries import today
from changke.facts.customers.models import Customer
from changke.facts.customers.services.change import change
from changke.facts.customers.services.tags import add_tag
from changke.facts.purchases.models import Receipt
from changke.foundation.access.models import Grant, Staff
from changke.foundation.access.queries import asking, scope_of
from changke.foundation.access.services import add_staff
from changke.foundation.batches.models import Batch
from changke.interfaces import jobs
from changke.profiles.lifecycle.services import refresh_customers
from changke.profiles.segments.services.save import save_segment
from tests.cast import NOW, TODAY, Cast, ago, buys, know_everybody
from tests.clock import Clock
from tests.rows import as_app, roles

__all__ = ["as_app", "roles"]

pytestmark = pytest.mark.django_db

HX = {"HTTP_HX_REQUEST": "true"}
JING_AN = {"莹莹", "秋月", "薇拉", "莫愁", "白露"}


@pytest.fixture
def shop(cast: Cast, monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> Cast:
    """Lan of 徐汇 bought in 静安 yesterday; Mo and Vera have the clerk as their adviser."""
    Clock(monkeypatch, NOW)
    settings.DATA_DIR = tmp_path
    know_everybody()
    buys(cast.lan, cast.facial, 28_800, on=ago(1), store=cast.jing_an, key="lan-away")
    for customer in (cast.mo, cast.vera):
        change(customer.pk, {"adviser": cast.clerk}, now=NOW)
        add_tag(customer, "常客", now=NOW)
    add_tag(cast.lan, "常客", now=NOW)
    refresh_customers([cast.lan.pk, cast.mo.pk, cast.vera.pk], now=NOW)
    return cast


@pytest.fixture
def comes(shop: Cast) -> Callable[[str], Client]:
    """Somebody who manages 静安 and sees these of its customers; `assigned` is the clerk herself."""

    def log_in(sees: str) -> Client:
        client = Client(headers={"Accept-Language": "en"})
        client.force_login(person(shop, sees))
        return client

    return log_in


def person(shop: Cast, sees: str) -> Staff:
    if sees == "home":
        return shop.manager
    if sees == "visited":
        return Staff.objects.filter(username="visited").first() or add_staff(
            username="visited", name="访", role="manager", stores=[shop.jing_an], sees=sees, now=NOW
        )
    Grant.objects.filter(staff=shop.clerk).update(sees="assigned", built_in="manager")
    return Staff.objects.get(pk=shop.clerk.pk)


SEEN = {"home": JING_AN, "visited": JING_AN | {"岚岚"}, "assigned": {"莫愁", "薇拉"}}
every_way = pytest.mark.parametrize("sees", SEEN)


def listed(client: Client, query: str = "") -> set[str]:
    page = client.get(f"/customers/{query}").content.decode()
    return set(re.findall(r'<a class="strong" href="/customers/\d+/">([^<]*)</a>', page))


@every_way
def test_the_list_of_customers(shop: Cast, comes: Callable[[str], Client], sees: str) -> None:
    client = comes(sees)
    assert listed(client) == SEEN[sees]
    for order in ("name", "-spend", "last", "-visits"):
        assert listed(client, f"?sort={order}") == SEEN[sees], order
    assert listed(client, "?tag=常客") == {"莫愁", "薇拉", "岚岚"} & SEEN[sees]


@every_way
def test_the_search(shop: Cast, comes: Callable[[str], Client], sees: str) -> None:
    client = comes(sees)
    for text, name in (("岚岚", "岚岚"), ("lanlan", "岚岚"), ("13800000005", "岚岚"), ("0002", "秋月"), ("秋", "秋月")):
        assert listed(client, f"?q={text}") == {name} & SEEN[sees], text


@every_way
def test_the_page_of_one(shop: Cast, comes: Callable[[str], Client], sees: str) -> None:
    client = comes(sees)
    for one in (shop.lan, shop.qiu, shop.mo):
        status = 200 if one.name in SEEN[sees] else 404
        for page in ("", "edit/", "consents/", "data/", "changes/", "outlook/", "value/"):
            assert client.get(f"/customers/{one.pk}/{page}").status_code == status, (one.name, page)


@every_way
def test_the_api(shop: Cast, comes: Callable[[str], Client], sees: str) -> None:
    client = comes(sees)
    told = client.get("/api/v1/customers").json()
    assert {one["name"] for one in told["items"]} == SEEN[sees]
    for one in (shop.lan, shop.qiu, shop.mo):
        answer = client.get(f"/api/v1/customers/{one.pk}")
        assert answer.status_code == (200 if one.name in SEEN[sees] else 404), one.name


@every_way
def test_an_export(shop: Cast, comes: Callable[[str], Client], sees: str) -> None:
    def fetched(dataset: str) -> list[dict[str, str]]:
        asked = {"dataset": dataset, "format": "csv", "reason": "asked"}
        made = client.post("/api/v1/exports", asked, content_type="application/json")
        assert made.status_code == 201, made.content
        told = client.get(f"/api/v1/exports/{made.json()['id']}/file")
        raw = b"".join(told.streaming_content) if told.streaming else told.content  # type: ignore[attr-defined]
        return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))

    client = comes(sees)
    ids = {str(one.pk) for one in Customer.objects.filter(name__in=SEEN[sees])}
    assert {one["Name"] for one in fetched("customers")} == SEEN[sees]
    assert {one["Customer number"] for one in fetched("tags")} <= ids
    if sees == "assigned":
        assert {one["Customer number"] for one in fetched("purchases")} <= ids


@every_way
def test_a_segment_counts_shows_and_portrays(shop: Cast, comes: Callable[[str], Client], sees: str) -> None:
    client = comes(sees)
    save_segment(None, name="All", text="purchases >= 0", is_tracked=True, now=NOW)
    counted = client.get("/api/v1/segments/all").json()
    assert counted["customers"] == len(SEEN[sees])
    portrait = client.get("/api/v1/segments/all/portrait").json()
    assert portrait["everybody"]["customers"] == portrait["segment"]["customers"] == len(SEEN[sees])
    page = client.get("/segments/all/").content.decode()
    assert {name for name in JING_AN | {"岚岚"} if name in page} <= SEEN[sees]


def test_todays_list_is_of_ones_own_customers_so_that_two_stores_do_not_call_one(shop: Cast) -> None:
    def called(sees: str) -> set[str]:
        scope = scope_of(asking(person(shop, sees), NOW))
        return {line.name for line in today(scope, chain=shop.chain, now=NOW).lines}

    assert called("visited") == called("home")
    assert "岚岚" not in called("visited")
    assert called("assigned") == called("home") & SEEN["assigned"]
    assert "莫愁" in called("assigned")


def test_a_visitor_may_be_served_and_written_to_but_whose_she_is_stays(
    shop: Cast, comes: Callable[[str], Client]
) -> None:
    client, lan = comes("visited"), shop.lan.pk

    def patched(**fields: Any) -> int:
        answer = client.patch(f"/api/v1/customers/{lan}", fields, content_type="application/json")
        return answer.status_code

    assert patched(city="上海") == 200
    assert patched(home_store="JA") == patched(adviser_id=shop.clerk.pk) == 422
    assert client.post(f"/customers/{lan}/tags/", {"tag": "爱聊天"}).status_code in (200, 303)
    for address in (f"/customers/{lan}/merge/", f"/advisers/{shop.hq.pk}/hand-over/"):
        assert client.get(address).status_code == 404, address
    assert "/merge/" not in client.get(f"/customers/{lan}/").content.decode()
    assert "/merge/" in client.get(f"/customers/{shop.mo.pk}/").content.decode()
    typed = {"name": "岚岚", "home_store": str(shop.jing_an.pk), "held_home_store": str(shop.xu_hui.pk)}
    assert client.post(f"/customers/{lan}/edit/", typed).status_code == 422
    assert Customer.objects.get(pk=lan).home_store == shop.xu_hui


def test_what_she_bought_at_home_is_on_her_page_here(shop: Cast, comes: Callable[[str], Client]) -> None:
    page = comes("visited").get(f"/customers/{shop.lan.pk}/").content.decode()
    assert "徐汇店" in page
    assert "静安店" in page


def test_a_hand_over_takes_her_from_one_list_to_another_at_once(shop: Cast, comes: Callable[[str], Client]) -> None:
    anna = add_staff(username="anna", name="安娜", role="manager", stores=[shop.jing_an], sees="assigned", now=NOW)
    client, hers = comes("assigned"), Client()
    hers.force_login(anna)
    assert listed(hers) == set()
    address = f"/advisers/{shop.clerk.pk}/hand-over/"
    assert client.post(address, {"receivers": [str(anna.pk)], "how": "even", "run": "1"}).status_code == 303
    jobs.run_batch(Batch.objects.get(kind=tasks.KIND).pk)
    assert (listed(client), listed(hers)) == (set(), {"莫愁", "薇拉"})
    assert client.get(f"/customers/{shop.mo.pk}/").status_code == 404
    assert hers.get(f"/customers/{shop.mo.pk}/").status_code == 200


def test_whoever_gives_her_own_customer_away_is_led_to_the_list(shop: Cast, comes: Callable[[str], Client]) -> None:
    client = comes("assigned")
    typed = {"name": "莫愁", "adviser": str(shop.manager.pk), "held_adviser": str(shop.clerk.pk)}
    typed |= {"home_store": str(shop.jing_an.pk), "held_home_store": str(shop.jing_an.pk)}
    answer = client.post(f"/customers/{shop.mo.pk}/edit/", typed)
    assert (answer.status_code, answer["Location"]) == (303, "/customers/")
    assert Customer.objects.get(pk=shop.mo.pk).adviser == shop.manager


def test_whom_she_writes_down_by_the_api_is_hers(shop: Cast, comes: Callable[[str], Client]) -> None:
    body = {"name": "新客", "phone": "13900000001", "home_store": "JA"}
    made = comes("assigned").post("/api/v1/customers", body, content_type="application/json")
    assert made.status_code == 201, made.content
    assert Customer.objects.get(name="新客").adviser == shop.clerk


def test_she_can_sell_to_whoever_comes_in(shop: Cast, comes: Callable[[str], Client]) -> None:
    """To nobody known, to her own, and to a customer of another adviser who says her phone."""
    client = comes("assigned")
    for number, who in enumerate((None, {"phone": "13800000004"}, {"phone": "13800000002"})):
        body = {
            "purchases": [
                {
                    "id": f"sale-{number}", "store": "JA", "happened_at": "2026-03-04T09:00:00+08:00",
                    "lines": [{"item": "F1", "amount_minor": 28800}], **({"customer": who} if who else {}),
                }
            ]
        }  # fmt: skip
        answer = client.post("/api/v1/purchases", body, content_type="application/json")
        assert answer.status_code in (200, 201, 207), answer.content
    assert Receipt.objects.filter(business_date=TODAY).count() == 3


def test_the_pages_where_it_is_chosen(shop: Cast) -> None:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(shop.owner)
    address = f"/settings/staff/{shop.clerk.pk}/"
    page = client.get(address).content.decode()
    assert 'name="sees"' in page
    typed = {"name": "苏晴", "role": "staff", "stores": [shop.jing_an.pk], "is_active": "1", "sees": "assigned"}
    assert client.post(address, typed).status_code == 303
    assert set(Grant.objects.filter(staff=shop.clerk).values_list("sees", flat=True)) == {"assigned"}
    roles_of = f"/settings/staff/{shop.clerk.pk}/roles/"
    there = {"role": "staff", "node": f"store:{shop.xu_hui.pk}", "sees": "visited"}
    assert client.post(roles_of, there).status_code == 303
    assert scope_of(Staff.objects.get(pk=shop.clerk.pk)).visited == {shop.xu_hui.pk}
    given = {"staff_id": shop.clerk.pk, "role": "staff", "store": "XH", "sees": "assigned"}
    told = client.post("/api/v1/grants", given, content_type="application/json")
    assert (told.status_code, told.json()["sees"]) == (201, "assigned")
    wrong = client.post("/api/v1/grants", given | {"sees": "all"}, content_type="application/json")
    assert wrong.status_code == 422
