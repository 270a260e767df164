"""What every buy-till-you-die model can be asked."""

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from changke.engine.clv import fitting
from changke.engine.clv.fitting import FEW, Fit, Prior, Target, climb
from changke.engine.clv.statistics import Floats, NotASummary, Statistics, checked, column_of, columns_from, distinct
from changke.engine.refusals import NotASetting, NotFitted, above_zero
from changke.engine.refusals import share as checked_share
from changke.engine.table import Table

USUAL_GAP_DAYS = 90.0  # what is believed of a shop of which nothing is known


class PurchaseModel(ABC):
    """A model of how often customers buy and when they leave.

    `fit` learns the parameters, `predict` answers for each customer; `p_alive`, `p_active`, `expected_purchases` and
    `at_least` are the single answers. Time has the unit of what was fitted, days if it came from `summary`.
    """

    name: ClassVar[str]
    parameters: ClassVar[tuple[str, ...]]
    times: ClassVar[tuple[str, ...]]  # parameters that carry the unit of time
    usual: ClassVar[dict[str, float]]  # of a shop of which nothing is known, in days
    leaving: ClassVar[str]  # the parameter that vanishes where nobody leaves

    def __init__(self, **values: float) -> None:
        self.fit_: Fit | None = None
        if values:
            if set(values) != set(self.parameters):
                raise ValueError(f"{self.name} has the parameters {', '.join(self.parameters)}")
            self._set(values)

    def __getattr__(self, name: str) -> float:
        raise NotFitted.of(self, name, self.parameters)

    def __repr__(self) -> str:
        known = ", ".join(f"{name}={value:.6g}" for name, value in self.values().items())
        return f"{type(self).__name__}({known})"

    # Learning

    def fit(
        self,
        data: Any = None,
        *,
        x: npt.ArrayLike | None = None,
        t_x: npt.ArrayLike | None = None,
        T: npt.ArrayLike | None = None,
        n: npt.ArrayLike | None = None,
        prior: Prior | None = None,
    ) -> Self:
        """Learn the parameters.

        Parameters
        ----------
        data
            A `Summary`, `Statistics` or any mapping with the columns x, t_x and T. Or the three columns themselves:
        x, t_x, T, n
            Repeat purchases, time of the last, age; and how many customers each row stands for.
        prior
            Holds the logarithms of the parameters, in the unit of the data: see `pooling`.

        Never raises for data a shop can have; `fit_` says what was done instead, and why.
        """
        if data is not None:
            rows = data if isinstance(data, Statistics) else Statistics.of(*columns_from(data))
        elif x is not None and t_x is not None and T is not None:
            rows = Statistics.of(x, t_x, T, n)
        else:
            raise TypeError("fit needs a summary, or x, t_x and T")
        self._learn(rows, prior)
        return self

    def _learn(self, rows: Statistics, prior: Prior | None) -> None:
        returned = float(rows.n[rows.x > 0].sum())
        counts: dict[str, Any] = {"customers": round(rows.customers), "returned": round(returned), "rows": len(rows.x)}
        longest = float(rows.T.max()) if len(rows.T) else 0.0
        if rows.customers == 0 or longest <= 0:
            self._set(self.usual)
            if prior is not None:
                self._set(dict(zip(self.parameters, np.exp(prior.centre).tolist(), strict=True)))
            why = (
                ("empty", "no customer was observed")
                if rows.customers == 0
                else ("one_day", "nobody was observed for longer than a day")
            )
            self.fit_ = Fit(
                np.nan,
                **counts,
                evaluations=0,
                converged=True,
                fallback=why[0],
                notes=(f"{why[1]}: usual values, nothing learned",),
            )
            return
        unit = longest / 10.0
        fallback, notes = None, list[str]()
        if prior is not None:
            prior = self._in_unit(prior, unit)
        elif returned < FEW:
            prior = self._weak_prior(rows, unit)
            fallback = "nobody_came_back" if returned == 0 else "few"
            notes.append(
                "nobody came back: the rate is below half a purchase over everything seen"
                if returned == 0
                else f"only {returned:.0f} customers came back: held near usual values"
            )
        start = self._start(rows, unit) if prior is None else prior.centre
        evaluations = 0
        smaller = fitting.sample(rows)
        shape = prior.curved + prior.precision / rows.customers if prior and prior.curved is not None else None
        if smaller is not None:
            few = self._target(self._scaled(smaller, unit), prior)
            rough = climb(few, start, exact=False)
            start, evaluations, shape = rough.point, rough.evaluations, fitting.surveyed(few, rough.point)
        found = climb(self._target(self._scaled(rows, unit), prior), start, shape=shape)
        self._set(self._from_point(found.point, unit))
        penalty = prior.at(found.point)[0] if prior is not None else 0.0
        boundary = self._edges(found.point)
        if boundary:
            notes.append(f"the optimum lies on the boundary: {', '.join(boundary)}")
        if not found.converged:
            notes.append("the search stopped before its slope vanished")
        self.fit_ = Fit(
            log_likelihood=found.value * rows.customers + penalty - self._unit_term(rows, unit),
            **counts, evaluations=evaluations + found.evaluations, converged=found.converged,
            fallback=fallback, notes=tuple(notes), boundary=boundary,
        )  # fmt: skip

    def _target(self, rows: Statistics, prior: Prior | None) -> Target:
        likelihood = self._likelihood(rows)
        customers = rows.customers

        def target(point: Floats) -> tuple[float, Floats]:
            with np.errstate(all="ignore"):
                value, slope = likelihood(np.exp(point))
                slope = slope * np.exp(point)
            if prior is not None:
                penalty, pull = prior.at(point)
                value, slope = value - penalty, slope - pull
            return value / customers, slope / customers

        return target

    def _unit_term(self, rows: Statistics, unit: float) -> float:
        """What the density of x points in time gains by another unit of time."""
        return float((rows.n * rows.x).sum() * np.log(unit))

    def _scaled(self, rows: Statistics, unit: float) -> Statistics:
        return Statistics(rows.x, rows.t_x / unit, rows.T / unit, rows.n)

    def _shift(self, unit: float) -> Floats:
        return np.array([np.log(unit) if name in self.times else 0.0 for name in self.parameters])

    def _in_unit(self, prior: Prior, unit: float) -> Prior:
        return replace(prior, centre=prior.centre - self._shift(unit))

    def _from_point(self, point: Floats, unit: float) -> dict[str, float]:
        return dict(zip(self.parameters, np.exp(point + self._shift(unit)).tolist(), strict=True))

    def _start(self, rows: Statistics, unit: float) -> Floats:
        """Usual values, with a rate that gives the purchases seen."""
        usual = {name: np.log(value) for name, value in self.usual.items()}
        seen = (rows.n * rows.x).sum() / max((rows.n * rows.T).sum(), 1e-9)
        usual["alpha"] = np.clip(usual["r"] - np.log(max(seen, 1e-9)), -20, 20)
        return np.array([usual[name] for name in self.parameters]) - self._shift(unit)

    def _weak_prior(self, rows: Statistics, unit: float) -> Prior:
        seen = max(float((rows.n * rows.x).sum()), 0.5) / float((rows.n * rows.T).sum())
        centre = self._start(rows, unit)
        centre[self.parameters.index("alpha")] = np.log(self.usual["r"]) - np.log(seen) - np.log(unit)
        precision = np.ones(len(centre))
        if not (rows.n * rows.x).sum():
            precision[self.parameters.index("alpha")] = 100.0  # the likelihood alone would say never
        return Prior(np.clip(centre, -fitting.EDGE + 1, fitting.EDGE - 1), np.diag(precision))

    def _edges(self, point: Floats) -> tuple[str, ...]:
        """Which parameters have run away. Their predictions take the limit, which is a model of its own."""
        at = dict(zip(self.parameters, point, strict=True))
        edges = [f"{name} -> 0" for name in self.parameters if at[name] < -0.6 * fitting.EDGE]
        edges += [f"{name} -> infinity" for name in self.parameters if at[name] > 0.6 * fitting.EDGE]
        return tuple(edges)

    # Asking

    def predict(self, data: Any, *, horizon: float, interval: float | None = 0.8) -> Table:
        """Everything about each customer.

        Parameters
        ----------
        data
            A `Summary` or a mapping with x, t_x and T; `customer_id` is carried along.
        horizon
            How far ahead, in the unit of time of the data.
        interval
            The probability that the interval of purchases should hold; None leaves the interval out.

        Returns
        -------
        Table
            customer_id (if known), p_alive, p_active, expected_purchases and, with an interval, purchases_low and
            purchases_high.
        """
        horizon = ahead(horizon)
        (x, t_x, T), place = distinct(*columns_from(data))
        out: dict[str, Any] = {}
        out |= named(data)
        out["p_alive"] = self._p_alive(x, t_x, T)[place]
        out["p_active"] = self._p_active(horizon, x, t_x, T)[place]
        out["expected_purchases"] = self._moments(horizon, x, t_x, T)[0][place]
        if interval is not None:
            low, high = self._interval(horizon, interval, x, t_x, T)
            out |= {"purchases_low": low[place], "purchases_high": high[place]}
        return Table(out)

    def about(self, x: npt.ArrayLike, t_x: npt.ArrayLike, T: npt.ArrayLike) -> "About":
        """Several questions about the same customers, of whom what no horizon changes is computed once."""
        columns = checked(x, t_x, T)
        return About(self, *columns, self._p_alive(*columns))

    def p_alive(self, x: npt.ArrayLike, t_x: npt.ArrayLike, T: npt.ArrayLike) -> Floats:
        """The probability that she has not left. Not a score to rank by: see `p_active`."""
        return self._p_alive(*checked(x, t_x, T))

    def p_active(self, horizon: float, x: npt.ArrayLike, t_x: npt.ArrayLike, T: npt.ArrayLike) -> Floats:
        """The probability of at least one purchase in the next `horizon`."""
        return self._p_active(ahead(horizon), *checked(x, t_x, T))

    def expected_purchases(self, horizon: float, x: npt.ArrayLike, t_x: npt.ArrayLike, T: npt.ArrayLike) -> Floats:
        """The expected number of purchases in the next `horizon`."""
        return self._expected(ahead(horizon), *checked(x, t_x, T))

    def variance_of_purchases(self, horizon: float, x: npt.ArrayLike, t_x: npt.ArrayLike, T: npt.ArrayLike) -> Floats:
        """The variance of the number of purchases in the next `horizon`, of one customer with that past."""
        rows, place = distinct(*checked(x, t_x, T))
        mean, pairs = self._moments(ahead(horizon), *rows)
        return np.maximum(pairs + mean - mean**2, 0.0)[place]

    def at_least(self, n: int, horizon: float, x: npt.ArrayLike, t_x: npt.ArrayLike, T: npt.ArrayLike) -> Floats:
        """The probability of n purchases or more, n whole, in the next `horizon`; of none or more it is 1."""
        columns, horizon = checked(x, t_x, T), ahead(horizon)
        if not np.isfinite(n) or n != int(n):
            raise NotASetting(f"n is a whole number of purchases, not {n!r}")
        if n < 1:
            return np.ones(len(columns[0]))
        return self._at_least(np.full(len(columns[0]), float(n)), horizon, *columns)

    def exactly(self, n: int, horizon: float, x: npt.ArrayLike, t_x: npt.ArrayLike, T: npt.ArrayLike) -> Floats:
        """The probability of n purchases, no more and no less; of whoever begins today, x, t_x and T are 0."""
        return np.maximum(self.at_least(n, horizon, x, t_x, T) - self.at_least(n + 1, horizon, x, t_x, T), 0.0)

    def _p_active(self, horizon: float, x: Floats, t_x: Floats, T: Floats) -> Floats:
        return self._p_active_of(self._p_alive(x, t_x, T), horizon, x, t_x, T)

    def _expected(self, horizon: float, x: Floats, t_x: Floats, T: Floats) -> Floats:
        rows, place = distinct(x, t_x, T)
        return self._moments(horizon, *rows)[0][place]

    def _moments(self, horizon: float, x: Floats, t_x: Floats, T: Floats) -> tuple[Floats, Floats]:
        """E[Y] and E[Y (Y - 1)] of the purchases ahead."""
        return self._moments_of(self._p_alive(x, t_x, T), horizon, x, t_x, T)

    def _interval(self, horizon: float, share: float, x: Floats, t_x: Floats, T: Floats) -> tuple[Floats, Floats]:
        checked_share("interval", share)
        tail = (1 - share) / 2
        return (self._quantile(tail, horizon, x, t_x, T), self._quantile(1 - tail, horizon, x, t_x, T))

    def _quantile(self, share: float, horizon: float, x: Floats, t_x: Floats, T: Floats) -> Floats:
        """The smallest n with P(at most n) >= share: a bracket that doubles, then halves."""
        low, high, step = np.full(len(x), -1.0), np.zeros(len(x)), 1.0
        todo = np.arange(len(x))
        while len(todo) and step < 2**40:
            beyond = self._at_least(high[todo] + 1, horizon, x[todo], t_x[todo], T[todo]) > 1 - share
            todo = todo[beyond]
            low[todo] = high[todo]
            high[todo] += step
            step *= 2
        todo = np.flatnonzero(high - low > 1)
        while len(todo):
            middle = np.floor((low[todo] + high[todo]) / 2)
            beyond = self._at_least(middle + 1, horizon, x[todo], t_x[todo], T[todo]) > 1 - share
            low[todo[beyond]], high[todo[~beyond]] = middle[beyond], middle[~beyond]
            todo = todo[high[todo] - low[todo] > 1]
        return high

    # Keeping

    def values(self) -> dict[str, float]:
        """The parameters by name."""
        return {name: float(getattr(self, name)) for name in self.parameters if hasattr(self, name)}

    def to_json(self) -> str:
        """The fit as text, to be read by `from_json`."""
        kept: dict[str, object] = {"model": self.name, "parameters": self.values(), **self._further()}
        if self.fit_ is not None:
            kept["fit"] = {**self.fit_.__dict__, "log_likelihood": _number(self.fit_.log_likelihood)}
        return json.dumps(kept, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """A model as it was kept.

        Raises
        ------
        ValueError
            If the text is of another model.
        """
        kept = json.loads(text)
        if not isinstance(kept, dict) or kept.get("model") != cls.name:
            raise ValueError(f"not a fit of {cls.name}")
        model = cls(**{name: float(value) for name, value in kept["parameters"].items()}, **cls._back(kept))
        if "fit" in kept:
            said = dict(kept["fit"])
            likelihood = said.pop("log_likelihood")
            tuples: dict[str, Any] = {name: tuple(said.pop(name)) for name in ("notes", "boundary")}
            model.fit_ = Fit(log_likelihood=np.nan if likelihood is None else likelihood, **said, **tuples)
        return model

    def _further(self) -> dict[str, object]:
        return {}

    @classmethod
    def _back(cls, kept: dict[str, Any]) -> dict[str, Any]:
        return {}

    def _set(self, values: dict[str, float]) -> None:
        for name, value in values.items():
            setattr(self, name, above_zero(name, value))

    # What a model must know

    @abstractmethod
    def _likelihood(self, rows: Statistics) -> Target:
        """The log-likelihood and its gradient as a function of the parameters themselves."""

    @abstractmethod
    def _p_alive(self, x: Floats, t_x: Floats, T: Floats) -> Floats: ...

    @abstractmethod
    def _p_active_of(self, alive: Floats, horizon: float, x: Floats, t_x: Floats, T: Floats) -> Floats:
        """The same as `_p_active`, of whom it is known how likely they are here."""

    @abstractmethod
    def _moments_of(self, alive: Floats, horizon: float, x: Floats, t_x: Floats, T: Floats) -> tuple[Floats, Floats]:
        """The same as `_moments`, of whom it is known how likely they are here."""

    def _mean_of(self, alive: Floats, horizon: float, x: Floats, t_x: Floats, T: Floats) -> Floats:
        return self._moments_of(alive, horizon, x, t_x, T)[0]

    @abstractmethod
    def _at_least(self, n: Floats, horizon: float, x: Floats, t_x: Floats, T: Floats) -> Floats:
        """P(Y >= n), n from 1 on."""


@dataclass(frozen=True)
class About:
    """Customers as a model sees them, and how likely each is still here."""

    model: PurchaseModel
    x: Floats
    t_x: Floats
    T: Floats
    alive: Floats

    def p_active(self, horizon: float) -> Floats:
        """The probability of at least one purchase in the next `horizon`."""
        return self.model._p_active_of(self.alive, ahead(horizon), self.x, self.t_x, self.T)

    def purchases(self, horizon: float) -> tuple[Floats, Floats]:
        """Mean and variance of the purchases in the next `horizon`."""
        mean, pairs = self.model._moments_of(self.alive, ahead(horizon), self.x, self.t_x, self.T)
        return mean, np.maximum(pairs + mean - mean**2, 0.0)

    def mean(self, horizon: float) -> Floats:
        """The first of `purchases` alone."""
        return self.model._mean_of(self.alive, ahead(horizon), self.x, self.t_x, self.T)


def ahead(horizon: float) -> float:
    """A horizon that can be asked for; zero is one, and nothing happens in it."""
    if not np.isfinite(horizon) or horizon < 0:
        raise NotASetting(f"horizon must be finite and not before now, not {horizon!r}")
    return float(horizon)


def named(data: Any) -> dict[str, Any]:
    """The column of the customers' ids, where there is one."""
    try:
        return {"customer_id": np.asarray(column_of(data, "customer_id"))}
    except NotASummary:
        return {}


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
