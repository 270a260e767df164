"""The score: will she come in the next days, and how far has that fallen since her last purchase."""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from changke.engine.clv.statistics import Floats, columns_from
from changke.engine.refusals import NotASetting, between, whole

KINDS = ("outlook", "fall")

Fired = npt.NDArray[np.bool_]


class Chances(Protocol):
    """A model, several together, or a whole fit with its season: whatever says how likely somebody comes."""

    def p_active(self, horizon: float, x: Floats, t_x: Floats, T: Floats, /) -> Floats: ...


def outlook_score(model: Chances, data: Any, *, horizon_days: float) -> Floats:
    """P(at least one purchase in the next days): the higher, the less she is leaving."""
    return model.p_active(horizon_days, *columns_from(data))


def fall_of_outlook(model: Chances, data: Any, *, horizon_days: float) -> Floats:
    """Today's outlook divided by that on the day of the last purchase: 1 then, falling with every silent day."""
    x, t_x, T = columns_from(data)
    then = model.p_active(horizon_days, x, t_x, t_x)
    now = model.p_active(horizon_days, x, t_x, T)
    return np.divide(now, then, out=np.ones(len(x)), where=then > 0)


def has_fired(
    model: Chances, kind: str, level: float, x: Floats, t_x: Floats, silent: Floats, *, horizon_days: float
) -> Fired:
    """Whether on that silent day the score of that kind lies below the level and no longer rises.

    Of whoever comes by the clock the outlook rises until her next visit is due: a low one before is no sign of leaving.
    Of all others it falls from the first day on.

    Raises
    ------
    NotASetting
        A kind that is none, a level beyond 0 and 1.
    """
    _checked(kind, level)
    below = level * (model.p_active(horizon_days, x, t_x, t_x) if kind == "fall" else np.ones(len(x)))
    now = model.p_active(horizon_days, x, t_x, t_x + silent)
    before = model.p_active(horizon_days, x, t_x, t_x + np.maximum(silent - 1, 0))
    return np.asarray((now < below) & (now <= before))


def _checked(kind: str, level: float) -> None:
    if kind not in KINDS:
        raise NotASetting(f"a score is one of {', '.join(KINDS)}, not {kind!r}")
    between("level", level, least=0, most=1)


def fires_on(
    model: Chances,
    kind: str,
    level: float,
    x: Floats,
    t_x: Floats,
    *,
    horizon_days: float,
    least: int,
    most: int,
) -> Floats:
    """The silent day on which the score of that kind first lies below the level, at the earliest `least`; infinite if
    not until `most`. It is known on the day of the purchase already: nothing but silence follows. Of a model without a
    rhythm (k = 1), whose score only falls.

    Raises
    ------
    NotASetting
        A kind that is none, a level beyond 0 and 1, days that are negative or not in order.
    """
    _checked(kind, level)
    whole("most", most, least=whole("least", least))
    then = model.p_active(horizon_days, x, t_x, t_x) if kind == "fall" else 1.0
    below = np.broadcast_to(level * np.asarray(then), x.shape)
    bounds = {"least": float(least), "most": float(most)}
    return day_of_outlook(model, x, t_x, horizon_days=horizon_days, below=below, **bounds)


def day_of_outlook(
    model: Chances, x: Floats, t_x: Floats, *, horizon_days: float, below: Floats, least: float, most: float
) -> Floats:
    """The silent day on which the outlook first lies below; infinite if not until `most`. It falls, so: halving."""
    low, high = np.full(len(x), least), np.full(len(x), most)
    at_once = model.p_active(horizon_days, x, t_x, t_x + low) < below
    never = ~(model.p_active(horizon_days, x, t_x, t_x + high) < below)
    for _ in range(10):
        middle = (low + high) / 2
        fired = model.p_active(horizon_days, x, t_x, t_x + middle) < below
        low, high = np.where(fired, low, middle), np.where(fired, middle, high)
    return np.where(at_once, least, np.where(never, np.inf, np.ceil(high)))
