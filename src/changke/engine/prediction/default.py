"""The one documented default: docs/algorithms/outlook.md."""

from collections.abc import Mapping

import numpy as np

from changke.engine.days import Day
from changke.engine.prediction import boost, past
from changke.engine.prediction.days import Days
from changke.engine.prediction.features import features
from changke.engine.prediction.festivals import checked
from changke.engine.prediction.fitted import fit
from changke.engine.prediction.holidays import CALENDAR
from changke.engine.refusals import share, whole
from changke.engine.table import Column, Table


class Outlook(Table):
    """The answer for each customer, with notes on how it came about."""

    def __init__(self, columns: Mapping[str, Column], notes: tuple[str, ...], left_out: dict[str, int]) -> None:
        super().__init__(columns)
        self.notes = notes
        self.left_out = left_out


def outlook(
    transactions: object,
    *,
    observation_end: Day,
    horizon_days: int,
    interval: float = 0.8,
    boosting: bool = True,
    calendar: str = CALENDAR,
    store: str | None = None,
    customer_id: str = "customer_id",
    date: str = "date",
    amount: str = "amount",
) -> Outlook:
    """Who comes in the next days, how often, with how much.

    Parameters
    ----------
    transactions
        One row per receipt or line, as for `clv.summary`.
    observation_end
        The last day that is fully known.
    horizon_days
        How far ahead, in whole days. Zero is allowed, and nothing happens in it.
    interval
        The share of customers whose days, and whose money, should come to lie between their low and high, both
        included. Edges of days are the whole numbers that come nearest to it; of whom staying away is likelier than
        that, the interval is 0 to 0 and holds more. `purchases_inside` says how much each interval of days holds.
    boosting
        Whether gradient boosting may take part where it is installed and the past shows that it helps.
    calendar
        Whose holidays count that move from year to year, where the past shows them: "chinese" or "none".
    store
        The name of a column that says in which store, or for which cohort, a row is; a customer belongs to that of her
        first row that names one. Where stores differ, and the past shows that it helps, each has models of its own,
        drawn to the chain's: one with few customers is nearly the chain, and a new one is. `.notes` says which and why.
    customer_id, date, amount
        Names of the columns.

    Returns
    -------
    Outlook
        customer_id; p_active with p_active_low and p_active_high, the lowest and the highest that one of its parts says
        (a probability has a range and no interval: docs/algorithms/outlook.md); expected_purchases (days with a
        purchase), purchases_low, purchases_high, purchases_inside and, with amounts, expected_spend, spend_low,
        spend_high. `.notes` says what was used, `.left_out` what was not counted.

    Raises
    ------
    NotASetting
        A horizon that is negative, no whole number or without end; an interval that is no share; a calendar
        that there is not.
    MixedCurrencies, UnreadableFrame
    """
    horizon = whole("horizon_days", horizon_days)
    share("interval", interval)
    names = {"customer_id": customer_id, "date": date, "amount": amount}
    days = Days.of(transactions, observation_end=observation_end, store=store, **names)
    window = days.until(days.end)
    known = window.summary()
    fitted = fit(days, horizon_days=horizon, calendar=checked(calendar))
    notes = list(fitted.notes)
    said = fitted.ask(known, interval=interval)
    columns: dict[str, Column] = dict(said)
    able = boosting and boost.installed() and horizon
    found = past.lessons(days, horizon, fitted.rhythm, fitted.stores.worth or None) if able else []
    boosted = _boosted(found, boosting)
    notes.append(boosted.why)
    if boosted.counts or boosted.ranks:
        expected, active, length = said["expected_purchases"], said["p_active"], found[0].horizon
        count, came = past.boosted(found, features(window, *fitted.days_and_chance(known, length)))
        if boosted.counts:
            expected = (past.levelled(count, expected) + expected) / 2
        if boosted.ranks:
            learned, active = past.moved(came, float(active.mean())), past.ranked(active, came)
            columns["p_active_low"] = np.minimum.reduce([said["p_active_low"], learned, active])
            columns["p_active_high"] = np.maximum.reduce([said["p_active_high"], learned, active])
        columns["p_active"] = active
        columns |= fitted.amounts(known, expected, active, interval)
    return Outlook(columns, tuple(notes), days.left_out)


def _boosted(found: list[past.Lesson], boosting: bool) -> past.Verdict:
    if not boosting:
        return past.Verdict(False, False, "models alone: boosting was not asked for")
    if not boost.installed():
        return past.Verdict(False, False, "models alone: install changke[boost] for boosting")
    if not found:
        return past.Verdict(False, False, "models alone: too few customers or days for boosting")
    return past.verdict(found[0], found[1:])
