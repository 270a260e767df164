"""The audit trail for machines that keep it elsewhere."""

from collections.abc import Callable

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from changke.facts.customers.services.tags import add_tag
from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.rules import MASK
from changke.foundation.organisation.models import Chain
from changke.interfaces import jobs
from tests.cast import Cast
from tests.interfaces.api.conftest import NOW, Caller


@pytest.mark.parametrize("role", ["manager", "staff"])
def test_a_key_of_a_store_is_refused(cast: Cast, key_of: Callable[[str], Caller], role: str) -> None:
    assert key_of(role).get("/audit").status_code == 403


def test_lines_come_newest_first_in_pages(cast: Cast, hq: Caller) -> None:
    for number in range(5):
        add_tag(cast.mo, f"t{number}", now=NOW)
    first = hq.get("/audit", customer_id=cast.mo.pk, action="tag.added", limit=3).json()
    second = hq.get("/audit", customer_id=cast.mo.pk, action="tag.added", limit=3, cursor=first["next"]).json()
    told = [one["id"] for one in first["items"] + second["items"]]
    assert (told, second["next"]) == (sorted(told, reverse=True), None)
    assert len(told) == 5
    assert {one["after"]["tag"] for one in first["items"]} == {MASK}, "what is said of a customer"
    line = first["items"][0]
    assert (line["subject"], line["words"], line["erased"]) == (f"customer:{cast.mo.pk}", "Tag added", False)


def test_what_is_no_position_is_refused(cast: Cast, hq: Caller) -> None:
    assert hq.get("/audit", cursor="zzz").status_code == 422


def test_earlier_values_are_put_back(hq: Caller, cast: Cast) -> None:
    hq.patch("/chain", {"name": "乙", "silent_after_days": 45})
    line = AuditLine.objects.get(action="chain.changed").pk
    told = {one["name"]: one for one in hq.get(f"/audit/{line}/restore").json()["fields"]}
    assert (told["silent_after_days"]["now"], told["silent_after_days"]["then"]) == (45, 60)
    assert not any(one["changed_since"] for one in told.values())
    moved = hq.post(f"/audit/{line}/restore", {"fields": ["name"], "seen": {"name": "丙"}})
    assert (moved.status_code, moved.json()["code"]) == (409, "changed_since")
    answer = hq.post(f"/audit/{line}/restore", {"fields": ["silent_after_days"], "seen": {"silent_after_days": 45}})
    assert answer.status_code == 200, answer.content
    chain = Chain.objects.get()
    assert (chain.silent_after_days, chain.name) == (60, "乙")
    assert AuditLine.objects.get(action="audit.restored").actor_kind == "key"
    assert ProcrastinateJob.objects.filter(task_name="refresh_everybody", status="todo").exists()


def test_what_somebody_changed_since_is_put_back_by_its_name_only(hq: Caller, cast: Cast) -> None:
    hq.patch("/chain", {"name": "乙"})
    line = AuditLine.objects.get(action="chain.changed").pk
    hq.patch("/chain", {"name": "丙"})
    assert hq.post(f"/audit/{line}/restore", {}).json()["code"] == "changed_since"
    assert Chain.objects.get().name == "丙"
    assert hq.post(f"/audit/{line}/restore", {"fields": ["soul"]}).status_code == 422
    assert hq.post(f"/audit/{line}/restore", {"fields": ["name"]}).status_code == 200
    assert Chain.objects.get().name == cast.chain.name
    assert hq.post(f"/audit/{line}/restore", {}).json()["code"] == "not_restorable", "it stands there already"


def test_nothing_is_put_back_that_was_not_changed_or_not_by_whom_it_is_not_his(
    hq: Caller, manager: Caller, key_of: Callable[[str], Caller], cast: Cast
) -> None:
    hq.post("/regions", {"name": "新区"})
    made = AuditLine.objects.get(action="region.added", actor_kind="key").pk
    assert hq.get(f"/audit/{made}/restore").json()["code"] == "not_restorable"
    assert hq.get("/audit/1000000/restore").status_code == 404
    hq.patch("/chain", {"name": "乙"})
    line = AuditLine.objects.get(action="chain.changed").pk
    for caller in (manager, key_of("staff")):
        assert caller.get(f"/audit/{line}/restore").status_code == 403
        assert caller.post(f"/audit/{line}/restore", {}).status_code == 403
    assert Chain.objects.get().name == "乙"


def test_the_trail_is_verified_when_asked(hq: Caller, manager: Caller, cast: Cast) -> None:
    assert hq.get("/audit/check").json() is None
    for _ in range(2):
        assert hq.post("/audit/check", "").status_code == 202
    waiting = ProcrastinateJob.objects.filter(task_name="verify_audit", status="todo")
    assert waiting.count() == 1, "two wishes before the first began are one"
    jobs.verify_audit(**waiting.get().args)
    found = hq.get("/audit/check").json()
    assert (found["broken_count"], found["broken"]) == (0, [])
    assert found["lines"] + found["unsealed"] == AuditLine.objects.count()
    assert (manager.get("/audit/check").status_code, manager.post("/audit/check", "").status_code) == (403, 403)


def test_what_a_line_says_of_a_customer_is_put_back_unread(hq: Caller, cast: Cast) -> None:
    hq.patch(f"/customers/{cast.vera.pk}", {"city": "北京"})
    hq.patch(f"/customers/{cast.vera.pk}", {"city": "上海"})
    line = AuditLine.objects.filter(customer_id=cast.vera.pk, action="customer.changed").latest("pk").pk
    looked = hq.get(f"/audit/{line}/restore")
    answer = hq.post(f"/audit/{line}/restore", {"fields": ["city"]})
    assert (looked.status_code, answer.status_code) == (200, 200), answer.content
    assert {(one["now"], one["then"]) for one in looked.json()["fields"]} == {(MASK, MASK)}
    assert "北京" not in answer.content.decode() + looked.content.decode()
    assert hq.get(f"/customers/{cast.vera.pk}").json()["city"] == "北京"
