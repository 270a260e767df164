"""Groups of tags, how long one is believed, and the rules that put them on: kept by machines as on the page."""

from collections.abc import Callable
from typing import Any

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from changke.facts.customers.models import Tag, TagWord
from changke.foundation.audit.models import AuditLine
from changke.profiles.affinity.models import TagRule
from tests.cast import Cast
from tests.interfaces.api.conftest import Caller

pytestmark = pytest.mark.django_db


def test_a_group_is_made_changed_and_dropped(hq: Caller, cast: Cast) -> None:
    made = hq.post("/tag-groups", {"name": "肤质", "only_one": True})
    assert (made.status_code, made.json()["tags"]) == (201, [])
    taken = hq.post("/tag-groups", {"name": "肤质"})
    assert (taken.status_code, taken.json()["code"]) == (409, "tag_name_taken")
    number = made.json()["id"]
    assert hq.send("PUT", "/tag-words", {"name": "油性", "group": number, "stale_after_days": 365}).json() == {
        "name": "油性", "group": number, "stale_after_days": 365,
    }  # fmt: skip
    assert hq.send("PUT", f"/tag-groups/{number}", {"name": "皮肤"}).json() == {
        "id": number, "name": "皮肤", "only_one": False, "tags": ["油性"],
    }  # fmt: skip
    assert [one["name"] for one in hq.get("/tag-groups").json()] == ["皮肤"]
    assert hq.send("DELETE", f"/tag-groups/{number}", "").status_code == 204
    assert hq.get("/tag-words").json() == [{"name": "油性", "group": None, "stale_after_days": 365}]
    assert hq.send("DELETE", f"/tag-groups/{number}", "").status_code == 404
    assert AuditLine.objects.filter(action="tag_group.removed", actor_kind="key").count() == 1


def test_what_was_decided_about_a_tag_is_taken_back(hq: Caller, cast: Cast) -> None:
    hq.send("PUT", "/tag-words", {"name": "油性", "stale_after_days": 30})
    assert hq.send("PUT", "/tag-words", {"name": "油性", "group": 999}).json()["field"] == "group"
    assert hq.send("PUT", "/tag-words", {"name": "油性", "stale_after_days": 0}).status_code == 422
    assert hq.post("/tag-words/forget", {"name": "油性"}).status_code == 204
    assert not TagWord.objects.exists()
    assert hq.post("/tag-words/forget", {"name": "油性"}).status_code == 404


def test_a_rule_says_whom_it_means_before_it_is_made(hq: Caller, cast: Cast) -> None:
    rule = {"name": "补水", "item": "F1", "tag": "做过补水"}
    tried = hq.post("/tag-rules", rule | {"dry_run": True})
    assert (tried.status_code, tried.json()["id"], TagRule.objects.count()) == (201, 0, 0)
    assert tried.json()["customers"] > 0
    made = hq.post("/tag-rules", rule | {"past": True}).json()
    assert (made["item"], made["category"], made["occasion"], made["is_active"]) == ("F1", None, "any", True)
    assert ProcrastinateJob.objects.filter(task_name="apply_tag_rule").count() == 1
    again = hq.send("PUT", f"/tag-rules/{made['id']}", rule | {"item": None, "category": cast.facial.category_id})
    assert (again.json()["item"], again.json()["category"]) == (None, cast.facial.category_id)
    told = hq.send("PUT", f"/tag-rules/{made['id']}", rule | {"is_active": False, "dry_run": True}).json()
    assert (told["id"], TagRule.objects.get().is_active) == (made["id"], True)
    assert [one["name"] for one in hq.get("/tag-rules").json()] == ["补水"]
    assert hq.send("DELETE", f"/tag-rules/{made['id']}", "").status_code == 204
    assert not TagRule.objects.exists()
    assert not Tag.objects.filter(name="做过补水").exists()


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({"category": 1_000_000}, 422, "category"),
        ({"item": "nothing"}, 404, "unknown_item"),
        ({"item": None}, 422, "item"),
        ({"tag": " "}, 422, "tag"),
        ({"occasion": "never"}, 422, "occasion"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(
    hq: Caller, cast: Cast, changes: dict[str, Any], status: int, says: str
) -> None:
    answer = hq.post("/tag-rules", {"name": "补水", "item": "F1", "tag": "做过补水"} | changes)
    told = answer.json()
    assert answer.status_code == status
    assert says in (told["code"], told.get("field"))
    assert not TagRule.objects.exists()


def test_a_store_decides_about_no_tags(key_of: Callable[[str], Caller]) -> None:
    for role in ("manager", "staff", "analyst"):
        caller = key_of(role)
        for path in ("/tag-groups", "/tag-words", "/tag-rules"):
            assert caller.get(path).status_code == 403, (role, path)
        assert caller.post("/tag-groups", {"name": "x"}).status_code == 403
