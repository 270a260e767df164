"""What boosting may know of a customer at a day. Nothing in it grows with the calendar alone."""

import numpy as np

from changke.engine.clv.statistics import Floats
from changke.engine.prediction.days import Window

RECENT = (14, 30, 60, 90, 180)


def features(window: Window, expected: Floats, active: Floats) -> Floats:
    """One row per customer: counts, silence, gaps, recent days, money, and what the models say."""
    known = window.summary()
    rows = len(window)
    place = np.repeat(np.arange(rows), window.counts)
    ends = window.first + window.counts - 1
    gaps = np.diff(window.day, prepend=window.day[:1]).astype(float)
    gaps[window.first] = np.nan
    with np.errstate(all="ignore"):
        silent = known.T - known.t_x
        mean_gap = np.where(known.x > 0, known.t_x / known.x, np.nan)
        there = np.isfinite(gaps)
        squares = np.bincount(place[there], gaps[there] ** 2, minlength=rows)
        spread = np.sqrt(np.maximum(squares / known.x - mean_gap**2, 0.0))
        longest = np.maximum.reduceat(np.where(there, gaps, -1.0), window.first)
        columns = [
            known.x, known.t_x, silent, mean_gap, spread, np.where(known.x > 0, longest, np.nan), gaps[ends],
            silent / mean_gap, known.t_x / np.maximum(known.T, 1), known.x / np.maximum(known.T, 1), expected, active,
        ]  # fmt: skip
    for days in RECENT:
        recent = window.day > window.cut - days
        columns.append(np.bincount(place[recent], minlength=rows).astype(float))
    spent = np.asarray(known.spent, float)
    columns += [spent / (known.x + 1), window.paid[window.first], window.paid[ends]]
    return np.column_stack(columns)
