"""Who stays and who buys again: by hand, against a plain loop, and on shops that are hardly shops."""

import datetime as dt
import os
from collections import defaultdict
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from changke.engine.cohorts import NotAWindow, average_retention, repurchase, retention
from changke.engine.engines.frames import UnreadableFrame

DATA = Path(os.environ.get("CHANGKE_DATA") or Path(__file__).resolve().parents[4].parent / "shared" / "data")
END = dt.date(2026, 4, 10)
Purchases = list[tuple[int, dt.date]]
ANNA_AND_BEA: Purchases = [
    (1, dt.date(2026, 1, 5)),
    (1, dt.date(2026, 1, 5)),  # two receipts of one day
    (1, dt.date(2026, 1, 25)),
    (1, dt.date(2026, 3, 2)),
    (2, dt.date(2026, 1, 31)),
    (3, dt.date(2026, 4, 1)),
    (3, dt.date(2026, 4, 30)),  # after the end
]


def frame(purchases: Purchases) -> dict[str, np.ndarray]:
    return {
        "customer_id": np.array([one for one, _ in purchases], dtype=np.int64),
        "date": np.array([day for _, day in purchases], dtype="datetime64[D]"),
    }


def test_cohorts_by_hand() -> None:
    cells = retention(frame(ANNA_AND_BEA), observation_end=END)
    january = [(0, 2, 2, True), (1, 2, 0, True), (2, 2, 1, True), (3, 2, 0, False)]
    rows = zip(*(cells[name].tolist() for name in ("age", "customers", "active", "is_over")), strict=True)
    assert list(rows) == [*january, (0, 1, 1, False)]
    average = average_retention(cells)
    assert average["age"].tolist() == [0, 1, 2]  # April is not over
    assert average["active"].tolist() == [2, 0, 1]


def test_second_purchases_by_hand() -> None:
    found = repurchase(frame(ANNA_AND_BEA), observation_end=END, windows_days=(10, 20, 60, 90))
    assert (found.buyers, found.repeat_buyers) == (3, 1)
    assert [(one.followed, one.returned) for one in found.within] == [(2, 0), (2, 1), (2, 1), (1, 1)]
    assert found.second.at(20)[1] == pytest.approx(0.5)  # at risk at 20 days: Anna and Bea
    assert found.second.median == 20


def test_a_day_given_back_is_no_purchase() -> None:
    given = frame(ANNA_AND_BEA) | {"paid": np.array([10.0, -10.0, 5.0, 5.0, 7.0, 3.0, 3.0])}
    cells = retention(given, observation_end=END, amount="paid")
    assert cells["active"].tolist()[:4] == [2, 0, 1, 0]
    found = repurchase(given, observation_end=END, amount="paid")
    assert found.second.time.tolist() == [9, 36, 69]  # Anna's first day is the 25th


@given(
    st.lists(
        st.tuples(st.integers(1, 6), st.dates(dt.date(2025, 10, 1), dt.date(2026, 5, 1))), min_size=1, max_size=40
    ),
    st.randoms(use_true_random=False),
)
@settings(max_examples=30, deadline=None)
def test_cohorts_are_those_of_a_plain_loop_in_any_order(purchases: Purchases, shuffle: object) -> None:
    shuffle.shuffle(purchases)  # type: ignore[attr-defined]
    days = defaultdict(set)
    for customer, day in purchases:
        if day <= END:
            days[customer].add(day)
    month = {customer: min(own).replace(day=1) for customer, own in days.items()}
    expected = {}
    for cohort in sorted(set(month.values())):
        members = [customer for customer in days if month[customer] == cohort]
        for age in range(12 * (END.year - cohort.year) + END.month - cohort.month + 1):
            active = sum(any(_age(cohort, day) == age for day in days[customer]) for customer in members)
            expected[cohort, age] = (len(members), active, _age(cohort, END) > age)
    cells = retention(frame(purchases), observation_end=END)
    found = {
        (cohort.astype("datetime64[D]").item(), int(age)): (int(customers), int(active), bool(over))
        for cohort, age, customers, active, over in zip(*cells.values(), strict=True)
    }
    assert found == expected


def _age(cohort: dt.date, day: dt.date) -> int:
    return 12 * (day.year - cohort.year) + day.month - cohort.month


def test_the_last_day_of_a_month_ends_it() -> None:
    cells = retention(frame([(1, dt.date(2026, 2, 3))]), observation_end="2026-02-28")
    assert cells["is_over"].tolist() == [True]


@pytest.mark.parametrize("purchases", [[], [(1, dt.date(2026, 5, 1))]])  # an empty shop, one of future dates only
def test_a_shop_without_purchases_has_empty_tables(purchases: Purchases) -> None:
    cells = retention(frame(purchases), observation_end=END)
    assert cells.rows == average_retention(cells).rows == 0
    found = repurchase(frame(purchases), observation_end=END)
    assert (found.buyers, found.repeat_buyers, found.second.median) == (0, 0, None)
    assert all((one.followed, one.returned) == (0, 0) for one in found.within)


def test_one_customer_on_the_last_day() -> None:
    found = repurchase(frame([(1, END)]), observation_end=END)
    assert (found.buyers, found.repeat_buyers, found.second.median) == (1, 0, None)


def test_everybody_on_one_day_never_came_back() -> None:
    found = repurchase(frame([(one, END - dt.timedelta(days=90)) for one in range(50)]), observation_end=END)
    assert [(one.followed, one.returned) for one in found.within] == [(50, 0), (50, 0), (50, 0), (0, 0), (0, 0)]


def test_a_customer_with_ten_thousand_receipts_is_one() -> None:
    days = [(1, END - dt.timedelta(days=one % 300)) for one in range(10_000)]
    assert repurchase(frame(days), observation_end=END).repeat_buyers == 1


def test_nobodys_and_undated_rows_are_left_out() -> None:
    rows = duckdb.sql(
        "SELECT * FROM (VALUES (1, DATE '2026-01-01'), (NULL, '2026-01-01'), (2, NULL)) AS t(customer_id, date)"
    )
    assert repurchase(rows, observation_end=END).buyers == 1


def test_a_window_has_a_day_and_a_frame_its_columns() -> None:
    with pytest.raises(NotAWindow):
        repurchase(frame(ANNA_AND_BEA), observation_end=END, windows_days=(0,))
    with pytest.raises(UnreadableFrame):
        retention({"customer_id": np.array([1])}, observation_end=END)
    with pytest.raises(UnreadableFrame):
        retention(object(), observation_end=END)


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="the folder of real data sets is absent; set CHANGKE_DATA")
def test_cdnow() -> None:
    """23,570 customers of the first quarter of 1997, about half of whom never bought again (Fader and Hardie)."""
    orders = DATA / "cdnow" / "cdnow_master.parquet"
    cells = retention(str(orders), observation_end="1998-06-30")
    assert cells["customers"][cells["age"] == 0].tolist() == [7_846, 8_476, 7_248]
    found = repurchase(str(orders), observation_end="1998-06-30")
    assert found.buyers == 23_570
    assert found.repeat_buyers / found.buyers == pytest.approx(0.48, abs=0.03)
