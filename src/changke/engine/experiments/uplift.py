"""Whom it moves: what she would bring with the treatment, less what she would bring without."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from changke.engine.refusals import NotFinite, Refusal, TooFew, between
from changke.engine.regression import linear_ridge, logistic_ridge, sigmoid

Floats = npt.NDArray[np.float64]
LEAST_PER_ARM = 50


class OneArm(Refusal):
    """Everybody was treated, or nobody: there is nothing to compare."""

    code = "one_arm"


@dataclass(frozen=True)
class UpliftModel:
    """Two ridge regressions, one per arm, on standardised features; logistic where the outcome is 0 and 1.

    Attributes
    ----------
    center, scale : of the features, shape (features,)
    control, treated : intercept and weights, shape (1 + features,)
    is_logistic : the outcome was yes or no, and uplift is a difference of probabilities; else of the outcome's unit
    """

    center: tuple[float, ...]
    scale: tuple[float, ...]
    control: tuple[float, ...]
    treated: tuple[float, ...]
    is_logistic: bool

    @classmethod
    def fit(
        cls, features: npt.ArrayLike, treated: npt.ArrayLike, outcome: npt.ArrayLike, *, penalty: float = 10.0
    ) -> "UpliftModel":
        """Fit both arms.

        Parameters
        ----------
        features : shape (customers, features)
            Known before the treatment; finite. A column without spread gets no weight.
        treated : shape (customers,)
            True or 1 for who got it.
        outcome : shape (customers,)
            0 and 1, or an amount.
        penalty
            On the squared weights of standardised features, in units of customers; not on the intercept.

        Raises
        ------
        NotFinite, OneArm, TooFew
        """
        between("penalty", penalty, least=0)
        x, arm, y = checked(features, treated, outcome)
        center, scale = x.mean(axis=0), x.std(axis=0)
        scale = np.where(scale > 1e-12 * np.maximum(1.0, np.abs(center)), scale, np.inf)
        z = (x - center) / scale
        is_logistic = bool(np.isin(y, (0.0, 1.0)).all())
        solve = logistic_ridge if is_logistic else linear_ridge
        return cls(
            center=tuple(center.tolist()),
            scale=tuple(scale.tolist()),
            control=tuple(solve(z[~arm], y[~arm], penalty).tolist()),
            treated=tuple(solve(z[arm], y[arm], penalty).tolist()),
            is_logistic=is_logistic,
        )

    def predict(self, features: npt.ArrayLike) -> Floats:
        """Uplift per customer, shape (customers,)."""
        return self.response(features, treated=True) - self.response(features, treated=False)

    def response(self, features: npt.ArrayLike, *, treated: bool) -> Floats:
        """What she is expected to bring, treated or not, shape (customers,)."""
        x = np.asarray(features, dtype=float)
        if not np.isfinite(x).all():
            raise NotFinite("NaN or an infinity among the features")
        z = (x - np.asarray(self.center)) / np.asarray(self.scale)
        weights = np.asarray(self.treated if treated else self.control)
        score = weights[0] + z @ weights[1:]
        return sigmoid(score) if self.is_logistic else score

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, for JSON; a column without spread has the scale None."""
        return {**asdict(self), "scale": [None if np.isinf(value) else value for value in self.scale]}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> "UpliftModel":
        return cls(
            center=tuple(saved["center"]),
            scale=tuple(float("inf") if value is None else value for value in saved["scale"]),
            control=tuple(saved["control"]),
            treated=tuple(saved["treated"]),
            is_logistic=saved["is_logistic"],
        )


def checked(
    features: npt.ArrayLike, treated: npt.ArrayLike, outcome: npt.ArrayLike
) -> tuple[Floats, npt.NDArray[np.bool_], Floats]:
    x = np.asarray(features, dtype=float)
    y = np.asarray(outcome, dtype=float)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise NotFinite("NaN or an infinity among features or outcomes")
    arm = np.asarray(treated).astype(bool)
    if arm.all() or not arm.any():
        raise OneArm("everybody is in one arm")
    if min(arm.sum(), (~arm).sum()) < LEAST_PER_ARM:
        raise TooFew(f"at least {LEAST_PER_ARM} customers are needed in each arm")
    return x, arm, y
