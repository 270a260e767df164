"""Fifths, bands and the grid."""

import numpy as np
import pytest

from changke.engine.clv import Summary
from changke.engine.rfm import bands, fifths, rfm, value_grid


@pytest.mark.parametrize(
    ("values", "scores"),
    [
        ([], []),
        ([7], [3]),  # alone she stands in the middle
        ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]),
        ([5, 5, 5, 5, 5], [3, 3, 3, 3, 3]),
        ([1, 1, 1, 1, 9], [3, 3, 3, 3, 5]),  # the many equal stand where the middle of them falls
        ([30, 10, 20, 50, 40], [3, 1, 2, 5, 4]),
    ],
)
def test_equal_values_share_a_fifth(values: list[float], scores: list[int]) -> None:
    assert fifths(values).tolist() == scores


def test_a_bound_belongs_to_the_band_above() -> None:
    assert bands([0, 99.9, 100, 500, 501], [100, 500]).tolist() == [1, 1, 2, 3, 3]
    with pytest.raises(ValueError, match="ascend"):
        bands([1], [5, 5])
    with pytest.raises(ValueError, match="finite"):
        fifths([1, np.nan])


def test_scores_and_the_grid_add_up() -> None:
    x, t_x, T = np.array([0, 4, 9]), np.array([0, 80, 95]), np.array([100, 100, 100])
    found = Summary(np.array(["a", "b", "c"], object), x, t_x, T, spent=np.array([10.0, 50.0, 400.0]))
    scored = rfm(found, recency_days=(7, 30), frequency=(2, 6), money=(100,))
    assert scored["recency_score"].tolist() == [1, 2, 3]
    assert scored["frequency_score"].tolist() == [1, 2, 3]
    assert scored["money_score"].tolist() == [1, 1, 2]
    grid = value_grid(scored, money=found.spent)
    assert grid["customers"].sum() == 3
    assert grid["money"].tolist() == [10.0, 50.0, 400.0]
    assert rfm(found)["money_score"].tolist() == [1, 3, 5]
