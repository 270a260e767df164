"""First baskets of two things: which, how large, and who came back."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np
import numpy.typing as npt

from changke.engine.affinity.complements import LEAST_SUPPORT, NotASupport
from changke.engine.affinity.lines import Integers, Lines
from changke.engine.affinity.sparse import Matrix, matrix
from changke.engine.experiments.lift import Interval
from changke.engine.experiments.moments import Moments
from changke.engine.experiments.rates import rate_lift
from changke.engine.refusals import whole
from changke.engine.table import Table

RETURNS_WITHIN_DAYS = 90
MOST_ITEMS = 20  # of one basket that are paired: a wholesaler's first order of 300 lines has 44,850 pairs


@dataclass(frozen=True)
class FirstBaskets:
    """What customers known for long enough began with, and who of them came back in time.

    Attributes
    ----------
    had : shape (customers, items), 1 where the first basket has the item; empty rows for whoever is not known so long
    paired : the same, without all but the first items of the largest baskets
    returned : shape (customers,)
    """

    had: Matrix
    paired: Matrix
    returned: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, lines: Lines, *, within_days: int = RETURNS_WITHIN_DAYS) -> "FirstBaskets":
        first = np.full(len(lines.customers), np.iinfo(np.int64).max)
        np.minimum.at(first, lines.customer, lines.day)
        since = lines.day - first[lines.customer]
        followed = first[lines.customer] <= lines.end - within_days
        begun = followed & (since == 0)
        who, what = lines.customer[begun], lines.item[begun]
        shape = (len(lines.customers), len(lines.items))
        place = np.arange(len(who)) - np.searchsorted(who, who)  # in her basket: lines lie by customer
        few = place < MOST_ITEMS
        returned = np.zeros(len(lines.customers), dtype=bool)
        returned[lines.customer[followed & (since > 0) & (since <= within_days)]] = True
        return cls(
            matrix(np.ones(len(who)), who, what, shape),
            matrix(np.ones(int(few.sum())), who[few], what[few], shape),
            returned,
        )

    def pairs(self, least_support: int) -> tuple[Integers, Integers]:
        """Positions of items begun with together, the more common of the two first."""
        both = (self.paired.T @ self.paired).tocoo()
        kept = (both.row < both.col) & (both.data >= least_support)
        one, other = both.row[kept].astype(np.int64), both.col[kept].astype(np.int64)
        often = np.asarray(self.had.sum(axis=0)).ravel()
        swapped = often[other] > often[one]
        return np.where(swapped, other, one), np.where(swapped, one, other)


def came_back(*, customers: int, returned: int, alone: int, alone_returned: int) -> Interval:
    """How much more often those came back who began with both than those with the one alone; Newcombe at 95 per cent.

    Raises
    ------
    TooFew
        Nobody on one of the sides.
    """
    return rate_lift(Moments.of_rate(alone, alone_returned), Moments.of_rate(customers, returned)).difference


def starters(lines: Lines, *, within_days: int = RETURNS_WITHIN_DAYS, least_support: int = LEAST_SUPPORT) -> Table:
    """Pairs of the first basket beside the more common of the two alone.

    Returns
    -------
    Table
        item_id (the more common), other_id; customers (whose first basket has both, known for `within_days`), returned
        (of them, within those days); alone, alone_returned (the first basket has the item without the other);
        difference, low, high (of the two rates of return; Newcombe at 95 per cent). Surest first. An observation:
        whoever takes two things is another customer.

    Raises
    ------
    NotASupport
    """
    whole("within_days", within_days, least=1)
    if not isinstance(least_support, Integral) or least_support < 1:
        raise NotASupport(f"a support of {least_support}")
    first = FirstBaskets.of(lines, within_days=within_days)
    common, other = first.pairs(least_support)
    everybody = matrix(np.ones(len(lines.customers)), np.zeros(len(lines.customers), dtype=np.int64),
                       np.arange(len(lines.customers)), (1, len(lines.customers)))  # fmt: skip
    counts = [one[0] for one in count_starters(first, common, other, everybody)]
    rows = []
    for place, (customers, returned, alone, alone_returned) in enumerate(zip(*counts, strict=True)):
        if alone < least_support:
            continue
        numbers = {"customers": int(customers), "returned": int(returned), "alone": int(alone),
                   "alone_returned": int(alone_returned)}  # fmt: skip
        found = came_back(**numbers)
        rows.append((int(common[place]), int(other[place]), *numbers.values(), found.estimate, found.low, found.high))
    rows.sort(key=lambda row: (-row[7], row[:2]))
    names = ("item_id", "other_id", "customers", "returned", "alone", "alone_returned", "difference", "low", "high")
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    told = {
        name: np.array(column, dtype=np.int64 if place < 6 else float)
        for place, (name, column) in enumerate(zip(names, columns, strict=True))
    }
    return Table({**told, "item_id": lines.items[told["item_id"]], "other_id": lines.items[told["other_id"]]})


def count_starters(
    first: FirstBaskets, common: Integers, other: Integers, members: Matrix
) -> tuple[Integers, Integers, Integers, Integers]:
    """Of pairs of items, whom there are: began with both, of them came back, with the common one alone, of them.

    Parameters
    ----------
    members
        Shape (groups, customers): 1 where the customer is of the group.

    Returns
    -------
    Four arrays of shape (groups, pairs).
    """
    with_common, with_other = first.had[:, common], first.had[:, other]
    both = with_common.multiply(with_other).tocsr()
    alone = (with_common - both).tocsr()
    back = members.multiply(first.returned.astype(float)).tocsr()
    found = (members @ both, back @ both, members @ alone, back @ alone)
    customers, returned, lonely, lonely_returned = (np.rint(one.toarray()).astype(np.int64) for one in found)
    return customers, returned, lonely, lonely_returned
