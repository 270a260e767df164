"""What she did in a window as an attribute: `deed_count_purchase_90d` is asked as `silent_days` is.

Stage models are columns of one statement over everybody, so what they count has to be a column too. The name of such a
column says all there is to know, and its definition is made from the name. Every engine answers it as of any day.

    deed_count_purchase_90d    deed_sum_use    deed_count_return_since_visit    deed_then_visit_purchase_30_365d
"""

# ruff: noqa: S608 -- words of our own and numbers
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot import exp

from changke.engine.definitions import Column
from changke.engine.definitions.definition import Definition

PREFIX = "deed_"
BACK = (
    "(SELECT customer_id, receipt_id, SUM(cash_minor) AS cash, SUM(consumed_minor) AS consumed FROM returns"
    " WHERE receipt_id IS NOT NULL GROUP BY customer_id, receipt_id)"
)


def _stayed(table: str, amount: str) -> str:
    """Receipts of which not all was given back, as `receipts` says it."""
    return (
        "SELECT taken.customer_id, taken.business_date, taken.store_id, taken.receipt_id AS place, 1 AS times,"
        f" taken.{amount} AS amount FROM {table} AS taken LEFT JOIN {BACK} AS back"
        " ON back.customer_id = taken.customer_id AND back.receipt_id = taken.receipt_id"
        " WHERE back.receipt_id IS NULL OR CASE WHEN taken.cash_minor > 0 THEN back.cash < taken.cash_minor"
        " ELSE back.consumed < taken.consumed_minor END"
    )


PURCHASES, USES = _stayed("purchases", "cash_minor"), _stayed("uses", "consumed_minor")
CAME = f"""
SELECT customer_id, business_date, 0 AS place, COUNT(*) AS times, 0 AS amount FROM (
  SELECT customer_id, business_date, store_id FROM visits
  UNION SELECT customer_id, business_date, store_id FROM ({PURCHASES}) AS bought
  UNION SELECT customer_id, business_date, store_id FROM ({USES}) AS used
  UNION SELECT customer_id, first_on AS business_date, COALESCE(store_id, 0) AS store_id FROM openings
  UNION SELECT customer_id, last_on AS business_date, COALESCE(store_id, 0) AS store_id FROM openings
  WHERE last_on > first_on AND last_on <= :today
) AS stops GROUP BY customer_id, business_date"""
"""The days on which she was in a store and in how many, as `came` says it."""

ROWS = {
    "purchase": PURCHASES,
    "use": USES,
    "return": "SELECT customer_id, business_date, return_id AS place, 1 AS times, cash_minor AS amount FROM returns",
    "visit": CAME,
}
"""A row per deed; of visits one per day, since of two stores on one day nobody knows the order. Said over the facts
themselves: the tables that a night keeps hold no receipts."""

READS = {
    "purchase": ("purchases", "returns"),
    "use": ("uses", "returns"),
    "return": ("returns",),
    "visit": ("visits", "purchases", "uses", "returns", "openings"),
}
KINDS = "|".join(ROWS)
NUMBER = re.compile(rf"deed_(count|sum)_({KINDS})(?:_(\d+)d|(_since_visit))?")
THEN = re.compile(rf"deed_then_({KINDS})_({KINDS})_(\d+)(?:_(\d+)d)?")


def number_name(measure: str, kind: str, *, days: int | None, since_visit: bool) -> str:
    window = f"_{days}d" if days else "_since_visit" if since_visit else ""
    return f"{PREFIX}{measure}_{kind}{window}"


def then_name(first: str, then: str, within: int, *, days: int | None) -> str:
    return f"{PREFIX}then_{first}_{then}_{within}{f'_{days}d' if days else ''}"


def is_deed(name: str) -> bool:
    return bool(NUMBER.fullmatch(name) or THEN.fullmatch(name))


def column_of(name: str) -> Column:
    """Type of the column, and its name in plain words for machines; pages say it in sentences."""
    if found := NUMBER.fullmatch(name):
        # Nothing done is zero; only "since the last visit" of somebody who never came is unknown.
        absent = None if found[4] else "0"
        return Column(name, "money" if found[1] == "sum" else "int", absent, name.replace("_", " "), line=1)
    return Column(name, "bool", "FALSE", name.replace("_", " "), line=1)


def tree_of(name: str) -> dict[str, Any]:
    """The question in the words of conditions; of a number it asks for more than nothing."""
    if found := NUMBER.fullmatch(name):
        measure, kind, days, since = found.groups()
        window = {"days": int(days)} if days else {"since": "visit"} if since else {}
        return {"measure": measure, "deed": {"kind": kind}, **window, "op": ">", "value": 0}
    found = THEN.fullmatch(name)
    assert found, name
    first, then, within, days = found.groups()
    window = {"days": int(days)} if days else {}
    return {"first": {"kind": first}, "then": {"kind": then}, "within": int(within), **window}


def definitions_of(names: Iterable[str]) -> list[Definition]:
    return [_definition(name) for name in sorted({name for name in names if is_deed(name)})]


def _definition(name: str) -> Definition:
    column = column_of(name)
    if found := NUMBER.fullmatch(name):
        measure, kind, days, since = found.groups()
        text = _since_visit(name, measure, kind) if since else _number(name, measure, kind, days)
        inputs = {*READS[kind], *(READS["visit"] if since else ())}
    else:
        found = THEN.fullmatch(name)
        assert found, name
        first, then, within, days = found.groups()
        text, inputs = _then(name, first, then, int(within), days), {*READS[first], *READS[then]}
    query = sqlglot.parse_one(text, read="duckdb")
    assert isinstance(query, exp.Query), "we wrote a SELECT"
    return Definition(
        Path(f"{name}.sql"), f"of_{name}", column.words, "customer", tuple(sorted(inputs)), {}, (column,), query,
        inputs_line=1,
    )  # fmt: skip


def _adds(measure: str) -> str:
    return "times" if measure == "count" else "amount"


def _number(name: str, measure: str, kind: str, days: str | None) -> str:
    window = f" WHERE DATE_DIFF('day', business_date, :today) < {int(days)}" if days else ""
    return (
        f"SELECT customer_id, SUM({_adds(measure)}) AS {name} FROM ({ROWS[kind]}) AS deed{window} GROUP BY customer_id"
    )


def _since_visit(name: str, measure: str, kind: str) -> str:
    return (
        f"SELECT last.customer_id, COALESCE(SUM(deed.{_adds(measure)}), 0) AS {name} FROM"
        f" (SELECT customer_id, MAX(business_date) AS day FROM ({CAME}) AS came GROUP BY customer_id) AS last"
        f" LEFT JOIN ({ROWS[kind]}) AS deed"
        " ON deed.customer_id = last.customer_id AND deed.business_date > last.day GROUP BY last.customer_id"
    )


def _then(name: str, first: str, then: str, within: int, days: str | None) -> str:
    same_day = ""
    if "visit" not in {first, then}:  # rows of one table are in order even within a day
        same_day = " OR (later.business_date = earlier.business_date AND later.place > earlier.place)"
    window = f" WHERE DATE_DIFF('day', earlier.business_date, :today) < {int(days)}" if days else ""
    return (
        f"SELECT earlier.customer_id, COUNT(*) > 0 AS {name} FROM ({ROWS[first]}) AS earlier"
        f" JOIN ({ROWS[then]}) AS later ON later.customer_id = earlier.customer_id"
        " AND ((later.business_date > earlier.business_date"
        f" AND DATE_DIFF('day', earlier.business_date, later.business_date) <= {within}){same_day}){window}"
        " GROUP BY earlier.customer_id"
    )
