"""Lines of services: the rule that a line's own past gives, and why some warn of nobody."""

import datetime as dt
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from changke.engine.churn import Backtest, Judged, Signal, judge_line, passed_over_on
from changke.engine.churn.lines import last_day
from changke.engine.clv import BGNBD
from changke.engine.prediction.days import Days
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


def as_days(rows_of: dict[int, list[int]]) -> Days:
    pairs = [(who, day) for who, days in rows_of.items() for day in days]
    who, day = zip(*pairs, strict=True) if pairs else ((), ())
    return Days.from_days(
        np.array(who, int), np.array(day, "datetime64[D]"), np.zeros(len(who)), observation_end="1980-01-01"
    )


@pytest.mark.parametrize(
    ("facials", "others", "overdue", "day"),
    [
        ((0, 28, 56, 84), (100, 130), 40, 46),  # at the second visit without it, 46 days after
        ((0, 28, 56, 84), (100, 110, 130), 40, 46),  # the second was before it was overdue
        ((0, 28, 56, 84), (125,), 40, np.inf),  # once she may have come for something else
        ((0, 28, 56, 84), (100, 110), 40, np.inf),  # not since it was overdue
        ((0, 50, 78, 106), (120, 150, 170), 40, 64),  # 50 days once: a quarter more are 63
        ((0, 28, 56), (100, 130), 40, np.inf),  # three days are no habit
        ((0, 28, 56, 84), (), 40, np.inf),
    ],
)
def test_she_is_passed_over_when_she_comes_without_it_though_it_is_overdue(
    facials: tuple[int, ...], others: tuple[int, ...], overdue: int, day: float
) -> None:
    held = as_days({3: list(facials), 7: [1, 2]})
    visits = as_days({1: [500], 3: [*facials, *others], 7: [1, 2], 9: [300]})
    assert passed_over_on(held, visits, np.array([overdue, overdue])).tolist() == [day, np.inf]


def test_the_day_is_what_looking_at_each_customer_finds() -> None:
    chance = np.random.default_rng(5)
    visits = {who: sorted(set(chance.integers(0, 400, 25).tolist())) for who in range(0, 300, 2)}
    held = {who: days[: 12 : 1 + who // 2 % 4] for who, days in visits.items() if who % 5}
    overdue = chance.integers(5, 90, len(held)).astype(float)
    expected = []
    for due, (who, days) in zip(overdue.tolist(), held.items(), strict=True):
        late = max([due, *(1.25 * (b - a) for a, b in pairwise(days))])
        after = [day - days[-1] for day in visits[who] if day > days[-1]]
        came = [day for nth, day in enumerate(after, 1) if nth >= 2 and day >= late]
        expected.append(came[0] if came and len(days) >= 4 else np.inf)
    assert passed_over_on(as_days(held), as_days(visits), overdue).tolist() == expected
    assert 20 < np.isfinite(expected).sum() < len(expected)


def test_nobody_is_passed_over_where_nobody_came() -> None:
    assert passed_over_on(as_days({}), as_days({1: [3]}), np.zeros(0)).tolist() == []
    assert passed_over_on(as_days({1: [3]}), as_days({}), np.zeros(1)).tolist() == [np.inf]
