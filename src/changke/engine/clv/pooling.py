"""Stores and cohorts learn from themselves as far as they have something to say, and from the chain for the rest."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from changke.engine.clv.fitting import Prior
from changke.engine.clv.model import PurchaseModel
from changke.engine.clv.statistics import Floats, Statistics, columns_from

WORTH = (30.0, 100.0, 300.0, 1000.0, 3000.0)  # customers of the store's own that the chain may count as


@dataclass(frozen=True)
class Pooled:
    """A model for each group, and the chain's, to which they are drawn.

    Attributes
    ----------
    worth
        How many customers of a group's own the chain counts as, chosen from the data.
    gain
        How much more probable what the groups did is than by the chain's model alone, as a logarithm: below nothing
        where they do not differ.
    """

    chain: PurchaseModel
    groups: Mapping[object, PurchaseModel]
    worth: float
    gain: float = 0.0


def fit_pooled(model: type[PurchaseModel], data: Any, groups: npt.ArrayLike) -> Pooled:
    """Fit the chain, then each group with the chain as its prior.

    Parameters
    ----------
    model
        `BGNBD`, `MBGNBD` or `ParetoNBD`.
    data
        A `Summary` or a mapping with x, t_x and T.
    groups
        The store or cohort of each row.
    """
    x, t_x, T = columns_from(data)
    named = np.asarray(groups)
    if named.shape != x.shape:
        raise ValueError("groups must name one group for each row")
    everybody = Statistics.of(x, t_x, T)
    rows = {name: Statistics.of(*(c[named == name] for c in (x, t_x, T))) for name in np.unique(named).tolist()}
    return pooled(model, model().fit(everybody), everybody, rows)


def pooled(
    model: Callable[[], PurchaseModel],
    chain: PurchaseModel,
    everybody: Statistics,
    rows: Mapping[Any, Statistics],
    worths: Sequence[float] = WORTH,
) -> Pooled:
    """Each group with the fitted chain as its prior; of several worths the one with the greatest evidence."""
    if chain.fit_ is None or chain.fit_.fallback is not None:  # the chain itself has nothing to say
        return Pooled(chain, dict.fromkeys(rows, chain), worths[-1])
    centre = np.log([chain.values()[name] for name in chain.parameters])
    information = _information(chain, everybody, centre) / everybody.customers
    alone, found = sum(_likelihood(chain, of_one, centre) for of_one in rows.values()), {}
    for worth in worths:
        prior = Prior(centre, worth * information, information)
        fits = {name: model().fit(of_one, prior=prior) for name, of_one in rows.items()}
        found[worth] = (sum(_evidence(fits[name], rows[name], prior) for name in rows), fits)
    best = max(worths, key=lambda worth: found[worth][0])
    return Pooled(chain, found[best][1], best, found[best][0] - alone)


def _likelihood(model: PurchaseModel, rows: Statistics, point: Floats) -> float:
    """Of some rows, comparable with what `fit` says of them; nothing where that says nothing."""
    if not rows.customers or rows.T.max() <= 0:
        return 0.0
    return model._target(rows, None)(point)[0] * rows.customers


def _information(model: PurchaseModel, rows: Statistics, point: Floats) -> Floats:
    """The negative curvature of the log-likelihood in the logarithms, kept positive."""
    target = model._target(rows, None)
    columns = []
    for i in range(len(point)):
        step = np.zeros(len(point))
        step[i] = 1e-4
        columns.append((target(point - step)[1] - target(point + step)[1]) * rows.customers / 2e-4)
    curved = np.array(columns)
    values, vectors = np.linalg.eigh((curved + curved.T) / 2)
    return np.asarray((vectors * np.maximum(values, 1e-6 * rows.customers)) @ vectors.T, float)


def _evidence(fitted: PurchaseModel, rows: Statistics, prior: Prior) -> float:
    """How probable the group is under the prior, by Laplace's approximation."""
    if fitted.fit_ is None or not np.isfinite(fitted.fit_.log_likelihood):
        return 0.0
    point = np.log([fitted.values()[name] for name in fitted.parameters])
    curved = _information(fitted, rows, point) + prior.precision
    volumes = np.linalg.slogdet(prior.precision)[1] - np.linalg.slogdet(curved)[1]
    return fitted.fit_.log_likelihood - prior.at(point)[0] + 0.5 * float(volumes)
