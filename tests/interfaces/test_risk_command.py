"""`changke risk`: the past asked through the mirror, a row or a threshold put into use."""

import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from changke.facts.purchases.models import Receipt
from changke.foundation.batches.models import Batch
from changke.foundation.database.append_only import current_xid
from changke.interfaces import analytics
from changke.profiles.risk import rules
from changke.profiles.risk.models import BackTest, ServiceLine
from changke.profiles.risk.services import backtests
from tests.cast import NOW, Cast, ago, buys

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop(cast: Cast, settings: Settings, tmp_path: Path) -> Cast:
    settings.DATA_DIR = tmp_path
    return cast


def told(*words: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("risk", *words, "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue().strip().splitlines()[-1])
    return found


def test_the_past_is_asked_and_a_row_put_into_use(shop: Cast) -> None:
    said = told("backtest", "--precision", "60", "--horizon", "30")
    assert (said["customers"], said["first_on"]) == (5, str(ago(342)))
    assert [row["kind"] for row in said["rows"]][:2] == ["fixed", "fixed"]
    assert told("rule") == {"kind": None}
    assert told("use", "--row", "1")["kind"] == "fixed"
    own = told("use", "--kind", "outlook", "--threshold", "35")
    assert (own["kind"], own["threshold"]) == ("outlook", 3_500)
    latest = told("use", "--kind", "outlook", "--threshold", "56", "--latest", "90")
    assert (latest["threshold"], latest["latest_days"]) == (5_600, 90)
    assert told("off") == {"kind": None}


def test_lines_of_services_are_switched_and_listed(shop: Cast) -> None:
    with pytest.raises(CommandError, match="还没有启用任何预警规则"):
        told("lines", "--turn", "on")
    told("use", "--kind", "fixed", "--threshold", "120")
    assert told("lines") == {"per_line": False, "lines": []}
    assert told("lines", "--turn", "on")["per_line"]
    assert told("use", "--kind", "fixed", "--threshold", "90")["per_line"], "another rule looks at lines as well"
    line = ServiceLine.objects.create(category=shop.facial.category, learned_on=ago(0), cycle_days=28, threads=120)
    (row,) = told("lines", "--line", str(line.pk), "--turn", "off")["lines"]
    assert (row["name"], row["cycle_days"], row["is_on"]) == ("面部护理", 28, False)
    with pytest.raises(CommandError, match="--turn"):
        told("lines", "--line", str(line.pk))


@pytest.mark.parametrize(("words", "said"), [
    (["backtest", "--precision", "100"], "95"),
    (["use"], "say which"),
    (["use", "--row", "1"], ""),
    (["use", "--kind", "fixed", "--threshold", "3"], "720"),
    (["use", "--kind", "outlook", "--threshold", "56", "--latest", "14"], "15"),
    (["use", "--kind", "fixed", "--threshold", "60", "--latest", "90"], "最后一天"),
])  # fmt: skip
def test_what_cannot_be_done_says_why(shop: Cast, words: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        told(*words)


def test_returned_and_withdrawn_purchases_and_days_to_come_teach_nothing(shop: Cast) -> None:
    def days() -> int:
        return len(analytics._purchase_days(ago(1))["customer_id"])

    before = days()
    buys(shop.vera, shop.facial, 28_800, on=ago(3), store=shop.jing_an, key="kept")
    assert days() == before + 1
    buys(shop.vera, shop.facial, 28_800, on=ago(3), store=shop.jing_an, key="the same day")
    buys(None, shop.facial, 28_800, on=ago(3), store=shop.jing_an, key="nobody")
    buys(shop.vera, shop.facial, 28_800, on=ago(0), store=shop.jing_an, key="today")
    assert days() == before + 1
    mistake = buys(shop.vera, shop.facial, 28_800, on=ago(2), store=shop.jing_an, key="mistake")
    batch = Batch.objects.create(kind="load", created_at=NOW)
    Receipt.objects.filter(pk=mistake.pk).update(withdrawn_by=batch, txid=current_xid())
    back = Receipt.objects.create(
        kind="return", customer=shop.qiu, store=shop.jing_an, original_number="qiu-2", number="back",
        source=Receipt.objects.get(number="qiu-2").source,
        cash_minor=28_800, consumed_minor=28_800, items=1, happened_at=NOW, business_date=ago(1), recorded_at=NOW,
        source_key="back",
    )  # fmt: skip
    assert back.pk
    assert days() == before  # Qiu's second day is as if it had not been


def test_a_backtest_that_breaks_lets_the_next_one_ask(shop: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(analytics, "backtest", breaks)
    with pytest.raises(RuntimeError):
        told("backtest")
    assert BackTest.objects.get().state == "failed"
    backtests.ask(rules.Asked(), by_name="x", now=dt.datetime.now(dt.UTC))
