"""The back-test as a page: asked, watched, read, and a row of it put into use."""

import pytest
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from changke.profiles.risk import rules
from changke.profiles.risk.models import BackTest, State
from changke.profiles.risk.queries import rule_in_use
from changke.profiles.risk.services import backtests
from tests.cast import NOW, Cast
from tests.clock import Clock
from tests.profiles.risk.past import past

pytestmark = pytest.mark.django_db
PAGE = "/risk/rules/"


@pytest.fixture
def hq(client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Client:
    Clock(monkeypatch, NOW)
    client.force_login(cast.hq)
    return client


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
    for words in ("沉默能说明问题", "并排比较", "沉默 90 天", "先看这一条", "400"):
        assert words in page, words
    place = rules.best_of(BackTest.objects.get().rows)
    assert hq.post("/risk/rules/use/", {"backtest": made.pk, "row": place})["Location"] == f"{PAGE}?test={made.pk}"
    standing = rule_in_use()
    assert standing is not None
    assert (standing.chosen_by, standing.backtest_id) == ("李运营", made.pk)
    assert "启用</span>" in text(hq)
    hq.post("/risk/rules/use/", {"none": "1"})
    assert rule_in_use() is None


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
