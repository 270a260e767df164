"""How well the chance behind the warnings did on the shop's own past: fitted at an earlier day, held against what came.
docs/algorithms/risk.md, Report card.
"""

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from changke.engine.churn.backtest import MODELS
from changke.engine.clv.bg_nbd import BGNBD
from changke.engine.prediction import past
from changke.engine.prediction.days import EPOCH, Days
from changke.engine.prediction.fitted import fit
from changke.engine.prediction.holdout import LEAST_TESTED, Band, banded, gap, plain
from changke.engine.refusals import NotASetting, whole


@dataclass(frozen=True)
class Examined:
    """How the model, given only what was known at an earlier day, met what came after it.

    Attributes
    ----------
    cut, horizon_days, customers
        The last day it knew; of how many days after it was asked, and about how many customers.
    active_said, active_came
        The mean chance to buy within the horizon, and the share that bought.
    auc, naive_auc
        How often somebody who bought had the higher chance than somebody who did not; and by silence alone.
    brier
        Mean squared distance of the chance from what came.
    band_gap, bands
        Tenths by the chance, and how far said and came lie apart in them on average.
    """

    cut: dt.date
    horizon_days: int
    customers: int
    active_said: float
    active_came: float
    auc: float
    naive_auc: float
    brier: float
    band_gap: float
    bands: tuple[Band, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain numbers and text."""
        return {name: plain(value) for name, value in asdict(self).items()}


def examine(days: Days, *, horizon_days: int, models: str = MODELS[0]) -> Examined | None:
    """Fit at an earlier day, look at who bought in the `horizon_days` after it, fewer where the past is short.

    None where less than four weeks are known or fewer than 50 customers were.

    Parameters
    ----------
    models
        "default", all that `changke.engine.outlook` fits (boosting apart), or "BG/NBD" alone.

    Raises
    ------
    NotASetting
        Of a horizon that is no whole number above zero, or models that there are not.
    """
    length = whole("horizon_days", horizon_days, least=1)
    if models not in MODELS:
        raise NotASetting(f"models are one of {', '.join(MODELS)}, not {models!r}")
    found = past.newest(days, length) if len(days.day) else None
    if found is None or len(found[0]) < LEAST_TESTED:
        return None
    window, length = found
    known = window.summary()
    if models == BGNBD.name:
        said = BGNBD().fit(known).p_active(length, known.x, known.t_x, known.T)
    else:
        said = fit(days.known_at(window.cut), horizon_days=length).ask(known)["p_active"]
    came = (window.outcome(length)[0] > 0).astype(float)
    bands = banded(said, came)
    return Examined(
        cut=(EPOCH + np.timedelta64(window.cut, "D")).item(),
        horizon_days=length,
        customers=len(window),
        active_said=float(said.mean()),
        active_came=float(came.mean()),
        auc=past.area(came, said),
        naive_auc=past.area(came, -(known.T - known.t_x)),
        brier=float(((said - came) ** 2).mean()),
        band_gap=gap(bands),
        bands=bands,
    )
