"""Which items a time of the year lifts, by the years before."""

import numpy as np
import numpy.typing as npt

from changke.engine.affinity.lines import Integers, Lines
from changke.engine.days import Day, as_date
from changke.engine.refusals import TooFew, whole
from changke.engine.table import Table

Floats = npt.NDArray[np.float64]
YEAR_DAYS = 364  # whole weeks: a Saturday stands against a Saturday
HALF_DAYS = 182
SHRINK_DAYS = 10.0


def season(lines: Lines, *, starts_on: Day, days: int = 28) -> Table:
    """The index of each item for a window of the calendar, from the same window of earlier years.

    Parameters
    ----------
    starts_on
        First day of the window, as a rule in the future.
    days
        Its length.

    Returns
    -------
    Table
        item_id, index (1: as always; 6: six times as much), days_seen (in the windows of earlier years), years (how
        many earlier years there were); highest index first.

    Raises
    ------
    TooFew
        Not one earlier year with half a year on either side.
    """
    whole("days", days, least=1)
    start = int(np.datetime64(as_date(starts_on)).astype(int))
    first = int(lines.day.min()) if len(lines.day) else lines.end
    seen, around = windows(lines.day, lines.item, len(lines.items), start=start, days=days, first=first, end=lines.end)
    if not len(seen):
        raise TooFew("season needs a year and a half of history")
    index, _ = indexes(seen, around)
    days_seen, years = seen.sum(axis=0), len(seen)
    order = np.lexsort((lines.items, -index))
    return Table(
        {
            "item_id": lines.items[order],
            "index": index[order],
            "days_seen": days_seen[order].astype(np.int64),
            "years": np.full(len(order), years),
        }
    )


def windows(
    day: Integers,
    item: Integers,
    items: int,
    *,
    start: int,
    days: int,
    first: int,
    end: int,
    times: npt.ArrayLike | None = None,
) -> tuple[Floats, Floats]:
    """How often each item was had in a window of the calendar, and in the year around it, in each earlier year.

    Parameters
    ----------
    day, item
        Shape (rows,): days since 1970, and positions below `items`.
    start, days
        First day and length of the window, in the future.
    first, end
        The first and the last day that is known.
    times
        Shape (rows,): how often, once unless given.

    Returns
    -------
    Two arrays of shape (earlier years, items), the latest first. A year whose window is not over yet is a row of zeros:
    it counts as seen and says nothing. Rows of several stores may be added up.
    """
    found: list[tuple[Floats, Floats]] = []
    while True:
        begin = start - (len(found) + 1) * YEAR_DAYS
        if begin - HALF_DAYS < first:
            break
        of_window, of_around = np.zeros(items), np.zeros(items)
        if begin + days <= end + 1:
            weights = np.ones(len(day)) if times is None else np.asarray(times, dtype=float)
            for target, since, until in (
                (of_window, begin, begin + days),
                (of_around, begin - HALF_DAYS, begin + HALF_DAYS),
            ):
                inside = (day >= since) & (day < until)
                target += np.bincount(item[inside], weights=weights[inside], minlength=items)
        found.append((of_window, of_around))
    shape = (len(found), items)
    return (
        np.array([one for one, _ in found], dtype=float).reshape(shape),
        np.array([one for _, one in found], dtype=float).reshape(shape),
    )


def indexes(seen: Floats, around: Floats) -> tuple[Floats, Floats]:
    """The index of each item from what `windows` counted, and how many times its window would have had it evenly."""
    evenly = seen.sum(axis=1) / np.maximum(1.0, around.sum(axis=1))
    hoped = (around * evenly[:, np.newaxis]).sum(axis=0)
    return (seen.sum(axis=0) + SHRINK_DAYS) / (hoped + SHRINK_DAYS), hoped
