"""Yes-or-no outcomes, against the table of Newcombe 1998 (Statistics in Medicine 17, 873-890, Table II, method 10)."""

import pytest

from changke.engine.experiments import Moments, TooFew, rate_lift
from changke.engine.experiments.rates import NotYesOrNo


@pytest.mark.parametrize(
    ("treated", "control", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0000),
        ((10, 10), (0, 10), 0.6075, 1.0000),
    ],
)
def test_the_interval_is_newcombes(treated: tuple[int, int], control: tuple[int, int], low: float, high: float) -> None:
    arms = [Moments.of_rate(n, hits) for hits, n in (control, treated)]
    found = rate_lift(arms[0], arms[1]).difference
    assert (found.low, found.high) == pytest.approx((low, high), abs=6e-5)


@pytest.mark.parametrize(
    ("hits", "n", "points", "z"),
    [(3_894, 21_307, 0.0766, 22.5), (3_238, 21_387, 0.0452, 13.9)],
)
def test_hillstroms_visits(hits: int, n: int, points: float, z: float) -> None:
    found = rate_lift(Moments.of_rate(21_306, 2_262), Moments.of_rate(n, hits))
    assert found.difference.estimate == pytest.approx(points, abs=5e-5)
    assert found.difference.estimate / found.difference.standard_error == pytest.approx(z, abs=0.1)
    assert found.control[1] == pytest.approx(0.1062, abs=5e-5)


def test_where_all_said_the_same_there_is_an_interval_and_no_finding() -> None:
    found = rate_lift(Moments.of_rate(20, 0), Moments.of_rate(20, 0)).difference
    assert found.p_value == 1.0
    assert found.low < 0 < found.high


def test_an_arm_without_customers_has_no_rate() -> None:
    with pytest.raises(TooFew):
        rate_lift(Moments(0, 0, 0), Moments.of_rate(5, 2))


def test_amounts_are_no_rates() -> None:
    with pytest.raises(NotYesOrNo):
        rate_lift(Moments.of([0, 1, 2]), Moments.of_rate(5, 2))
