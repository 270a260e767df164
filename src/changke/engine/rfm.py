"""Recency, frequency, money: fifths or bands of one's own, and the grid that counts who stands where.

The product's attributes `recency_score`, `frequency_score` and `money_score` follow the same rule for equal values;
this is for whoever has a frame and no chain. docs/algorithms/attributes.md.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from changke.engine.refusals import NotFinite, whole
from changke.engine.table import Table

Scores = npt.NDArray[np.int64]


def fifths(values: npt.ArrayLike, *, of: int = 5) -> Scores:
    """In which fifth each value stands, 5 the largest. Equal values stand together, where their middle falls."""
    whole("of", of, least=1)
    known = np.asarray(values, float)
    if not np.isfinite(known).all():
        raise NotFinite("only finite values can be ranked")
    _, place, counts = np.unique(known, return_inverse=True, return_counts=True)
    reached = np.cumsum(counts)
    score = 1 + (2 * reached - counts) * of // max(2 * len(known), 1)
    return np.asarray(score[place.ravel()], np.int64)


def bands(values: npt.ArrayLike, bounds: Sequence[float]) -> Scores:
    """The band of each value: 1 below the first bound, a bound itself belongs to the band above it."""
    known = np.asarray(values, float)
    if not np.isfinite(known).all() or not np.isfinite(np.asarray(bounds, float)).all():
        raise NotFinite("only finite values stand between finite bounds")
    if any(one >= two for one, two in pairwise(bounds)):
        raise ValueError("bounds must ascend")
    return np.asarray(np.searchsorted(np.asarray(bounds, float), known, side="right") + 1, np.int64)


def rfm(
    summary: Any,
    *,
    recency_days: Sequence[float] | None = None,
    frequency: Sequence[float] | None = None,
    money: Sequence[float] | None = None,
) -> Table:
    """Scores of a `clv.summary` with amounts: fifths, or the bands between bounds where they are given.

    Parameters
    ----------
    recency_days
        Bounds in days of silence, ascending; fewer days score higher: with (30, 90), 3 below 30 and 1 from 90 on.
    frequency, money
        Bounds in purchase days and in money of all days.
    """
    if summary.spent is None:
        raise ValueError("the transactions had no amounts")
    silent, days = summary.T - summary.t_x, summary.x + 1
    recent = fifths(-silent) if recency_days is None else len(recency_days) + 2 - bands(silent, recency_days)
    often = fifths(days) if frequency is None else bands(days, frequency)
    much = fifths(summary.spent) if money is None else bands(summary.spent, money)
    names = {"customer_id": summary.customer_id, "recency_score": recent, "frequency_score": often, "money_score": much}
    return Table(names)


def value_grid(scores: Table, *, money: npt.ArrayLike) -> Table:
    """How many customers, and how much money, stand in each cell of recency and frequency that is not empty."""
    recent, often, paid = scores["recency_score"], scores["frequency_score"], np.asarray(money, float)
    if not np.isfinite(paid).all():
        raise NotFinite("only finite money can be added up")
    cells, place = np.unique(np.column_stack([recent, often]), axis=0, return_inverse=True)
    place = place.ravel()
    return Table(
        {
            "recency_score": cells[:, 0],
            "frequency_score": cells[:, 1],
            "customers": np.bincount(place, minlength=len(cells)),
            "money": np.bincount(place, paid, minlength=len(cells)),
        }
    )
