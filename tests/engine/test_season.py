"""What the same window a year earlier says of the coming one: how busy it will be, and what a day brings."""

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from changke.engine.prediction.days import Days
from changke.engine.prediction.fitted import fit
from changke.engine.prediction.season import LEAST_BEFORE, YEAR, Season, season

START = np.datetime64("2022-06-01", "D")


def shop(span: int, *, dear: float = 1.0, busy: float = 1.0, money: bool = True, seed: int = 5) -> dict[str, Any]:
    """Six hundred customers who come every four weeks or so and leave seldom; in December each day brings `dear` times
    as much, and `busy` times as many come."""
    chance = np.random.default_rng(seed)
    who, when, paid = [], [], []
    for one in range(600):
        day = float(chance.integers(0, 40))
        while day < span:
            december = (START + int(day)).astype(object).month == 12
            who.append(one)
            when.append(START + int(day))
            paid.append(float(chance.gamma(4, 25)) * (dear if december else 1.0))
            if chance.random() < 0.02:
                break
            day += float(chance.exponential(28 / (busy if december else 1.0))) + 1
    found = {"customer_id": np.array(who), "date": np.array(when)}
    return found | ({"amount": np.array(paid)} if money else {})


def known(transactions: dict[str, Any], end: str) -> Days:
    return Days.of(transactions, observation_end=dt.date.fromisoformat(end))


def test_a_dear_december_a_year_ago_is_told_of_the_coming_one() -> None:
    days = known(shop(900, dear=1.6), "2023-11-30")
    said = season(days, 31)
    assert said.money == pytest.approx(1.6, abs=0.1)
    assert said.busy == pytest.approx(1.0, abs=0.1)
    assert said.weight == pytest.approx((547 - YEAR) / (547 - YEAR + 365), abs=0.01)
    plain = known(shop(900), "2023-11-30")
    assert fit(days, horizon_days=31).level > fit(plain, horizon_days=31).level * 1.1


def test_the_more_past_there_is_the_more_it_is_believed() -> None:
    transactions = shop(1_300, dear=1.6)
    two, three = (fit(known(transactions, f"{year}-11-30"), horizon_days=31).level for year in (2023, 2024))
    assert 1.0 < two < three


def test_a_busy_december_stretches_time_and_not_the_money() -> None:
    said = season(known(shop(900, busy=1.5), "2023-11-30"), 31)
    assert said.busy > 1.05
    assert said.money == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(
    ("end", "horizon"), [("2023-09-20", 31), ("2023-11-30", YEAR + 1)], ids=["a short past", "more than a year ahead"]
)
def test_where_it_cannot_be_known_nothing_is_said(end: str, horizon: int) -> None:
    days = known(shop(900, dear=1.6, busy=1.5), end)
    assert days.end - YEAR - days.first_day < LEAST_BEFORE or horizon > YEAR
    said = season(days, horizon)
    assert (said.busy, said.money, said.weight) == (1.0, 1.0, 0.0)


def test_days_that_were_laid_evenly_know_no_season() -> None:
    """A year ago the old system was in use, which told the number of purchases and no days."""
    days = known(shop(900, busy=1.5), "2023-11-30")
    assert season(days, 31).busy > 1.05
    laid = replace(days, dated_from=days.end - YEAR + 20)
    assert season(laid, 31) == Season()
    assert season(replace(days, dated_from=days.end - YEAR - 20), 31) == season(days, 31)


def test_without_money_only_the_days_are_told() -> None:
    said = season(known(shop(900, busy=1.5, money=False), "2023-11-30"), 31)
    assert said.busy > 1.05
    assert said.money == 1.0


def test_a_december_in_which_the_shop_was_shut_says_nothing() -> None:
    transactions = shop(900, dear=1.6)
    month = transactions["date"].astype("datetime64[M]").astype(object)
    open_days = np.array([one.month != 12 for one in month])
    said = season(known({name: column[open_days] for name, column in transactions.items()}, "2023-11-30"), 28)
    assert (said.busy, said.money) == (1.0, 1.0)
