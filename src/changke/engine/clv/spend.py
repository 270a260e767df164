"""What a purchase day brings: the common ground of the spend models."""

import json
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal, Self

import numpy as np

from changke.engine.clv.fitting import Fit
from changke.engine.clv.statistics import Floats, column_of
from changke.engine.refusals import NotASetting, NotFitted, above_zero, finite, share


class SpendModel(ABC):
    """A model of the money of a purchase day; learns from a `Summary` and says what each customer's next days bring."""

    name: ClassVar[str]
    parameters: ClassVar[tuple[str, ...]]
    logarithms: ClassVar[tuple[str, ...]] = ()  # parameters that may be below zero

    def __init__(self, **values: float) -> None:
        self.fit_: Fit | None = None
        if values:
            if set(values) != set(self.parameters):
                raise ValueError(f"{self.name} has the parameters {', '.join(self.parameters)}")
            self._set(values)

    def __getattr__(self, name: str) -> float:
        raise NotFitted.of(self, name, self.parameters)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value:.6g}' for name, value in self.values().items())})"

    @abstractmethod
    def fit(self, data: Any) -> Self:
        """Learn from a summary. Never raises for data a shop can have; `fit_` says what was done instead."""

    @abstractmethod
    def expected_spend(self, data: Any) -> Floats:
        """The expected money of one further purchase day, for each customer."""

    @abstractmethod
    def variance_of_spend(self, data: Any) -> tuple[Floats, Floats]:
        """The variance of one day around her own mean, and of what is not known of that mean."""

    def spend_between(
        self, data: Any, *, interval: float = 0.8, of: Literal["day", "mean"] = "day"
    ) -> tuple[Floats, Floats]:
        """Between what the money of one further purchase day lies, or with "mean" the mean of her days, for each
        customer, with the probability `interval` and as much outside below as above.

        Raises
        ------
        NotASetting
            An interval that is no share, or a question that is none of the two.
        """
        tail = (1 - share("interval", interval)) / 2
        if of not in ("day", "mean"):
            raise NotASetting(f"an interval is of a day or of the mean, not of {of!r}")
        return self._quantile(data, tail, of), self._quantile(data, 1 - tail, of)

    @abstractmethod
    def _quantile(self, data: Any, edge: float, of: str) -> Floats:
        """What the money of a day, or the mean of her days, stays below with the probability `edge`."""

    def values(self) -> dict[str, float]:
        """The parameters by name."""
        return {name: float(getattr(self, name)) for name in self.parameters if hasattr(self, name)}

    def to_json(self) -> str:
        """The fit as text, to be read by `from_json`."""
        kept: dict[str, Any] = {"model": self.name, "parameters": self.values()}
        if self.fit_ is not None:
            value = self.fit_.log_likelihood
            kept["fit"] = {**self.fit_.__dict__, "log_likelihood": value if np.isfinite(value) else None}
        return json.dumps(kept, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """A model as it was kept; a text of another model is refused."""
        kept = json.loads(text)
        if not isinstance(kept, dict) or kept.get("model") != cls.name:
            raise ValueError(f"not a fit of {cls.name}")
        model = cls(**kept["parameters"])
        if "fit" in kept:
            said = kept["fit"]
            value = np.nan if said["log_likelihood"] is None else said["log_likelihood"]
            tuples = {"notes": tuple(said["notes"]), "boundary": tuple(said["boundary"])}
            model.fit_ = Fit(**{**said, **tuples, "log_likelihood": value})
        return model

    def _set(self, values: dict[str, float]) -> None:
        for name, value in values.items():
            setattr(self, name, above_zero(name, value) if name not in self.logarithms else finite(name, value))

    def _nothing_learned(self, values: dict[str, float], customers: int, fallback: str, why: str) -> Self:
        self._set(values)
        self.fit_ = Fit(np.nan, customers, 0, 0, 0, converged=True, fallback=fallback, notes=(why,))
        return self


def money_of(data: Any) -> tuple[Floats, Floats]:
    """Repeat purchase days and their mean money, of a summary or a mapping."""
    x, mean = (column_of(data, name) for name in ("x", "monetary"))
    if mean is None:
        raise ValueError("the transactions had no amounts")
    return np.asarray(x, float), np.asarray(mean, float)
