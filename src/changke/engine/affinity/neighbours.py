"""The customers most like her."""

import numpy as np

from changke.engine.affinity.lines import Integers, Lines
from changke.engine.affinity.sparse import Matrix, faded, matrix, unit_rows

NEIGHBOURS = 300
POOL = 20_000  # those who bought latest: comparing everybody with everybody grows with the square
LIKENESS_HALF_LIFE_DAYS = 180


class Neighbours:
    """Finds the nearest customers by cosine of faded days."""

    def __init__(self, lines: Lines) -> None:
        self._vectors = unit_rows(faded(lines, LIKENESS_HALF_LIFE_DAYS))
        last = np.full(len(lines.customers), np.iinfo(np.int64).min)
        np.maximum.at(last, lines.customer, lines.day)
        known = np.flatnonzero(last > np.iinfo(np.int64).min)
        latest = known[np.argsort(-last[known], kind="stable")[:POOL]]
        self.pool = np.sort(latest)
        self._place = np.full(len(lines.customers), -1)
        self._place[self.pool] = np.arange(len(self.pool))
        self._compared = self._vectors[self.pool].T.tocsr()

    def of(self, customers: Integers) -> Matrix:
        """Shape (customers, pool): likeness of the nearest, rows summing to 1, nobody like herself."""
        likeness = (self._vectors[customers] @ self._compared).toarray()
        herself = self._place[customers]
        likeness[np.flatnonzero(herself >= 0), herself[herself >= 0]] = 0
        if likeness.shape[1] > NEIGHBOURS:
            nearest = np.argpartition(-likeness, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
            row = np.repeat(np.arange(len(customers)), NEIGHBOURS)
            values, column = np.take_along_axis(likeness, nearest, axis=1).ravel(), nearest.ravel()
        else:
            row, column = likeness.nonzero()
            values = likeness[row, column]
        near = values > 0
        total = np.bincount(row[near], weights=values[near], minlength=len(customers))
        return matrix(values[near] / total[row[near]], row[near], column[near], likeness.shape)
