"""How many come around holidays that move: docs/algorithms/outlook.md, 2."""

import datetime as dt
import json
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from changke.engine.prediction.days import EPOCH, Days
from changke.engine.prediction.festivals import Calendar, learned
from changke.engine.prediction.fitted import Fitted, fit
from changke.engine.prediction.holidays import CHINESE, QINGMING, SPRING_FESTIVAL
from changke.engine.prediction.known import Known
from changke.engine.prediction.margins import Margins
from changke.engine.prediction.scores import Asked, predictions, purchase_days
from changke.engine.refusals import NotASetting
from changke.engine.synthetic.seasons import NEW_YEAR
from tests.engine import moon

YEARS = range(2000, 2051)
BEGIN, END = np.datetime64("2022-06-01"), np.datetime64("2026-06-01")
RUSH, LULL = 1.6, 0.4
"""Three weeks before the festival; from the day before it to the tenth after it."""


@pytest.mark.parametrize("year", YEARS)
def test_the_table_is_what_moon_and_sun_say(year: int) -> None:
    assert tuple(days[year - 2000] for days in CHINESE.values()) == moon.holidays(year)


def test_the_table_is_whole_and_agrees_with_that_of_the_made_up_chain() -> None:
    assert {tuple(day.year for day in days) for days in CHINESE.values()} == {tuple(YEARS)}
    assert {day.year: f"{day:%m-%d}" for day in CHINESE[SPRING_FESTIVAL] if day.year in NEW_YEAR} == NEW_YEAR


@cache
def shop(customers: int = 900, *, rush: float = RUSH, lull: float = LULL, moves: bool = True) -> tuple[object, ...]:
    """Everybody may come every day with a chance of her own, around Spring Festival (or what stands for it in a year of
    the sun alone) more or less often; one in a thousand leaves each day."""
    chance = np.random.default_rng(11)
    days = np.arange(BEGIN, END)
    times = np.ones(len(days))
    for festival in CHINESE[SPRING_FESTIVAL]:
        since = (days - np.datetime64(festival if moves else festival.replace(month=2, day=5))).astype(int)
        times = np.where((since >= -22) & (since < -1), rush, times)
        times = np.where((since >= -1) & (since <= 10), lull, times)
    rate = chance.gamma(1.5, 1 / 45, customers)
    begun, stays = chance.integers(0, 900, customers), chance.exponential(1_000, customers)
    age = np.arange(len(days))[:, None] - begun
    came = (chance.random(age.shape) < rate * times[:, None]) & (age >= 0) & (age <= stays)
    day, who = np.nonzero(came)
    order = np.lexsort((day, who))
    return who[order], days[day[order]], np.full(len(day), 100.0)


def known(end: str, transactions: tuple[object, ...] | None = None) -> Days:
    who, day, paid = (np.asarray(column) for column in transactions or shop())
    there = day <= np.datetime64(end)
    return Days.from_days(who[there], day[there], paid[there], observation_end=dt.date.fromisoformat(end))


@cache
def fits(end: str) -> dict[str, Fitted]:
    return {calendar: fit(known(end), horizon_days=30, calendar=calendar) for calendar in ("chinese", "none")}


def expected(fitted: Fitted, end: str) -> float:
    days = known(end)
    return float(fitted.ask(days.until(days.end).summary())["expected_purchases"].sum())


@pytest.mark.parametrize(
    ("end", "holidays"),
    [
        ("2026-01-24", (1.02, 1.35)),  # the rush and the first days of the festival
        ("2025-07-10", (0.97, 1.05)),  # none
        ("2026-02-15", (0.55, 0.85)),  # the festival and its empty days
    ],
)
def test_time_goes_as_fast_as_the_holidays_in_it_let_it(end: str, holidays: tuple[float, float]) -> None:
    low, high = holidays
    said = fits(end)
    assert low < said["chinese"].holidays < high
    assert said["none"].holidays == 1.0
    assert said["chinese"].pace == pytest.approx(said["chinese"].busy * said["chinese"].holidays)


@pytest.mark.parametrize("end", ["2026-01-24", "2026-02-15", "2025-01-26"])
def test_what_comes_around_a_festival_that_moved_is_met_better_than_by_the_year_before(end: str) -> None:
    days = known("2026-05-31")
    came = float(days.until(int((np.datetime64(end) - EPOCH).astype(int))).outcome(30)[0].sum())
    off = {calendar: abs(expected(said, end) / came - 1) for calendar, said in fits(end).items()}
    assert off["chinese"] < off["none"]
    assert off["chinese"] < 0.12


def test_what_was_planted_is_found() -> None:
    (festival,) = learned(known("2025-12-31"), "chinese").festivals
    assert (festival.name, festival.seen) == (SPRING_FESTIVAL, 3)
    index = np.array(festival.index)
    assert index[28 - 19 : 28 - 4].mean() == pytest.approx(RUSH, rel=0.15)
    assert index[28 - 1 : 28 + 11].mean() == pytest.approx(LULL, rel=0.25)
    assert index[-14:].mean() == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize(
    ("end", "transactions"),
    [
        ("2023-12-31", {}),  # one festival
        ("2024-02-20", {}),  # one and a half
        ("2025-12-31", {"rush": 1.0, "lull": 1.0}),  # none is felt
        ("2025-12-31", {"customers": 12}),  # too few purchases
    ],
    ids=["one", "one and a half", "chance", "few"],
)
def test_where_the_past_does_not_carry_it_nothing_is_believed(end: str, transactions: dict[str, object]) -> None:
    assert learned(known(end, shop(**transactions)), "chinese").festivals == ()


def test_days_that_an_old_system_laid_evenly_hide_no_festival() -> None:
    """Three years of summaries before the first receipt, twice as many days as there are receipts."""
    who, day, paid = (np.asarray(column) for column in shop())
    there = day <= np.datetime64("2025-12-31")
    who, day, paid = who[there], day[there].copy(), paid[there]
    day[0] = np.datetime64("2019-07-01")  # a receipt of long ago, typed in by hand
    bought = {"customer_id": who, "business_date": day, "came": np.ones(len(who), int), "paid": paid}
    old = np.arange(900) + 10_000
    begin, until = (np.full(900, date, "datetime64[D]") for date in ("2019-06-01", "2022-05-31"))
    before = {"customer_id": old, "business_date": begin, "until_on": until, "times": np.full(900, 60), "paid": old}
    days = purchase_days(bought, before, today=dt.date(2025, 12, 31))
    assert days.dated_from == days.known_at(days.end - 9).dated_from
    assert 0 <= (days.dated_from or 0) - (BEGIN - EPOCH).astype(int) < 150, "after it opened, before its first festival"
    assert [one.name for one in learned(days, "chinese").festivals] == [SPRING_FESTIVAL]
    assert learned(replace(days, dated_from=None), "chinese").festivals == (), "an even past was seen to feel none"


def test_what_stands_in_the_year_of_the_sun_is_no_festival_that_moves() -> None:
    found = learned(known("2025-12-31", shop(moves=False)), "chinese")
    assert all(np.abs(np.log(one.index)).mean() < 0.3 for one in found.festivals)


def test_a_shop_with_a_purchase_a_day_stays_near_one() -> None:
    found = learned(known("2025-12-31", shop(80)), "chinese")
    for one in found.festivals:
        assert 0.3 < min(one.index) <= max(one.index) < RUSH * 1.5


def test_a_question_put_later_has_the_holidays_of_its_own_days() -> None:
    said = fits("2026-01-24")["chinese"]
    later = said.on(dt.date(2026, 2, 15))
    assert later.holidays < said.holidays
    assert later.holidays == pytest.approx(replace(said, observation_end=dt.date(2026, 2, 15)).holidays)
    assert said.on(dt.date(2060, 1, 1)).holidays == pytest.approx(1 / said.calendar.usual)


def test_other_machines_ask_with_the_holidays_of_the_day_on_which_they_ask() -> None:
    said, today = fits("2026-01-24")["chinese"], dt.date(2026, 2, 15)
    who, day, paid = (np.asarray(column)[:200] for column in shop())
    counted = {"came": np.ones(200), "paid": paid, "rendered": paid, "profit": 0 * paid, "profit_of": 0 * paid}
    bought = {"customer_id": who, "business_date": day, **counted}
    before = dict.fromkeys(("customer_id", "business_date", "until_on", "times", "paid"), np.zeros(0))
    numbers: dict[str, Any] = {"margin_percent": None, "discount_percent": 10, "worth_years": 3}
    homes = {"customer_id": np.zeros(0, int), "home_store_id": np.zeros(0, int)}
    rows = Asked(json.loads(said.to_json()), {}, today=today, **numbers).of(bought, before, homes)
    known = Known.of(purchase_days(bought, before, today=today), bought)
    here = predictions(said.on(today), known, margins=Margins(), **numbers)
    assert rows["expected_purchases_milli"].tolist() == here["expected_purchases_milli"].tolist()
    assert (
        rows["expected_purchases_milli"].sum()
        < predictions(said, known, margins=Margins(), **numbers)["expected_purchases_milli"].sum()
    )


def test_it_is_kept_with_the_fit_and_fits_of_before_know_none() -> None:
    said = fits("2026-02-15")["chinese"]
    kept = Fitted.from_json(said.to_json())
    assert (kept.calendar, kept.holidays) == (said.calendar, said.holidays)
    assert Calendar.from_json(None) == Calendar.from_json({}) == Calendar()
    assert any("spring_festival: 3 seen" in note for note in said.notes)


def test_other_holidays_are_learned_by_themselves() -> None:
    who, day, paid = (np.asarray(column) for column in shop(rush=1.0, lull=1.0))
    near = np.isin(day, [np.datetime64(one) + step for one in CHINESE[QINGMING] for step in (-1, 0, 1)])
    kept = ~near | (np.random.default_rng(3).random(len(day)) < 0.2)
    days = Days.from_days(who[kept], day[kept], paid[kept], observation_end=dt.date(2025, 12, 31))
    assert [one.name for one in learned(days, "chinese").festivals] == [QINGMING]


def test_a_calendar_that_there_is_not_is_refused() -> None:
    with pytest.raises(NotASetting, match="chinese, none"):
        learned(known("2025-12-31"), "martian")
