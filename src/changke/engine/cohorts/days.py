"""One row per customer and day on which she bought."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from changke.engine.days import Day, as_date
from changke.engine.engines.frames import quoted, reading
from changke.engine.later import Later

if TYPE_CHECKING:
    import duckdb
else:
    duckdb = Later("duckdb")


@contextmanager
def purchase_days(
    transactions: object, *, observation_end: Day, customer_id: str, date: str, amount: str | None
) -> "Iterator[duckdb.DuckDBPyConnection]":
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
