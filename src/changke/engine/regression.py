"""Ridge regression by normal equations, linear and logistic: small enough to explain every weight."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
STEPS = 50


def linear_ridge(z: Floats, y: Floats, penalty: float) -> Floats:
    """Intercept and weights, shape (1 + columns,), of standardised columns `z`; the intercept is not penalised."""
    design = np.column_stack([np.ones(len(z)), z])
    ridge = np.diag([0.0] + [penalty] * z.shape[1])
    return np.asarray(np.linalg.solve(design.T @ design + ridge, design.T @ y))


def logistic_ridge(z: Floats, y: Floats, penalty: float, *, counts: Floats | None = None) -> Floats:
    """The same for 0 and 1, by Newton's method with steps halved where they do not lower the loss.

    `counts` says how much each row counts. If all said the same the intercept stays at half a yes or no more than seen.
    """
    design = np.column_stack([np.ones(len(z)), z])
    ridge = np.array([0.0] + [penalty] * z.shape[1])
    much = np.ones(len(y)) if counts is None else counts
    rate = (much @ y + 0.5) / (much.sum() + 1)
    weights = np.zeros(design.shape[1])
    weights[0] = np.log(rate / (1 - rate))
    if y.min() == y.max():
        return weights

    def loss(at: Floats) -> float:
        score = design @ at
        return float(much @ (np.logaddexp(0, score) - y * score) + 0.5 * ridge @ at**2)

    now = loss(weights)
    for _ in range(STEPS):
        expected = sigmoid(design @ weights)
        gradient = design.T @ (much * (expected - y)) + ridge * weights
        curvature = (design * (much * expected * (1 - expected))[:, None]).T @ design + np.diag(ridge)
        step = np.linalg.solve(curvature + 1e-9 * np.eye(len(ridge)), gradient)
        size = 1.0
        while (then := loss(weights - size * step)) > now and size > 1e-4:
            size /= 2
        if now - then < 1e-9 * len(y):
            break
        weights, now = weights - size * step, then
    return weights


def sigmoid(score: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * score)))
