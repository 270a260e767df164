"""Customer-days as columns, from which the state at any past day is read without another query."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from changke.engine.clv.statistics import Floats
from changke.engine.clv.summary import Summary, customer_days
from changke.engine.days import Day, as_date
from changke.engine.table import Column

EPOCH = np.datetime64("1970-01-01", "D")


@dataclass(frozen=True)
class Days:
    """One row per customer and purchase day, customers together, days ascending.

    Attributes
    ----------
    customers
        The ids, ascending.
    who, day, paid
        The place of the customer among `customers`; days since 1970; net money of the day.
    end
        The last day observed.
    dated_from
        From it on somebody came on the days named; before it only their number is known, and they are laid
        evenly. None: all days are those on which somebody came.
    store
        The store of each of the customers, as in `Summary`. None where nobody asked for it.
    """

    customers: Column
    who: Any
    day: Any
    paid: Floats
    end: int
    has_money: bool
    left_out: dict[str, int]
    dated_from: int | None = None
    store: Column | None = None

    @classmethod
    def of(cls, transactions: object, *, observation_end: Day, store: str | None = None, **names: str) -> "Days":
        """Read the transactions once. Names of columns as in `summary`, and that of the store."""
        found, money, left_out, stores = customer_days(
            transactions, observation_end=observation_end, store=store, **names
        )
        customers, _, counts = _runs(found["customer_id"])
        end = int((np.datetime64(as_date(observation_end), "D") - EPOCH).astype(int))
        who = np.repeat(np.arange(len(customers)), counts)
        day = found["day"].astype("datetime64[D]").astype(np.int64)
        hers = None if stores is None else np.array([stores.get(one, "") for one in customers.tolist()], str)
        return cls(customers, who, day, np.asarray(found["paid"], float), end, money, left_out, store=hers)

    @classmethod
    def from_days(cls, customer_id: Any, day: Any, paid: Any, *, observation_end: Day) -> "Days":
        """From columns that hold purchase days already, in any order; equal days of one customer are added up."""
        end = int((np.datetime64(as_date(observation_end), "D") - EPOCH).astype(int))
        who, when, money = np.asarray(customer_id), np.asarray(day, "datetime64[D]"), np.asarray(paid, float)
        if not len(who):
            return cls(who, np.zeros(0, int), np.zeros(0, int), money, end, True, {})
        at = when.astype(np.int64)
        if not ((who[1:] > who[:-1]) | ((who[1:] == who[:-1]) & (at[1:] > at[:-1]))).all():
            order = np.lexsort((at, who))
            who, at, money = who[order], at[order], money[order]
            first = np.flatnonzero(np.concatenate([[True], (who[1:] != who[:-1]) | (at[1:] != at[:-1])]))
            who, at, money = who[first], at[first], np.add.reduceat(money, first)
        customers, _, counts = _runs(who)
        return cls(customers, np.repeat(np.arange(len(customers)), counts), at, money, end, True, {})

    def known_at(self, cut: int) -> "Days":
        """The same as it was known at the end of the day `cut`."""
        seen = self.day <= cut
        there, _, counts = _runs(self.who[seen])
        who = np.repeat(np.arange(len(there)), counts)
        store = None if self.store is None else self.store[there]
        return Days(
            self.customers[there], who, self.day[seen], self.paid[seen], cut, self.has_money, {}, self.dated_from, store
        )

    def dated(self) -> "Days":
        """Those of customers all of whose days are named: the gaps of the others were laid evenly by us."""
        if self.dated_from is None or not len(self.day):
            return self
        begun = np.full(len(self.customers), self.end)
        np.minimum.at(begun, self.who, self.day)
        kept = begun >= self.dated_from
        seen = kept[self.who]
        there, _, counts = _runs(self.who[seen])
        who = np.repeat(np.arange(len(there)), counts)
        return Days(self.customers[there], who, self.day[seen], self.paid[seen], self.end, self.has_money, {})

    @property
    def first_day(self) -> int:
        return int(self.day.min()) if len(self.day) else self.end

    def until(self, cut: int) -> "Window":
        """What was known at the end of the day `cut`."""
        seen = self.day <= cut
        who, day, paid = self.who[seen], self.day[seen], self.paid[seen]
        there, first, counts = _runs(who)
        return Window(self, cut, there, first, counts, day, paid)


@dataclass(frozen=True)
class Window:
    """The customers known at a day, and their days up to it."""

    days: Days
    cut: int
    there: Any  # places among days.customers
    first: Any  # where each customer's rows begin
    counts: Any
    day: Any
    paid: Floats

    def __len__(self) -> int:
        return len(self.there)

    def summary(self) -> Summary:
        """As `summary(..., spread=True)` would have said it on that day."""
        if not len(self):
            none = np.zeros(0)
            return Summary(self.days.customers[:0], none, none, none, none, none, none, none, none)
        begun, last = self.day[self.first], self.day[self.first + self.counts - 1]
        spent = np.add.reduceat(self.paid, self.first)
        positive = self.paid > 0
        logs = np.log(np.where(positive, self.paid, 1.0))
        x = self.counts - 1.0
        monetary = np.where(x > 0, (spent - self.paid[self.first]) / np.maximum(x, 1), 0.0)
        return Summary(
            self.days.customers[self.there], x, (last - begun).astype(float), (self.cut - begun).astype(float),
            monetary, spent, np.add.reduceat(positive.astype(float), self.first), np.add.reduceat(logs, self.first),
            np.add.reduceat(logs**2, self.first),
            store=None if self.days.store is None else self.days.store[self.there],
        )  # fmt: skip

    def outcome(self, horizon: int) -> tuple[Floats, Floats]:
        """Purchase days and money of each in the next `horizon` days: what came true."""
        after = (self.days.day > self.cut) & (self.days.day <= self.cut + horizon)
        everybody = len(self.days.customers)
        counts = np.bincount(self.days.who[after], minlength=everybody).astype(float)
        money = np.bincount(self.days.who[after], self.days.paid[after], minlength=everybody)
        return counts[self.there], money[self.there]


def _runs(column: Any) -> tuple[Any, Any, Any]:
    """Values, beginnings and lengths of the runs of equal values."""
    if not len(column):
        return column, np.zeros(0, int), np.zeros(0, int)
    first = np.flatnonzero(np.concatenate([[True], column[1:] != column[:-1]]))
    return column[first], first, np.diff(np.append(first, len(column)))
