"""Customers by items, and baskets by items, as sparse matrices. SciPy is loaded when first asked."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from changke.engine.affinity.lines import Integers, Lines
from changke.engine.later import Later

if TYPE_CHECKING:
    import scipy
else:
    scipy = Later("scipy")

Matrix = Any  # scipy.sparse's CSR, untyped


def matrix(values: npt.ArrayLike, rows: Integers, columns: Integers, shape: tuple[int, int]) -> Matrix:
    """Compressed rows; entries of one place are added."""
    return scipy.sparse.csr_matrix((np.asarray(values, dtype=float), (rows, columns)), shape=shape)


def by_customer(lines: Lines, values: npt.ArrayLike | None = None) -> Matrix:
    """Shape (customers, items): the values of the lines added up, or how many days."""
    shape = (len(lines.customers), len(lines.items))
    return matrix(np.ones(len(lines.day)) if values is None else values, lines.customer, lines.item, shape)


def faded(lines: Lines, half_life_days: float) -> Matrix:
    """Shape (customers, items): days, each halved every half-life."""
    return by_customer(lines, 0.5 ** ((lines.end - lines.day) / half_life_days))


def unit_rows(one: Matrix) -> Matrix:
    """Each row of length 1; empty rows stay."""
    length = np.sqrt(np.asarray(one.multiply(one).sum(axis=1))).ravel()
    return scipy.sparse.diags(1 / np.maximum(length, 1e-12)) @ one
