"""The page of the audit trail: who sees it, what it says, what it puts back."""

import pytest
from django.test import Client

from changke.facts.customers.services.change import change
from changke.facts.customers.services.tags import add_tag
from changke.facts.events.services import unmask
from changke.foundation.audit.models import AuditCheck, AuditLine
from changke.foundation.audit.rules import By
from changke.foundation.audit.services import blank_values
from changke.foundation.organisation.services import change_settings, change_store
from tests.cast import NOW, Cast


def as_(person: object, client: Client) -> Client:
    client.force_login(person)  # type: ignore[arg-type]
    return client


@pytest.fixture
def hq(client: Client, cast: Cast) -> Client:
    return as_(cast.hq, client)


def by(cast: Cast) -> By:
    return By("staff", cast.hq.pk, "李运营", "10.0.0.7", "a1b2")


def read(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("role", ["manager", "clerk"])
def test_who_may_not_see_it_is_refused(client: Client, cast: Cast, role: str) -> None:
    browser = as_(getattr(cast, role), client)
    line = AuditLine.objects.latest("id")
    for address in ("/audit/", f"/audit/{line.pk}/restore/"):
        assert browser.get(address).status_code == 403


def test_it_says_what_changed_in_words(hq: Client, cast: Cast) -> None:
    change_settings(cast.chain, {"silent_after_days": 45, "activity_kinds": ["visit"]}, by=by(cast), now=NOW)
    change(cast.mo.pk, {"gender": "f", "adviser": cast.clerk}, by=by(cast), now=NOW)
    page = read(hq, "/audit/")
    for words in ("李运营", "10.0.0.7", "多少天算沉睡", "45", "到店", "莫愁", "女", "苏晴", "顾问"):
        assert words in page, words


def test_it_is_filtered(hq: Client, cast: Cast) -> None:
    change_store(cast.jing_an, {"name": "静安寺店"}, by=by(cast), now=NOW)
    page = read(hq, f"/audit/?who=staff:{cast.hq.pk}&what=store.changed&about=store:{cast.jing_an.pk}&day=2026-03-04")
    assert "静安寺店" in page
    assert page.count("audit-when") == 1
    assert "没有这样的记录" in read(hq, "/audit/?day=1999-01-01")
    assert read(hq, "/audit/?who=staff:x&day=soon&before=zzz"), "addresses may be typed by hand"


def test_pages_follow_each_other_without_a_gap(hq: Client, cast: Cast) -> None:
    for number in range(60):
        add_tag(cast.mo, f"t{number}", now=NOW)  # all of one moment: the id decides
    first = read(hq, "/audit/?what=tag.added")
    assert "t59" in first
    older = first.split("?what=tag.added&amp;before=")[1].split('"')[0]
    second = read(hq, f"/audit/?what=tag.added&before={older}")
    assert ">t9<" in second
    assert ">t10<" not in second


def test_a_broken_trail_is_said_on_the_page(hq: Client, cast: Cast) -> None:
    AuditCheck.objects.create(
        checked_at=NOW, seconds=1, lines=9, unsealed=0, broken_count=1,
        broken=[{"kind": "altered", "line": 4711, "seal": None}],
    )  # fmt: skip
    assert "4711" in read(hq, "/audit/")


def test_her_own_history_is_for_who_may_change_her(client: Client, cast: Cast) -> None:
    change(cast.mo.pk, {"city": "上海"}, by=by(cast), now=NOW)
    unmask(cast.mo, reason="call", by=by(cast), now=NOW)
    page = read(as_(cast.clerk, client), f"/customers/{cast.mo.pk}/changes/")
    assert "上海" in page
    assert "查看了完整手机号" in page
    assert client.get(f"/customers/{cast.lan.pk}/changes/").status_code == 404, "of another store"


def test_erased_values_are_said_to_be_gone(hq: Client, cast: Cast) -> None:
    change(cast.mo.pk, {"city": "上海"}, by=by(cast), now=NOW)
    blank_values([cast.mo.pk])
    page = read(hq, f"/audit/?about=customer:{cast.mo.pk}")
    assert "上海" not in page
    assert "随本人一并删除" in page


def test_earlier_values_are_put_back_after_a_look(hq: Client, cast: Cast) -> None:
    change_settings(cast.chain, {"silent_after_days": 45}, by=by(cast), now=NOW)
    line = AuditLine.objects.latest("id")
    page = read(hq, f"/audit/{line.pk}/restore/")
    assert "60" in page
    answer = hq.post(f"/audit/{line.pk}/restore/", {"field": ["silent_after_days"], "now_silent_after_days": "45"})
    assert answer.status_code == 303
    cast.chain.refresh_from_db()
    assert cast.chain.silent_after_days == 60


def test_what_changed_while_she_looked_is_not_written_over(hq: Client, cast: Cast) -> None:
    change_settings(cast.chain, {"silent_after_days": 45}, by=by(cast), now=NOW)
    line = AuditLine.objects.latest("id")
    change_settings(cast.chain, {"silent_after_days": 50}, by=by(cast), now=NOW)
    assert "之后又改过" in read(hq, f"/audit/{line.pk}/restore/")
    stale = {"field": ["silent_after_days"], "now_silent_after_days": "45"}
    assert hq.post(f"/audit/{line.pk}/restore/", stale).status_code == 409
    cast.chain.refresh_from_db()
    assert cast.chain.silent_after_days == 50
    assert hq.post(f"/audit/{line.pk}/restore/", {}).status_code == 422


def test_a_line_with_nothing_to_put_back_says_so(hq: Client, cast: Cast) -> None:
    add_tag(cast.mo, "怕疼", now=NOW)
    assert hq.get(f"/audit/{AuditLine.objects.latest('id').pk}/restore/").status_code == 409
    assert hq.get("/audit/999999/restore/").status_code == 404
