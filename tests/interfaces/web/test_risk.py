"""The back-test as a page: asked, watched, read, and a row of it put into use."""

import datetime as dt

import pytest
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from changke.facts.events import services as events
from changke.facts.events.models import Event
from changke.foundation.organisation.scope import Scope
from changke.interfaces import words
from changke.interfaces.exporters import services as _registered  # noqa: F401 -- sets of rows register themselves
from changke.interfaces.exporters.shape import DATASETS, Ask
from changke.profiles.lifecycle import queries
from changke.profiles.lifecycle.models import StageModel
from changke.profiles.risk import rules
from changke.profiles.risk.models import BackTest, ChurnWarning, State
from changke.profiles.risk.queries import rule_in_use
from changke.profiles.risk.services import backtests
from changke.profiles.risk.services.causes import find_causes
from changke.profiles.risk.services.choose import use
from tests.cast import NOW, TODAY, Cast, know_everybody
from tests.clock import Clock
from tests.profiles.risk.past import past

pytestmark = pytest.mark.django_db
PAGE = "/risk/rules/"


@pytest.fixture
def hq(client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Client:
    Clock(monkeypatch, NOW)
    client.force_login(cast.hq)
    return client


@pytest.fixture
def warned(hq: Client, cast: Cast) -> Cast:
    """Mo of 静安 is warned of, with a complaint; and Lan of 徐汇, whom 静安 does not see."""
    know_everybody()
    events.record(
        "complaint.received", customer=cast.mo, source_key="c", happened_at=NOW - dt.timedelta(days=60), now=NOW
    )
    rule = use(rules.Wanted("fixed", 55), now=NOW)
    for customer, silent in ((cast.mo, 61), (cast.lan, 200)):
        ChurnWarning.objects.create(
            customer=customer, silent_since=TODAY - dt.timedelta(days=silent), rule=rule, opened_on=TODAY,
            opened_at=NOW, purchases=6, outlook_then_bp=7_100, outlook_opened_bp=1_800, outlook_bp=1_800,
            expected_on=dt.date(2026, 1, 26), value_at_risk_minor=352_800,
        )  # fmt: skip
    find_causes(today=TODAY)
    return cast


def test_the_list_names_stages_as_the_default_model_does(hq: Client, warned: Cast) -> None:
    hq.cookies["django_language"] = "en"
    page = text(hq, "/risk/")
    assert "Silent" in page
    assert "Quiet" not in page
    StageModel.objects.filter(is_default=True).update(definition=renamed("silent", "Asleep"))
    with pytest.MonkeyPatch.context() as fresh:  # a model that was read is kept by the moment of its publishing
        fresh.setattr(queries, "_read", queries._read.__wrapped__)
        assert "Asleep" in text(hq, "/risk/")


def renamed(stage: str, called: str) -> dict[str, object]:
    """The default model with another English word for a stage."""
    found = StageModel.objects.get(is_default=True).definition
    stages = [
        {**one, "words": {**one["words"], "en": called}} if one["key"] == stage else one for one in found["stages"]
    ]
    return {**found, "stages": stages}


def test_the_list_says_why_from_which_fact_and_what_to_do(hq: Client, warned: Cast) -> None:
    page = text(hq, "/risk/")
    for said in ("莫愁", "岚岚", "01-26", "61 天", "18%", "可能因为投诉过", "01-03", "道歉并补救", "¥3,528"):
        assert said in page, said
    assert "可能因为投诉过（01-03）" in page
    assert "。 " not in page, "no space behind a full stop"
    assert "岚岚" not in text(hq, "/risk/?cause=complaint")
    assert "莫愁" not in text(hq, "/risk/?cause=unknown")
    assert "莫愁" not in text(hq, f"/risk/?store={warned.xu_hui.pk}")
    assert "没有预警" in text(hq, "/risk/?ended=lost")
    assert "岚岚" in text(hq, "/risk/?stage=lost")
    assert text(hq, "/risk/?store=x&after=no~1&stage=;&cause=?&ended=?&adviser=9999999999999999999999")


def test_each_warning_says_which_part_of_the_rule_it_was(hq: Client, warned: Cast) -> None:
    assert "预警的原因：沉默满 55 天。" in text(hq, "/risk/")
    rule = use(rules.Wanted("outlook", 5_600, latest_days=90), now=NOW)
    ChurnWarning.objects.filter(customer=warned.lan).update(rule=rule, fired_by="latest")
    ChurnWarning.objects.filter(customer=warned.mo).update(rule=rule, fired_by="outlook")
    last = "预警的原因：沉默满 90 天，到了规则的最后一天；单看回来的可能还不必预警。"
    page = text(hq, "/risk/")
    for said in (last, "预警的原因：回来的可能低于 56%。", "90 天内回来的可能低于 56%，最晚沉默 90 天"):
        assert said in page, said
    assert last in text(hq, f"/customers/{warned.lan.pk}/outlook/")
    assert last in text(hq, "/")
    (row,) = [row for row in DATASETS["warnings"].rows(Ask(Scope(None), "")) if row[1] == "岚岚"]
    assert "到了规则的最后一天" in row


def test_a_store_sees_its_own_warnings_only(hq: Client, warned: Cast) -> None:
    hq.force_login(warned.manager)
    page = text(hq, "/risk/")
    assert "莫愁" in page
    assert "岚岚" not in page
    assert hq.post(f"/risk/customers/{warned.lan.pk}/", {"outcome": "done"}).status_code == 404


def test_a_tap_says_what_came_of_it_and_a_second_one_is_the_same(hq: Client, warned: Cast) -> None:
    address = f"/risk/customers/{warned.mo.pk}/"
    part = hq.post(address, {"outcome": "not_reached", "after": "0"}, headers={"HX-Request": "true"}).content.decode()
    assert "没联系上" in part or "未联系上" in part or "未接通" in part
    hq.post(address, {"outcome": "done", "after": "0"})
    (event,) = Event.objects.filter(kind="followup.recorded")
    assert (event.data["outcome"], event.data["reason"]) == ("not_reached", "at_risk")
    assert hq.post(address, {"outcome": "postponed", "after": "0"}).status_code == 422
    hq.post(address, {"outcome": "lost", "because": "moved", "after": str(event.pk)})
    one = ChurnWarning.objects.get(customer=warned.mo)
    assert (one.ended, one.ended_on) == ("lost", TODAY)
    assert f'id="warning-{one.pk}"' not in text(hq, "/risk/")
    assert f'id="warning-{one.pk}"' in text(hq, "/risk/?ended=lost")


def test_today_names_her_in_place_of_newly_silent(hq: Client, warned: Cast) -> None:
    page = text(hq, "/")
    assert "可能流失" in page
    assert "刚沉默" not in page
    assert page.count("莫愁") >= 1


def test_her_page_loads_her_outlook_and_warnings(hq: Client, warned: Cast) -> None:
    assert f"/customers/{warned.mo.pk}/outlook/" in text(hq, f"/customers/{warned.mo.pk}/")
    part = text(hq, f"/customers/{warned.mo.pk}/outlook/")
    for said in ("18%", "可能因为投诉过", "预警"):
        assert said in part, said


def test_warnings_are_exported_as_they_are_filtered(hq: Client, warned: Cast) -> None:
    ask = Ask(Scope(frozenset({warned.jing_an.pk})), "cause=complaint")
    (row,) = DATASETS["warnings"].rows(ask)
    assert DATASETS["warnings"].count(ask) == 1
    assert row[1] == "莫愁"
    assert len(row) == len(DATASETS["warnings"].columns)


def typed(**changes: str) -> dict[str, str]:
    return {"horizon_days": "90", "minimum_silence_days": "14", "least_purchases": "1", "precision": "", "weekly": "",
            **changes}  # fmt: skip


def text(client: Client, address: str = PAGE) -> str:
    return client.get(address).content.decode()


def test_nobody_asked_yet(hq: Client) -> None:
    page = text(hq)
    assert "还没有选定" in page
    assert "还没有回测过" in page


def test_it_is_asked_watched_read_and_used(hq: Client) -> None:
    assert hq.post("/risk/rules/ask/", typed(precision="55", weekly="10"))["Location"] == PAGE
    made = BackTest.objects.get()
    assert (made.state, made.wanted_precision_bp, made.wanted_weekly) == (State.WAITING, 5_500, 10)
    assert ProcrastinateJob.objects.filter(task_name="run_backtest", args={"backtest_id": made.pk}).exists()
    assert "every 1500ms" in text(hq)
    backtests.run(made.pk, past(400), now=NOW)
    page = text(hq)
    assert "every 1500ms" not in page
    for said in ("沉默能说明问题", "并排比较", "沉默 90 天", "先看这一条", "400"):
        assert said in page, said
    place = rules.best_of(BackTest.objects.get().rows)
    assert hq.post("/risk/rules/use/", {"backtest": made.pk, "row": place})["Location"] == f"{PAGE}?test={made.pk}"
    standing = rule_in_use()
    assert standing is not None
    assert (standing.chosen_by, standing.backtest_id) == ("李运营", made.pk)
    assert "启用</span>" in text(hq)
    assert "沉默 90 天：没有哪个“回来的可能”同样准" in page
    hq.post("/risk/rules/use/", {"none": "1"})
    assert rule_in_use() is None


def test_a_row_with_a_last_day_is_put_into_use(hq: Client) -> None:
    made = backtests.ask(rules.Asked(), by_name="李运营", now=NOW)
    rows = backtests.run(made.pk, past(400, leaving=0.0), now=NOW).rows
    place = next(place for place, row in enumerate(rows) if row["latest_days"] and row["usable"])
    hq.post("/risk/rules/use/", {"backtest": made.pk, "row": place})
    standing = rule_in_use()
    assert standing is not None
    assert standing.latest_days == rows[place]["latest_days"]
    page = text(hq)
    assert page.count(words.risk_rule("outlook", standing.threshold, 90, standing.latest_days)) >= 2
    assert page.count("启用</span>") == 2  # one in the table, one on its card for phones


def test_a_memoryless_shop_is_told_that_no_warning_is_worth_raising(hq: Client) -> None:
    made = backtests.ask(rules.Asked(horizon_days=30), by_name="李运营", now=NOW)
    backtests.run(made.pk, past(500, leaving=0.0, alike=True), now=NOW)
    assert "不值得发任何预警" in text(hq)


def test_an_empty_shop_is_told_that_there_is_too_little_past(hq: Client) -> None:
    made = backtests.ask(rules.Asked(), by_name="李运营", now=NOW)
    backtests.run(made.pk, past(0), now=NOW)
    page = text(hq)
    assert "数据太少" in page
    assert "历史太短" in page


@pytest.mark.parametrize("wrong", [{"precision": "100"}, {"weekly": "no"}, {"minimum_silence_days": ""}])
def test_what_cannot_be_asked_stands_beside_its_input(hq: Client, wrong: dict[str, str]) -> None:
    answer = hq.post("/risk/rules/ask/", typed(**wrong))
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.content.decode()
    assert not BackTest.objects.exists()


def test_a_row_that_is_not_there_is_refused(hq: Client) -> None:
    assert hq.post("/risk/rules/use/", {"backtest": "7", "row": "0"}).status_code == 404
    made = backtests.ask(rules.Asked(), by_name="x", now=NOW)
    backtests.run(made.pk, past(0), now=NOW)
    assert hq.post("/risk/rules/use/", {"backtest": made.pk, "row": "0"}).status_code == 422


def test_a_manager_looks_and_does_not_choose(hq: Client, cast: Cast) -> None:
    made = backtests.ask(rules.Asked(), by_name="x", now=NOW)
    backtests.run(made.pk, past(300), now=NOW)
    hq.force_login(cast.manager)
    page = text(hq)
    assert "并排比较" in page
    assert "在我们的历史上测试" not in page
    assert hq.post("/risk/rules/use/", {"backtest": made.pk, "row": "0"}).status_code == 403
