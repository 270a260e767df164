"""Models of stores beside the chain's, each drawn to it: docs/algorithms/outlook.md, Stores."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from changke.engine.clv.model import About, PurchaseModel
from changke.engine.clv.pooling import WORTH, pooled
from changke.engine.clv.statistics import Floats, Statistics, columns_from, distinct
from changke.engine.clv.summary import Summary
from changke.engine.prediction.models import KINDS, Blend, together

NOWHERE = -1
"""What stands for no store where stores have numbers; where they have names it is the empty one."""
LEAST_OF_A_STORE = 20
"""With fewer customers nothing but the chain's model would be heard anyway."""
MOST_OF_A_STORE = 5_000
"""Of larger stores so many, evenly, each standing for several."""
MOST_STORES = 200
"""The largest; customers of the others have the chain's model. So a fit stays below a megabyte."""

Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Together:
    """Customers of several stores, each as the model of her store sees her. Asked like `About`."""

    parts: tuple[About, ...]

    @property
    def x(self) -> Floats:
        return np.concatenate([one.x for one in self.parts])

    def p_active(self, horizon: float) -> Floats:
        """The probability of at least one purchase in the next `horizon`."""
        return np.concatenate([one.p_active(horizon) for one in self.parts])

    def purchases(self, horizon: float) -> tuple[Floats, Floats]:
        """Mean and variance of the purchases in the next `horizon`."""
        means, variances = zip(*(one.purchases(horizon) for one in self.parts), strict=True)
        return np.concatenate(means), np.concatenate(variances)

    def mean(self, horizon: float) -> Floats:
        """The first of `purchases` alone."""
        return np.concatenate([one.mean(horizon) for one in self.parts])


@dataclass(frozen=True)
class Everyone:
    """Customers that look alike as one, as each model sees them, and where each stands among them."""

    models: tuple[About | Together, ...]
    place: Places


@dataclass(frozen=True)
class Own:
    """A store, how many customers it learned from, and its models."""

    store: int | str
    customers: int
    models: Blend

    def as_json(self) -> dict[str, Any]:
        models = [json.loads(model.to_json()) for model in self.models.models]
        return {"store": self.store, "customers": self.customers, "models": models}


@dataclass(frozen=True)
class Newcomer:
    """What the models of a store, or the chain's where it is None, expect of whoever has just begun.

    Attributes
    ----------
    customers
        Of whom the store learned.
    days, comes
        Further purchase days in the horizon, and the chance of one at least.
    """

    store: int | str | None
    customers: int
    days: float
    comes: float


@dataclass(frozen=True)
class Stores:
    """The models of stores: none where the chain's is better.

    Attributes
    ----------
    worth
        How many customers of a store's own the chain counts as.
    own
        Ascending by the store.
    """

    worth: float = 0.0
    own: tuple[Own, ...] = ()

    @classmethod
    def fitted(cls, chain: Blend, known: Summary, worth: float | None) -> Self:
        """Each store drawn to the chain's fitted models; none for a worth of None."""
        rows = rows_of(known) if worth is not None else {}
        if worth is None or not rows:
            return cls()
        everybody = Statistics.of(*columns_from(known))
        each = [pooled(_like(model), model, everybody, rows, (worth,)).groups for model in chain.models]
        return cls(
            worth,
            tuple(
                Own(name, round(rows[name].customers), Blend(tuple(one[name] for one in each), chain.loose))
                for name in sorted(rows)
            ),
        )

    def about(self, chain: Blend, known: Summary) -> Everyone:
        """Who is asked about: customers of a store by its models, all others by the chain's."""
        columns = columns_from(known)
        if not self.own or known.store is None or not len(known):
            rows, place = distinct(*columns)
            return Everyone(tuple(model.about(*rows) for model in chain.models), place)
        (whose, *rows), place = distinct(self._whose(known.store).astype(float), *columns)
        there, first = np.unique(whose, return_index=True)  # `distinct` gives them in ascending order
        parts = [[column[begin:end] for column in rows] for begin, end in zip(first, [*first[1:], None], strict=True)]
        blends = [chain if one == 0 else self.own[int(one) - 1].models for one in there]
        models = zip(*(blend.models for blend in blends), strict=True)
        return Everyone(
            tuple(
                Together(tuple(model.about(*part) for model, part in zip(of_each, parts, strict=True)))
                for of_each in models
            ),
            place,
        )

    def ask(self, chain: Blend, known: Summary, horizon: float) -> tuple[Floats, Floats]:
        """As `Blend.ask`."""
        if not self.own:
            return chain.ask(known, horizon)
        about = self.about(chain, known)
        expected = together([one.mean(horizon) for one in about.models], chain.weights)
        active = together([one.p_active(horizon) for one in about.models], chain.weights)
        return expected[about.place], active[about.place]

    def p_active(self, chain: Blend, horizon: float, x: Floats, t_x: Floats, T: Floats, store: Any) -> Floats:
        """As `Blend.p_active`, of customers of these stores; None where nobody's store is known."""
        if not self.own or store is None:
            return chain.p_active(horizon, x, t_x, T)
        whose, found = self._whose(store), np.empty(len(x))
        for one in np.unique(whose):
            rows = np.flatnonzero(whose == one)
            blend = chain if one == 0 else self.own[int(one) - 1].models
            found[rows] = blend.p_active(horizon, x[rows], t_x[rows], T[rows])
        return found

    def newcomers(self, chain: Blend, horizon: float) -> "tuple[Newcomer, ...]":
        """What is expected of whoever has just bought for the first time: of the chain, then store by store."""
        just, found = (np.zeros(1), np.zeros(1), np.zeros(1)), []
        for store, customers, blend in (
            (None, 0, chain),
            *((one.store, one.customers, one.models) for one in self.own),
        ):
            days = together([model.expected_purchases(horizon, *just) for model in blend.models], blend.weights)
            found.append(Newcomer(store, customers, float(days[0]), float(blend.p_active(horizon, *just)[0])))
        return tuple(found)

    def of(self, stores: Collection[int | str]) -> "Stores":
        """Those of some stores alone."""
        return Stores(self.worth, tuple(one for one in self.own if one.store in stores))

    def _whose(self, store: Any) -> Places:
        """1, 2 ... for customers of the first, the second store; 0 for those of none of them."""
        names, place = np.unique(store, return_inverse=True)
        at = {one.store: index for index, one in enumerate(self.own, 1)}
        return np.array([at.get(name, 0) for name in names.tolist()], np.intp)[place]

    def as_json(self) -> dict[str, Any] | None:
        """None where there are none."""
        if not self.own:
            return None
        return {"worth": self.worth, "own": [one.as_json() for one in self.own]}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None, loose: float = 0.0) -> Self:
        """None in what was kept before stores were, too. `loose`: as the chain keeps its rhythm."""
        if not kept:
            return cls()
        own = (Own(one["store"], int(one["customers"]), blend_from(one["models"], loose)) for one in kept["own"])
        return cls(float(kept["worth"]), tuple(own))


def blend_from(kept: Sequence[Mapping[str, Any]], loose: float = 0.0) -> Blend:
    """Models as they were kept."""
    return Blend(tuple(KINDS[one["model"]].from_json(json.dumps(one)) for one in kept), loose)


def rows_of(known: Summary) -> dict[Any, Statistics]:
    """The customers of each store that may have models of its own."""
    if known.store is None or not len(known):
        return {}
    names, place, counts = np.unique(known.store, return_inverse=True, return_counts=True)
    columns, order = columns_from(known), np.argsort(place, kind="stable")
    parts = np.split(order, np.cumsum(counts)[:-1])
    large = np.flatnonzero((counts >= LEAST_OF_A_STORE) & belongs(names))
    found = {}
    for i in large[np.argsort(-counts[large], kind="stable")][:MOST_STORES].tolist():
        step = -(-int(counts[i]) // MOST_OF_A_STORE)
        x, t_x, T = (column[parts[i][::step]] for column in columns)
        found[names.tolist()[i]] = Statistics.of(x, t_x, T, np.full(len(x), counts[i] / len(x)))
    return found


def belongs(store: Any) -> Any:
    """Whether each of these is a store at all."""
    named = np.asarray(store)
    return named != (NOWHERE if np.issubdtype(named.dtype, np.number) else "")


def evidence(chain: Blend, known: Summary) -> tuple[float, float] | None:
    """How much the chain counts, and how much more probable the customers are so than by the chain alone, as a
    logarithm: by the first of the models. None with fewer than two stores."""
    rows, first = rows_of(known), chain.models[0]
    if len(rows) < 2:
        return None
    found = pooled(_like(first), first, Statistics.of(*columns_from(known)), rows, WORTH)
    return found.worth, found.gain


def _like(model: PurchaseModel) -> Callable[[], PurchaseModel]:
    """One of the same kind, not fitted."""
    further: dict[str, Any] = model._further()
    return lambda: type(model)(**further)
