"""What was known at a day, and what came afterwards of the same customers: docs/algorithms/clv.md."""

from dataclasses import dataclass

import numpy as np

from changke.engine.clv.statistics import Floats
from changke.engine.clv.summary import Summary, customer_days, summary
from changke.engine.days import Day, as_date
from changke.engine.refusals import NotASetting
from changke.engine.table import Table


@dataclass(frozen=True)
class Split:
    """Customers of the calibration, and what they did in the holdout.

    Attributes
    ----------
    calibration
        As `summary` says it at its end; a model learns from it.
    days
        Length of the holdout.
    purchases, money
        Purchase days of each customer in the holdout, and their net money; None where the transactions have no amounts.
    newcomers
        Customers whose first day lies in the holdout: nothing was known of them, so they are in neither.
    """

    calibration: Summary
    days: int
    purchases: Floats
    money: Floats | None
    newcomers: int

    def table(self) -> Table:
        """The columns of the calibration, `holdout_purchases` and, with amounts, `holdout_money`."""
        columns = dict(self.calibration.table()) | {"holdout_purchases": self.purchases}
        return Table(columns if self.money is None else columns | {"holdout_money": self.money})


def calibration_holdout(
    transactions: object,
    *,
    calibration_end: Day,
    observation_end: Day,
    customer_id: str = "customer_id",
    date: str = "date",
    amount: str = "amount",
    spread: bool = False,
) -> Split:
    """Cut the past in two, so that a model can be judged by what it did not see.

    Parameters
    ----------
    transactions, customer_id, date, amount, spread
        As for `summary`; read twice.
    calibration_end, observation_end
        The last day that the model may know, and the last of the holdout.

    Raises
    ------
    NotASetting
        The holdout does not end after the calibration.
    MixedCurrencies, UnreadableFrame
    """
    cut, end = as_date(calibration_end), as_date(observation_end)
    if end <= cut:
        raise NotASetting(f"the holdout ends on {end}, not after the calibration ({cut})")
    names = {"customer_id": customer_id, "date": date, "amount": amount}
    known = summary(transactions, observation_end=cut, customer_id=customer_id, date=date, amount=amount, spread=spread)
    found, has_money, *_ = customer_days(transactions, observation_end=end, **names)
    later = found["day"].astype("datetime64[D]") > np.datetime64(cut, "D")
    who, paid = found["customer_id"][later], np.asarray(found["paid"], float)[later]
    place = np.searchsorted(known.customer_id, who)
    seen = np.zeros(len(who), bool)
    inside = place < len(known)
    seen[inside] = known.customer_id[place[inside]] == who[inside]
    purchases = np.bincount(place[seen], minlength=len(known)).astype(float)
    money = np.bincount(place[seen], paid[seen], minlength=len(known)).astype(float) if has_money else None
    return Split(known, (end - cut).days, purchases, money, len(np.unique(who[~seen])))
