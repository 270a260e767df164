"""The page of duplicates: two records side by side, decided once, taken back from her page."""

import pytest
from django.test import Client
from django.urls import reverse

from changke.facts.customers.models import Customer, Identifier, MergeLink
from changke.facts.customers.queries import family_of, with_phone
from changke.facts.customers.services.change import change
from changke.facts.customers.services.register import register
from changke.facts.duplicates.models import Duplicate
from changke.facts.duplicates.services import find_duplicates
from changke.foundation.access.models import Staff
from changke.profiles.lifecycle.services import refresh_customers
from tests.cast import NOW, Cast
from tests.clock import Clock
from tests.kept import keeping

HTMX = {"HX-Request": "true"}
pytestmark = pytest.mark.django_db


def desk(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def twin(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Customer:
    Clock(monkeypatch, NOW)
    return with_a_twin(cast)


@keeping
def with_a_twin(cast: Cast) -> Customer:
    change(cast.ying.pk, {"gender": "f", "city": "上海"}, now=NOW)
    twin = register(
        name="莹 莹", phone="13800000001", home_store=cast.jing_an, profile={"city": "苏州"}, share=True, now=NOW
    )
    refresh_customers([cast.ying.pk, twin.pk], now=NOW)
    return twin


@pytest.fixture
def pair(twin: Customer) -> Duplicate:
    find_duplicates(now=NOW)
    return Duplicate.objects.get()


def test_both_stand_side_by_side_with_what_is_the_same_and_what_is_not(cast: Cast, pair: Duplicate) -> None:
    page = desk(cast.manager).get(reverse("duplicates")).content.decode()
    assert "手机号和姓名都相同" in page
    assert "138****0001" in page
    assert "13800000001" not in page
    rows = {
        row.partition('scope="row">')[2].partition("<")[0]: row.partition('class="')[2].partition('"')[0]
        for row in page.split("<tr ")[1:]
    }
    assert (rows["姓名"], rows["手机号"], rows["城市"], rows["性别"]) == ("same", "same", "different", "")
    assert "¥288" in page


def test_merging_and_saying_it_twice_is_merging_once(cast: Cast, pair: Duplicate, twin: Customer) -> None:
    client = desk(cast.manager)
    for _ in range(2):
        answer = client.post(reverse("duplicate-merge", args=[pair.pk]), {"into": cast.ying.pk}, headers=HTMX)
        assert answer.status_code == 200
        assert "<html" not in answer.content.decode()
    assert MergeLink.objects.count() == 1
    assert family_of(twin.pk) == (cast.ying.pk, twin.pk)
    page = client.get(reverse("duplicates")).content.decode()
    assert f'id="pair-{pair.pk}"' not in page
    decided = client.get(reverse("duplicates"), {"state": "decided"}).content.decode()
    assert "王店长" in decided


def test_a_merge_is_taken_back_from_her_page(cast: Cast, pair: Duplicate, twin: Customer) -> None:
    client = desk(cast.manager)
    client.post(reverse("duplicate-merge", args=[pair.pk]), {"into": cast.ying.pk})
    assert (
        reverse("customer-merge", args=[cast.ying.pk])
        in client.get(reverse("customer", args=[cast.ying.pk])).content.decode()
    )
    batch = MergeLink.objects.get().batch_id
    separate = reverse("customer-separate", args=[cast.ying.pk, batch])
    assert separate in client.get(reverse("customer-merge", args=[cast.ying.pk])).content.decode()
    assert client.post(separate).status_code == 303
    assert family_of(twin.pk) == (twin.pk,)
    assert client.post(separate).status_code in (303, 404)  # parted already


def test_two_persons_is_said_once_and_for_all(cast: Cast, pair: Duplicate) -> None:
    client = desk(cast.manager)
    for _ in range(2):
        assert client.post(reverse("duplicate-not-same", args=[pair.pk])).status_code == 303
    find_duplicates(now=NOW)
    assert f'id="pair-{pair.pk}"' not in client.get(reverse("duplicates")).content.decode()


def test_a_late_no_is_refused_in_words(cast: Cast, pair: Duplicate) -> None:
    client = desk(cast.manager)
    client.post(reverse("duplicate-merge", args=[pair.pk]), {"into": cast.ying.pk})
    client.get(reverse("duplicates"))
    answer = client.post(reverse("duplicate-not-same", args=[pair.pk]), headers=HTMX)
    assert answer.headers["HX-Reswap"] == "none"
    assert "已有人处理过这一对" in answer.content.decode()


@pytest.mark.parametrize("into", ["", "x", "999999"])
def test_who_stays_must_be_one_of_the_two(cast: Cast, pair: Duplicate, into: str) -> None:
    client = desk(cast.manager)
    assert client.post(reverse("duplicate-merge", args=[pair.pk]), {"into": into}).status_code == 303
    assert not MergeLink.objects.exists()


def test_who_may_not_merge_sees_neither_page_nor_pair(cast: Cast, pair: Duplicate, twin: Customer) -> None:
    clerk = desk(cast.clerk)
    for name in ("duplicates", "customer-merge"):
        args = [twin.pk] if name == "customer-merge" else []
        assert clerk.get(reverse(name, args=args)).status_code == 403
    for name in ("duplicates-search", "duplicate-merge", "duplicate-not-same"):
        args = [] if name == "duplicates-search" else [pair.pk]
        assert clerk.post(reverse(name, args=args), {"into": twin.pk}).status_code == 403
    assert clerk.post(reverse("customer-separate", args=[twin.pk, 1])).status_code == 403


def test_a_pair_across_stores_does_not_exist_for_one_of_them(cast: Cast, pair: Duplicate) -> None:
    register(name="岚岚", phone="13800000005", home_store=cast.jing_an, share=True, now=NOW)
    find_duplicates(now=NOW)
    foreign = Duplicate.objects.exclude(pk=pair.pk).get()
    manager = desk(cast.manager)
    assert "岚岚" not in manager.get(reverse("duplicates")).content.decode()
    assert "岚岚" in desk(cast.hq).get(reverse("duplicates")).content.decode()
    for name in ("duplicate-merge", "duplicate-not-same"):
        assert manager.post(reverse(name, args=[foreign.pk]), {"into": foreign.one_id}).status_code == 404
    mine, theirs = cast.mo.pk, cast.lan.pk
    for one, other in ((mine, theirs), (theirs, mine)):
        assert manager.get(reverse("customer-merge", args=[one]), {"with": other}).status_code == 404
        assert manager.post(reverse("customer-merge", args=[one]), {"other": other, "into": one}).status_code == 404


def test_any_two_are_merged_from_her_page(cast: Cast, twin: Customer) -> None:
    client, here = desk(cast.manager), reverse("customer-merge", args=[cast.qiu.pk])
    found = client.get(here, {"q": "莫愁"}).content.decode()
    assert f"?with={cast.mo.pk}" in found
    assert "保留左边" in client.get(here, {"with": cast.mo.pk}).content.decode()
    answer = client.post(here, {"other": cast.mo.pk, "into": cast.mo.pk})
    assert (answer.status_code, answer["Location"]) == (303, reverse("customer", args=[cast.mo.pk]))
    assert family_of(cast.qiu.pk) == (cast.mo.pk, cast.qiu.pk)
    again = client.post(here, {"other": cast.mo.pk, "into": cast.mo.pk})
    assert again.status_code == 409
    assert "本来就是同一个人" in again.content.decode()
    assert MergeLink.objects.count() == 1


def test_a_second_phone_is_added_on_her_page(cast: Cast, twin: Customer) -> None:
    client, here = desk(cast.clerk), reverse("customer-names", args=[cast.bai.pk])
    assert client.post(here, {"kind": "phone", "value": "139 0000 0099"}).status_code == 303
    page = client.get(here).content.decode()
    assert "139****0099" in page
    assert "13900000099" not in page
    taken = client.post(here, {"kind": "phone", "value": "13800000003"})
    assert taken.status_code == 422
    assert 'name="share"' in taken.content.decode()
    assert client.post(here, {"kind": "phone", "value": "13800000003", "share": "1"}).status_code == 303
    assert with_phone("13800000003") == [cast.vera.pk, cast.bai.pk]
    for wrong in ({"kind": "phone", "value": "12"}, {"kind": "x", "value": "1"}, {"kind": "external", "value": "1"}):
        assert client.post(here, wrong).status_code == 422


def test_a_wrong_phone_is_taken_off_on_her_page(cast: Cast, twin: Customer) -> None:
    client, here = desk(cast.clerk), reverse("customer-names", args=[cast.bai.pk])
    client.post(here, {"kind": "phone", "value": "13900000099"})
    client.post(here, {"kind": "external", "value": "M-1", "source": "till"})
    phone = Identifier.objects.filter(customer=cast.bai, kind="phone").latest("pk")
    number = Identifier.objects.get(customer=cast.bai, kind="external", value="M-1")
    page = client.get(here).content.decode()
    off = reverse("customer-name-off", args=[cast.bai.pk, phone.pk])
    assert off in page
    assert reverse("customer-name-off", args=[cast.bai.pk, number.pk]) not in page
    for _ in range(2):
        assert client.post(off).status_code == 303
    assert "139****0099" not in client.get(here).content.decode()
    client.post(reverse("customer-name-off", args=[cast.bai.pk, number.pk]))
    assert Identifier.objects.filter(pk=number.pk).exists()
    assert "另一个系统" in client.get(here).content.decode()  # why it stays
    foreign = reverse("customer-name-off", args=[cast.lan.pk, phone.pk])
    assert client.post(foreign).status_code == 404


def test_two_persons_are_asked_about_again_from_the_page(cast: Cast, pair: Duplicate) -> None:
    client, again = desk(cast.manager), reverse("duplicate-ask-again", args=[pair.pk])
    client.post(reverse("duplicate-not-same", args=[pair.pk]))
    assert again in client.get(reverse("duplicates")).content.decode()  # the undo of the message
    assert again in client.get(reverse("duplicates"), {"state": "decided"}).content.decode()
    for _ in range(2):
        assert client.post(again).status_code == 303
    assert f'id="pair-{pair.pk}"' in client.get(reverse("duplicates")).content.decode()
    assert desk(cast.clerk).post(again).status_code == 403


def test_a_merged_pair_is_not_asked_about(cast: Cast, pair: Duplicate) -> None:
    client = desk(cast.manager)
    client.post(reverse("duplicate-merge", args=[pair.pk]), {"into": cast.ying.pk})
    client.post(reverse("duplicate-ask-again", args=[pair.pk]))
    pair.refresh_from_db()
    assert pair.state == "merged"
