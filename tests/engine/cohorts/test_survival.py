"""Kaplan and Meier: the case everybody knows, one by hand, and what has no duration."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from changke.engine.cohorts import BadDurations, Survival

# Remission under 6-MP in weeks (Freireich et al. 1963), as in Kalbfleisch and Prentice; 0 is censored.
REMISSION = [
    (6, 1), (6, 1), (6, 1), (6, 0), (7, 1), (9, 0), (10, 1), (10, 0), (11, 0), (13, 1), (16, 1), (17, 0), (19, 0),
    (20, 0), (22, 1), (23, 1), (25, 0), (32, 0), (32, 0), (34, 0), (35, 0),
]  # fmt: skip
PUBLISHED = [  # weeks, at risk, S, Greenwood's standard error
    (6, 21, 0.857, 0.0764),
    (7, 17, 0.807, 0.0869),
    (10, 15, 0.753, 0.0963),
    (13, 12, 0.690, 0.1068),
    (16, 11, 0.627, 0.1141),
    (22, 7, 0.538, 0.1282),
    (23, 6, 0.448, 0.1346),
]


def _remission() -> Survival:
    return Survival.of([week for week, _ in REMISSION], [came_back for _, came_back in REMISSION])


@pytest.mark.parametrize(("week", "at_risk", "share", "error"), PUBLISHED)
def test_the_textbook_case(week: int, at_risk: int, share: float, error: float) -> None:
    found = _remission()
    place = found.time.tolist().index(week)
    assert found.at_risk[place] == at_risk
    assert found.survival[place] == pytest.approx(share, abs=6e-4)
    assert found.standard_error[place] == pytest.approx(error, abs=6e-5)


@pytest.mark.parametrize(  # lifelines 0.30.3, KaplanMeierFitter().confidence_interval_
    ("week", "low", "high"), [(6, 0.619718, 0.951552), (13, 0.431610, 0.849066), (23, 0.188052, 0.680143)]
)
def test_the_bounds_are_those_of_lifelines(week: int, low: float, high: float) -> None:
    found = _remission().at(week)
    assert (found[0], found[2]) == pytest.approx((low, high), abs=1e-6)


def test_the_median_is_the_first_day_on_which_half_are_gone() -> None:
    assert _remission().median == 23
    assert _remission().quantile(0.9) is None  # it never came so far


def test_a_case_by_hand() -> None:
    """Four customers: back after 10 days, after 20; not yet after 15 and 30. At 10: 3/4; at 20 two are at risk: 3/8."""
    found = Survival.of([10, 20, 15, 30], [True, True, False, False])
    assert found.time.tolist() == [10, 15, 20, 30]
    assert found.survival.tolist() == [0.75, 0.75, 0.375, 0.375]
    assert found.standard_error[2] == pytest.approx(0.375 * (1 / 12 + 1 / 2) ** 0.5)
    assert found.at(9) == (1.0, 1.0, 1.0)


@given(
    st.lists(st.tuples(st.integers(0, 60), st.booleans()), min_size=1, max_size=60), st.randoms(use_true_random=False)
)
def test_it_falls_from_one_and_the_order_does_not_matter(people: list[tuple[int, bool]], shuffle: object) -> None:
    found = Survival.of(*zip(*people, strict=True))
    again = Survival.of(*zip(*sorted(people, key=lambda _: shuffle.random()), strict=True))  # type: ignore[attr-defined]
    assert found.survival.tolist() == again.survival.tolist()
    shares = [1.0, *found.survival.tolist()]
    assert all(after <= before for before, after in pairwise(shares))
    assert ((found.low <= found.survival + 1e-12) & (found.survival <= found.high + 1e-12)).all()
    assert found.at_risk[0] == len(people)


@given(st.lists(st.integers(1, 40), min_size=2, max_size=60))
def test_with_nobody_lost_it_is_the_plain_share(days: list[int]) -> None:
    found = Survival.of(days, [True] * len(days))
    for time, share in zip(found.time, found.survival, strict=True):
        assert share == pytest.approx(sum(day > time for day in days) / len(days))


@pytest.mark.parametrize(
    ("events", "censored", "bounds"),
    [([0, 0], [3, 4], (1.0, 1.0, 1.0)), ([3, 4], [0, 0], (0.0, 0.0, 0.0)), ([1], [0], (0.0, 0.0, 0.0))],
)
def test_nobody_and_everybody(events: list[int], censored: list[int], bounds: tuple[float, float, float]) -> None:
    assert Survival.of_counts([5, 9][: len(events)], events, censored).at(9) == bounds


def test_nobody_at_all_has_no_curve() -> None:
    found = Survival.of([], [])
    assert (len(found.time), found.median, found.at(3)) == (0, None, (1.0, 1.0, 1.0))


@pytest.mark.parametrize(
    ("time", "events", "censored"),
    [
        ([np.nan], [1], [0]),
        ([np.inf], [1], [0]),
        ([-1], [1], [0]),
        ([2, 1], [1, 1], [0, 0]),
        ([1], [-1], [2]),
        ([1, 2], [1], [0]),
    ],
)
def test_bad_durations_are_refused(time: list[float], events: list[int], censored: list[int]) -> None:
    with pytest.raises(BadDurations):
        Survival.of_counts(time, events, censored)


def test_each_duration_has_an_outcome() -> None:
    with pytest.raises(BadDurations):
        Survival.of([1, 2], [True])
    with pytest.raises(BadDurations):
        Survival.of([1, float("nan")], [True, False])
