"""What a customer is worth: purchases ahead, what each brings, the margin, and that later money is less."""

from typing import Any

import numpy as np

from changke.engine.clv.model import PurchaseModel, ahead
from changke.engine.clv.spend import SpendModel
from changke.engine.clv.statistics import Floats, columns_from
from changke.engine.refusals import above_zero, between

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
