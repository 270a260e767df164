"""What a fit says of each customer as whole numbers, whoever asks: a night, a fact, or many machines. Pure.

One definition: purchase days become what is known of a customer, and that becomes a row of COLUMNS.
docs/algorithms/value.md
"""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np

from changke.engine.clv.cores import usable
from changke.engine.prediction.days import EPOCH, Days
from changke.engine.prediction.fitted import YEAR_DAYS, Fitted
from changke.engine.prediction.known import STORE, Known
from changke.engine.prediction.margins import Margins
from changke.engine.prediction.stores import NOWHERE

BASIS_POINTS, MILLI = 10_000, 1_000
MOST = 2**31 - 1
"""The largest number of a column. Nobody comes two million times in a horizon; an outlier must not stop the night."""
MOST_MINOR = 2**53
DAY = np.timedelta64(1, "D")
UNKNOWN = -1
WORTH_SHARING = 50_000
"""Customers up to which one core is as quick."""

COLUMNS = (
    "customer_id", "p_active_bp", "p_active_low_bp", "p_active_high_bp", "expected_purchases_milli",
    "purchases_low_milli", "purchases_high_milli", "expected_spend_minor", "spend_low_minor", "spend_high_minor",
    "value_year_minor", "value_year_low_minor", "value_year_high_minor", "worth_minor", "margin_bp",
)  # fmt: skip
"""A prediction as numbers, in the order of a row."""

DAYS_KNOWN = "purchase_days"
"""Beside a row that comes from elsewhere: of how many days of hers it knows."""

Columns = Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """What rows depend on beside the customers: as JSON it goes where their days are.

    Attributes
    ----------
    parameters, margins
        As `Fitted` and `Margins` write them.
    today
        The last day that is known.
    """

    parameters: Mapping[str, Any]
    margins: Mapping[str, Any]
    margin_percent: int | None
    discount_percent: int
    worth_years: int
    today: dt.date

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "today": self.today.isoformat()}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        return cls(**{**told, "today": dt.date.fromisoformat(told["today"])})

    def of(self, bought: Columns, before: Columns, homes: Columns) -> dict[str, Any]:
        """COLUMNS and DAYS_KNOWN of whoever came, from all rows of some customers; customers ascending."""
        known = Known.of(purchase_days(bought, before, homes, today=self.today), bought)
        said = predictions(
            Fitted.from_json(json.dumps(self.parameters)).on(self.today),
            known,
            margins=Margins.from_json(self.margins),
            margin_percent=self.margin_percent,
            discount_percent=self.discount_percent,
            worth_years=self.worth_years,
        )
        return {**said, DAYS_KNOWN: known.summary.x.astype(np.int64) + 1}


def purchase_days(bought: Columns, before: Columns, homes: Columns | None = None, *, today: dt.date) -> Days:
    """The days of everybody, ready to be learned from.

    Parameters
    ----------
    bought
        customer_id, business_date, came, paid: one row per customer and day, as `days_bought` has them. A
        day of a refund alone lowers the last day before it on which she came.
    before
        customer_id, business_date, until_on, times, paid: an old system's summaries. Its purchases are laid evenly
        between its two days: the models ask for number, first and last only, and those are known.
    homes
        customer_id, ascending, and home_store_id, as `person` has them: masked or NOWHERE for none.
    """
    who, day, paid = _kept(*_columns(bought, "customer_id", "business_date", "came", "paid"))
    also = _spread(*_columns(before, "customer_id", "business_date", "until_on", "times", "paid"))
    laid = len(also[0]) > 0
    dated_from = _dated_from(day) if laid and len(day) else None
    if laid:
        joined = zip((who, day, paid), also, strict=True)
        who, day, paid = (np.concatenate([mine, other]) for mine, other in joined)
    days = Days.from_days(who, day, paid, observation_end=today)
    store = None if homes is None else _stores_of(days.customers, homes)
    return replace(days, dated_from=dated_from, store=store)


def _stores_of(customers: Any, homes: Columns) -> Any:
    """The home store of each of them."""
    theirs = np.ma.filled(np.ma.asarray(homes[STORE]), NOWHERE).astype(np.int64)
    (who,) = _columns(homes, "customer_id")
    if not len(who):
        return np.full(len(customers), NOWHERE)
    place = np.minimum(np.searchsorted(who, customers), len(who) - 1)
    return np.where(who[place] == customers, theirs[place], NOWHERE)


def _dated_from(day: Any) -> int:
    """The day of all but the first hundredth: one receipt of long ago does not make an even past a dated one."""
    early = len(day) // 100
    return int((np.partition(day, early)[early] - EPOCH) / DAY)


def _kept(who: Any, day: Any, came: Any, paid: Any) -> tuple[Any, Any, Any]:
    """Days on which she came; refunds of other days go to the one before."""
    there = came > 0
    if there.all():
        return who, day, paid.astype(float)
    place = np.cumsum(there) - 1
    kept = paid[there].astype(float)
    alone = ~there & (place >= 0)
    hers = alone & (who[there][np.maximum(place, 0)] == who)
    np.add.at(kept, place[hers], paid[hers].astype(float))
    return who[there], day[there], kept


def _spread(who: Any, first: Any, last: Any, times: Any, paid: Any) -> tuple[Any, Any, Any]:
    """Each summary as its days."""
    if not len(who):
        return who, first, paid.astype(float)
    length = ((last - first) / DAY).astype(int)
    count = np.clip(times, np.where(length > 0, 2, 1), length + 1).astype(int)
    row = np.repeat(np.arange(len(who)), count)
    step = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    offset = np.rint(step * length[row] / np.maximum(count[row] - 1, 1)).astype(int)
    return who[row], first[row] + offset * DAY, (paid / count)[row]


def _columns(table: Columns, *names: str) -> list[Any]:
    return [np.ma.getdata(np.asarray(table[name])) for name in names]


def predictions(
    fitted: Fitted,
    known: Known,
    *,
    margins: Margins,
    margin_percent: int | None,
    discount_percent: int,
    worth_years: int,
) -> dict[str, Any]:
    """Whole numbers for each customer, as columns in the order of COLUMNS; a margin of UNKNOWN is none."""
    stays = margins.of_each(known.profit, known.profit_of, percent=margin_percent)
    summary = known.summary
    about = fitted.about(summary)
    said = fitted.ask(summary, about=about)
    margin, rate = (1.0 if stays is None else stays), discount_percent / 100
    lengths = (YEAR_DAYS, YEAR_DAYS * worth_years)
    year, worth = fitted.worths(summary, lengths=lengths, margin=margin, discount_per_year=rate, about=about)
    between = fitted.worth_between(summary, worth=year, margin=margin, discount_per_year=rate, about=about)
    bp = {name: _whole(said[name], BASIS_POINTS) for name in ("p_active", "p_active_low", "p_active_high")}
    return {
        "customer_id": summary.customer_id,
        "p_active_bp": bp["p_active"],
        "p_active_low_bp": bp["p_active_low"],
        "p_active_high_bp": bp["p_active_high"],
        "expected_purchases_milli": _whole(said["expected_purchases"], MILLI),
        "purchases_low_milli": _whole(said["purchases_low"], MILLI),
        "purchases_high_milli": _whole(said["purchases_high"], MILLI),
        "expected_spend_minor": _money(said["expected_spend"]),
        "spend_low_minor": _money(said["spend_low"]),
        "spend_high_minor": _money(said["spend_high"]),
        "value_year_minor": _money(year),
        "value_year_low_minor": _money(between["worth_low"]),
        "value_year_high_minor": _money(between["worth_high"]),
        "worth_minor": _money(worth),
        "margin_bp": np.full(len(summary), UNKNOWN) if stays is None else _whole(stays, BASIS_POINTS),
    }


def in_parts(said: Callable[[Known], dict[str, Any]], known: Known) -> dict[str, Any]:
    """What is said of very many, on every core: each customer's numbers are her own, so any part is as good."""
    cores = usable()
    if len(known) <= WORTH_SHARING or cores == 1:
        return said(known)
    size = -(-len(known) // cores)
    parts = [known.some(slice(begin, begin + size)) for begin in range(0, len(known), size)]
    with ThreadPoolExecutor(cores) as hands:  # numpy lets others in while it counts
        columns = list(hands.map(said, parts))
    return {name: np.concatenate([one[name] for one in columns]) for name in COLUMNS}


def _whole(values: Any, scale: int) -> Any:
    return np.rint(np.clip(values * scale, 0, MOST)).astype(np.int64)


def _money(values: Any) -> Any:
    return np.rint(np.clip(values, -MOST_MINOR, MOST_MINOR)).astype(np.int64)
