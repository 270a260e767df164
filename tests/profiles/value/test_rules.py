"""Purchase days as they are learned from, and when a chain is learned anew."""

import datetime as dt

import numpy as np
import pytest

from changke.engine.prediction.scores import purchase_days
from changke.profiles.value.rules import fit_is_stale

TODAY = dt.date(2026, 3, 4)
NOTHING = {"customer_id": [], "business_date": [], "until_on": [], "times": [], "paid": []}


def table(names: str, rows: list[tuple[object, ...]]) -> dict[str, object]:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names.split())
    return {
        name: np.array(column, "datetime64[D]" if name in {"business_date", "until_on"} else "int64")
        for name, column in zip(names.split(), columns, strict=True)
    }


def bought(*rows: tuple[object, ...]) -> dict[str, object]:
    return table("customer_id business_date came paid", list(rows))


def before(*rows: tuple[object, ...]) -> dict[str, object]:
    return table("customer_id business_date until_on times paid", list(rows))


def days_of(*args: dict[str, object]) -> list[tuple[int, str, float]]:
    days = purchase_days(*args, today=TODAY)
    who = days.customers[days.who].tolist() if len(days.day) else []
    return list(zip(who, days.day.astype("datetime64[D]").astype(str).tolist(), days.paid.tolist(), strict=True))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], []),
        ([(1, "2026-01-05", 1, 300)], [(1, "2026-01-05", 300.0)]),
        # What she gave back another day, without a receipt, lowers the day before it on which she came.
        ([(1, "2026-01-05", 1, 300), (1, "2026-01-09", 0, -100)], [(1, "2026-01-05", 200.0)]),
        # Nobody pays for her neighbour, and who only gave back never came.
        ([(1, "2026-01-05", 1, 300), (2, "2026-01-01", 0, -100)], [(1, "2026-01-05", 300.0)]),
        ([(1, "2026-01-05", 0, -300), (1, "2026-01-09", 1, 100)], [(1, "2026-01-09", 100.0)]),
        # More given back than was ever paid stays below zero: the total is the chain's money.
        ([(1, "2026-01-05", 1, 100), (1, "2026-01-09", 0, -300)], [(1, "2026-01-05", -200.0)]),
    ],
)
def test_days_of_purchases_and_refunds(rows: list[tuple[object, ...]], expected: list[tuple[int, str, float]]) -> None:
    assert days_of(bought(*rows), before()) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        # Three purchases from the first to the tenth: the one between is laid in the middle.
        (
            (1, "2026-01-01", "2026-01-11", 3, 900),
            [(1, "2026-01-01", 300.0), (1, "2026-01-06", 300.0), (1, "2026-01-11", 300.0)],
        ),
        # Two days are known, whatever the number says.
        ((1, "2026-01-01", "2026-01-11", 0, 900), [(1, "2026-01-01", 450.0), (1, "2026-01-11", 450.0)]),
        ((1, "2026-01-01", "2026-01-01", 8, 900), [(1, "2026-01-01", 900.0)]),
        # More purchases than days: every day is one.
        ((1, "2026-01-01", "2026-01-02", 50, 100), [(1, "2026-01-01", 50.0), (1, "2026-01-02", 50.0)]),
    ],
)
def test_an_old_systems_summary_becomes_days(row: tuple[object, ...], expected: list[tuple[int, str, float]]) -> None:
    assert days_of(bought(), before(row)) == expected


def test_a_summary_and_a_receipt_of_one_day_are_one_day() -> None:
    found = days_of(bought((1, "2026-01-01", 1, 100)), before((1, "2026-01-01", "2026-01-01", 1, 50)))
    assert found == [(1, "2026-01-01", 150.0)]


@pytest.mark.parametrize(
    ("changes", "stale"),
    [
        ({}, False),
        ({"today": TODAY + dt.timedelta(days=6)}, False),
        ({"today": TODAY + dt.timedelta(days=7)}, True),
        ({"today": TODAY - dt.timedelta(days=1)}, True),  # a clock that was set back, or another chain's backup
        ({"horizon_now": 60}, True),
        ({"calendar_now": "none"}, True),
        ({"days_now": 151}, True),
        ({"days_now": 60}, True),
    ],
)
def test_when_a_chain_is_learned_anew(changes: dict[str, object], stale: bool) -> None:
    usual = {
        "fitted_on": TODAY, "horizon_days": 90, "purchase_days": 100, "today": TODAY, "horizon_now": 90,
        "days_now": 110, "calendar": "chinese", "calendar_now": "chinese",
    }  # fmt: skip
    assert fit_is_stale(**{**usual, **changes}) is stale  # type: ignore[arg-type]
