"""Gradient boosting on past windows, if LightGBM is installed."""

import importlib
import importlib.util
from typing import Any

import numpy as np

from changke.engine.clv.statistics import Floats

ROUNDS = 300
SETTINGS: dict[str, Any] = {
    "learning_rate": 0.03, "num_leaves": 15, "min_data_in_leaf": 40, "bagging_fraction": 0.8, "bagging_freq": 1,
    "feature_fraction": 0.7, "lambda_l2": 5.0, "num_threads": 2, "verbose": -1, "seed": 1, "deterministic": True,
}  # fmt: skip


def installed() -> bool:
    """Whether the extra `boost` is there."""
    return importlib.util.find_spec("lightgbm") is not None


def learned(rows: Floats, days: Floats, asked: Floats) -> tuple[Floats, Floats]:
    """Expected days and the probability of at least one, for `asked`, from windows whose outcome is known."""
    came = days > 0
    if not came.any():
        return np.zeros(len(asked)), np.zeros(len(asked))
    count = _trained("poisson", rows, days).predict(asked)
    if came.all():
        return np.asarray(count, float), np.ones(len(asked))
    active = _trained("binary", rows, came.astype(float)).predict(asked)
    return np.asarray(count, float), np.asarray(active, float)


def _trained(objective: str, rows: Floats, label: Floats) -> Any:
    lightgbm = importlib.import_module("lightgbm")
    data = lightgbm.Dataset(rows, label=label)
    return lightgbm.train({"objective": objective, **SETTINGS}, data, num_boost_round=ROUNDS)
