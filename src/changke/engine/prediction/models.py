"""The mean of three models, or of two that know a rhythm: what is known without looking at outcomes."""

from dataclasses import dataclass

import numpy as np

from changke.engine.clv.bg_nbd import BGNBD
from changke.engine.clv.mbg_nbd import MBGNBD
from changke.engine.clv.model import About, PurchaseModel
from changke.engine.clv.pareto_nbd import ParetoNBD
from changke.engine.clv.regular import BGCNBD, MBGCNBD
from changke.engine.clv.statistics import Floats, Statistics, columns_from, distinct
from changke.engine.clv.summary import Summary


@dataclass(frozen=True)
class Said:
    """What the models say of a horizon, for each customer.

    Attributes
    ----------
    active
        The chance of at least one purchase day, one row per model.
    expected, variance
        Of the purchase days: the mean of the models' means; the first model's variance, stretched to it.
    """

    active: Floats
    expected: Floats
    variance: Floats

    @classmethod
    def of(cls, about: "tuple[About, ...]", horizon: float) -> "Said":
        first, *others = about
        mean, variance = first.purchases(horizon)
        expected = np.mean([mean, *(one.mean(horizon) for one in others)], axis=0)
        active = np.array([one.p_active(horizon) for one in about])
        return cls(active, expected, stretched(variance, mean, expected))


def stretched(variance: Floats, mean: Floats, expected: Floats) -> Floats:
    """The variance of a count whose mean is another than was said."""
    with np.errstate(all="ignore"):
        ratio = np.where(mean > 0, expected / mean, 1.0)
    return np.asarray(variance * np.clip(np.nan_to_num(ratio, nan=1.0), 0.1, 10.0), float)


@dataclass(frozen=True)
class Blend:
    """BG/NBD, MBG/NBD and Pareto/NBD, fitted on the same customers; with k above one BG/CNBD-k and MBG/CNBD-k."""

    models: tuple[PurchaseModel, ...]

    @classmethod
    def fitted(cls, known: Summary, k: int = 1) -> "Blend":
        rows = Statistics.of(*columns_from(known))
        plain: tuple[PurchaseModel, ...] = (BGNBD(), MBGNBD(), ParetoNBD())
        return cls(tuple(model.fit(rows) for model in (plain if k == 1 else (BGCNBD(k=k), MBGCNBD(k=k)))))

    def ask(self, known: Summary, horizon: float) -> tuple[Floats, Floats]:
        """Expected purchase days and P(active) of each customer."""
        rows, place = distinct(*columns_from(known))
        expected = np.mean([model.expected_purchases(horizon, *rows) for model in self.models], axis=0)
        return expected[place], self.p_active(horizon, *rows)[place]

    def p_active(self, horizon: float, x: Floats, t_x: Floats, T: Floats) -> Floats:
        """The chance of at least one purchase day in the next `horizon`: the mean of the models."""
        return np.asarray(np.mean([model.p_active(horizon, x, t_x, T) for model in self.models], axis=0), float)


KINDS: dict[str, type[PurchaseModel]] = {one.name: one for one in (BGNBD, MBGNBD, ParetoNBD, BGCNBD, MBGCNBD)}
