"""The days on which each customer had each line of services: what a thread is made of. docs/algorithms/risk.md

Lines of receipts come from PostgreSQL by COPY, as the reader who sees every store; which of the days stay is asked of
the mirror, by the definition that every attribute reads too.
"""

import datetime as dt
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from changke.facts.tables import PERSON
from changke.foundation.database.copy import copy_out
from changke.profiles.risk.queries import purchase_days

LOOK_BACK_DAYS = 1_095
YEAR_DAYS = 365

LINES = """
  SELECT {person} AS customer_id, COALESCE(item.category_id, -item.id) AS line, receipt.business_date AS date,
    SUM(line.amount_minor)::bigint AS amount
  FROM facts_receipt AS receipt
  JOIN facts_line AS line ON line.receipt_id = receipt.id
  JOIN facts_item AS item ON item.id = line.item_id AND item.kind = 'service'
  JOIN facts_customer AS record ON record.id = receipt.customer_id
  JOIN facts_customer AS customer ON customer.id = {person} AND customer.is_active
  WHERE receipt.kind IN ('sale', 'use') AND receipt.withdrawn_by_id IS NULL
    AND receipt.business_date > DATE '{since}' AND receipt.business_date <= DATE '{today}'
  GROUP BY 1, 2, 3
"""
STAYED = """
SELECT line, lines.customer_id, lines.date, amount
FROM read_csv('{file}', header = false,
  columns = {{'customer_id': 'BIGINT', 'line': 'BIGINT', 'date': 'DATE', 'amount': 'BIGINT'}}) AS lines
SEMI JOIN ({days}) AS stayed ON stayed.customer_id = lines.customer_id AND stayed.date = lines.date
ORDER BY line
"""


@dataclass(frozen=True)
class LineDays:
    """Columns of equal length, those of one line together. A line is the id of its category, or minus that of an item.
    Money in minor units."""

    line: Any
    customer_id: Any
    date: Any
    amount: Any

    def __len__(self) -> int:
        return len(self.line)

    def each(self) -> list[tuple[int, "LineDays"]]:
        """Line by line."""
        lines, first = np.unique(self.line, return_index=True)
        ends = np.append(first[1:], len(self.line))
        columns = (self.line, self.customer_id, self.date, self.amount)
        return [
            (line, LineDays(*(column[start:end] for column in columns)))
            for line, start, end in zip(lines.tolist(), first.tolist(), ends.tolist(), strict=True)
        ]

    def spent_since(self, day: dt.date) -> dict[int, int]:
        """Customer -> what she spent on it after the day."""
        late = self.date > np.datetime64(day, "D")
        people, place = np.unique(self.customer_id[late], return_inverse=True)
        money = np.bincount(place, self.amount[late].astype(float), len(people)) if len(people) else np.zeros(0)
        return dict(zip(people.tolist(), np.rint(money).astype(int).tolist(), strict=True))


def lines_asked(today: dt.date) -> str:
    """The query of each customer's days with each line."""
    return LINES.format(since=today - dt.timedelta(days=LOOK_BACK_DAYS), today=today, person=PERSON)


def read_line_days(duck: duckdb.DuckDBPyConnection, today: dt.date) -> LineDays:
    """The last three years of everybody, by the mirror that `duck` has open."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "lines.csv"
        copy_out(f"COPY ({lines_asked(today)}) TO STDOUT (FORMAT csv)", file)
        found = duck.sql(STAYED.format(file=file, days=purchase_days(today))).fetchnumpy()
    return LineDays(found["line"], found["customer_id"], found["date"].astype("datetime64[D]"), found["amount"])
