"""How much each part counts, learnt from what the shop's customers took next in the past."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from changke.engine.affinity.lines import Lines
from changke.engine.affinity.parts import GROUPS, PARTS, Candidates, Shop
from changke.engine.affinity.shipped import SHIPPED
from changke.engine.refusals import whole
from changke.engine.regression import logistic_ridge, sigmoid

Floats = npt.NDArray[np.float64]
LOOKS_BACK_DAYS = (45, 105, 165)
WITHIN_DAYS = 60
LEAST_BASKETS = 200
MOST_BASKETS = 2_000  # of one look back: more do not change the weights, and cost memory
LEAST_PENALTY, PENALTY_SHARE = (
    10.0,
    0.001,
)  # of what the examples count together; chosen on earlier cuts than the judged
GROUP_NAMES = tuple(dict.fromkeys(GROUPS.values()))
_GROUP = np.array([[GROUPS[part] == group for group in GROUP_NAMES] for part in PARTS], dtype=float)


@dataclass(frozen=True)
class Weights:
    """A logistic regression over the parts.

    Attributes
    ----------
    intercept, values
        In the order of `PARTS`.
    usual
        What each group of parts usually adds for a candidate: a reason has to exceed it.
    baskets
        Learnt from so many next baskets; 0 for the shipped weights.
    """

    intercept: float
    values: tuple[float, ...]
    usual: tuple[float, ...]
    baskets: int

    @property
    def is_learnt(self) -> bool:
        return self.baskets > 0

    def chance(self, candidates: Candidates) -> Floats:
        """Shape (candidates,)."""
        return sigmoid(self.intercept + candidates.parts @ np.asarray(self.values))

    def groups(self, candidates: Candidates) -> Floats:
        """Shape (candidates, groups): what each adds above the usual."""
        return np.asarray((candidates.parts * np.asarray(self.values)) @ _GROUP - np.asarray(self.usual))

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "parts": PARTS}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> "Weights":
        """What another version saved, with other parts, is refused by a KeyError or a ValueError."""
        if tuple(saved["parts"]) != PARTS:
            raise ValueError("saved with other parts")
        return cls(saved["intercept"], tuple(saved["values"]), tuple(saved["usual"]), saved["baskets"])


def learn(
    lines: Lines, *, looks_back_days: Sequence[int] = LOOKS_BACK_DAYS, least_baskets: int = LEAST_BASKETS
) -> Weights:
    """From the next baskets after days in the past; the shipped weights if there are fewer than `least_baskets`."""
    whole("least_baskets", least_baskets, least=1)
    looks_back_days = [whole("looks_back_days", back, least=1) for back in looks_back_days]
    learnt_from = [one for back in looks_back_days for one in _examples(lines, lines.end - back)]
    baskets = sum(one[3] for one in learnt_from)
    if baskets < least_baskets:
        return Weights.from_dict(SHIPPED)
    parts, was_right, counts = (np.concatenate([one[place] for one in learnt_from]) for place in range(3))
    center, scale = parts.mean(axis=0), parts.std(axis=0)
    scale = np.where(scale > 1e-12, scale, np.inf)
    penalty = max(LEAST_PENALTY, PENALTY_SHARE * counts.sum())
    fitted = logistic_ridge((parts - center) / scale, was_right, penalty, counts=counts)
    values = fitted[1:] / scale
    usual = ((center * values) @ _GROUP).tolist()
    return Weights(float(fitted[0] - center @ values), tuple(values.tolist()), tuple(usual), baskets)


def _examples(lines: Lines, day: int) -> list[tuple[Floats, Floats, Floats, int]]:
    """Per portion of customers: parts, whether it was in the next basket, how much it counts, and how many baskets."""
    customer, item = lines.next_baskets(day, min(WITHIN_DAYS, lines.end - day))
    buyers, place, size = np.unique(customer, return_inverse=True, return_counts=True)
    if not len(buyers):
        return []
    if len(buyers) > MOST_BASKETS:
        evenly = np.unique(np.linspace(0, len(buyers) - 1, MOST_BASKETS).astype(int))
        kept = np.isin(place, evenly)
        buyers, place, size = np.unique(customer[kept], return_inverse=True, return_counts=True)
        item = item[kept]
    shop = Shop(lines.until(day))
    found, done = [], 0
    for portion in shop.batches(buyers):
        candidates = shop.candidates(portion)
        right = np.zeros((len(portion), len(lines.items)), dtype=bool)
        inside = (place >= done) & (place < done + len(portion))
        right[place[inside] - done, item[inside]] = True
        counts = 1 / np.sqrt(size[done : done + len(portion)])
        was_right = right[candidates.row, candidates.item].astype(float)
        found.append((candidates.parts, was_right, counts[candidates.row], len(portion)))
        done += len(portion)
    return found
