"""How well the default did on the shop's own past: fitted at an earlier day, held against what came."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from changke.engine.clv.model import ahead
from changke.engine.clv.statistics import Floats
from changke.engine.prediction import past
from changke.engine.prediction.days import EPOCH, Days
from changke.engine.prediction.fitted import INTERVAL, fit
from changke.engine.prediction.holidays import CALENDAR
from changke.engine.special import pdtrik
from changke.engine.table import Table

LEAST_TESTED = 50
"""Customers below which a holdout says nothing."""
BANDS = 10


@dataclass(frozen=True)
class Band:
    """A tenth of the customers by p_active: how many came, of a hundred, and how many were said to."""

    customers: int
    said: float
    came: float


@dataclass(frozen=True)
class Third:
    """A third of the customers by expected purchase days, and how the intervals of 80 % met them.

    Attributes
    ----------
    said
        How likely, by the models, her days lie between their two whole numbers; more than 80 % where "none" alone is.
    days_inside, money_inside
        The share whose days and money did.
    none
        The share whose interval is "none at all".
    width, score
        Mean width in days, and mean interval score (Gneiting, Raftery 2007): the width, and ten times as much as a
        miss lay outside. Less is better.
    naive_score
        The score of Poisson's 10 % and 90 % at her own pace.
    """

    customers: int
    said: float
    days_inside: float
    money_inside: float
    none: float
    width: float
    score: float
    naive_score: float


def plain(value: Any) -> Any:
    """A part of a report card as JSON keeps it: days as text, numbers to six digits."""
    match value:
        case dt.date():
            return value.isoformat()
        case float():
            return round(value, 6)
        case list() | tuple():
            return [plain(one) for one in value]
        case dict():
            return {name: plain(one) for name, one in value.items()}
    return value


@dataclass(frozen=True)
class Holdout:
    """How the same recipe, given only what was known at an earlier day, met what came after it.

    `naive_*` are what anybody can do without a model: rank by silence, and continue at one's own pace.
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
    rmse: float
    naive_rmse: float
    purchases_said: float
    purchases_came: float
    inside: float
    spend_said: float
    spend_came: float
    bands: tuple[Band, ...]
    thirds: tuple[Third, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain numbers and text."""
        return {name: plain(value) for name, value in asdict(self).items()}


def holdout(days: Days, *, horizon_days: int, calendar: str = CALENDAR) -> Holdout | None:
    """Fit at an earlier day, look at what came. None where the past is too short or too few customers were known."""
    found = past.newest(days, round(ahead(horizon_days)))
    if found is None or len(found[0]) < LEAST_TESTED:
        return None
    window, length = found
    then = fit(days.known_at(window.cut), horizon_days=length, calendar=calendar)
    known = window.summary()
    said = then.ask(known)
    came, money = window.outcome(length)
    active, expected = said["p_active"], said["expected_purchases"]
    own_pace = (known.x + 1) / np.maximum(known.T, 1.0) * length
    bands = banded(active, came > 0)
    return Holdout(
        cut=(EPOCH + np.timedelta64(window.cut, "D")).item(),
        horizon_days=length,
        customers=len(window),
        active_said=float(active.mean()),
        active_came=float((came > 0).mean()),
        auc=past.area(came, active),
        naive_auc=past.area(came, -(known.T - known.t_x)),
        brier=float(((active - (came > 0)) ** 2).mean()),
        band_gap=gap(bands),
        rmse=float(np.sqrt(((expected - came) ** 2).mean())),
        naive_rmse=float(np.sqrt(((own_pace - came) ** 2).mean())),
        purchases_said=float(expected.sum()),
        purchases_came=float(came.sum()),
        inside=float(((came >= said["purchases_low"]) & (came <= said["purchases_high"])).mean()),
        spend_said=float(said["expected_spend"].sum()) if "expected_spend" in said else 0.0,
        spend_came=float(money.sum()),
        bands=bands,
        thirds=thirds(said, came, money, own_pace),
    )


def banded(said: Floats, came: Any) -> tuple[Band, ...]:
    """Tenths by the chance that was said, each with the share that came."""
    order = np.argsort(said, kind="stable")
    return tuple(
        Band(len(some), float(said[some].mean()), float(came[some].mean()))
        for some in np.array_split(order, BANDS)
        if len(some)
    )


def gap(bands: Sequence[Band]) -> float:
    """How far said and came lie apart in a tenth, on average; 0 without any."""
    weights = np.array([band.customers for band in bands], float)
    gaps = np.array([abs(band.said - band.came) for band in bands])
    return float(gaps @ weights / weights.sum()) if len(bands) else 0.0


def thirds(said: Table, came: Floats, money: Floats, own_pace: Floats) -> tuple[Third, ...]:
    """How the intervals of what was said met what came, in thirds by what was expected."""
    low, high = said["purchases_low"], said["purchases_high"]
    score = interval_score(low, high, came)
    at_her_pace = [np.maximum(np.ceil(pdtrik(edge, own_pace)), 0.0) for edge in (0.1, 0.9)]
    naive = interval_score(at_her_pace[0], at_her_pace[1], came)
    inside = (came >= low) & (came <= high)
    paid = inside
    if "expected_spend" in said:
        paid = (money >= said["spend_low"] - 1e-9) & (money <= said["spend_high"] + 1e-9)
    order = np.argsort(said["expected_purchases"], kind="stable")
    return tuple(
        Third(
            len(some), float(said["purchases_inside"][some].mean()), float(inside[some].mean()),
            float(paid[some].mean()), float((high[some] == 0).mean()), float((high - low)[some].mean()),
            float(score[some].mean()), float(naive[some].mean()),
        )
        for some in np.array_split(order, 3)
    )  # fmt: skip


def interval_score(low: Floats, high: Floats, true: Floats, share: float = INTERVAL) -> Floats:
    """The width, and what lay outside 2 / (1 - share) times."""
    return high - low + 2 / (1 - share) * (np.maximum(low - true, 0) + np.maximum(true - high, 0))
