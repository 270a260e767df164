"""Customers that look alike are one row with a number: exact, and several times fewer rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from changke.engine.refusals import Refusal

Floats = npt.NDArray[np.float64]

MARKED_PER_ROW = 4
"""Keys that may exist for each row, up to which they are marked in a table instead of sorted."""


@dataclass(frozen=True)
class Statistics:
    """Distinct (x, t_x, T), and how many customers stand behind each."""

    x: Floats
    t_x: Floats
    T: Floats
    n: Floats

    @property
    def customers(self) -> float:
        return float(self.n.sum())

    @classmethod
    def of(cls, x: npt.ArrayLike, t_x: npt.ArrayLike, T: npt.ArrayLike, n: npt.ArrayLike | None = None) -> "Statistics":
        """Count equal rows. Whole days are packed into one integer; anything else is compared row by row."""
        x, t_x, T = checked(x, t_x, T)
        weights = np.ones(len(x)) if n is None else np.asarray(n, float)
        if weights.shape != x.shape or not np.all(np.isfinite(weights)) or np.any(weights < 0):
            raise ValueError("n must hold one finite number from 0 on for each row")
        if not len(x):
            return cls(x, t_x, T, weights)
        key = packed(x, t_x, T)
        if key is None:
            rows, place = np.unique(np.column_stack([x, t_x, T]), axis=0, return_inverse=True)
            return cls(rows[:, 0], rows[:, 1], rows[:, 2], np.bincount(place.ravel(), weights).astype(float))
        if n is None:
            keys, counts = np.unique(key, return_counts=True)
        else:
            keys, place = np.unique(key, return_inverse=True)
            counts = np.bincount(place.ravel(), weights)
        base_t, base_T = int(t_x.max()) + 1, int(T.max()) + 1
        rest, ages = np.divmod(keys, base_T)
        counted, lasts = np.divmod(rest, base_t)
        return cls(counted.astype(float), lasts.astype(float), ages.astype(float), counts.astype(float))


def checked(x: npt.ArrayLike, t_x: npt.ArrayLike, T: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
    """The three columns as numbers.

    Raises
    ------
    ValueError
        If one of them could not come from purchases.
    """
    a, b, c = (np.atleast_1d(np.ma.getdata(np.asarray(column, dtype=float))) for column in (x, t_x, T))
    if not a.shape == b.shape == c.shape or a.ndim != 1:
        raise ValueError("x, t_x and T must be columns of one length")
    if not np.isfinite(a.sum() + b.sum() + c.sum()):  # quicker than asking each
        raise ValueError("x, t_x and T must be finite")
    if np.any(a < 0) or np.any(a != np.floor(a)):
        raise ValueError("x must hold whole numbers from 0 on")
    if np.any(b < 0) or np.any(b > c * (1 + 1e-12)):
        raise ValueError("t_x must lie between 0 and T")
    if np.any((a == 0) & (b > 0)):
        raise ValueError("who never came back (x = 0) has t_x = 0")
    return a, b, c


def packed(*columns: Floats) -> npt.NDArray[np.int64] | None:
    """Whole numbers of several columns as one integer per row; None where they are not whole or too large."""
    if not all(np.array_equal(column, np.floor(column)) for column in columns):
        return None
    bases = [int(column.max()) + 1 if len(column) else 1 for column in columns]
    if float(np.prod([float(base) for base in bases])) > 2**62:
        return None
    key = columns[0].astype(np.int64)
    for column, base in zip(columns[1:], bases[1:], strict=True):
        key = key * base + column.astype(np.int64)
    return key


def distinct(*columns: Floats) -> tuple[list[Floats], npt.NDArray[np.intp]]:
    """The distinct rows of some columns, and where each row of the input stands among them."""
    key = packed(*columns)
    if key is None:
        rows, place = np.unique(np.column_stack(columns), axis=0, return_inverse=True)
        return [rows[:, i] for i in range(len(columns))], place.ravel()
    size = int(key.max()) + 1 if len(key) else 0
    if size > MARKED_PER_ROW * len(key):
        _, first, place = np.unique(key, return_index=True, return_inverse=True)
        return [column[first] for column in columns], place.ravel()
    first = np.full(size, -1, np.intp)  # where each key was seen: marking is quicker than sorting
    first[key] = np.arange(len(key))
    keys = np.flatnonzero(first >= 0)
    stands = np.empty(size, np.intp)
    stands[keys] = np.arange(len(keys))
    return [column[first[keys]] for column in columns], stands[key]


def dot(one: Floats, other: Floats) -> float:
    """The sum of products. Not by `@`: its threads cost more to wake, and spin longer, than the work takes."""
    return float(np.einsum("i,i->", one, other))


class NotASummary(Refusal):
    """What was given has no columns of customers: often transactions that were not summed up yet."""

    code = "not_a_summary"


def columns_from(data: Any) -> tuple[Floats, Floats, Floats]:
    """x, t_x and T of a summary, of a frame or of any mapping of columns."""
    return checked(*(column_of(data, name) for name in ("x", "t_x", "T")))


def column_of(data: Any, name: str) -> Any:
    """A column by its name. Of a frame it is asked by name only: `frame.T` would be the frame lying on its side.

    Raises
    ------
    NotASummary
        There is none of that name.
    """
    try:
        return data[name] if hasattr(data, "__getitem__") else getattr(data, name)
    except Exception as problem:  # every library has an exception of its own for it
        raise NotASummary(
            f"no column {name} in this {type(data).__name__}: first `summary(transactions, observation_end=...)`"
        ) from problem
