"""The default outlook as something to keep: what was learned, as JSON, and asked again of one customer or of all.

Closed form throughout, so that one customer after a fact gets what the night would have given her. Boosting has no
part in it: `outlook` adds it where a file is asked once.
"""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import numpy as np

from changke.engine.clv.model import PurchaseModel, ahead
from changke.engine.clv.robust_spend import RobustSpend
from changke.engine.clv.statistics import Floats
from changke.engine.clv.summary import Summary
from changke.engine.clv.sums import sum_of_days
from changke.engine.prediction import festivals, past, rhythm
from changke.engine.prediction.days import EPOCH, Days
from changke.engine.prediction.differ import Found, stores_that_differ
from changke.engine.prediction.festivals import Calendar
from changke.engine.prediction.holidays import CALENDAR
from changke.engine.prediction.intervals import MoneyAround, Widths, between_days
from changke.engine.prediction.models import Blend, Rhythm, Said, stretched, together
from changke.engine.prediction.season import Season, season
from changke.engine.prediction.stores import Everyone, Newcomer, Stores, blend_from
from changke.engine.prediction.tilt import Tilt
from changke.engine.refusals import above_zero, between
from changke.engine.refusals import share as checked_share
from changke.engine.table import Column, Table

YEAR_DAYS = 365
QUARTERS = 4
INTERVAL = 0.8


@dataclass(frozen=True)
class Fitted:
    """What was learned of a shop at a day, for a horizon.

    Attributes
    ----------
    busy
        How many times as fast as the models say time went in the coming window a year earlier, without what holidays
        that move did in it: the season.
    level
        Money that comes for one expected, from the newest past window.
    tilt
        How much more often those come who spend more, from the same window.
    widths
        What is asked of the models so that the promised share lies in an interval, from the same window.
    money
        The law of the sums of money, and what is asked of it.
    calendar
        How many come on the days around the holidays that move.
    stores
        The models of stores, where they have some of their own: customers of all others have the chain's, `models`.
    why_stores
        Why they have or have not, in a sentence; empty where nobody named a store.
    asked_on
        The last day that is known where the question is put later than learned: what the horizon begins after.
    fallbacks
        Model -> why its parameters are not the plain maximum of its likelihood, in one word.
    """

    observation_end: dt.date
    horizon_days: int
    customers: int
    purchase_days: int
    models: Blend
    busy: float
    spend: RobustSpend | None
    level: float
    tilt: Tilt = field(default_factory=Tilt)
    widths: Widths = field(default_factory=Widths)
    money: MoneyAround = field(default_factory=MoneyAround)
    calendar: Calendar = field(default_factory=Calendar)
    stores: Stores = field(default_factory=Stores)
    why_stores: str = ""
    asked_on: dt.date | None = None

    def on(self, day: dt.date) -> Self:
        """The same, asked on a later day: its horizon holds other holidays."""
        return replace(self, asked_on=day)

    @property
    def holidays(self) -> float:
        """How fast time goes in the horizon, by the holidays in it."""
        begin = (self.asked_on or self.observation_end) - dt.date(1970, 1, 1)
        return self.calendar.pace(begin.days + 1, self.horizon_days)

    @property
    def pace(self) -> float:
        """How many times as fast as the models say time goes in the horizon: season and holidays."""
        return self.busy * self.holidays

    @property
    def fallbacks(self) -> dict[str, str]:
        asked: list[PurchaseModel | RobustSpend] = [*self.models.models, *([self.spend] if self.spend else [])]
        return {one.name: one.fit_.fallback for one in asked if one.fit_ and one.fit_.fallback}

    @property
    def newcomers(self) -> tuple[Newcomer, ...]:
        """What is expected in the horizon of whoever has just begun: of the chain, then of each store with models of
        its own. At the usual pace, without season, holidays and purse."""
        return self.stores.newcomers(self.models, self.horizon_days)

    @property
    def rhythm(self) -> Rhythm:
        """How far customers come by the clock."""
        return self.models.rhythm

    @property
    def notes(self) -> tuple[str, ...]:
        """How it came about, in sentences."""
        notes = [f"{model.name}: {note}" for model in self.models.models if model.fit_ for note in model.fit_.notes]
        if self.rhythm.k > 1:
            loose = f", kept loosely: {self.rhythm.loose:.0%} by chance" if self.rhythm.loose else ""
            notes.append(f"rhythm: customers come by the clock, k = {self.rhythm.k}{loose}")
        if self.why_stores:
            notes.append(self.why_stores)
        if self.busy != 1.0:
            notes.append(f"season: a year earlier, time went {self.busy:.2f} times as fast as the models say")
        for one in self.calendar.festivals:
            notes.append(
                f"{one.name}: {one.seen} seen, from {min(one.index):.2f} to {max(one.index):.2f} times as many a day"
            )
        if self.holidays != 1.0:
            notes.append(f"holidays: time goes {self.holidays:.2f} times as fast by those in the horizon")
        return tuple(notes)

    def ask(self, known: Summary, *, interval: float = INTERVAL, about: Everyone | None = None) -> Table:
        """Each customer of the summary, which must know the days up to the moment that is asked from.

        Returns
        -------
        Table
            customer_id; p_active with p_active_low and p_active_high, the lowest and the highest of the models;
            expected_purchases, purchases_low, purchases_high, purchases_inside; with money expected_spend, spend_low,
            spend_high.
        """
        about = about or self.about(known)
        said, place = Said.of(about.models, self.horizon_days * self.pace, self.models.weights), about.place
        expected, active, variance = said.expected[place], said.chance[place], said.variance[place]
        lowest, highest = said.active.min(axis=0)[place], said.active.max(axis=0)[place]
        each = self.spend.expected_spend(known) if self.spend else None
        if each is not None:
            factor = self.tilt.factor(each)
            expected, variance = expected * factor, variance * factor
            active, lowest, highest = (self.tilt.active(one, each) for one in (active, lowest, highest))
        columns: dict[str, Column] = {"customer_id": known.customer_id, "p_active": active}
        columns |= {"p_active_low": lowest, "p_active_high": highest}
        return Table(columns | self._amounts(known, each, expected, variance, active, interval))

    def about(self, known: Summary) -> Everyone:
        """Who is asked about, for several questions."""
        return self.stores.about(self.models, known)

    def days_and_chance(self, known: Summary, horizon: float) -> tuple[Floats, Floats]:
        """Expected purchase days and P(active) of each customer by the models alone."""
        return self.stores.ask(self.models, known, horizon)

    def amounts(self, known: Summary, expected: Floats, active: Floats, interval: float) -> dict[str, Column]:
        """Days and money with their intervals, given how many days are expected and how likely she comes."""
        about = self.about(known)
        mean, variance = (column[about.place] for column in about.models[0].purchases(self.horizon_days * self.pace))
        each = self.spend.expected_spend(known) if self.spend else None
        return self._amounts(known, each, expected, stretched(variance, mean, expected), active, interval)

    def _amounts(
        self, known: Summary, each: Floats | None, expected: Floats, variance: Floats, active: Floats, interval: float
    ) -> dict[str, Column]:
        checked_share("interval", interval)
        share = self.widths.share(expected, interval)
        low, high, inside = between_days(active, expected, variance, share)
        columns: dict[str, Column] = {"expected_purchases": expected, "purchases_low": low, "purchases_high": high}
        columns["purchases_inside"] = inside
        share = self.money.widths.share(expected, interval)
        return columns | ({} if each is None else self._money(known, each, expected, variance, active, share))

    def worth(
        self,
        known: Summary,
        *,
        margin: float | Floats,
        discount_per_year: float,
        days: int = YEAR_DAYS,
        about: Everyone | None = None,
    ) -> Floats:
        """What stays of the money of the coming year (or so many days), later money being less, for each customer.

        `margin` is the share that stays, 0..1, one for all or one for each; 1 gives revenue. The season has no part in
        it: a year holds all of them.
        """
        return self.worths(known, margin=margin, discount_per_year=discount_per_year, lengths=(days,), about=about)[0]

    def worths(
        self,
        known: Summary,
        *,
        margin: float | Floats,
        discount_per_year: float,
        lengths: Sequence[int],
        about: Everyone | None = None,
    ) -> list[Floats]:
        """`worth` of several numbers of days, ascending, in one walk: by quarters of a year, beyond it by years."""
        for edge in (np.min(margin, initial=1), np.max(margin, initial=0)):
            between("margin", float(edge), least=0, most=1)
        above_zero("1 + discount_per_year", 1 + discount_per_year)
        if self.spend is None:
            raise ValueError("the transactions had no amounts")
        about = about or self.about(known)
        rows, found = len(about.models[0].x), []
        before, begun, worth = np.zeros(rows), 0.0, np.zeros(rows)
        for length in lengths:
            for end in _ends(begun, ahead(length)):
                until = together([one.mean(end) for one in about.models], self.models.weights)
                worth = worth + (until - before) * (1 + discount_per_year) ** (-(begun + end) / 2 / 365.25)
                before, begun = until, end
            found.append(margin * self.spend.expected_spend(known) * self.level * worth[about.place])
        return found

    def worth_between(
        self,
        known: Summary,
        *,
        margin: float | Floats,
        discount_per_year: float,
        days: int = YEAR_DAYS,
        interval: float = INTERVAL,
        about: Everyone | None = None,
        worth: Floats | None = None,
    ) -> Table:
        """`worth` with its interval: customer_id, worth, worth_low, worth_high. `worth`: where it is known already.

        The widths are the models' own; what the newest past window taught of them is of another horizon.
        """
        about, share = about or self.about(known), np.full(len(known), checked_share("interval", interval))
        if worth is None:
            worth = self.worth(known, margin=margin, discount_per_year=discount_per_year, days=days, about=about)
        assert self.spend is not None, "worth has asked"
        said, place = Said.of(about.models, float(days), self.models.weights), about.place
        mean, low, high = self._sum(
            self.spend, known, self.level, said.expected[place], said.variance[place],
            said.chance[place], share,
        )  # fmt: skip
        stays = np.divide(worth, mean, out=np.zeros(len(worth)), where=mean > 0)
        names = ("customer_id", "worth", "worth_low", "worth_high")
        return Table(dict(zip(names, (known.customer_id, worth, stays * low, stays * high), strict=True)))

    def _money(
        self, known: Summary, each: Floats, expected: Floats, variance: Floats, active: Floats, share: Floats
    ) -> dict[str, Column]:
        """Mean of the sum, and its interval.

        What is known of the purse went into the days once; the money is that of the days the models gave her.
        """
        assert self.spend is not None
        scale = self.level / self.tilt.factor(each)
        mean, low, high = self._sum(self.spend, known, scale, expected, variance, active, share)
        return {"expected_spend": mean, "spend_low": low, "spend_high": high}

    def _sum(
        self,
        spend: RobustSpend,
        known: Summary,
        scale: Floats | float,
        expected: Floats,
        variance: Floats,
        active: Floats,
        share: Floats,
    ) -> tuple[Floats, Floats, Floats]:
        within, unknown = (part * scale**2 for part in spend.variance_of_spend(known))
        each = np.asarray(spend.expected_spend(known) * scale, float)
        return sum_of_days(
            each, within, unknown, expected=expected, variance=variance, active=active, share=share,
            heavy=self.money.heavy,
        )  # fmt: skip

    def to_json(self) -> str:
        """What was learned as text, to be read by `from_json`."""
        return json.dumps(
            {
                "observation_end": self.observation_end.isoformat(),
                "horizon_days": self.horizon_days,
                "customers": self.customers,
                "purchase_days": self.purchase_days,
                "models": [json.loads(model.to_json()) for model in self.models.models],
                "loose": self.models.loose,
                "busy": self.busy,
                "calendar": self.calendar.as_json(),
                "spend": json.loads(self.spend.to_json()) if self.spend else None,
                "level": self.level,
                "tilt": asdict(self.tilt),
                "widths": _kept(self.widths),
                "money": {"heavy": self.money.heavy, "widths": _kept(self.money.widths)},
                "stores": self.stores.as_json(),
                "why_stores": self.why_stores,
            },
            allow_nan=False,
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """A fit as it was kept. Raises ValueError if the text is something else."""
        kept: dict[str, Any] = json.loads(text)
        try:
            return cls(
                observation_end=dt.date.fromisoformat(kept["observation_end"]),
                horizon_days=int(kept["horizon_days"]),
                customers=int(kept["customers"]),
                purchase_days=int(kept["purchase_days"]),
                models=blend_from(kept["models"], float(kept.get("loose", 0.0))),
                busy=float(kept["busy"]),
                spend=RobustSpend.from_json(json.dumps(kept["spend"])) if kept["spend"] else None,
                level=float(kept["level"]),
                tilt=Tilt(**{name: float(value) for name, value in kept.get("tilt", {}).items()}),
                widths=_widths(kept.get("widths")),
                money=_money_around(kept.get("money"), kept.get("widths")),
                calendar=Calendar.from_json(kept.get("calendar")),
                stores=Stores.from_json(kept.get("stores"), float(kept.get("loose", 0.0))),
                why_stores=str(kept.get("why_stores", "")),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a kept outlook: {error}") from None


def _ends(begun: float, length: float) -> list[float]:
    """Where the parts of a walk end: quarters of its first year, then years, the last one shorter."""
    year = min(length, float(YEAR_DAYS))
    ends = [
        *(year * np.arange(1, QUARTERS + 1) / QUARTERS).tolist(),
        *np.arange(2 * YEAR_DAYS, length, YEAR_DAYS),
        length,
    ]
    return [float(end) for end in dict.fromkeys(ends) if end > begun]


def _widths(kept: dict[str, Any] | None) -> Widths:
    """None where nothing was learned, and in what was kept before widths were."""
    return Widths(tuple(kept["bounds"]), tuple(kept["asked"])) if kept else Widths()


def _kept(widths: Widths) -> dict[str, Any] | None:
    return asdict(widths) if np.isfinite(widths.bounds).all() else None


def _money_around(kept: dict[str, Any] | None, of_days: dict[str, Any] | None) -> MoneyAround:
    """In what was kept before money had its own, it had the widths of the days."""
    return MoneyAround(float(kept["heavy"]), _widths(kept["widths"])) if kept else MoneyAround(widths=_widths(of_days))


def _level(lately: past.Lately, turn: Season) -> float:
    """As far as the year before is believed, it says how much a day brings in place of the newest past window."""
    level = lately.level * lately.growth ** (-turn.weight / 2) * turn.money**turn.weight
    return float(min(max(level, 0.5), 2.0))


def fit(days: Days, *, horizon_days: int, calendar: str = CALENDAR) -> Fitted:
    """Learn from purchase days; never raises for what a shop can have. `calendar`: whose holidays count."""
    horizon = round(ahead(horizon_days))
    known = days.until(days.end).summary()
    time = rhythm.learned(days, horizon)
    models = Blend.fitted(known, time)
    spend = RobustSpend().fit(known) if days.has_money else None
    differ = stores_that_differ(days, horizon, time) if horizon else Found()
    stores = Stores.fitted(models, known, differ.worth)
    lately = past.lately(days, horizon, time, differ.stores, differ.chain) if horizon else past.Lately()
    holidays = festivals.learned(days, calendar)
    turn = season(days, horizon, time, holidays) if len(known) and horizon else Season()
    tilt = lately.tilt
    if spend is not None and tilt.days:
        tilt = tilt.kept_level(spend.expected_spend(known), *stores.ask(models, known, horizon))
    return Fitted(
        observation_end=(EPOCH + np.timedelta64(days.end, "D")).item(),
        horizon_days=horizon,
        customers=len(known),
        purchase_days=len(days.day),
        models=models,
        busy=turn.busy,
        spend=spend,
        level=_level(lately, turn),
        tilt=tilt,
        widths=lately.widths,
        money=lately.money,
        calendar=holidays,
        stores=stores,
        why_stores=differ.why,
    )


def as_of(fitted: Fitted, *, horizon_days: int) -> Fitted:
    """The same shop asked for another horizon; its season was learned for its own and stays, its holidays are those of
    the new one."""
    return replace(fitted, horizon_days=round(ahead(horizon_days)))
