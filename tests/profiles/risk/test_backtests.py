"""A shop asks its past; a row of the answer warns; what cannot be is refused."""

import datetime as dt
from typing import Any

import numpy as np
import pytest

from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.rules import system
from changke.foundation.audit.services.restore import restore
from changke.foundation.errors import DomainError, Invalid
from changke.profiles.risk import rules
from changke.profiles.risk.models import BackTest, RiskRule, State
from changke.profiles.risk.queries import rule_in_use
from changke.profiles.risk.services import backtests
from changke.profiles.risk.services.choose import use, use_none, use_row
from tests.cast import NOW, Cast
from tests.profiles.risk.past import past

pytestmark = pytest.mark.django_db


def answered(days: dict[str, Any], **asked: int) -> BackTest:
    made = backtests.ask(rules.Asked(**asked), by_name="李运营", now=NOW)
    return backtests.run(made.pk, days, now=NOW)


def test_rules_stand_side_by_side_with_what_they_were_computed_on(cast: Cast) -> None:
    answered(past(400), precision_percent=55, weekly=10)
    kept = BackTest.objects.get()
    assert (kept.state, kept.customers, kept.has_signal) == (State.DONE, 400, True)
    assert (kept.first_on, kept.cut_on, kept.last_on) == (
        dt.date(2024, 3, 13),
        dt.date(2025, 1, 5),
        dt.date(2026, 2, 28),
    )
    assert (kept.done, kept.total) == (kept.total, 182)
    kinds = {(row["kind"], row["chosen_by"]) for row in kept.rows}
    assert {("fixed", ""), ("gaps", ""), ("outlook", "fixed_60"), ("outlook", "alerts"), ("fall", "precision")} <= kinds
    for row in kept.rows:
        assert 0 <= row["precision_bp"] <= 10_000
        # A last day beside no threshold is the fixed rule, which has a row of its own.
        assert row["usable"] == (row["kind"] != "gaps" and row["threshold"] > 0)
        assert row["threshold"] > 0 or row["latest_days"]
    assert {row["latest_days"] for row in kept.rows} == {None, 60, 90, 120}


def test_a_wish_for_few_warnings_brings_few(cast: Cast) -> None:
    few, many = answered(past(400), weekly=5), answered(past(400), weekly=30)

    def weekly(one: BackTest) -> int:
        return min(row["weekly_tenths"] for row in one.rows if row["chosen_by"] == "alerts")

    assert weekly(few) < weekly(many)
    assert weekly(few) <= 100  # chosen before the cut at five a week, judged after it
    assert [row for row in answered(past(400), weekly=1).rows if row["chosen_by"] == "alerts"] == []


def test_the_row_to_look_at_keeps_the_wish_and_leads_longest(cast: Cast) -> None:
    rows = answered(past(400), precision_percent=55).rows
    best = rules.best_of(rows)
    assert best is not None
    assert rows[best]["chosen_by"] == "precision"
    assert rows[best]["lead_days"] == max(row["lead_days"] for row in rows if row["chosen_by"] == "precision")


@pytest.mark.parametrize(
    ("fixed_lead", "outlook_lead", "threshold", "wished_lead", "best"),
    [
        (90, 126, 6_600, None, 1),  # customers differ: the outlook warns sooner at the same precision
        (90, 55, 2_600, None, 0),  # they do not: fixed days do
        (90, 55, 2_600, 40, 2),  # whoever has a wish sees what fulfils it
        (90, 90, 0, None, None),  # a last day alone is no finding
    ],
)
def test_the_row_to_look_at_first(
    fixed_lead: int, outlook_lead: int, threshold: int, wished_lead: int | None, best: int | None
) -> None:
    def row(kind: str, threshold: int, lead: int, chosen_by: str) -> dict[str, Any]:
        return {"kind": kind, "threshold": threshold, "lead_days": lead, "chosen_by": chosen_by,
                "precision_bp": 5_000, "usable": threshold > 0}  # fmt: skip

    rows = [row("fixed", 90, fixed_lead, ""), row("outlook", threshold, outlook_lead, "fixed_90")]
    rows += [row("outlook", 4_000, wished_lead, "precision")] if wished_lead else []
    assert rules.best_of(rows) == best


def test_where_nobody_leaves_it_says_that_silence_means_nothing(cast: Cast) -> None:
    kept = answered(past(500, leaving=0.0, alike=True), horizon_days=30)
    assert kept.has_signal is False
    assert kept.signal_auc_bp is not None
    assert 4_400 < kept.signal_auc_bp < 5_600


NOBODY = {"customer_id": np.zeros(0, int), "date": np.zeros(0, "datetime64[D]")}
ONE = {"customer_id": np.array([7, 7]), "date": np.array(["2025-01-05", "2026-02-01"], "datetime64[D]")}
ALL_ONCE = {"customer_id": np.arange(40), "date": np.datetime64("2025-06-01", "D") + np.arange(40)}


@pytest.mark.parametrize("days", [NOBODY, ONE, ALL_ONCE], ids=["nobody", "one customer", "everybody once"])
def test_a_shop_with_too_little_past_gets_an_answer_without_a_claim(cast: Cast, days: dict[str, Any]) -> None:
    kept = answered(days, precision_percent=60)
    assert kept.state == State.DONE
    assert kept.has_signal is None
    assert rules.best_of(kept.rows) is None
    assert [row for row in kept.rows if row["kind"] in {"outlook", "fall"}] == []


def test_a_shop_of_fifty_customers_is_judged_too(cast: Cast) -> None:
    kept = answered(past(50))
    assert [row["threshold"] for row in kept.rows if row["kind"] == "fixed"] == [60, 90, 120, 180]
    assert any(row["kind"] == "outlook" for row in kept.rows)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"horizon_days": 0}, "horizon_days"),
        ({"horizon_days": 366}, "horizon_days"),
        ({"minimum_silence_days": 6}, "minimum_silence_days"),
        ({"least_purchases": 0}, "least_purchases"),
        ({"precision_percent": 100}, "precision_percent"),
        ({"weekly": 0}, "weekly"),
    ],
)
def test_what_cannot_be_asked_is_refused(cast: Cast, asked: dict[str, int], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        backtests.ask(rules.Asked(**asked), by_name="x", now=NOW)
    assert refused.value.field == field
    assert not BackTest.objects.exists()


def test_one_at_a_time_and_one_that_nobody_answered_stands_in_nobodys_way(cast: Cast) -> None:
    first = backtests.ask(rules.Asked(), by_name="x", now=NOW)
    with pytest.raises(backtests.BacktestRunning):
        backtests.ask(rules.Asked(), by_name="x", now=NOW)
    backtests.give_up(first.pk, now=NOW)
    second = backtests.ask(rules.Asked(), by_name="x", now=NOW)
    third = backtests.ask(rules.Asked(), by_name="x", now=NOW + dt.timedelta(days=2))
    assert {second.state, third.state} == {State.WAITING}


def test_a_row_warns_the_one_before_ends_and_both_are_lines(cast: Cast) -> None:
    kept = answered(past(400), minimum_silence_days=21, least_purchases=2)
    assert rule_in_use() is None
    fixed = use_row(kept, 0, now=NOW)
    assert (fixed.kind, fixed.threshold) == ("fixed", 60)
    place = next(place for place, row in enumerate(kept.rows) if row["kind"] == "outlook")
    chosen = use_row(kept, place, now=NOW + dt.timedelta(hours=1))
    standing = rule_in_use()
    assert standing == chosen
    assert (chosen.minimum_silence_days, chosen.least_purchases, chosen.horizon_days) == (21, 2, 90)
    assert RiskRule.objects.get(pk=fixed.pk).until == NOW + dt.timedelta(hours=1)
    lines = AuditLine.objects.filter(action="risk_rule.chosen").order_by("pk")
    assert [line.after["kind"] for line in lines] == ["fixed", "outlook"]


def test_a_row_with_a_last_day_warns_and_an_earlier_rule_has_none_when_it_is_put_back(cast: Cast) -> None:
    use(rules.Wanted("fixed", 45), now=NOW)
    kept = answered(past(400, leaving=0.0))
    place = next(place for place, row in enumerate(kept.rows) if row["latest_days"] and row["usable"])
    chosen = use_row(kept, place, now=NOW)
    assert (chosen.kind, chosen.latest_days) == ("outlook", kept.rows[place]["latest_days"])
    line = AuditLine.objects.filter(action="risk_rule.chosen").latest("pk")
    assert line.after["latest_days"] == chosen.latest_days
    restore(line, by=system("test"), now=NOW)
    standing = rule_in_use()
    assert standing is not None
    assert (standing.kind, standing.threshold, standing.latest_days) == ("fixed", 45, None)


def test_a_back_test_from_before_last_days_can_still_be_put_into_use(cast: Cast) -> None:
    kept = answered(past(400))
    for row in kept.rows:
        del row["latest_days"]
    place = next(place for place, row in enumerate(kept.rows) if row["kind"] == "fall")
    assert use_row(kept, place, now=NOW).latest_days is None


def test_a_last_day_without_a_threshold_cannot_warn(cast: Cast) -> None:
    kept = answered(past(400))
    kept.rows[0] = {**kept.rows[0], "kind": "outlook", "threshold": 0, "latest_days": 60, "usable": False}
    with pytest.raises(Invalid, match="cannot warn"):
        use_row(kept, 0, now=NOW)
    assert rule_in_use() is None


def test_multiples_of_the_own_gap_cannot_warn(cast: Cast) -> None:
    kept = answered(past(400))
    place = next(place for place, row in enumerate(kept.rows) if row["kind"] == "gaps")
    with pytest.raises(Invalid):
        use_row(kept, place, now=NOW)
    with pytest.raises(Invalid):
        use_row(kept, 99, now=NOW)
    assert rule_in_use() is None


@pytest.mark.parametrize(
    "wanted",
    [
        rules.Wanted("outlook", 0),
        rules.Wanted("fall", 10_000),
        rules.Wanted("fixed", 6),
        rules.Wanted("fixed", 721),
        rules.Wanted("alive", 50),
        rules.Wanted("outlook", 3_000, horizon_days=10),
        rules.Wanted("outlook", 3_000, minimum_silence_days=91),
        rules.Wanted("outlook", 3_000, least_purchases=6),
        rules.Wanted("outlook", 3_000, latest_days=14),  # its first day is the fourteenth
        rules.Wanted("outlook", 3_000, latest_days=721),
        rules.Wanted("fixed", 60, latest_days=90),
    ],
)
def test_a_rule_that_cannot_be_is_refused(cast: Cast, wanted: rules.Wanted) -> None:
    with pytest.raises(DomainError):
        use(wanted, now=NOW)
    assert rule_in_use() is None


def test_an_earlier_rule_is_put_back_from_its_line(cast: Cast) -> None:
    use(rules.Wanted("outlook", 3_500), now=NOW)
    use(rules.Wanted("fixed", 45), now=NOW)
    use_none(now=NOW)
    use_none(now=NOW)  # none of none is no line
    lines = list(AuditLine.objects.filter(action="risk_rule.chosen").order_by("pk"))
    assert len(lines) == 3
    restore(lines[2], by=system("test"), now=NOW)
    standing = rule_in_use()
    assert standing is not None
    assert (standing.kind, standing.threshold, standing.horizon_days) == ("fixed", 45, 90)
    fields = ["kind", "threshold"]
    restore(lines[1], fields=fields, by=system("test"), now=NOW)
    standing = rule_in_use()
    assert standing is not None
    assert (standing.kind, standing.threshold) == ("outlook", 3_500)
