"""One row per customer and day on which she bought."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import numpy as np

from changke.engine.engines.frames import quoted, reading

Day = dt.date | str | np.datetime64


@contextmanager
def purchase_days(
    transactions: object, *, observation_end: Day, customer_id: str, date: str, amount: str | None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with the table `days(customer, day)`, up to the end.

    Raises
    ------
    UnreadableFrame
    """
    needs = (customer_id, date, *([amount] if amount else []))
    counts = (
        f"HAVING coalesce(sum({quoted(amount)}) FILTER (isfinite({quoted(amount)}::DOUBLE)), 0) > 0" if amount else ""
    )
    with reading(transactions, needs=needs) as connection:
        connection.execute(
            f"""CREATE TABLE days AS
            SELECT {quoted(customer_id)} AS customer, CAST({quoted(date)} AS DATE) AS day FROM given
            WHERE {quoted(customer_id)} IS NOT NULL AND CAST({quoted(date)} AS DATE) <= $until
            GROUP BY ALL {counts}""",  # noqa: S608 -- names of columns, quoted
            {"until": as_date(observation_end)},
        )
        yield connection


def as_date(day: Day) -> dt.date:
    """A day however it was written."""
    if isinstance(day, dt.datetime):
        return day.date()
    if isinstance(day, dt.date):
        return day
    known: object = np.asarray(day, dtype="datetime64[D]").item()
    if not isinstance(known, dt.date):
        raise ValueError(f"not a day: {day!r}")
    return known
