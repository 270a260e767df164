"""Lines of services: the rule that a line's own past gives, and why some warn of nobody."""

import datetime as dt
from typing import Any

import numpy as np
import pytest

from changke.engine.churn import Backtest, Judged, Signal, judge_line
from changke.engine.churn.lines import last_day
from changke.engine.clv import BGNBD
from tests.engine.test_churn import chain, rows

END = dt.date(2025, 12, 20)


def by_the_clock(
    customers: int, *, gap: int = 28, leaving: float = 0.1, span: int = 700, seed: int = 3
) -> dict[str, Any]:
    """Customers who come every four weeks or so, some often and some seldom, until they leave."""
    chance = np.random.default_rng(seed)
    days_of = []
    for _ in range(customers):
        hers = gap * float(chance.uniform(0.6, 1.6))
        day, days = float(chance.integers(0, 60)), list[int]()
        while day < span:
            days.append(int(day))
            if chance.random() < leaving:
                break
            day += max(hers * float(chance.uniform(0.7, 1.3)), 1)
        days_of.append(days)
    return rows(*days_of)


def test_a_line_warns_after_some_of_its_cycles_at_the_latest() -> None:
    line = judge_line(by_the_clock(600), observation_end=END)
    assert line.refused == ""
    assert 24 <= line.cycle_days <= 32
    assert line.minimum_silence == line.cycle_days
    assert line.latest_days in {round(times * line.cycle_days) for times in (1.5, 2, 3)}
    assert (line.horizon_days, line.lapse_days) == (2 * line.cycle_days, 4 * line.cycle_days)
    model = BGNBD(r=2.0, alpha=40.0, a=0.6, b=4.0)
    often, seldom = line.fires(model, np.array([15.0, 2.0]), np.array([300.0, 120.0]))
    assert line.minimum_silence <= often <= seldom == line.latest_days


@pytest.mark.parametrize(("right", "days"), [((0.7, 0.8, 0.9), 42), ((0.5, 0.6, 0.9), 56), ((0.2, 0.3, 0.4), 84)])
def test_the_last_day_is_the_first_that_was_right_often_enough(right: tuple[float, ...], days: int) -> None:
    fixed = [42, 56, 84]
    rules = tuple(
        Judged(
            "fixed", day, precision=share, recall=1, lead_days=1, false_per_100=1, alerts_per_100=1, silences=9,
            kind="fixed",
        )
        for day, share in zip(fixed, right, strict=True)
    )  # fmt: skip
    assert last_day(Backtest(rules, Signal(0.7, 0.01, 9, 3), ()), fixed) == days


def test_the_rule_is_as_right_as_its_cycles_and_no_later() -> None:
    line = judge_line(chain(800, leaving=0.03, alike=False), observation_end=END)
    assert line.test is not None
    fixed = next(row for row in line.test.rules if row.kind == "fixed" and row.threshold == line.latest_days)
    chosen = next(row for row in line.test.rules if row.kind == "outlook" and row.latest_days == line.latest_days)
    assert chosen.threshold == line.threshold > 0
    assert chosen.lead_days >= fixed.lead_days
    assert chosen.precision > fixed.precision - 0.03
    assert chosen.recall >= fixed.recall


def test_fewer_than_a_hundred_threads_say_nothing() -> None:
    line = judge_line(by_the_clock(60), observation_end=END)
    assert (line.refused, line.test, line.threshold) == ("few", None, 0.0)
    assert line.threads < 100


def test_a_past_too_short_for_its_cycles_says_nothing() -> None:
    """Sixty days apart, six months known: nobody could have been lost to it yet."""
    line = judge_line(by_the_clock(400, gap=75, leaving=0.02, span=200), observation_end=dt.date(2024, 7, 18))
    assert line.cycle_days > 60
    assert line.threads >= 100
    assert line.refused == "few"


def test_once_each_has_no_cycle() -> None:
    line = judge_line(rows(*([day] for day in range(300))), observation_end=END)
    assert (line.cycle_days, line.threads, line.refused) == (0, 0, "few")


def test_nobody_at_all() -> None:
    assert judge_line(rows(), observation_end=END).refused == "few"


def test_what_is_bought_at_random_and_for_ever_warns_of_nobody() -> None:
    """Everybody alike, nobody leaves: how long she is silent says nothing."""
    chance = np.random.default_rng(8)
    days_of = [np.cumsum(chance.geometric(1 / 25, 60)) for _ in range(400)]
    shop = rows(*(days[days < 720].tolist() for days in days_of))
    assert judge_line(shop, observation_end=END).refused == "no_signal"


@pytest.mark.parametrize(
    ("gap", "silence", "horizon", "lapse"), [(7, 7, 30, 90), (60, 60, 120, 240)], ids=["a weekly dinner", "a perm"]
)
def test_what_is_long_follows_the_cycle(gap: int, silence: int, horizon: int, lapse: int) -> None:
    line = judge_line(by_the_clock(500, gap=gap, leaving=0.05, span=715), observation_end=END)
    assert line.minimum_silence == pytest.approx(silence, abs=gap // 5)
    assert line.horizon_days == pytest.approx(horizon, abs=25)
    assert line.lapse_days == pytest.approx(lapse, abs=50)
