"""What a customer is worth: purchases ahead, what each brings, the margin, and that later money is less."""

from typing import Any

import numpy as np

from changke.engine.clv.model import PurchaseModel, ahead, named
from changke.engine.clv.spend import SpendModel
from changke.engine.clv.statistics import Floats, columns_from
from changke.engine.clv.sums import sum_of_days
from changke.engine.refusals import above_zero, between
from changke.engine.refusals import share as checked_share
from changke.engine.table import Table

PERIOD_DAYS = 30


def discounted_value(
    purchases: PurchaseModel,
    spend: SpendModel,
    data: Any,
    *,
    horizon_days: float,
    margin: float,
    discount_per_year: float,
) -> Floats:
    """The present value of the margin of the next days, for each customer.

    Parameters
    ----------
    purchases, spend
        Fitted models, in days.
    data
        The `Summary` that both understand.
    horizon_days
        How far ahead; in periods of 30 days, the last one shorter.
    margin
        Share of the money that stays, 0..1. Never guessed: a shop that does not know it says 1 and reads revenue.
    discount_per_year
        0.1 makes money in a year worth 1 / 1.1.

    See Also
    --------
    value_between : the same with its interval.
    """
    horizon = ahead(horizon_days)
    between("margin", margin, least=0, most=1)
    above_zero("1 + discount_per_year", 1 + discount_per_year)
    x, t_x, T = columns_from(data)
    ends = np.append(np.arange(PERIOD_DAYS, horizon, PERIOD_DAYS), horizon) if horizon else np.zeros(0)
    before, begun, worth = np.zeros(len(x)), 0.0, np.zeros(len(x))
    for end in ends.tolist():
        until = purchases.expected_purchases(end, x, t_x, T)
        worth += (until - before) * (1 + discount_per_year) ** (-(begun + end) / 2 / 365.25)
        before, begun = until, end
    return margin * spend.expected_spend(data) * worth


def value_between(
    purchases: PurchaseModel,
    spend: SpendModel,
    data: Any,
    *,
    horizon_days: float,
    margin: float,
    discount_per_year: float,
    interval: float = 0.8,
) -> Table:
    """`discounted_value` with its interval, as much outside below as above; of whoever stays away with more than that,
    the lower edge is nothing and all of it lies above.

    The discount is taken as one factor, that of the customer's expected money; parameters as of `discounted_value`.

    Returns
    -------
    Table
        customer_id (if known), value, value_low, value_high.
    """
    asked = {"horizon_days": horizon_days, "margin": margin, "discount_per_year": discount_per_year}
    share, value = checked_share("interval", interval), discounted_value(purchases, spend, data, **asked)
    columns = columns_from(data)
    mean, low, high = sum_of_days(
        spend.expected_spend(data), *spend.variance_of_spend(data),
        expected=purchases.expected_purchases(horizon_days, *columns),
        variance=purchases.variance_of_purchases(horizon_days, *columns),
        active=purchases.p_active(horizon_days, *columns), share=np.full(len(value), share),
    )  # fmt: skip
    stays = np.divide(value, mean, out=np.zeros(len(value)), where=mean > 0)
    return Table(named(data) | {"value": value, "value_low": stays * low, "value_high": stays * high})
