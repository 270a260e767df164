"""Candidates for a customer, and what speaks for each of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from changke.engine.affinity.cycles import cycles
from changke.engine.affinity.lines import Integers, Lines
from changke.engine.affinity.neighbours import Neighbours
from changke.engine.affinity.sparse import Matrix, by_customer, faded
from changke.engine.affinity.together import together

Floats = npt.NDArray[np.float64]
CANDIDATES = 150  # besides everything she had
CELLS = 4_000_000  # customers times items, or times similar ones, looked at together: 32 MB a column
FADES_DAYS = (30, 90, 180)
FASHIONS_DAYS = (14, 30, 60, 180)
GROUPS = {  # part -> what it says
    "had": "again",
    "times": "again",
    "share": "again",
    "share_by_baskets": "again",
    **{f"faded_{days}": "again" for days in FADES_DAYS},
    "in_last_basket": "again",
    "since": "again",
    "had_and_sold_now": "again",
    "early": "due",
    "late": "due",
    **{f"alike_{days}": "alike" for days in FADES_DAYS},
    "goes_with_last": "goes_with",
    "goes_with_lately": "goes_with",
    **{f"sold_{days}": "popular" for days in FASHIONS_DAYS},
}
PARTS = tuple(GROUPS)


@dataclass(frozen=True)
class Candidates:
    """What may be proposed to a batch of customers.

    Attributes
    ----------
    row, item : shape (candidates,)
        Position in the batch, and of the item; ascending by row.
    parts : shape (candidates, parts)
        In the order of `PARTS`.
    times, days_since, alike : shape (candidates,)
        Days she had it, days since (-1: never), similar customers who had it in the last 90 days.
    similar : shape (batch,)
        How many similar customers were found.
    """

    row: Integers
    item: Integers
    parts: Floats
    times: Integers
    days_since: Integers
    alike: Integers
    similar: Integers


class Shop:
    """Everything the parts are computed from, as known at the end of `lines`."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.cycle_days, _ = cycles(lines)
        self.pairs = together(lines)
        self._days = by_customer(lines)
        self._faded = {days: faded(lines, days) for days in FADES_DAYS}
        self._neighbours = Neighbours(lines)
        pool = self._neighbours.pool
        self._of_pool = {days: one[pool] for days, one in self._faded.items()}
        age = lines.end - lines.day
        self._lately = (by_customer(lines, age < 90)[pool] > 0).astype(float)
        self.last_seen = _latest(lines)
        opens = np.flatnonzero(np.diff(lines.basket, prepend=-1))
        self._baskets = np.bincount(lines.customer[opens], minlength=len(lines.customers))
        last = np.full(len(lines.customers), np.iinfo(np.int64).min)
        np.maximum.at(last, lines.customer, lines.day)
        self.last_basket = by_customer(lines, lines.day == last[lines.customer])
        self.last_basket.eliminate_zeros()
        self._sold = {days: np.bincount(lines.item[age < days], minlength=len(lines.items)) for days in FASHIONS_DAYS}

    def recent_customers(self, days: int = 30) -> Integers:
        """Per item: customers who had it in the last days."""
        recent = self.lines.end - self.lines.day < days
        seen = np.unique(np.stack([self.lines.item[recent], self.lines.customer[recent]]), axis=1)
        return np.bincount(seen[0], minlength=len(self.lines.items))

    def batches(self, customers: Integers) -> Iterator[Integers]:
        """The customers in portions that fit."""
        size = max(1, CELLS // max(1, len(self.lines.items), len(self._neighbours.pool)))
        for start in range(0, len(customers), size):
            yield customers[start : start + size]

    def candidates(self, customers: Integers) -> Candidates:
        """For a portion of customers, each with lines of her own."""
        days, near = self._days[customers].toarray(), self._neighbours.of(customers)
        had = days > 0
        alike = {half_life: (near @ one).toarray() for half_life, one in self._of_pool.items()}
        chosen = _chosen(had, self._faded[180][customers].toarray(), alike[30])
        row, item = np.nonzero(chosen)
        times, own = days[chosen], had[chosen]
        since = np.where(own, self.last_seen[customers].toarray()[chosen], 1.0)  # from 1: bought on the last day
        share = times / self._baskets[customers][row]
        due = np.where(own, np.log(since / self.cycle_days[item]), 0.0)
        sold = {span: np.log1p(count)[item] for span, count in self._sold.items()}
        values = {
            "had": own,
            "times": np.log1p(times),
            "share": share,
            "share_by_baskets": share * np.log(self._baskets[customers][row]),
            **{f"faded_{span}": one[customers].toarray()[chosen] for span, one in self._faded.items()},
            "in_last_basket": self.last_basket[customers].toarray()[chosen],
            "since": np.where(own, np.log(since), 0.0),
            "had_and_sold_now": own * sold[30],
            "early": np.minimum(due, 0.0),
            "late": np.maximum(due, 0.0),
            **{f"alike_{span}": np.log(30 * one[chosen] + 1e-3) for span, one in alike.items()},
            "goes_with_last": np.log((self.last_basket[customers] @ self.pairs).toarray()[chosen] + 0.05),
            "goes_with_lately": np.log((self._faded[90][customers] @ self.pairs).toarray()[chosen] + 0.05),
            **{f"sold_{span}": one for span, one in sold.items()},
        }
        bought = ((near > 0).astype(float) @ self._lately).toarray()[chosen]
        return Candidates(
            row,
            item,
            np.column_stack([np.asarray(values[name], dtype=float) for name in PARTS]),
            times=times.astype(np.int64),
            days_since=np.where(own, since - 1, -1).astype(np.int64),
            alike=np.rint(bought).astype(np.int64),
            similar=np.diff(near.indptr).astype(np.int64),
        )


def _latest(lines: Lines) -> Matrix:
    """Shape (customers, items): days since she last had it, plus 1, so that today is not nothing."""
    order = np.lexsort((lines.day, lines.item, lines.customer))
    who, what = lines.customer[order], lines.item[order]
    is_last = np.append((np.diff(who) != 0) | (np.diff(what) != 0), True)[: len(who)]
    values = np.zeros(len(who))
    values[order] = np.where(is_last, lines.end - lines.day[order] + 1, 0)
    return by_customer(lines, values)


def _chosen(had: npt.NDArray[np.bool_], own: Floats, alike: Floats) -> npt.NDArray[np.bool_]:
    """Everything she had, and the best of what speaks loudest by itself."""
    chosen = had.copy()
    if had.shape[1] <= CANDIDATES:
        return np.ones_like(had)
    rough = own / (own.max(axis=1, keepdims=True) + 1e-9) + alike / (alike.max(axis=1, keepdims=True) + 1e-9)
    best = np.argpartition(-rough, CANDIDATES, axis=1)[:, :CANDIDATES]
    np.put_along_axis(chosen, best, True, axis=1)
    return chosen
