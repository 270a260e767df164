"""After how long an item is wanted again."""

import numpy as np
import numpy.typing as npt

from changke.engine.affinity.lines import Lines
from changke.engine.table import Table

CHAIN_WEIGHT = 20  # gaps of the chain that an item's own are shrunk by
DEFAULT_DAYS = 30  # before anybody took anything twice


def usual_cycles(lines: Lines) -> Table:
    """The usual cycle of each item.

    Returns
    -------
    Table
        item_id, cycle_days (lower median of the gaps, shrunk to the chain's), gaps (how many were seen).
    """
    days, gaps = cycles(lines)
    return Table({"item_id": lines.items, "cycle_days": np.rint(days).astype(np.int64), "gaps": gaps})


def cycles(lines: Lines) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Days and number of gaps per item, shape (items,)."""
    order = np.lexsort((lines.day, lines.item, lines.customer))
    who, what, when = lines.customer[order], lines.item[order], lines.day[order]
    again = (np.diff(who) == 0) & (np.diff(what) == 0)
    gap, item = np.diff(when)[again], what[1:][again]
    count = np.bincount(item, minlength=len(lines.items))
    if not len(gap):
        return np.full(len(lines.items), float(DEFAULT_DAYS)), count
    chain = float(np.sort(gap)[(len(gap) - 1) // 2])
    order = np.lexsort((gap, item))
    start = np.cumsum(count) - count
    middle = np.minimum(start + np.maximum(count - 1, 0) // 2, len(gap) - 1)
    own = np.where(count > 0, gap[order][middle], chain)
    return np.maximum(1.0, (count * own + CHAIN_WEIGHT * chain) / (count + CHAIN_WEIGHT)), count
