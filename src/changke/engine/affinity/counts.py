"""What pairs and favourites stand on, counted for several groups of customers at once, such as the homes of a chain.

The counts of two groups without common customers add up to those of both: whoever sees three stores adds three rows and
asks `lifts`, `came_back`, `shares` and `indexes` the same question that the whole chain is asked.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from changke.engine.affinity.lines import Integers, Lines
from changke.engine.affinity.sparse import Matrix, matrix

PAIRS_AT_ONCE = 200


@dataclass(frozen=True)
class PairCounts:
    """Baskets or customers of each group: with both items of a pair, with an item, all.

    Attributes
    ----------
    together : shape (groups, pairs)
    had : shape (groups, items)
    total : shape (groups,)
    """

    together: Integers
    had: Integers
    total: Integers


def members_of(group: Integers, groups: int) -> Matrix:
    """Shape (groups, customers): in which group each customer is; below 0 is none."""
    who = np.flatnonzero(group >= 0)
    return matrix(np.ones(len(who)), group[who], who, (groups, len(group)))


def count_pairs(
    lines: Lines, one: Integers, other: Integers, members: Matrix, *, among: Literal["baskets", "customers"]
) -> PairCounts:
    """`one`, `other`: positions of the items of each pair. `members`: from `members_of`."""
    unit = lines.basket if among == "baskets" else lines.customer
    units = int(unit.max()) + 1 if len(unit) else 0
    had = matrix(np.ones(len(unit)), unit, lines.item, (units, len(lines.items)))
    had.data[:] = 1.0
    whose = np.full(units, -1)
    whose[unit] = lines.customer
    is_one = np.bincount(unit, minlength=units) > 0
    groups = members[:, np.maximum(whose, 0)].multiply(is_one.astype(float)).tocsr()
    together = [np.zeros((groups.shape[0], 0))]
    for start in range(0, len(one), PAIRS_AT_ONCE):
        some = slice(start, start + PAIRS_AT_ONCE)
        both = had[:, one[some]].multiply(had[:, other[some]]).tocsr()
        together.append((groups @ both).toarray())
    return PairCounts(
        _whole(np.concatenate(together, axis=1)),
        _whole((groups @ had).toarray()),
        _whole(np.asarray(groups.sum(axis=1)).ravel()),
    )


def count_recent(lines: Lines, members: Matrix, *, days: int) -> tuple[Integers, Matrix]:
    """Of each group, who had anything in the last days: shape (groups,); and each item: sparse, (groups, items)."""
    recent = lines.end - lines.day < days
    had = matrix(
        np.ones(int(recent.sum())), lines.customer[recent], lines.item[recent], (len(lines.customers), len(lines.items))
    )
    had.data[:] = 1.0
    anything = (np.diff(had.indptr) > 0).astype(float)
    return _whole(np.asarray(members @ anything).ravel()), (members @ had).tocsr()


def _whole(values: npt.ArrayLike) -> Integers:
    return np.asarray(np.rint(np.asarray(values)), dtype=np.int64)
