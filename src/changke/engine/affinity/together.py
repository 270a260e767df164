"""What goes into one basket."""

import numpy as np

from changke.engine.affinity.lines import Lines
from changke.engine.affinity.sparse import Matrix, matrix

SHRINK = 20.0  # baskets: what was seen together twice is not a pair yet


def together(lines: Lines) -> Matrix:
    """Shape (items, items): cosine of the baskets of two items, shrunk; nothing goes with itself."""
    if not len(lines.day):
        return matrix([], lines.item, lines.item, (len(lines.items), len(lines.items)))
    basket = lines.basket
    bought = matrix(np.ones(len(basket)), basket, lines.item, (int(basket[-1]) + 1, len(lines.items)))
    pairs = (bought.T @ bought).tocsr()
    count = pairs.diagonal()
    pairs.setdiag(0)
    pairs.eliminate_zeros()
    row, column = pairs.nonzero()
    pairs.data = pairs.data / (np.sqrt(count[row] * count[column]) + SHRINK)
    return pairs
