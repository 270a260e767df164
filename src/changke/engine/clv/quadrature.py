"""Gauss points for the expectations that have no closed form everywhere."""

from functools import lru_cache

import numpy as np

from changke.engine.clv.statistics import Floats


@lru_cache(maxsize=8)
def legendre(points: int) -> tuple[Floats, Floats]:
    """Nodes and weights on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(points)
    return (nodes + 1) / 2, weights / 2


def beta_points(a: Floats, b: Floats, points: int = 32) -> tuple[Floats, Floats]:
    """Nodes and weights of the expectation over Beta(a, b), one row for each pair.

    Golub and Welsch (1969): the nodes are the eigenvalues of the Jacobi matrix, the weights the squares of the first
    components; as the density integrates to one, no gamma function and no overflow comes in.
    """
    p, q = (b - 1)[:, None], (a - 1)[:, None]  # Jacobi's exponents at +1 and -1 after x -> 2x - 1
    k = np.arange(points, dtype=float)[None, :]
    with np.errstate(all="ignore"):
        s = 2 * k + p + q
        diagonal = (q * q - p * p) / (s * (s + 2))
        diagonal[:, :1] = (q - p) / (p + q + 2)
        k = k[:, 1:]
        s = s[:, 1:]
        squares = 4 * k * (k + p) * (k + q) * (k + p + q) / (s * s * (s + 1) * (s - 1))
        squares[:, :1] = 4 * (1 + p) * (1 + q) / ((2 + p + q) ** 2 * (3 + p + q))
    matrix = np.zeros((len(a), points, points))
    i = np.arange(points)
    matrix[:, i, i] = np.nan_to_num(diagonal)
    matrix[:, i[1:], i[:-1]] = np.sqrt(np.maximum(np.nan_to_num(squares), 0.0))
    nodes, vectors = np.linalg.eigh(matrix)  # reads the lower triangle
    return np.clip((nodes + 1) / 2, 0.0, 1.0), vectors[:, 0, :] ** 2
