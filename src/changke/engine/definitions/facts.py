"""What the definitions may read."""

from collections.abc import Mapping
from dataclasses import dataclass

SPINE = "customers"
"""The fact that has one row per customer: an answer has exactly its customers, bought or not."""

TYPES: Mapping[str, str] = {
    "int": "BIGINT",
    "money": "BIGINT",
    "days": "BIGINT",
    "date": "DATE",
    "text": "TEXT",
    "bool": "BOOLEAN",
}
"""The words a header or a fact may use, with their SQL types. Money is in the smallest unit and days are whole: no
floats, because round(2.5) is 3 on DuckDB and 2 on PostgreSQL. No timestamps: a day is fixed at intake, in the store's
zone."""


@dataclass(frozen=True)
class Fact:
    """A table of facts as a definition sees it, and the columns that say whose fact it is and of when.

    Parameters
    ----------
    name
        What definitions call it.
    columns
        Name to type (a word of `TYPES`) of every column that definitions may read.
    customer, day
        The columns that the customers and the day of a scope are pushed into. None: the fact speaks of no customer,
        or of no day, and is never narrowed by that.
    schema
        Where the table or view of that name lies, on every engine; None is the engine's search path.
    costly
        Reading it costs more than keeping its rows: a view that joins. Where everybody is asked about, it is read
        once, whoever needs it; a plain table is better scanned again, column by column.
    across
        Its rows for a customer are made from facts of others. So a definition that reads it does not last, and whoever
        has the facts of some customers alone cannot make these rows from them.
    """

    name: str
    columns: Mapping[str, str]
    customer: str | None = "customer_id"
    day: str | None = "business_date"
    schema: str | None = "live"
    costly: bool = False
    across: bool = False
