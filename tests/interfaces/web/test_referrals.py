"""Who brought whom on the pages: found, said, corrected, shown beside her own value, and only to whom it is shown."""

import datetime as dt
import re
from dataclasses import replace

import pytest
from django.test import Client
from django.urls import reverse

from changke.facts.customers.models import Customer
from changke.facts.referrals.models import How, Referral
from changke.facts.referrals.queries import referrer_of
from changke.facts.referrals.services import name_referrer, take_off_referrer
from changke.foundation.access.models import Staff
from changke.foundation.audit.rules import By
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.interfaces.web.customers import timeline
from changke.interfaces.web.customers.happenings import Asked, Happening, read_position
from changke.profiles.lifecycle.services import refresh_customers
from tests.cast import NOW, Cast, ago
from tests.clock import Clock

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch, NOW)


def desk(staff: Staff) -> Client:
    client = Client(headers={"accept-language": "zh-hans"})
    client.force_login(staff)
    return client


def know() -> None:
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)


def test_found_by_the_last_digits_said_and_taken_off(cast: Cast) -> None:
    client, here = desk(cast.clerk), reverse("customer-referrer", args=[cast.qiu.pk])
    found = client.get(here, {"q": "0003"}, HTTP_HX_REQUEST="true").content.decode()
    assert "薇拉" in found
    assert f"{here}?with={cast.vera.pk}" in found
    asked = client.get(here, {"with": cast.vera.pk}).content.decode()
    assert f'value="{cast.qiu.known_on}"' in asked
    said = client.post(here, {"other": cast.vera.pk, "brought_on": "2026-01-05"})
    assert said["Location"] == reverse("customer", args=[cast.qiu.pk])
    row = Referral.objects.get()
    assert (row.referrer_id, row.staff_id, row.how) == (cast.vera.pk, cast.clerk.pk, How.BY_HAND)
    assert str(row.business_date) == "2026-01-05"
    page = client.get(here).content.decode()
    assert "店员登记" in page
    assert "苏晴" in page
    assert "薇拉" in client.get(reverse("customer", args=[cast.qiu.pk])).content.decode()
    for _ in range(2):  # sent twice, it came off once
        client.post(reverse("customer-referrer-off", args=[cast.qiu.pk]))
    assert Referral.objects.count() == 2
    said_last = referrer_of(cast.qiu.pk)
    assert said_last is not None
    assert said_last.referrer_id is None


def test_what_cannot_be_is_said_on_the_page(cast: Cast) -> None:
    client, here = desk(cast.clerk), reverse("customer-referrer", args=[cast.qiu.pk])
    name_referrer(cast.mo.pk, cast.qiu.pk, now=NOW)
    for sent, status, words in (
        ({}, 422, "请选择介绍人。"),
        ({"other": "x"}, 422, "请选择介绍人。"),
        ({"other": cast.qiu.pk}, 409, "不能是自己介绍自己"),
        ({"other": cast.mo.pk}, 409, "由这位客户直接或间接介绍来的"),
        ({"other": cast.vera.pk, "brought_on": "2100-01-01"}, 422, ""),
        ({"other": cast.vera.pk, "brought_on": "bald"}, 422, "2026-03-01"),
    ):
        refused = client.post(here, sent)
        assert refused.status_code == status, sent
        assert words in refused.content.decode()
    assert Referral.objects.count() == 1


def test_a_store_names_nobody_of_another(cast: Cast) -> None:
    client, here = desk(cast.clerk), reverse("customer-referrer", args=[cast.qiu.pk])
    assert "岚岚" not in client.get(here, {"q": "0005"}).content.decode()
    assert client.get(here, {"with": cast.lan.pk}).status_code == 404
    assert client.post(here, {"other": cast.lan.pk}).status_code == 404
    for name in ("customer-referrer", "customer-referrer-off"):
        assert client.post(reverse(name, args=[cast.lan.pk])).status_code == 404
    assert not Referral.objects.exists()


def test_her_page_tells_her_own_value_and_what_those_spent_whom_she_brought(cast: Cast) -> None:
    for one in (cast.qiu, cast.lan, cast.bai):
        name_referrer(one.pk, cast.vera.pk, now=NOW)
    know()
    page = desk(cast.hq).get(reverse("customer", args=[cast.vera.pk])).content.decode()
    assert "转介绍价值" in page
    assert "¥864" in page, "57600 + 28800 fen"
    for one in (cast.qiu, cast.lan, cast.bai):
        assert f'href="{reverse("customer", args=[one.pk])}"' in page
    assert reverse("number", args=["referral_value"]) in page
    of_store = desk(cast.manager).get(reverse("customer", args=[cast.vera.pk])).content.decode()
    assert "¥864" in of_store, "never a different number about her"
    assert "岚岚" not in of_store
    assert "其中 1 位不在您可见范围内" in of_store
    nobody = desk(cast.hq).get(reverse("customer", args=[cast.mo.pk])).content.decode()
    assert "customer-brought" not in nobody


def test_a_referrer_of_another_store_has_no_name(cast: Cast) -> None:
    name_referrer(cast.qiu.pk, cast.lan.pk, now=NOW)
    know()
    page = desk(cast.manager).get(reverse("customer", args=[cast.qiu.pk])).content.decode()
    assert "另一家门店的客户" in page
    assert "岚岚" not in page
    assert "岚岚" not in desk(cast.manager).get(reverse("customer-referrer", args=[cast.qiu.pk])).content.decode()
    assert "岚岚" in desk(cast.hq).get(reverse("customer", args=[cast.qiu.pk])).content.decode()


def test_the_list_shows_who_was_brought_and_who_brought_others(cast: Cast) -> None:
    for one in (cast.qiu, cast.bai, cast.lan):
        name_referrer(one.pk, cast.vera.pk, now=NOW)
    know()

    def names(staff: Staff, query: str) -> set[str]:
        page = desk(staff).get(f"{reverse('customers')}?{query}")
        return {line["name"] for line in page.context["lines"]}

    assert names(cast.hq, "referral=brought") == {"秋月", "白露", "岚岚"}
    assert names(cast.manager, "referral=brought") == {"秋月", "白露"}
    assert names(cast.hq, "referral=brings") == {"薇拉"}
    assert names(cast.hq, "referral=brought&stage=lost") == {"岚岚"}
    assert names(cast.hq, "referral=brought&order=outlook") == {"秋月", "白露", "岚岚"}
    assert len(names(cast.hq, "referral=nonsense")) == 6, "what is no filter counts as not said"
    page = desk(cast.hq).get(f"{reverse('customers')}?referral=brought")
    assert [facet.count for facet in page.context["facets"] if facet.key == "lost"] == ["1"]
    assert "由客户介绍而来" in page.content.decode()


def test_where_many_were_brought_the_list_is_walked_along(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("changke.interfaces.web.customers.narrowed.SEARCH_CAP", 1)
    for one in (cast.qiu, cast.bai, cast.lan):
        name_referrer(one.pk, cast.vera.pk, now=NOW)
    know()
    for order in ("", "spend", "name", "last", "outlook"):
        page = desk(cast.hq).get(reverse("customers"), {"referral": "brought", "order": order})
        assert {line["name"] for line in page.context["lines"]} == {"秋月", "白露", "岚岚"}, order


def story(staff: Staff, customer: Customer, **asked: str) -> list[str]:
    """What the timeline says of referrals, the latest first: titles without their days."""
    sent = {"kind": "referral"} | asked
    part = desk(staff).get(reverse("customer", args=[customer.pk]), sent, HTTP_HX_REQUEST="true").content.decode()
    return re.findall(r'<h3 class="grow">([^<]+)</h3>', part)


def test_her_timeline_tells_who_brought_her_and_whom_she_brought(cast: Cast) -> None:
    by = By("staff", cast.clerk.pk, cast.clerk.name)
    name_referrer(cast.qiu.pk, cast.vera.pk, by=by, now=NOW)  # on the day she came, 60 days ago
    name_referrer(cast.bai.pk, cast.vera.pk, brought_on=ago(3), now=NOW)
    name_referrer(cast.vera.pk, cast.mo.pk, brought_on=ago(300), now=NOW)
    assert story(cast.hq, cast.vera) == ["介绍了白露", "介绍了秋月", "由莫愁介绍"]
    assert story(cast.hq, cast.vera, as_of=str(ago(4))) == ["介绍了秋月", "由莫愁介绍"]
    assert story(cast.hq, cast.vera, as_of=str(ago(301))) == []
    whole = story(cast.hq, cast.qiu, kind="")
    assert whole[-1] == "由薇拉介绍", "before everything else of her first day"
    part = desk(cast.hq).get(reverse("customer", args=[cast.qiu.pk]), {"kind": "referral"}, HTTP_HX_REQUEST="true")
    assert "苏晴" in part.content.decode(), "who wrote it down"
    take_off_referrer(cast.qiu.pk, now=NOW + dt.timedelta(seconds=1))
    assert story(cast.hq, cast.qiu) == []
    assert story(cast.hq, cast.vera) == ["介绍了白露", "由莫愁介绍"]


def test_a_timeline_tells_a_store_of_no_customer_of_another(cast: Cast) -> None:
    name_referrer(cast.lan.pk, cast.vera.pk, now=NOW)
    name_referrer(cast.qiu.pk, cast.lan.pk, now=NOW)
    name_referrer(cast.bai.pk, cast.vera.pk, now=NOW)
    assert story(cast.hq, cast.vera) == ["介绍了白露", "介绍了岚岚"]
    assert story(cast.manager, cast.vera) == ["介绍了白露"], "not even the day"
    assert story(cast.hq, cast.qiu) == ["由岚岚介绍"]
    assert story(cast.manager, cast.qiu) == ["由另一家门店的客户介绍"]


def test_a_long_list_of_those_she_brought_is_told_in_pages(cast: Cast) -> None:
    """Several on one day: none is told twice, none is missed."""
    for one in (cast.ying, cast.qiu, cast.mo, cast.bai, cast.lan):
        name_referrer(one.pk, cast.vera.pk, brought_on=ago(2 if one in (cast.ying, cast.bai) else 5), now=NOW)
    asked = Asked(cast.vera.pk, "", "m4", {}, "Asia/Shanghai", CHAIN_WIDE)
    everything, behind = timeline.page_of(asked, size=100)
    assert not behind
    seen: list[Happening] = []
    while True:
        found, behind = timeline.page_of(asked, size=2)
        seen += found
        if not behind:
            break
        asked = replace(asked, position=read_position(behind))
    assert seen == everything
    assert sum(one.kind == "referral" for one in seen) == 5


def test_the_list_puts_the_most_valuable_first_and_goes_on(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("changke.interfaces.web.value.referrers.PAGE", 1)
    for brought, referrer in ((cast.qiu, cast.vera), (cast.ying, cast.lan)):
        name_referrer(brought.pk, referrer.pk, now=NOW)
    know()
    client, here = desk(cast.hq), reverse("value-referrers")
    first = client.get(here).content.decode()
    assert "薇拉" in first
    assert "岚岚" not in first
    assert "岚岚" in client.get(here, {"after": f"57600~{cast.vera.pk}"}).content.decode()
    assert client.get(here, {"after": "9~x"}).status_code == 200
    assert "岚岚" not in desk(cast.manager).get(here, {"after": f"57600~{cast.vera.pk}"}).content.decode()


def test_nobody_brought_anybody_is_said(cast: Cast) -> None:
    assert "还没有登记任何转介绍" in desk(cast.hq).get(reverse("value-referrers")).content.decode()


def new(client: Client, **sent: object) -> object:
    typed = {"name": "新人", "phone": "13900000077", "token": "0" * 32} | sent
    return client.post(reverse("record-customer"), typed)


def test_a_new_customer_says_who_brought_her(cast: Cast) -> None:
    client = desk(cast.clerk)
    found = client.get(reverse("record-referrers"), {"referrer": "薇"}).content.decode()
    assert f'value="{cast.vera.pk}"' in found
    assert "没有找到" in client.get(reverse("record-referrers"), {"referrer": "岚"}).content.decode(), (
        "of another store"
    )
    new(client, referrer="0003")
    row = Referral.objects.get()
    assert (row.customer.name, row.referrer_id, row.staff_id) == ("新人", cast.vera.pk, cast.clerk.pk)


def test_where_the_words_mean_several_one_is_chosen(cast: Cast) -> None:
    Customer.objects.filter(pk=cast.mo.pk).update(name_grams=["薇"])
    client = desk(cast.clerk)
    refused = new(client, referrer="薇")
    assert "请从中选出介绍人。" in refused.content.decode()  # type: ignore[attr-defined]
    assert not Customer.objects.filter(name="新人").exists()
    new(client, referrer="薇", referrer_id=cast.mo.pk)
    assert Referral.objects.get().referrer_id == cast.mo.pk


@pytest.mark.parametrize("sent", [{"referrer": "0005"}, {"referrer": "nobody"}])
def test_nobody_found_is_said_beside_the_field(cast: Cast, sent: dict[str, str]) -> None:
    refused = new(desk(cast.clerk), **sent)
    assert "没有找到" in refused.content.decode()  # type: ignore[attr-defined]
    assert not Customer.objects.filter(name="新人").exists()


def test_somebody_who_was_not_found_cannot_be_slipped_in(cast: Cast) -> None:
    new(desk(cast.clerk), referrer="0003", referrer_id=cast.lan.pk)
    assert Referral.objects.get().referrer_id == cast.vera.pk
