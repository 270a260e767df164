"""Which group of parts a recommendation owes most to, as a code with values: words live with whoever shows it."""

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from changke.engine.affinity.parts import Candidates, Shop
from changke.engine.affinity.weights import GROUP_NAMES, Weights

DUE = (0.75, 3.0)  # usual cycles since she had it: about time; much later she has stopped
LEAST_ALIKE = 2


class Reason(StrEnum):
    """Why an item is proposed."""

    AGAIN = "again"
    DUE = "due"
    ALIKE = "alike"
    GOES_WITH = "goes_with"
    POPULAR = "popular"


def reasons(shop: Shop, weights: Weights, candidates: Candidates, partner: npt.NDArray[np.int64]) -> list[Reason]:
    """Per candidate, the strongest group whose values say something. `partner`: the item it goes with, or -1.

    What speaks of her own past is one group here; where it is about time, that is the reason said.
    """
    had = candidates.times > 0
    groups = dict(zip(GROUP_NAMES, weights.groups(candidates).T, strict=True))
    strength = {
        Reason.AGAIN: np.where(had, groups["again"] + groups["due"], -np.inf),
        Reason.ALIKE: np.where(candidates.alike >= LEAST_ALIKE, groups["alike"], -np.inf),
        Reason.GOES_WITH: np.where(partner >= 0, groups["goes_with"], -np.inf),
        Reason.POPULAR: groups["popular"],
    }
    names = tuple(strength)
    strongest = [names[place] for place in np.column_stack(list(strength.values())).argmax(axis=1)]
    cycles = candidates.days_since / shop.cycle_days[candidates.item]
    is_due = (cycles >= DUE[0]) & (cycles <= DUE[1])
    return [Reason.DUE if one is Reason.AGAIN and due else one for one, due in zip(strongest, is_due, strict=True)]


def partners(shop: Shop, customers: npt.NDArray[np.int64], candidates: Candidates) -> npt.NDArray[np.int64]:
    """Per candidate, the item of her last basket it goes with best; -1 if with none."""
    last = shop.last_basket[customers]
    many = np.diff(last.indptr)[candidates.row]
    place = np.repeat(np.arange(len(many)), many)  # of the candidate, once per item of the last basket
    start = np.repeat(last.indptr[:-1][candidates.row] - (np.cumsum(many) - many), many)
    beside = last.indices[start + np.arange(len(place))]
    strength = np.asarray(shop.pairs[candidates.item[place], beside]).ravel() if len(place) else np.zeros(0)
    order = np.lexsort((beside, strength, place))
    is_best = np.append(np.diff(place[order]) != 0, True)[: len(order)] & (strength[order] > 0)
    found = np.full(len(many), -1)
    found[place[order][is_best]] = beside[order][is_best]
    return found
