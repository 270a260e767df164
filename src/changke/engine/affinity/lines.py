"""Who had what on which day, as positions in a list of customers and a list of items."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from changke.engine.days import Day, as_date
from changke.engine.engines.frames import quoted, reading
from changke.engine.table import Column

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Lines:
    """Distinct (customer, day, item), in this order.

    Attributes
    ----------
    customers, items : ids, ascending
    customer, item : shape (lines,), positions among them
    day : shape (lines,), days since 1970
    end : the last day that is fully known, the same way
    """

    customers: Column
    items: Column
    customer: Integers
    item: Integers
    day: Integers
    end: int

    @classmethod
    def read(
        cls,
        lines: object,
        *,
        observation_end: Day,
        customer_id: str = "customer_id",
        item_id: str = "item_id",
        date: str = "date",
    ) -> "Lines":
        """From one row per line: a Polars, pandas, Arrow or DuckDB frame, or the path of a Parquet file.

        Returns and later days have to be left out by the caller, and are, respectively. Rows without customer, item or
        day are left out.

        Raises
        ------
        UnreadableFrame
        """
        who, what, when = quoted(customer_id), quoted(item_id), quoted(date)
        end = as_date(observation_end)
        with reading(lines, needs=(customer_id, item_id, date)) as database:
            database.execute(
                f"""CREATE TABLE lines AS
                SELECT DISTINCT {who} AS customer, CAST({when} AS DATE) AS day, {what} AS item FROM given
                WHERE {who} IS NOT NULL AND {what} IS NOT NULL AND CAST({when} AS DATE) <= $until""",  # noqa: S608
                {"until": end},
            )
            ids = [
                np.ma.getdata(database.execute(f"SELECT DISTINCT {name} FROM lines ORDER BY 1").fetchnumpy()[name])  # noqa: S608
                for name in ("customer", "item")
            ]
            rows = database.execute(
                """WITH who AS (SELECT customer, row_number() OVER (ORDER BY customer) - 1 AS place
                                FROM (SELECT DISTINCT customer FROM lines)),
                what AS (SELECT item, row_number() OVER (ORDER BY item) - 1 AS place
                         FROM (SELECT DISTINCT item FROM lines))
                SELECT who.place AS customer, what.place AS item, date_diff('day', DATE '1970-01-01', day) AS day
                FROM lines JOIN who USING (customer) JOIN what USING (item) ORDER BY 1, 3, 2"""
            ).fetchnumpy()
        who_at, what_at, day = (np.ma.getdata(rows[name]).astype(np.int64) for name in ("customer", "item", "day"))
        return cls(ids[0], ids[1], who_at, what_at, day, end=int(np.datetime64(end).astype(int)))

    def until(self, day: int) -> "Lines":
        """What was known at the end of that day; customers and items keep their positions."""
        kept = self.day <= day
        return replace(self, customer=self.customer[kept], item=self.item[kept], day=self.day[kept], end=day)

    @property
    def basket(self) -> Integers:
        """Shape (lines,): the number of the basket, ascending with customer and day."""
        opens = np.append(True, (np.diff(self.customer) != 0) | (np.diff(self.day) != 0))[: len(self.day)]
        return np.cumsum(opens) - 1

    def next_baskets(self, after: int, within_days: int) -> tuple[Integers, Integers]:
        """Customers known on the day `after` and the items of their first basket in the days that follow it."""
        known = np.zeros(len(self.customers), dtype=bool)
        known[self.customer[self.day <= after]] = True
        later = (self.day > after) & (self.day <= after + within_days) & known[self.customer]
        customer, item, day = self.customer[later], self.item[later], self.day[later]
        first = np.full(len(self.customers), np.iinfo(np.int64).max)
        np.minimum.at(first, customer, day)
        chosen = day == first[customer]
        return customer[chosen], item[chosen]
