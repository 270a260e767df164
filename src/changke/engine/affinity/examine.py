"""How well the weights did on the shop's own past: learnt at an earlier day, held against the next baskets.
docs/algorithms/affinity.md, Report card.
"""

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from changke.engine.affinity.lines import Lines
from changke.engine.affinity.parts import Candidates, Shop
from changke.engine.affinity.weights import LOOKS_BACK_DAYS, MOST_BASKETS, WITHIN_DAYS, learn
from changke.engine.prediction.days import EPOCH
from changke.engine.prediction.holdout import LEAST_TESTED, Band, banded, gap, plain

Floats = npt.NDArray[np.float64]
TOP = 4
"""So many are proposed: what a customer's page has room for."""


@dataclass(frozen=True)
class Examined:
    """How the weights, given only what was known at an earlier day, met the next baskets after it.

    Attributes
    ----------
    cut, within_days
        The last day they knew; a basket counts that came so many days after it at most.
    customers
        Known on that day, with such a basket; at most 2,000 of them, evenly.
    top
        So many were proposed to each.
    hit, own_hit, popular_hit
        Share of the baskets with at least one of the proposed; with one of those she had most often (then what sells);
        with one of what sold most in the 30 days before.
    proposed, said, came
        Proposals in all; the mean chance they were given; the share that was in the basket.
    band_gap, bands
        Tenths of the proposals by the chance, and how far said and came lie apart in them on average.
    """

    cut: dt.date
    within_days: int
    customers: int
    top: int
    hit: float
    own_hit: float
    popular_hit: float
    proposed: int
    said: float
    came: float
    band_gap: float
    bands: tuple[Band, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain numbers and text."""
        return {name: plain(value) for name, value in asdict(self).items()}


def examine(lines: Lines) -> Examined | None:
    """Learn at an earlier day, look at the first basket of each customer after it.

    None where fewer than 50 customers had one, or nothing was known before the days that are learnt from.
    """
    cut = lines.end - WITHIN_DAYS
    if not len(lines.day) or int(lines.day.min()) > cut - min(LOOKS_BACK_DAYS):
        return None
    customer, item = lines.next_baskets(cut, WITHIN_DAYS)
    buyers = np.unique(customer)
    if len(buyers) < LEAST_TESTED:
        return None
    if len(buyers) > MOST_BASKETS:
        buyers = buyers[np.unique(np.linspace(0, len(buyers) - 1, MOST_BASKETS).astype(int))]
    then = lines.until(cut)
    shop, weights = Shop(then), learn(then)
    had = customer * len(lines.items) + item
    sold = np.bincount(then.item[then.end - then.day < 30], minlength=len(then.items)).astype(float)
    hits: list[tuple[float, float, float]] = []
    said: list[Floats] = []
    came: list[Floats] = []
    for portion in shop.batches(buyers):
        found = shop.candidates(portion)
        right = np.isin(portion[found.row] * len(lines.items) + found.item, had).astype(float)
        chance = weights.chance(found)
        popular = sold[found.item]
        often = found.times + popular / (sold.max() + 1)
        ours, own, general = (_top(found, score, len(portion)) for score in (chance, often, popular))
        hits += [tuple(float(right[one[n]].any()) for one in (ours, own, general)) for n in range(len(portion))]  # type: ignore[misc]
        chosen = np.concatenate(ours)
        said.append(chance[chosen])
        came.append(right[chosen])
    chances, true = np.concatenate(said), np.concatenate(came)
    bands = banded(chances, true)
    ours_hit, own_hit, popular_hit = np.mean(hits, axis=0).tolist()
    return Examined(
        cut=(EPOCH + np.timedelta64(cut, "D")).item(),
        within_days=WITHIN_DAYS,
        customers=len(buyers),
        top=TOP,
        hit=ours_hit,
        own_hit=own_hit,
        popular_hit=popular_hit,
        proposed=len(chances),
        said=float(chances.mean()),
        came=float(true.mean()),
        band_gap=gap(bands),
        bands=bands,
    )


def _top(found: Candidates, score: Floats, customers: int) -> list[npt.NDArray[np.int64]]:
    """Of each customer of the portion, where her best candidates stand; equals by the number of the item."""
    order = np.lexsort((found.item, -score, found.row))
    start = np.searchsorted(found.row[order], np.arange(customers + 1))
    return [order[start[n] : min(start[n] + TOP, start[n + 1])] for n in range(customers)]
