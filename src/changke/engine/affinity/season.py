"""Which items a time of the year lifts, by the years before."""

import numpy as np

from changke.engine.affinity.lines import Lines
from changke.engine.days import Day, as_date
from changke.engine.refusals import TooFew, whole
from changke.engine.table import Table

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
    seen, hoped, years = np.zeros(len(lines.items)), np.zeros(len(lines.items)), 0
    while True:
        begin = start - (years + 1) * YEAR_DAYS
        if begin - HALF_DAYS < first:
            break
        years += 1
        if begin + days > lines.end + 1:
            continue
        window = (lines.day >= begin) & (lines.day < begin + days)
        around = (lines.day >= begin - HALF_DAYS) & (lines.day < begin + HALF_DAYS)
        of_window, of_around = (np.bincount(lines.item[one], minlength=len(lines.items)) for one in (window, around))
        seen += of_window
        hoped += of_around * (of_window.sum() / max(1, of_around.sum()))
    if not years:
        raise TooFew("season needs a year and a half of history")
    index = (seen + SHRINK_DAYS) / (hoped + SHRINK_DAYS)
    order = np.lexsort((lines.items, -index))
    return Table(
        {
            "item_id": lines.items[order],
            "index": index[order],
            "days_seen": seen[order].astype(np.int64),
            "years": np.full(len(order), years),
        }
    )
