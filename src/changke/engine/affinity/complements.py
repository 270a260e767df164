"""Pairs that belong together: support, confidence and lift."""

from numbers import Integral
from typing import Literal

import numpy as np
import numpy.typing as npt

from changke.engine.affinity.lines import Lines
from changke.engine.affinity.sparse import matrix
from changke.engine.experiments.distributions import normal_quantile
from changke.engine.refusals import Refusal
from changke.engine.table import Table

Floats = npt.NDArray[np.float64]
LEAST_SUPPORT = 20


class NotASupport(Refusal):
    """A pair has been seen at least once."""

    code = "not_a_support"


def lifts(
    together: npt.ArrayLike, one: npt.ArrayLike, other: npt.ArrayLike, total: int
) -> tuple[Floats, Floats, Floats]:
    """Confidence, lift and its lower bound at 95 per cent, of pairs from their counts.

    Parameters
    ----------
    together, one, other
        Baskets or customers with both, with the one, with the other; none of them 0.
    total
        All baskets or customers.
    """
    both, had, had_other = (np.asarray(values, dtype=float) for values in (together, one, other))
    confidence = both / had
    lift = confidence * total / had_other
    # The variance of ln(lift) to first order, of four counts of one multinomial.
    overlap = 2 * both / (had * had_other)
    error = np.sqrt(np.maximum(0.0, 1 / both - 1 / had - 1 / had_other + overlap - 1 / max(1, total)))
    return confidence, lift, lift * np.exp(-normal_quantile(0.975) * error)


def complements(
    lines: Lines, *, among: Literal["baskets", "customers"] = "baskets", least_support: int = LEAST_SUPPORT
) -> Table:
    """Items that are had together more often than chance would have it, surest first.

    Parameters
    ----------
    among
        "baskets": on one day. "customers": ever, as for services that are not had on one day.
    least_support
        Pairs seen less often are left out.

    Returns
    -------
    Table
        item_id, other_id (both directions are there), together (baskets or customers with both), confidence (of those
        with the item, who have the other), lift (that against the share of everybody), lift_low (its lower bound at
        95 per cent, above 1).

    Raises
    ------
    NotASupport
    """
    if not isinstance(least_support, Integral) or least_support < 1:
        raise NotASupport(f"a support of {least_support}")
    unit = lines.basket if among == "baskets" else lines.customer
    pairs = np.unique(np.stack([unit, lines.item]), axis=1)
    total = len(np.unique(pairs[0]))
    rows = int(pairs[0].max()) + 1 if total else 0
    had = matrix(np.ones(pairs.shape[1]), pairs[0], pairs[1], (rows, len(lines.items)))
    both = (had.T @ had).tocoo()
    count = np.asarray(had.sum(axis=0)).ravel()
    kept = (both.row != both.col) & (both.data >= least_support)
    one, other, seen = both.row[kept], both.col[kept], both.data[kept]
    confidence, lift, low = lifts(seen, count[one], count[other], total)
    order = np.lexsort((other, one, -low))
    order = order[low[order] > 1]
    return Table(
        {
            "item_id": lines.items[one[order]],
            "other_id": lines.items[other[order]],
            "together": seen[order].astype(np.int64),
            "confidence": confidence[order],
            "lift": lift[order],
            "lift_low": low[order],
        }
    )
