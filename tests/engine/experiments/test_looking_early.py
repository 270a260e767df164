"""Whoever looks every day is not misled: coverage by simulation, with spending as shops have it."""

import numpy as np
import numpy.typing as npt
import pytest

from changke.engine.experiments import Moments, TooFew, always_valid, lift

EXPERIMENTS, CUSTOMERS = 400, 2_000
LOOKS = range(100, CUSTOMERS + 1, 100)


def _spend(draw: np.random.Generator, raised_by: int) -> npt.NDArray[np.int64]:
    """One in five buys, for about 200 with a long tail; in minor units."""
    shape = (EXPERIMENTS, CUSTOMERS)
    bought = draw.random(shape) < 0.2
    return (bought * (draw.lognormal(9.9, 0.6, shape) + raised_by)).round().astype(np.int64)


def _arms(raised_by: int) -> list[list[tuple[Moments, Moments]]]:
    """Per experiment, both arms at each look."""
    draw = np.random.default_rng(11)
    sums = []
    for values in (_spend(draw, 0), _spend(draw, raised_by)):
        sums.append((values.cumsum(axis=1), (values * values).cumsum(axis=1)))
    return [
        [
            tuple(Moments(look, int(total[one, look - 1]), int(squares[one, look - 1])) for total, squares in sums)
            for look in LOOKS
        ]
        for one in range(EXPERIMENTS)
    ]  # type: ignore[misc]


@pytest.mark.parametrize("raised_by", [0, 5_000])
def test_twenty_looks_miss_the_truth_in_at_most_one_of_twenty(raised_by: int) -> None:
    truth = 0.2 * raised_by
    missed_always, missed_once = 0, 0
    for looks in _arms(raised_by):
        found = [(always_valid(*arms), lift(*arms).per_customer) for arms in looks]
        missed_always += any(not one.low <= truth <= one.high for one, _ in found)
        missed_once += any(not one.low <= truth <= one.high for _, one in found)
    assert missed_always / EXPERIMENTS <= 0.05
    assert missed_once / EXPERIMENTS > 0.15  # what the interval for one look does to whoever looks twenty times


def test_its_p_value_falls_below_alpha_when_zero_leaves_the_interval() -> None:
    for looks in _arms(5_000)[:40]:
        for arms in looks:
            one = always_valid(*arms)
            assert (one.p_value < 0.05) == (one.low > 0 or one.high < 0)


def test_it_costs_half_as_much_again_where_it_is_tuned() -> None:
    draw = np.random.default_rng(2)
    arms = [Moments.of(draw.normal(10_000, 3_000, 2_500).round()) for _ in range(2)]
    always, once = always_valid(arms[0], arms[1]), lift(arms[0], arms[1]).per_customer
    assert (always.high - always.low) / (once.high - once.low) == pytest.approx(1.5, abs=0.1)


def test_too_early_is_refused() -> None:
    arms = [Moments.of(range(99)), Moments.of(range(2_000))]
    with pytest.raises(TooFew):
        always_valid(arms[0], arms[1])
