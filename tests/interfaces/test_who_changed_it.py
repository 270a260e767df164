"""Whatever somebody does through a page or a route has her name on it."""

import pytest
from django.test import Client

from changke.foundation.audit.models import AuditLine
from tests.cast import PASSWORD, Cast

STAGES = {
    "name": "花漾",
    "silent_after_days": "45",
    "lost_after_days": "180",
    "mature_visit_days": "6",
    "activity_kinds": ["visit", "purchase", "use"],
}


@pytest.fixture
def hq(client: Client, cast: Cast) -> Client:
    client.force_login(cast.hq)
    return client


def last() -> AuditLine:
    return AuditLine.objects.latest("id")


def test_days_changed_on_the_page(hq: Client, cast: Cast) -> None:
    answer = hq.post("/settings/", STAGES)
    line = last()
    assert (line.action, line.before, line.after) == (
        "chain.changed",
        {"silent_after_days": 60},
        {"silent_after_days": 45},
    )
    assert (line.actor_name, line.actor_id, line.address) == ("李运营", cast.hq.pk, "127.0.0.1")
    assert line.request_id == answer["X-Request-ID"]


def test_a_form_saved_as_it_was_leaves_no_line(hq: Client) -> None:
    before = AuditLine.objects.count()
    hq.post("/settings/", {**STAGES, "silent_after_days": "60"})
    assert AuditLine.objects.count() == before


def test_who_came_in_and_who_failed(client: Client, cast: Cast) -> None:
    client.post("/login/", {"username": "HQ", "password": "guess"})
    assert (last().action, last().subject, last().actor_name) == ("login.failed", f"staff:{cast.hq.pk}", "李运营")
    client.post("/login/", {"username": "nobody-here", "password": "guess"})
    assert (last().action, last().subject, last().actor_name) == ("login.failed", "staff:0", "")
    client.post("/login/", {"username": "hq", "password": PASSWORD})
    assert (last().action, last().actor_id) == ("login.succeeded", cast.hq.pk)


def test_a_new_password_is_told_and_not_shown(hq: Client, cast: Cast) -> None:
    hq.post(
        f"/settings/staff/{cast.clerk.pk}/",
        {"name": "苏晴", "username": "clerk", "role": "staff", "stores": [cast.jing_an.pk], "is_active": "on",
         "password": "blue-mountain-78"},
    )  # fmt: skip
    assert last().action == "staff.changed"
    assert "blue-mountain" not in str(last().after)
