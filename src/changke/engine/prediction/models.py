"""The mean of three models, or of two that know a rhythm beside them: what is known without looking at outcomes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from changke.engine.clv.bg_nbd import BGNBD
from changke.engine.clv.mbg_nbd import MBGNBD
from changke.engine.clv.model import PurchaseModel
from changke.engine.clv.pareto_nbd import ParetoNBD
from changke.engine.clv.regular import BGCNBD, MBGCNBD, RegularModel
from changke.engine.clv.statistics import Floats, Statistics, columns_from, distinct
from changke.engine.clv.summary import Summary


class Asked(Protocol):
    """Customers as a model sees them: `About`, or several of them."""

    def p_active(self, horizon: float) -> Floats: ...

    def purchases(self, horizon: float) -> tuple[Floats, Floats]: ...

    def mean(self, horizon: float) -> Floats: ...


@dataclass(frozen=True)
class Said:
    """What the models say of a horizon, for each customer.

    Attributes
    ----------
    active
        The chance of at least one purchase day, one row per model.
    expected, variance
        Of the purchase days: the mean of the models' means; the first model's variance, stretched to it.
    chance
        The mean of the chances.
    """

    active: Floats
    expected: Floats
    variance: Floats

    chance: Floats

    @classmethod
    def of(cls, about: "Sequence[Asked]", horizon: float, weights: Floats) -> "Said":
        first, *others = about
        mean, variance = first.purchases(horizon)
        expected = together([mean, *(one.mean(horizon) for one in others)], weights)
        active = np.array([one.p_active(horizon) for one in about])
        return cls(active, expected, stretched(variance, mean, expected), together(active, weights))


def together(said: Sequence[Floats] | Floats, weights: Floats) -> Floats:
    """What several models say, each as far as it counts."""
    if (weights == weights[0]).all():
        return np.asarray(np.mean(said, axis=0), float)
    return np.asarray(sum(weight * one for weight, one in zip(weights, said, strict=True)), float)


def stretched(variance: Floats, mean: Floats, expected: Floats) -> Floats:
    """The variance of a count whose mean is another than was said."""
    with np.errstate(all="ignore"):
        ratio = np.where(mean > 0, expected / mean, 1.0)
    return np.asarray(variance * np.clip(np.nan_to_num(ratio, nan=1.0), 0.1, 10.0), float)


@dataclass(frozen=True)
class Rhythm:
    """How customers keep time.

    Attributes
    ----------
    k
        Gaps are Erlang-k: 1 is a wait by chance.
    loose
        The share of what is said that models without a rhythm say where k is above one: people fall ill, travel,
        put off, and who has missed one visit is not lost.
    """

    k: int = 1
    loose: float = 0.0


@dataclass(frozen=True)
class Blend:
    """BG/NBD, MBG/NBD and Pareto/NBD, fitted on the same customers; with k above one BG/CNBD-k and MBG/CNBD-k, and as
    far as the rhythm is loose the three beside them."""

    models: tuple[PurchaseModel, ...]
    loose: float = 0.0

    @classmethod
    def fitted(cls, known: Summary, rhythm: Rhythm = Rhythm()) -> "Blend":
        rows = Statistics.of(*columns_from(known))
        regular: tuple[PurchaseModel, ...] = (BGCNBD(k=rhythm.k), MBGCNBD(k=rhythm.k)) if rhythm.k > 1 else ()
        plain: tuple[PurchaseModel, ...] = (BGNBD(), MBGNBD(), ParetoNBD()) if rhythm.loose or not regular else ()
        return cls(tuple(model.fit(rows) for model in (*regular, *plain)), rhythm.loose if regular else 0.0)

    @property
    def rhythm(self) -> Rhythm:
        """As it was fitted."""
        return Rhythm(max(int(getattr(model, "k", 1)) for model in self.models), self.loose)

    @property
    def weights(self) -> Floats:
        """How far each model counts, in sum 1."""
        regular = np.array([isinstance(model, RegularModel) for model in self.models])
        if not self.loose:
            return np.full(len(self.models), 1 / len(self.models))
        return np.asarray(np.where(regular, (1 - self.loose) / regular.sum(), self.loose / (~regular).sum()), float)

    def ask(self, known: Summary, horizon: float) -> tuple[Floats, Floats]:
        """Expected purchase days and P(active) of each customer."""
        rows, place = distinct(*columns_from(known))
        expected = together([model.expected_purchases(horizon, *rows) for model in self.models], self.weights)
        return expected[place], self.p_active(horizon, *rows)[place]

    def p_active(self, horizon: float, x: Floats, t_x: Floats, T: Floats) -> Floats:
        """The chance of at least one purchase day in the next `horizon`: the mean of the models."""
        return together([model.p_active(horizon, x, t_x, T) for model in self.models], self.weights)


KINDS: dict[str, type[PurchaseModel]] = {one.name: one for one in (BGNBD, MBGNBD, ParetoNBD, BGCNBD, MBGCNBD)}
