"""Which group of parts a recommendation owes most to, as a code with values: words live with whoever shows it."""

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from changke.engine.affinity.parts import Candidates, Shop
from changke.engine.affinity.weights import GROUP_NAMES, Weights

NEARLY_DUE = 0.75  # of the usual cycle
LEAST_ALIKE = 2


class Reason(StrEnum):
    """Why an item is proposed."""

    AGAIN = "again"
    DUE = "due"
    ALIKE = "alike"
    GOES_WITH = "goes_with"
    POPULAR = "popular"


def reasons(shop: Shop, weights: Weights, candidates: Candidates, partner: npt.NDArray[np.int64]) -> list[Reason]:
    """Per candidate, the strongest group whose values say something. `partner`: the item it goes with, or -1."""
    had = candidates.times > 0
    may = {
        Reason.AGAIN: had,
        Reason.DUE: had & (candidates.days_since >= NEARLY_DUE * shop.cycle_days[candidates.item]),
        Reason.ALIKE: candidates.alike >= LEAST_ALIKE,
        Reason.GOES_WITH: partner >= 0,
        Reason.POPULAR: np.ones(len(had), dtype=bool),
    }
    allowed = np.column_stack([may[Reason(group)] for group in GROUP_NAMES])
    strongest = np.where(allowed, weights.groups(candidates), -np.inf).argmax(axis=1)
    return [Reason(GROUP_NAMES[place]) for place in strongest]


def partners(shop: Shop, customers: npt.NDArray[np.int64], candidates: Candidates) -> npt.NDArray[np.int64]:
    """Per candidate, the item of her last basket it goes with best; -1 if with none."""
    found = np.full(len(candidates.item), -1)
    for place, (row, item) in enumerate(zip(candidates.row, candidates.item, strict=True)):
        last = shop.last_basket[customers[row]].indices
        strength = shop.pairs[item, last].toarray().ravel() if len(last) else np.zeros(0)
        if strength.size and strength.max() > 0:
            found[place] = last[strength.argmax()]
    return found
