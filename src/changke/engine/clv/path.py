"""How likely one customer was still here, day by day."""

from collections.abc import Sequence

import numpy as np

from changke.engine.clv.model import PurchaseModel, ahead
from changke.engine.days import Day, as_date
from changke.engine.refusals import TooFew
from changke.engine.table import Table


def alive_path(
    model: PurchaseModel, days: Sequence[Day], *, observation_end: Day, horizon_days: float | None = None
) -> Table:
    """P(alive), and P(active) where a horizon is given, of one customer on each day from her first on.

    Each day knows what was known at its end: a purchase day counts from that day on. P(alive) of BG/NBD is 1 until she
    comes back and jumps with each purchase; what ranks customers is P(active): docs/algorithms/churn-backtest.md.

    Parameters
    ----------
    model
        Fitted in days.
    days
        Her purchase days in any order; equal ones are one.
    observation_end
        The last day of the path; later purchases are left out.
    horizon_days
        Adds `p_active`: at least one purchase in so many days after that one.

    Returns
    -------
    Table
        date, x, t_x, T, p_alive and, with a horizon, p_active.

    Raises
    ------
    TooFew
        Not one purchase day until the end.
    NotASetting
        A horizon that is negative or no number.
    """
    end = np.datetime64(as_date(observation_end), "D")
    bought = np.unique(np.array([as_date(day) for day in days], "datetime64[D]"))
    bought = bought[bought <= end]
    if not len(bought):
        raise TooFew("no purchase day until the end of the path")
    date = np.arange(bought[0], end + 1)
    seen = np.searchsorted(bought, date, side="right")
    x, age = seen - 1.0, (date - bought[0]).astype(float)
    last = (bought[seen - 1] - bought[0]).astype(float)
    columns = {"date": date, "x": x, "t_x": last, "T": age, "p_alive": model.p_alive(x, last, age)}
    if horizon_days is not None:
        columns["p_active"] = model.p_active(ahead(horizon_days), x, last, age)
    return Table(columns)
