"""What is known of each customer when her future is asked for: her purchase days summed up, and what they earned. Pure.

Nothing of it but the days until now changes before she has a new fact. docs/algorithms/value.md
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from changke.engine.clv.statistics import Floats
from changke.engine.clv.summary import Summary
from changke.engine.prediction.days import Days
from changke.engine.prediction.stores import NOWHERE

SUMMED = ("x", "t_x", "T", "monetary", "spent", "paid_days", "log_sum", "log_squares")
"""In the order of `Summary`, after the customer."""
STORE = "home_store_id"

Columns = Mapping[str, Any]


@dataclass(frozen=True)
class Known:
    """Customers in ascending order, as of the end of a day.

    Attributes
    ----------
    summary
        As `Summary`, with its spread and the home store.
    profit, profit_of
        In minor units: what receipts say was earned, and the revenue of which they say it.
    """

    summary: Summary
    profit: Floats
    profit_of: Floats

    @classmethod
    def of(cls, days: Days, bought: Columns) -> Self:
        """Of the days, and of the rows of `days_bought` that they were made of."""
        summary = days.until(days.end).summary()
        ids = summary.customer_id
        if not len(ids):
            return cls(summary, np.zeros(0), np.zeros(0))
        who, *amounts = (np.ma.getdata(np.asarray(bought[name])) for name in ("customer_id", "profit", "profit_of"))
        place = np.minimum(np.searchsorted(ids, who), len(ids) - 1)
        there = ids[place] == who
        profit, profit_of = (_sums(place[there], one[there], len(ids)) for one in amounts)
        return cls(summary, profit, profit_of)

    def __len__(self) -> int:
        return len(self.summary)

    @property
    def purchase_days(self) -> int:
        """Of all of them together."""
        return int(self.summary.x.sum()) + len(self)

    def some(self, chosen: slice) -> "Known":
        """Some of the customers."""
        return Known(self.summary.some(chosen), self.profit[chosen], self.profit_of[chosen])

    def columns(self) -> dict[str, Any]:
        """As columns that `from_columns` reads."""
        summed = {name: getattr(self.summary, name) for name in SUMMED}
        store = np.full(len(self), NOWHERE) if self.summary.store is None else self.summary.store
        own = {"profit": self.profit, "profit_of": self.profit_of, STORE: store}
        return {"customer_id": self.summary.customer_id, **summed, **own}

    @classmethod
    def from_columns(cls, columns: Columns) -> Self:
        """As they were kept."""
        own = {name: np.ma.getdata(np.asarray(column)) for name, column in columns.items()}
        profit, profit_of, store = (own.pop(name) for name in ("profit", "profit_of", STORE))
        return cls(Summary(left_out={}, store=store, **own), profit, profit_of)


def _sums(place: Any, amounts: Any, length: int) -> Floats:
    return np.asarray(np.bincount(place, amounts.astype(float), minlength=length), float)
