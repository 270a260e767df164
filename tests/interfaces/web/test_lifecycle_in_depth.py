"""Time and needs of the stages, and the health of the stores, as pages and over the API."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from changke.facts.customers.services.tags import add_tag
from changke.foundation.access.models import Staff
from changke.foundation.access.services import issue_key
from changke.interfaces.web.lifecycle.stages import _share
from changke.profiles.lifecycle.models import StageModel, StageSpell, StoreMonth
from changke.profiles.lifecycle.services.spells import sample_spells
from tests.cast import NOW, TODAY, Cast, ago
from tests.clock import Clock
from tests.interfaces.api.conftest import Caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(computed_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Cast:
    Clock(monkeypatch, NOW)
    return computed_cast


def waiting() -> int:
    """Wishes to have the times taken that wait for the worker."""
    return ProcrastinateJob.objects.filter(task_name="sample_spells", status="todo").count()


def signed_in(person: Staff) -> Client:
    client = Client()
    client.force_login(person)  # type: ignore[arg-type]
    return client


@pytest.fixture
def key_of(shop: Cast) -> Callable[[str], Caller]:
    def make(role: str) -> Caller:
        stores = [] if role == "hq" else [shop.jing_an]
        return Caller(issue_key(name=role, role=role, stores=stores, now=NOW).secret)

    return make


def test_before_the_first_sample_the_page_asks_for_one_and_says_so(shop: Cast) -> None:
    page = signed_in(shop.owner).get("/lifecycle/stages/").content.decode()
    assert "停留时间正在计算" in page
    assert waiting() == 1
    signed_in(shop.owner).get("/lifecycle/stages/")
    assert waiting() == 1, "asked for twice it is one wish"
    with connection.cursor() as sql:
        sql.execute("DELETE FROM procrastinate_jobs")
    sample_spells(now=NOW)
    page = signed_in(shop.owner).get("/lifecycle/stages/").content.decode()
    assert "停留时间正在计算" not in page
    assert waiting() == 0, "a sample of today is not taken again"
    StageSpell.objects.update(as_of=ago(8))
    signed_in(shop.owner).get("/lifecycle/stages/")
    assert waiting() == 1, "one of last week is"


def test_a_stage_says_how_long_and_what_is_needed(shop: Cast) -> None:
    for days in (10, 20, 30, 40, 50):
        StageSpell.objects.create(
            model="m4", stage="intro", store_id=shop.jing_an.pk, first_on=ago(days), weight_milli=1_000, as_of=TODAY
        )
    add_tag(shop.ying, "敏感肌", now=NOW)
    page = signed_in(shop.owner).get("/lifecycle/stages/")
    intro = page.context["stages"][0]
    assert intro["time"].now_days == 30
    tags = dict(intro["kinds"])["tags"]
    assert [(one["words"], one["share"], one["of_all"], one["is_own"]) for one in tags] == [
        ("敏感肌", "50%", "17%", True)
    ]
    said = page.content.decode()
    for words in ("30 天", "敏感肌", "深层补水", "近 90 天买过"):
        assert words in said, words
    other = signed_in(shop.owner).get("/lifecycle/stages/?model=m1")
    assert other.context["model"].key == "m1"
    manager = signed_in(shop.manager).get("/lifecycle/stages/")
    assert [one["customers"] for one in manager.context["stages"]][-1] == 0, "Lan's home is the other store"


def test_the_health_of_the_stores_one_works_in(shop: Cast) -> None:
    page = signed_in(shop.owner).get("/lifecycle/health/")
    rows = {row["store"].code: row for row in page.context["rows"]}
    assert set(rows) == {"JA", "XH"}
    february = StoreMonth.objects.get(store_id=shop.jing_an.pk, day=dt.date(2026, 2, 28))
    assert (february.buyers, rows["JA"]["links"][0]["said"]) == (2, "2"), "Qiu and Vera"
    assert rows["XH"]["breaks_at"] == "", "what was nothing before cannot fall"
    assert page.context["charts"] == [], "nobody chose a store"
    chosen = signed_in(shop.owner).get(f"/lifecycle/health/?store={shop.jing_an.pk}")
    assert [str(one["name"]) for one in chosen.context["charts"]] == ["消费客户", "成交天数", "90 天内回来", "人均利润"]
    assert all(chart["rows"] for chart in chosen.context["charts"])
    hers = signed_in(shop.manager).get(f"/lifecycle/health/?store={shop.xu_hui.pk}")
    assert [row["store"].code for row in hers.context["rows"]] == ["JA"]
    assert hers.context["chosen"].code == "JA", "a foreign store is not opened"
    assert signed_in(shop.owner).get("/lifecycle/health/?store=x").status_code == 200


def test_without_a_whole_month_the_page_says_so(shop: Cast) -> None:
    StoreMonth.objects.all().delete()
    assert "还没有完整的月份" in signed_in(shop.owner).get("/lifecycle/health/").content.decode()


def test_without_a_model_there_is_nothing_to_say_of_stages(shop: Cast) -> None:
    StageModel.objects.update(is_in_use=False)
    assert signed_in(shop.owner).get("/lifecycle/stages/").status_code == 200
    assert waiting() == 0


def test_the_api_says_the_same(shop: Cast, key_of: Callable[[str], Caller]) -> None:
    hq, manager = key_of("hq"), key_of("manager")
    assert hq.get("/stages/m4/times").json()["as_of"] is None
    sample_spells(now=NOW)
    times = hq.get("/stages/m4/times").json()
    assert times["as_of"] == TODAY.isoformat()
    silent = next(one for one in times["stages"] if one["stage"] == "silent")
    assert silent == {"stage": "silent", "now_days": None, "now_of": 1, "left_days": None, "left_of": silent["left_of"]}
    add_tag(shop.ying, "敏感肌", now=NOW)
    intro = hq.get("/stages/m4/needs").json()[0]
    assert (intro["stage"], intro["customers"], intro["tags"][0]["what"]) == ("intro", 2, "敏感肌")
    assert [one["customers"] for one in manager.get("/stages/m4/needs").json()][-1] == 0
    health = {one["store"]: one for one in hq.get("/store-health").json()}
    assert set(health) == {"JA", "XH"}
    assert health["JA"]["months"][-1]["buyers"] == 2
    assert [one["link"] for one in health["JA"]["links"]] == ["customers", "deals", "loyalty", "profit"]
    assert [one["store"] for one in manager.get("/store-health").json()] == ["JA"]
    assert manager.get("/store-health", store="XH").status_code == 404
    for path in ("/stages/m99/times", "/stages/m8/needs"):
        assert hq.get(path).status_code == 404


@pytest.mark.parametrize(("share", "said"), [(0.0, "0%"), (0.001, "<1%"), (0.005, "1%"), (0.994, "99%"), (1.0, "100%")])
def test_a_share_that_is_not_nobody_is_not_told_as_nobody(share: float, said: str) -> None:
    assert _share(share) == said
