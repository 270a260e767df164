"""From transactions to the four numbers per customer: docs/algorithms/clv.md."""

import datetime as dt
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from changke.engine.days import Day, as_date
from changke.engine.engines.frames import UnreadableFrame, columns_of, fetched, quoted, reading
from changke.engine.later import Later
from changke.engine.table import Column, Table

if TYPE_CHECKING:
    import duckdb
else:
    duckdb = Later("duckdb")

ROWS_A_PART = 2_500_000
"""Customers of so many rows are summed up at a time: what is held of their days fits better, so it is quicker too."""
MOST_PARTS = 16
MOST_MONEY = 1e15
"""No row of a shop brings more, in any unit; beyond it squares and sums of the like would leave the numbers."""


AMOUNT = "amount"
"""May be missing: then nothing is said of money. A column that was named is expected to be there."""


class MixedCurrencies(ValueError):
    """Amounts of several currencies stand in one column."""


@dataclass(frozen=True, repr=False)
class Summary:
    """Customers by what buy-till-you-die models need.

    Attributes
    ----------
    customer_id
        In ascending order.
    x, t_x, T
        Repeat purchase days; days from the first to the last; days from the first to the end of observation. Whole
        numbers as doubles: what every model asks of them needs no copy.
    monetary
        Mean money of the repeat purchase days, 0 without one. None where the transactions have no amounts.
    spent, paid_days, log_sum, log_squares
        Money of all days; days with money above zero; sums of its logarithm and of the logarithm's square.
    log_gaps
        Sum of the logarithms of the gaps in days. None unless asked for.
    store
        The store that she belongs to, by number or by name; -1 or "" for none. None where nobody asked for it.
    left_out
        Rows that could not be counted, by reason.
    """

    customer_id: Column
    x: Column
    t_x: Column
    T: Column
    monetary: Column | None = None
    spent: Column | None = None
    paid_days: Column | None = None
    log_sum: Column | None = None
    log_squares: Column | None = None
    log_gaps: Column | None = None
    store: Column | None = None
    left_out: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.customer_id)

    def __repr__(self) -> str:
        left_out = f"; left out {self.left_out}" if self.left_out else ""
        return f"Summary({len(self)} customers: {', '.join(self.table())}{left_out})"

    def some(self, chosen: slice) -> "Summary":
        """Some of the customers."""
        named = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "left_out"}
        return replace(self, **{name: column[chosen] for name, column in named.items() if column is not None})

    def table(self) -> Table:
        """The columns that are known."""
        named = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "left_out"}
        return Table({name: column for name, column in named.items() if column is not None})


def summary(
    transactions: object,
    *,
    observation_end: Day,
    customer_id: str = "customer_id",
    date: str = "date",
    amount: str = "amount",
    rhythm: bool = False,
    spread: bool = False,
) -> Summary:
    """Frequency, recency, age and money of each customer.

    Parameters
    ----------
    transactions
        One row per receipt or line: a Polars, pandas, Arrow or DuckDB frame or the path of a Parquet file. A column
        named `currency` is looked at, and refused if it holds several.
    observation_end
        The last day that is fully known. Later rows are left out.
    customer_id, date, amount
        Names of the columns; where there is none called `amount`, money is not counted. An amount that is NaN, infinite
        or beyond 1e15 brings a day without money, and is said in `left_out`.
    rhythm, spread
        Whether to compute `log_gaps`, and `log_sum` with `log_squares`: both cost time.

    Raises
    ------
    MixedCurrencies
        Amounts of several currencies.
    UnreadableFrame
        No frame, or a column is missing.
    """
    end = as_date(observation_end)
    with reading(transactions, needs=(customer_id, date)) as connection:
        names, money, left_out, refunds, strange, rows = _look(connection, customer_id, date, amount, end)
        query = partial(statement, names, money=money, refunds=refunds, strange=strange, rhythm=rhythm, spread=spread)
        parts = min(max(rows // ROWS_A_PART, 1), MOST_PARTS)
        values: dict[str, object] = {"observation_end": end}
        if parts == 1:
            found = fetched(connection, f"{query()} ORDER BY customer_id", values)
        else:
            for part in range(parts):
                into = "INSERT INTO summed" if part else "CREATE TEMP TABLE summed AS"
                connection.execute(f"{into} {query(part=(part, parts))}", values)
            found = fetched(connection, "SELECT * FROM summed ORDER BY customer_id")
    return Summary(**{name: np.ma.getdata(column) for name, column in found.items()}, left_out=left_out)


def customer_days(
    transactions: object,
    *,
    observation_end: Day,
    customer_id: str = "customer_id",
    date: str = "date",
    amount: str = "amount",
    store: str | None = None,
) -> tuple[Table, bool, dict[str, int], dict[Any, str] | None]:
    """The purchase days, customer by customer: customer_id, day, paid; whether there was money; what is left out; and,
    where a column names it, customer -> her store."""
    end, also = as_date(observation_end), () if store is None else (store,)
    with reading(transactions, needs=(customer_id, date, *also)) as connection:
        names, money, left_out, refunds, strange, _ = _look(connection, customer_id, date, amount, end)
        days = _days(names, money=money, refunds=refunds, strange=strange)
        found = fetched(connection, f"{days} ORDER BY customer_id, day", {"observation_end": end})
        stores = None
        if store is not None:
            of_each = fetched(connection, _store_of_each(names, quoted(store)), {"observation_end": end})
            stores = dict(zip(of_each["customer_id"].tolist(), of_each["store"].tolist(), strict=True))
    return Table({name: np.ma.getdata(column) for name, column in found.items()}), money, left_out, stores


def statement(
    names: dict[str, str],
    *,
    money: bool,
    refunds: bool,
    strange: bool,
    rhythm: bool,
    spread: bool,
    part: tuple[int, int] | None = None,
) -> str:
    """The query, in no order; what the data do not need does not stand in it. `part`: of so many parts that one."""
    outer = []
    if money:
        outer += [
            "CASE WHEN count(*) > 1 THEN (sum(paid) - arg_min(paid, day)) / (count(*) - 1) ELSE 0 END AS monetary",
            "sum(paid) AS spent",
        ]
        if spread:
            outer += [
                "count(*) FILTER (paid > 0) AS paid_days",
                "coalesce(sum(ln(paid)) FILTER (paid > 0), 0) AS log_sum",
                "coalesce(sum(ln(paid) * ln(paid)) FILTER (paid > 0), 0) AS log_squares",
            ]
    gap = "day - lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS gap"
    source = f"(SELECT *, {gap} FROM days)" if rhythm else "days"  # noqa: S608 -- ours
    if rhythm:
        outer.append("coalesce(sum(ln(gap)), 0) AS log_gaps")
    return f"""
        WITH days AS ({_days(names, money=money, refunds=refunds, strange=strange, part=part)})
        SELECT customer_id, (count(*) - 1)::DOUBLE AS x, (max(day) - min(day))::DOUBLE AS t_x,
               ($observation_end - min(day))::DOUBLE AS "T"
               {"".join(", " + column for column in outer)}
        FROM {source}
        GROUP BY customer_id"""  # noqa: S608 -- names are quoted, the rest is ours


def _days(
    names: dict[str, str], *, money: bool, refunds: bool, strange: bool, part: tuple[int, int] | None = None
) -> str:
    paid = "amount::DOUBLE" if not strange else f"CASE WHEN abs(amount::DOUBLE) <= {MOST_MONEY} THEN amount::DOUBLE END"
    some = f"AND hash({names['customer']}) % {part[1]} = {part[0]}" if part else ""
    having = "HAVING bool_or(amount IS NULL OR NOT amount < 0)" if refunds else ""
    return f"""
            SELECT customer_id, day, {f"coalesce(sum({paid}), 0)" if money else "1"} AS paid
            FROM (
                SELECT {names["customer"]} AS customer_id, {names["day"]}::DATE AS day,
                       {names["amount"] if money else "NULL"} AS amount
                FROM given
                WHERE {_usable(names)} AND {names["day"]}::DATE <= $observation_end {some}
            )
            GROUP BY customer_id, day
            {having}"""  # noqa: S608 -- names are quoted, the rest is ours


def _store_of_each(names: dict[str, str], store: str) -> str:
    """The store of the first row that names one: no later day makes it another, so no past window knows what came.
    Of several on that day the first by name."""
    return f"""
        SELECT {names["customer"]} AS customer_id,
               min({{'day': {names["day"]}::DATE, 'store': {store}::VARCHAR}}).store AS store
        FROM given
        WHERE {_usable(names)} AND {names["day"]}::DATE <= $observation_end AND {store} IS NOT NULL
        GROUP BY ALL"""  # noqa: S608 -- names are quoted, the rest is ours


def _usable(names: dict[str, str]) -> str:
    return f"{names['customer']} IS NOT NULL AND isfinite({names['day']}::DATE)"


def _look(
    connection: "duckdb.DuckDBPyConnection", customer_id: str, date: str, amount_named: str, end: dt.date
) -> tuple[dict[str, str], bool, dict[str, int], bool, bool, int]:
    """Quoted names, whether there is money, what is left out, whether there are refunds and amounts of no number; and
    how many rows there are."""
    columns = columns_of(connection)
    money = amount_named in columns
    if not money and amount_named != AMOUNT:
        raise UnreadableFrame(f"no column {amount_named} among {', '.join(columns)}")
    names = {"customer": quoted(customer_id), "day": quoted(date), "amount": quoted(amount_named)}
    if "currency" in columns and money:
        found = connection.execute("SELECT DISTINCT currency FROM given WHERE currency IS NOT NULL LIMIT 3").fetchall()
        if len(found) > 1:
            several = ", ".join(sorted(str(currency) for (currency,) in found))
            raise MixedCurrencies(f"amounts in several currencies, {several} among them")
    amount = f"{names['amount']}::DOUBLE" if money else "NULL::DOUBLE"
    ((nameless, endless, late, refunds, strange, rows),) = connection.execute(
        f"""
        SELECT count(*) FILTER ({names["customer"]} IS NULL),
               count(*) FILTER ({names["day"]} IS NULL OR NOT isfinite({names["day"]}::DATE)),
               count(*) FILTER (isfinite({names["day"]}::DATE) AND {names["day"]}::DATE > $observation_end),
               coalesce(min({amount}) < 0, FALSE),
               count(*) FILTER (NOT abs({amount}) <= {MOST_MONEY}),
               count(*)
        FROM given""",  # noqa: S608 -- names are quoted
        {"observation_end": end},
    ).fetchall()
    huge = 0
    if strange:
        query = f"SELECT count(*) FILTER (isfinite({amount}) AND abs({amount}) > {MOST_MONEY}) FROM given"  # noqa: S608
        huge = connection.execute(query).fetchall()[0][0]
    counted = {
        "no_customer": nameless, "no_date": endless, "after_the_end": late, "amount_is_no_number": strange - huge,
        "amount_is_too_large": huge,
    }  # fmt: skip
    left_out = {reason: int(rows) for reason, rows in counted.items() if rows}
    return names, money, left_out, bool(refunds), bool(strange), int(rows)
