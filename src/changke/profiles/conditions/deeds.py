"""Questions beyond single attributes: tags, consents, other groups, deeds in a window, one deed after another.

Each is a set of customers: SQL asks whether she is in it, so that a database reads every table once however many
customers there are. Python finds the same in a `Person`. None of them is ever unknown, except what happened "since
the last visit" of somebody who never came: that satisfies nothing. docs/algorithms/conditions.md
"""

# ruff: noqa: S608 -- statements are made of our own words; every value is bound
import datetime as dt
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Literal

from sqlglot import exp

from changke.engine.definitions import TODAY
from changke.facts.tables import PERSON
from changke.profiles.conditions.tree import COMPARISONS, Asked, ColumnOf, SetOf, Value

TAGS, CONSENTS, SEGMENTS, DEEDS = "#tags", "#consents", "#segments", "#deeds"
"""What a row holds beside the attributes where it stands for a whole person; and `today`."""

AMOUNTS: Mapping[str, str] = {"purchase": "cash_minor", "use": "consumed_minor", "return": "cash_minor"}
TABLES: Mapping[str, str] = {"purchase": "live.purchases", "use": "live.uses", "return": "live.returns",
                             "visit": "live.visits"}  # fmt: skip
KINDS = ("purchase", "use", "return", "visit", "event")
WITH_LINES = ("purchase", "use")
"""Deeds that name what was bought or used up."""
RECEIPTS = frozenset({"purchase", "use", "return"})
"""Kinds whose rows lie in one table, in the order in which they were taken in."""


NOW = f":{TODAY}"
"""How a statement names the day up to which it is asked."""


def stayed(table: str, today: str = NOW) -> str:
    """The purchases or uses of which not all was given back by then, as `receipts` among the attributes says it."""
    return (
        f"SELECT taken.* FROM {table} AS taken LEFT JOIN (SELECT customer_id, receipt_id, SUM(cash_minor) AS cash,"
        " SUM(consumed_minor) AS consumed FROM live.returns"
        f" WHERE receipt_id IS NOT NULL AND business_date <= {today}"
        " GROUP BY customer_id, receipt_id) AS back"
        " ON back.customer_id = taken.customer_id AND back.receipt_id = taken.receipt_id"
        " WHERE back.receipt_id IS NULL OR CASE WHEN taken.cash_minor > 0 THEN back.cash < taken.cash_minor"
        " ELSE back.consumed < taken.consumed_minor END"
    )


def came(today: str = NOW) -> str:
    """SELECT customer_id, day, store_id: one store on one day is one visit, whether a visit was written down there or a
    receipt that stayed, as `came` among the attributes says it."""
    receipts = (
        f"SELECT customer_id, business_date, store_id FROM ({stayed(TABLES[one], today)}) AS {one}"
        for one in WITH_LINES
    )
    return " UNION ".join(
        (
            "SELECT customer_id, business_date AS day, store_id FROM live.visits",
            *receipts,
            "SELECT customer_id, first_on, COALESCE(store_id, 0) FROM live.openings",
            "SELECT customer_id, last_on, COALESCE(store_id, 0) FROM live.openings WHERE last_on > first_on",
        )
    )


Measure = Literal["count", "sum"]


@dataclass(frozen=True)
class Done:
    """Something that one customer did: what Python reads where SQL reads rows.

    `lines` holds code of the item, name of its category, amount.
    """

    kind: str
    day: dt.date
    order: int
    amount: int = 0
    lines: tuple[tuple[str, str, int], ...] = ()
    event: str = ""


@dataclass(frozen=True)
class Deed:
    """Which deeds are meant: a kind, and for purchases and uses an item or a category, for events their kind."""

    kind: str
    by: str = ""
    """item, category, kind or nothing."""
    value: str = ""
    parameter: str = ""

    def fits(self, one: Done) -> bool:
        if one.kind != self.kind:
            return False
        match self.by:
            case "item":
                return any(code == self.value for code, _, _ in one.lines)
            case "category":
                return any(category == self.value for _, category, _ in one.lines)
            case "kind":
                return one.event == self.value
        return True

    def amount(self, one: Done) -> int:
        """Of the lines that are meant, or of the whole receipt."""
        if not self.by:
            return one.amount
        place = 0 if self.by == "item" else 1
        return sum(line[2] for line in one.lines if line[place] == self.value)

    def rows(self, today: str = NOW) -> str:
        """SELECT customer_id, day, position, amount: a row per deed, `position` telling two of one day apart. Of two
        stores on one day nobody knows which came first."""
        if self.kind == "event":
            return (
                f"SELECT {PERSON} AS customer_id, event.business_date AS day, event.id AS position, 0 AS amount"
                " FROM facts_event AS event JOIN facts_customer AS record ON record.id = event.customer_id"
                f" WHERE event.kind = :{self.parameter} AND event.withdrawn_by_id IS NULL"
            )
        if self.kind == "visit":
            return f"SELECT customer_id, day, store_id AS position, 0 AS amount FROM ({came(today)}) AS came"
        key = "return_id" if self.kind == "return" else "receipt_id"
        amount, table = AMOUNTS[self.kind], TABLES[self.kind]
        if self.kind in WITH_LINES:
            table = f"({stayed(table, today)})"
        if not self.by:
            return (
                f"SELECT customer_id, business_date AS day, {key} AS position, {amount} AS amount FROM {table} AS deed"
            )
        asked = (
            f"item.code = :{self.parameter}"
            if self.by == "item"
            else f"item.category_id IN (SELECT id FROM facts_category WHERE name = :{self.parameter})"
        )
        return (
            "SELECT deed.customer_id AS customer_id, deed.business_date AS day, deed.receipt_id AS position,"
            f" SUM(line.amount_minor) AS amount FROM {table} AS deed"
            " JOIN facts_line AS line ON line.receipt_id = deed.receipt_id"
            f" JOIN facts_item AS item ON item.id = line.item_id WHERE {asked}"
            " GROUP BY deed.customer_id, deed.business_date, deed.receipt_id"
        )

    @property
    def shape(self) -> Hashable:
        return (self.kind, self.by, self.parameter)


@dataclass(frozen=True)
class Tagged(Asked):
    """She wears the tag."""

    name: str
    parameter: str

    def holds(self, row: Mapping[str, Value]) -> bool:
        return self.name in row[TAGS]

    def members(self) -> str:
        return f"SELECT customer_id FROM facts_tag WHERE name = :{self.parameter}"

    @property
    def parameters(self) -> Mapping[str, tuple[Value, str]]:
        return {self.parameter: (self.name, "TEXT")}

    @property
    def shape(self) -> Hashable:
        return ("tag", self.parameter)


@dataclass(frozen=True)
class Consented(Asked):
    """What she said last about a purpose, on that channel, was yes; of records that are one person, under each of them
    that said something. Whether we may is asked again when sending."""

    purpose: str
    channel: str
    parameter: str

    def holds(self, row: Mapping[str, Value]) -> bool:
        return (self.purpose, self.channel) in row[CONSENTS]

    def members(self) -> str:
        return (
            f"SELECT {PERSON} AS customer_id FROM (SELECT customer_id, given, ROW_NUMBER() OVER"
            " (PARTITION BY customer_id ORDER BY happened_at DESC, given, id DESC) AS place FROM facts_consent"
            f" WHERE purpose = :{self.parameter} AND channel = :{self.parameter}_channel AND withdrawn_by_id IS NULL)"
            " AS said JOIN facts_customer AS record ON record.id = said.customer_id WHERE place = 1"
            f" GROUP BY {PERSON} HAVING BOOL_AND(given)"
        )

    @property
    def parameters(self) -> Mapping[str, tuple[Value, str]]:
        return {self.parameter: (self.purpose, "TEXT"), f"{self.parameter}_channel": (self.channel, "TEXT")}

    @property
    def shape(self) -> Hashable:
        return ("consent", self.parameter)


@dataclass(frozen=True)
class Member(Asked):
    """She stands in a saved group."""

    key: str
    parameter: str

    def holds(self, row: Mapping[str, Value]) -> bool:
        return self.key in row[SEGMENTS]

    def members(self) -> str:
        return (
            f"SELECT {PERSON} AS customer_id FROM profiles_segmentmember AS member"
            " JOIN facts_customer AS record ON record.id = member.customer_id"
            " JOIN profiles_segment AS whole ON whole.id = member.segment_id"
            f" WHERE whole.key = :{self.parameter} AND member.left_at IS NULL"
        )

    @property
    def parameters(self) -> Mapping[str, tuple[Value, str]]:
        return {self.parameter: (self.key, "TEXT")}

    @property
    def shape(self) -> Hashable:
        return ("segment", self.parameter)


@dataclass(frozen=True)
class Counted(Asked):
    """How many deeds, or the sum of their amounts, against a number.

    `days` is a window that ends today (90: today and the 89 days before); `since_visit` looks behind the day of her
    last visit; without either, ever.
    """

    measure: Measure
    deed: Deed
    days: int | None
    since_visit: bool
    op: str
    value: int
    parameter: str

    def holds(self, row: Mapping[str, Value]) -> bool:
        today: dt.date = row[TODAY]
        first = today - dt.timedelta(days=self.days - 1) if self.days else dt.date.min
        if self.since_visit:
            came = [one.day for one in row[DEEDS] if one.kind == "visit" and one.day <= today]
            if not came:
                return False
            first = max(came) + dt.timedelta(days=1)
        found = [one for one in row[DEEDS] if first <= one.day <= today and self.deed.fits(one)]
        number = len(found) if self.measure == "count" else sum(self.deed.amount(one) for one in found)
        return COMPARISONS[self.op][0](number, self.value)

    def sql(self, column: ColumnOf, negated: bool = False, sets: SetOf | None = None) -> exp.Expr:
        # Who did nothing has no row: where nothing satisfies, everybody is meant but those whose number does not.
        if not self.since_visit and self.nothing_fits:
            negated = not negated
        return super().sql(column, negated, sets)

    @property
    def nothing_fits(self) -> bool:
        """Whether it fits who did nothing: `members` then are those whom it does not fit."""
        return COMPARISONS[self.op][0](0, self.value)

    def members(self) -> str:
        number = "COUNT(position)" if self.measure == "count" else "COALESCE(SUM(amount), 0)"
        op = "<>" if self.op == "!=" else self.op
        if self.since_visit:
            return (
                f"SELECT last.customer_id FROM (SELECT customer_id, MAX(day) AS day FROM ({came()}) AS came"
                f" WHERE day <= :{TODAY} GROUP BY customer_id) AS last LEFT JOIN ({self.deed.rows()}) AS deed"
                f" ON deed.customer_id = last.customer_id AND deed.day > last.day AND deed.day <= :{TODAY}"
                f" GROUP BY last.customer_id HAVING {number} {op} :{self.parameter}"
            )
        window = f"day <= :{TODAY}" + (
            f" AND day > :{TODAY} - CAST(:{self.parameter}_days AS INT)" if self.days else ""
        )
        fits = f"{number} {op} :{self.parameter}"
        return (
            f"SELECT customer_id FROM ({self.deed.rows()}) AS deed WHERE {window} GROUP BY customer_id"
            f" HAVING {f'NOT ({fits})' if self.nothing_fits else fits}"
        )

    @property
    def parameters(self) -> Mapping[str, tuple[Value, str]]:
        found: dict[str, tuple[Value, str]] = {self.parameter: (self.value, "BIGINT")}
        if self.days:
            found[f"{self.parameter}_days"] = (self.days, "INT")
        if self.deed.by:
            found[self.deed.parameter] = (self.deed.value, "TEXT")
        return found

    @property
    def shape(self) -> Hashable:
        return ("counted", self.measure, self.deed.shape, self.days is None, self.since_visit, self.op,
                self.nothing_fits, self.parameter)  # fmt: skip


@dataclass(frozen=True)
class Sequence(Asked):
    """One deed, and within so many days after it another; on the same day the other must have come later."""

    first: Deed
    then: Deed
    within: int
    days: int | None
    """How far back the first one may lie; None is ever."""
    parameter: str

    def holds(self, row: Mapping[str, Value]) -> bool:
        today: dt.date = row[TODAY]
        since = today - dt.timedelta(days=self.days - 1) if self.days else dt.date.min
        done = [one for one in row[DEEDS] if one.day <= today]
        afters = [one for one in done if self.then.fits(one)]
        return any(
            one.day >= since
            and any(
                one.day < later.day <= one.day + dt.timedelta(days=self.within) or _later(one, later)
                for later in afters
            )
            for one in done
            if self.first.fits(one)
        )

    def members(self) -> str:
        same = " OR (later.day = earlier.day AND later.position > earlier.position)" if self.comparable else ""
        since = f" AND earlier.day > :{TODAY} - CAST(:{self.parameter}_days AS INT)" if self.days else ""
        return (
            f"SELECT earlier.customer_id FROM ({self.first.rows()}) AS earlier JOIN ({self.then.rows()}) AS later"
            " ON later.customer_id = earlier.customer_id"
            f" AND ((later.day > earlier.day AND later.day <= earlier.day + CAST(:{self.parameter} AS INT)){same})"
            f" WHERE earlier.day <= :{TODAY} AND later.day <= :{TODAY}{since}"
        )

    @property
    def comparable(self) -> bool:
        """Rows of one table are in order even within a day; of two tables, or of two stores, nobody knows."""
        return _in_order(self.first.kind, self.then.kind)

    @property
    def parameters(self) -> Mapping[str, tuple[Value, str]]:
        found: dict[str, tuple[Value, str]] = {self.parameter: (self.within, "INT")}
        if self.days:
            found[f"{self.parameter}_days"] = (self.days, "INT")
        for deed in (self.first, self.then):
            if deed.by:
                found[deed.parameter] = (deed.value, "TEXT")
        return found

    @property
    def shape(self) -> Hashable:
        return ("sequence", self.first.shape, self.then.shape, self.days is None, self.parameter)


def _later(one: Done, other: Done) -> bool:
    """On the same day and by the order in which one table took them in."""
    return _in_order(one.kind, other.kind) and one.day == other.day and other.order > one.order


def _in_order(kind: str, other: str) -> bool:
    return {kind, other} <= RECEIPTS or kind == other == "event"
