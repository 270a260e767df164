"""What she did in a window as an attribute: `deed_count_purchase_90d` is asked as `silent_days` is.

Stage models are columns of one statement over everybody, so what they count has to be a column too. The name of such a
column says all there is to know, and its definition is made from the name. Every engine answers it as of any day.

    deed_count_purchase_90d    deed_sum_use    deed_count_return_since_visit    deed_then_visit_purchase_30_365d

Of a single item or category the name holds its number (`catalog/rules.name_key`), written in 36 letters and digits, as
`deed_count_purchase_c0k3x9a1z_90d`: the text, which may be any, stays with who asked, in the words of the column. No
name is longer than the 63 bytes at which PostgreSQL cuts it, `of_` before it included.
"""

# ruff: noqa: S608 -- words of our own and numbers
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import sqlglot
from sqlglot import exp

from changke.engine.definitions import Column
from changke.engine.definitions.definition import Definition
from changke.facts.catalog.rules import name_key

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
BY = {"i": "item", "c": "category"}
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
WIDTH = 8
"""Digits of a number of 40 bits to the base of 36."""

KIND = rf"((?:purchase|use)(?:_[ic][{DIGITS}]{{{WIDTH}}})?|return|visit)"
NUMBER = re.compile(rf"deed_(count|sum)_{KIND}(?:_(\d+)d|(_since_visit))?")
THEN = re.compile(rf"deed_then_{KIND}_{KIND}_(\d+)(?:_(\d+)d)?")


@dataclass(frozen=True)
class Meant:
    """Which deeds: a kind; of purchases and uses perhaps those of an item or a category, by its number."""

    kind: str
    by: str = ""
    """item, category or nothing."""
    key: int = 0

    @classmethod
    def of(cls, deed: Any) -> Self:
        """Of the words of a condition: `{"kind": "purchase", "category": "面部"}`."""
        for by in BY.values():
            if by in deed:
                return cls(deed["kind"], by, name_key(deed[by]))
        return cls(deed["kind"])

    @classmethod
    def read(cls, word: str) -> Self:
        kind, _, named = word.partition("_")
        return cls(kind, BY[named[0]], int(named[1:], 36)) if named else cls(kind)

    def __str__(self) -> str:
        if not self.by:
            return self.kind
        rest, digits = self.key, ""
        for _ in range(WIDTH):
            rest, digit = divmod(rest, 36)
            digits = DIGITS[digit] + digits
        return f"{self.kind}_{self.by[0]}{digits}"

    @property
    def reads(self) -> tuple[str, ...]:
        return (*READS[self.kind], "lines") if self.by else READS[self.kind]

    @property
    def rows(self) -> str:
        """A row per deed, and of a receipt the amount of the lines that are meant."""
        if not self.by:
            return ROWS[self.kind]
        return (
            "SELECT whole.customer_id, whole.business_date, whole.place, 1 AS times, SUM(line.amount_minor) AS amount"
            f" FROM ({ROWS[self.kind]}) AS whole"
            " JOIN lines AS line ON line.customer_id = whole.customer_id AND line.receipt_id = whole.place"
            f" WHERE line.{self.by}_key = {self.key}"
            " GROUP BY whole.customer_id, whole.business_date, whole.place"
        )

    def tree(self, names: list[str]) -> dict[str, str]:
        """In the words of conditions; the first of `names`, which is taken, is the one that is meant."""
        return {"kind": self.kind, **({self.by: names.pop(0) if names else "?"} if self.by else {})}


def number_name(measure: str, meant: Meant, *, days: int | None, since_visit: bool) -> str:
    window = f"_{days}d" if days else "_since_visit" if since_visit else ""
    return f"{PREFIX}{measure}_{meant}{window}"


def then_name(first: Meant, then: Meant, within: int, *, days: int | None) -> str:
    return f"{PREFIX}then_{first}_{then}_{within}{f'_{days}d' if days else ''}"


def deed_column(name: str, *deeds: Any) -> Column:
    """The column of that name, with the items and categories that these deeds name as its words, a line each."""
    names = [deed[by] for deed in deeds for by in BY.values() if by in deed]
    return replace(column_of(name), words="\n".join(names)) if names else column_of(name)


def names_something(name: str) -> bool:
    """Whether it counts an item or a category: then its words are the names."""
    if found := NUMBER.fullmatch(name):
        return bool(Meant.read(found[2]).by)
    found = THEN.fullmatch(name)
    return bool(found and (Meant.read(found[1]).by or Meant.read(found[2]).by))


def is_deed(name: str) -> bool:
    return bool(NUMBER.fullmatch(name) or THEN.fullmatch(name))


def column_of(name: str) -> Column:
    """Type of the column, and its name in plain words for machines; pages say it in sentences."""
    if found := NUMBER.fullmatch(name):
        # Nothing done is zero; only "since the last visit" of somebody who never came is unknown.
        absent = None if found[4] else "0"
        return Column(name, "money" if found[1] == "sum" else "int", absent, name.replace("_", " "), line=1)
    return Column(name, "bool", "FALSE", name.replace("_", " "), line=1)


def tree_of(name: str, names: Sequence[str] = ()) -> dict[str, Any]:
    """The question in the words of conditions; of a number it asks for more than nothing. `names`: of the items and
    categories that it counts, which the name of a column does not say."""
    left = list(names)
    if found := NUMBER.fullmatch(name):
        measure, kind, days, since = found.groups()
        window = {"days": int(days)} if days else {"since": "visit"} if since else {}
        return {"measure": measure, "deed": Meant.read(kind).tree(left), **window, "op": ">", "value": 0}
    found = THEN.fullmatch(name)
    assert found, name
    first, then, within, days = found.groups()
    window = {"days": int(days)} if days else {}
    return {"first": Meant.read(first).tree(left), "then": Meant.read(then).tree(left), "within": int(within), **window}


def definitions_of(names: Iterable[str]) -> list[Definition]:
    return [_definition(name) for name in sorted({name for name in names if is_deed(name)})]


def _definition(name: str) -> Definition:
    column = column_of(name)
    if found := NUMBER.fullmatch(name):
        measure, word, days, since = found.groups()
        meant = Meant.read(word)
        text = _since_visit(name, measure, meant) if since else _number(name, measure, meant, days)
        inputs = {*meant.reads, *(READS["visit"] if since else ())}
    else:
        found = THEN.fullmatch(name)
        assert found, name
        first, then = Meant.read(found[1]), Meant.read(found[2])
        text, inputs = _then(name, first, then, int(found[3]), found[4]), {*first.reads, *then.reads}
    query = sqlglot.parse_one(text, read="duckdb")
    assert isinstance(query, exp.Query), "we wrote a SELECT"
    return Definition(
        Path(f"{name}.sql"), f"of_{name}", column.words, "customer", tuple(sorted(inputs)), {}, (column,), query,
        inputs_line=1,
    )  # fmt: skip


def _adds(measure: str) -> str:
    return "times" if measure == "count" else "amount"


def _number(name: str, measure: str, meant: Meant, days: str | None) -> str:
    window = f" WHERE DATE_DIFF('day', business_date, :today) < {int(days)}" if days else ""
    return (
        f"SELECT customer_id, SUM({_adds(measure)}) AS {name} FROM ({meant.rows}) AS deed{window} GROUP BY customer_id"
    )


def _since_visit(name: str, measure: str, meant: Meant) -> str:
    return (
        f"SELECT last.customer_id, COALESCE(SUM(deed.{_adds(measure)}), 0) AS {name} FROM"
        f" (SELECT customer_id, MAX(business_date) AS day FROM ({CAME}) AS came GROUP BY customer_id) AS last"
        f" LEFT JOIN ({meant.rows}) AS deed"
        " ON deed.customer_id = last.customer_id AND deed.business_date > last.day GROUP BY last.customer_id"
    )


def _then(name: str, first: Meant, then: Meant, within: int, days: str | None) -> str:
    same_day = ""
    if "visit" not in {first.kind, then.kind}:  # rows of one table are in order even within a day
        same_day = " OR (later.business_date = earlier.business_date AND later.place > earlier.place)"
    window = f" WHERE DATE_DIFF('day', earlier.business_date, :today) < {int(days)}" if days else ""
    return (
        f"SELECT earlier.customer_id, COUNT(*) > 0 AS {name} FROM ({first.rows}) AS earlier"
        f" JOIN ({then.rows}) AS later ON later.customer_id = earlier.customer_id"
        " AND ((later.business_date > earlier.business_date"
        f" AND DATE_DIFF('day', earlier.business_date, later.business_date) <= {within}){same_day}){window}"
        " GROUP BY earlier.customer_id"
    )
