"""Whether stores differ so that it helps: docs/algorithms/outlook.md, Stores."""

from dataclasses import dataclass, field

import numpy as np

from changke.engine.clv.statistics import Floats
from changke.engine.prediction.days import Days, Window
from changke.engine.prediction.models import Blend, Rhythm
from changke.engine.prediction.past import LEAST_CUSTOMERS, newest, time_that_came
from changke.engine.prediction.stores import Stores, belongs, evidence

BEYOND = 1.0
"""By how many standard errors both errors must be smaller."""
ANY_TIME = Rhythm()
LEAST_GAIN = 3.0
"""Twenty times as probable."""


@dataclass(frozen=True)
class Found:
    """What the newest past window says of stores.

    Attributes
    ----------
    worth
        How much the chain counts; None where the chain's model is better alone.
    chain, stores
        The models as they were learned there; None where nothing was asked.
    why
        In a sentence; empty where nobody named a store.
    """

    worth: float | None = None
    chain: Blend | None = None
    stores: Stores = field(default_factory=Stores)
    why: str = ""


def stores_that_differ(days: Days, horizon: int, rhythm: Rhythm = ANY_TIME) -> Found:
    """Learn stores and chain on what was known before the newest past window, and hold both against what came."""
    if days.store is None or not belongs(days.store).any():
        return Found()
    past = newest(days, horizon) if len(days.customers) >= LEAST_CUSTOMERS else None
    if past is None:
        return Found(why="stores: too few customers or days to tell them apart")
    window, length = past
    known = window.summary()
    chain = Blend.fitted(known, rhythm)
    said = evidence(chain, known)
    if said is None:
        return Found(chain=chain, why="stores: fewer than two with customers enough")
    worth, gain = said
    if gain < LEAST_GAIN:
        return Found(chain=chain, why=f"stores: alike (logarithm of the evidence {gain:+.1f})")
    stores = Stores.fitted(chain, known, worth)
    better, numbers = _better(window, length, chain, stores)
    if not better:
        return Found(chain=chain, why=f"stores: differ, but the chain's model met the newest past as well ({numbers})")
    why = f"stores: models of their own, the chain counts as {worth:.0f} customers ({numbers})"
    return Found(worth, chain, stores, why)


def _better(window: Window, length: int, chain: Blend, stores: Stores) -> tuple[bool, str]:
    """Whether both squared errors, of the days and of the chance, are smaller by more than chance."""
    known, came = window.summary(), window.outcome(length)[0]
    about = Stores().about(chain, known)
    stretched = time_that_came(about.models, chain.weights, about.place, float(length), came)
    if stretched is None:
        return False, "nobody came"
    alone, theirs = chain.ask(known, stretched), stores.ask(chain, known, stretched)
    less = [
        (one - true) ** 2 - (other - true) ** 2
        for one, other, true in zip(alone, theirs, (came, (came > 0).astype(float)), strict=True)
    ]
    beyond = [_beyond(one) for one in less]
    numbers = f"squared error of days {_less(less[0])}, of the chance {_less(less[1])}"
    return min(beyond) > BEYOND, numbers


def _beyond(less: Floats) -> float:
    """A mean in its standard errors."""
    scatter = float(less.std())
    return float(less.mean()) / scatter * float(np.sqrt(len(less))) if scatter > 0 else 0.0


def _less(less: Floats) -> str:
    return f"{-less.mean():+.3g} ± {less.std() / np.sqrt(len(less)):.2g}"
