"""Who slows down: the chance of less than half of her own pace, against customers drawn one by one; and the rules."""

import numpy as np
import pytest

from changke.engine.churn import judge_slumps, slump_chance
from changke.engine.clv import BGNBD
from changke.engine.refusals import NotASetting
from tests.engine.test_churn import START, chain, rows

MODEL = BGNBD(r=0.8, alpha=30.0, a=0.7, b=3.0)


def drawn(x: int, t_x: float, silent: float, *, within: float, least: int, customers: int = 400_000) -> float:
    """How often fewer than `least` come until the end, of invented customers with this past who were silent so long."""
    chance = np.random.default_rng(7)
    # Her rate and her coin as the past leaves them; those who came again in the silence are not her.
    rate = chance.gamma(MODEL.r + x, 1 / (MODEL.alpha + t_x), customers)
    coin = chance.beta(MODEL.a, MODEL.b + x - 1, customers)
    gone = chance.random(customers) < coin
    alike = gone | (chance.exponential(1 / rate) > silent)
    came = chance.poisson(rate * (within - silent))
    stays = chance.geometric(np.maximum(coin, 1e-12))  # the purchase after which she leaves
    came = np.where(gone, 0, np.minimum(came, stays))
    return float((came[alike] < least).mean())


@pytest.mark.parametrize("silent", [0, 20, 60])
@pytest.mark.parametrize(("x", "t_x"), [(2, 90.0), (6, 120.0), (20, 300.0)])
def test_the_chance_is_that_of_customers_drawn_one_by_one(x: int, t_x: float, silent: float) -> None:
    least = int(np.ceil(0.5 * 120 * (MODEL.r + x) / (MODEL.alpha + t_x)))
    said = slump_chance(MODEL, np.array([x]), np.array([t_x]), np.array([silent]))
    assert said == pytest.approx(drawn(x, t_x, silent, within=120, least=least), abs=0.005)


def test_it_grows_with_every_silent_day_and_is_certain_when_no_day_is_left() -> None:
    days = np.arange(130.0)
    said = slump_chance(MODEL, np.full(130, 5.0), np.full(130, 100.0), days)
    assert (np.diff(said) >= 0).all()
    assert said[119] < 1
    assert (said[120:] == 1).all()


def test_of_whose_pace_expects_not_even_one_day_nothing_is_said() -> None:
    assert slump_chance(MODEL, np.array([1.0]), np.array([900.0]), np.array([80.0])).tolist() == [0.0]


def test_it_is_right_more_often_than_fixed_days_that_find_as_many() -> None:
    found = {
        (one.rule, one.threshold): one for one in judge_slumps(chain(800, leaving=0.1, alike=False), cut="2025-03-01")
    }
    for day in (30, 45, 60):
        fixed, slump = found[f"fixed {day}", 0.0], found[f"slump from {day}", 0.4]
        assert slump.precision > fixed.precision + 0.01, day
        assert slump.recall >= fixed.recall - 0.05, day
    assert {one.silences for one in found.values()} == {next(iter(found.values())).silences}


def test_what_was_alerted_and_what_came_are_counted_one_by_one() -> None:
    weekly = list(range(0, 140, 7))
    stops, slows, keeps = [*weekly, 400], [*weekly, 210, 260], list(range(0, 420, 7))
    cut = START + np.timedelta64(132, "D")
    rules = judge_slumps(rows(stops, slows, keeps, *[[0, 400]] * 3), cut=cut, chances=[])
    fixed = next(one for one in rules if one.rule == "fixed 60")
    # Judged until day 293: she who stops from 133 on, she who slows down from 133, 210, 260 on, 23 weeks of the third.
    assert fixed.silences == 1 + 3 + 23
    # Slumps are the first four. From 210 on she came after 50 days: there was no alert.
    assert (fixed.precision, fixed.recall, fixed.day) == (1.0, 0.75, 60.0)
    assert fixed.alerts_per_100 == pytest.approx(300 / 27)


def test_without_silences_there_is_nothing_to_judge() -> None:
    assert judge_slumps(rows([0], [5]), cut="2025-03-01") == ()


@pytest.mark.parametrize("by_day", [120, 500])
def test_an_alert_must_leave_days_to_come_in(by_day: int) -> None:
    with pytest.raises(NotASetting, match="by_day"):
        judge_slumps(rows([0, 5]), cut="2025-03-01", by_day=by_day)
