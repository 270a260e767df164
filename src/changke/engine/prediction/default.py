"""The one documented default: docs/algorithms/outlook.md."""

from collections.abc import Mapping

import numpy as np
from scipy.stats import gamma

from changke.engine.clv.model import ahead
from changke.engine.clv.robust_spend import RobustSpend
from changke.engine.clv.statistics import Floats, columns_from, distinct
from changke.engine.clv.summary import Summary
from changke.engine.days import Day
from changke.engine.prediction import boost, past
from changke.engine.prediction.days import Days
from changke.engine.prediction.features import features
from changke.engine.prediction.models import Blend
from changke.engine.prediction.season import season
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
        How far ahead. Zero is allowed, and nothing happens in it.
    interval
        The probability that each interval should hold.
    boosting
        Whether gradient boosting may take part where it is installed and the past shows that it helps.
    customer_id, date, amount
        Names of the columns.

    Returns
    -------
    Outlook
        customer_id, p_active, expected_purchases (days with a purchase), purchases_low, purchases_high and, with
        amounts, expected_spend, spend_low, spend_high. `.notes` says what was used, `.left_out` what was not counted.
    """
    horizon = round(ahead(horizon_days))
    if not 0 < interval < 1:
        raise ValueError("interval lies between 0 and 1")
    names = {"customer_id": customer_id, "date": date, "amount": amount}
    days = Days.of(transactions, observation_end=observation_end, **names)
    window = days.until(days.end)
    known = window.summary()
    models = Blend.fitted(known)
    notes = [f"{model.name}: {note}" for model in models.models if model.fit_ for note in model.fit_.notes]
    busy = season(days, horizon) if len(window) and horizon else 1.0
    if busy != 1.0:
        notes.append(f"season: a year earlier, time went {busy:.2f} times as fast as the models say")
    expected, active = models.ask(known, horizon * busy)
    found = past.lessons(days, horizon) if horizon and len(window) >= past.LEAST_CUSTOMERS else []
    boosted = _boosted(found, boosting)
    notes.append(boosted.why)
    if boosted.counts or boosted.ranks:
        length = found[0].horizon
        count, came = past.boosted(found, features(window, *models.ask(known, length)))
        if boosted.counts:
            expected = (past.levelled(count, expected) + expected) / 2
        if boosted.ranks:
            active = (past.moved(came, float(active.mean())) + active) / 2
    columns: dict[str, Column] = {"customer_id": known.customer_id, "p_active": active, "expected_purchases": expected}
    spread = _spread(models, known, horizon * busy, expected, interval)
    columns |= {"purchases_low": spread[0], "purchases_high": spread[1]}
    if days.has_money:
        spend = RobustSpend().fit(known)
        level = past.money_level(found[0]) if found else 1.0
        columns |= _money(spend, known, level, expected, spread[2], active, interval)
    return Outlook(columns, tuple(notes), days.left_out)


def _boosted(found: list[past.Lesson], boosting: bool) -> past.Verdict:
    if not boosting:
        return past.Verdict(False, False, "models alone: boosting was not asked for")
    if not boost.installed():
        return past.Verdict(False, False, "models alone: install changke[boost] for boosting")
    if not found:
        return past.Verdict(False, False, "models alone: too few customers or days for boosting")
    return past.verdict(found[0], found[1:])


def _spread(
    models: Blend, known: Summary, horizon: float, expected: Floats, interval: float
) -> tuple[Floats, Floats, Floats]:
    """Interval and variance of the days: BG/NBD's, its horizon and mean stretched to what is expected."""
    rows, place = distinct(*columns_from(known))
    model = models.models[0]
    low, high = model._interval(horizon, interval, *rows)
    mean, variance = model.expected_purchases(horizon, *rows), model.variance_of_purchases(horizon, *rows)
    with np.errstate(all="ignore"):
        ratio = np.where(mean[place] > 0, expected / mean[place], 1.0)
    ratio = np.clip(np.nan_to_num(ratio, nan=1.0), 0.1, 10.0)
    return np.floor(low[place] * ratio), np.ceil(high[place] * ratio), variance[place] * ratio


def _money(
    spend: RobustSpend,
    known: Summary,
    level: float,
    expected: Floats,
    variance: Floats,
    active: Floats,
    interval: float,
) -> dict[str, Column]:
    """Mean of the sum, and the interval of zero or a gamma distributed sum."""
    each = spend.expected_spend(known) * level
    within, unknown = (part * level**2 for part in spend.variance_of_spend(known))
    mean = expected * each
    second = expected * within + variance * each**2 + (variance + expected**2) * unknown + mean**2
    with np.errstate(all="ignore"):
        given = np.where(active > 0, mean / active, 0.0)
        scatter = np.where(active > 0, second / active - given**2, 0.0)
        scatter = np.maximum(scatter, 1e-12)
        shape, scale = given**2 / scatter, np.where(given > 0, scatter / given, 0.0)
        edges = {}
        for name, share in (("spend_low", (1 - interval) / 2), ("spend_high", (1 + interval) / 2)):
            inside = np.clip((share - (1 - active)) / active, 0.0, 1.0)
            edges[name] = np.nan_to_num(np.where(share > 1 - active, gamma.ppf(inside, shape, scale=scale), 0.0))
    return {"expected_spend": mean, **edges}
