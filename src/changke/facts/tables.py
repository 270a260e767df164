"""The facts as definitions see them: names, columns, types, and the views that show them, alike on both engines.

The views lie in the schema `live`. Withdrawn facts and receipts without a customer are left out there, so that no
definition can forget it.
"""

# ruff: noqa: S608 -- the statements are made of our own words
from collections.abc import Mapping
from dataclasses import dataclass

from changke.engine.definitions import Fact

FACTS = (
    Fact(
        "customers",
        {
            "customer_id": "int",
            "home_store_id": "int",
            "known_on": "date",
            "gender": "text",
            "birth_year": "int",
            "birth_month": "int",
            "birth_day": "int",
            "adviser_id": "int",
        },
        day="known_on",
    ),
    Fact(
        "purchases",
        {
            "customer_id": "int",
            "store_id": "int",
            "business_date": "date",
            "receipt_id": "int",
            "cash_minor": "money",
            "consumed_minor": "money",
            "margin_minor": "money",
            "margin_basis": "text",
            "items": "int",
        },
    ),
    Fact(
        "uses",
        {
            "customer_id": "int",
            "store_id": "int",
            "business_date": "date",
            "receipt_id": "int",
            "cash_minor": "money",
            "consumed_minor": "money",
            "margin_minor": "money",
            "margin_basis": "text",
            "items": "int",
        },
    ),
    # `receipt_id` is what is given back: NULL where the return names no receipt, or one that we do not have.
    Fact(
        "returns",
        {
            "customer_id": "int",
            "store_id": "int",
            "business_date": "date",
            "return_id": "int",
            "receipt_id": "int",
            "cash_minor": "money",
            "consumed_minor": "money",
            "margin_minor": "money",
            "items": "int",
        },
        costly=True,
    ),
    Fact("visits", {"customer_id": "int", "store_id": "int", "business_date": "date", "visit_id": "int"}),
    # Seen from its first day on: between the two days we know of one purchase, afterwards of all.
    Fact(
        "openings",
        {
            "customer_id": "int",
            "store_id": "int",
            "business_date": "date",
            "first_on": "date",
            "last_on": "date",
            "purchases": "int",
            "cash_minor": "money",
        },
        day="first_on",
    ),
    # What the chain's own models say. Seen from the day on that it speaks of.
    Fact(
        "scores",
        {
            "customer_id": "int",
            "score_id": "int",
            "value_id": "int",
            "number": "int",
            "text": "text",
            "scored_on": "date",
        },
        day="scored_on",
    ),
    # What stands on her receipts, of items that the catalogue knows; `receipt_id` as in `purchases` and `uses`.
    Fact(
        "lines",
        {
            "customer_id": "int",
            "business_date": "date",
            "receipt_id": "int",
            "item_key": "int",
            "item_kind": "text",
            "category_id": "int",
            "category_key": "int",
            "amount_minor": "money",
        },
    ),
    # The stretches of days on which she wore a tag: worn at the end of `first_on` and of every day before `ended_on`.
    Fact("worn", {"customer_id": "int", "tag_key": "int", "first_on": "date", "ended_on": "date"}, day="first_on"),
    # That somebody brought her. One row a person at most, made from her own statements alone: it lasts.
    Fact("origins", {"customer_id": "int", "business_date": "date"}),
    # Whom she brought. One row a person: what was stated last of her holds.
    Fact("referrals", {"customer_id": "int", "brought_id": "int", "business_date": "date"}, across=True),
    # The money of those whom she brought, given back with a minus; `is_dated` is 0 for the sum of an old system, which
    # has no day of its own and counts in no window.
    Fact(
        "referred_spend",
        {
            "customer_id": "int",
            "brought_id": "int",
            "brought_on": "date",
            "business_date": "date",
            "is_dated": "int",
            "cash_minor": "money",
        },
        across=True,
    ),
)

TABLES: Mapping[str, tuple[str, ...]] = {
    "facts_customer": (
        "id",
        "home_store_id",
        "known_on",
        "gender",
        "birth_year",
        "birth_month",
        "birth_day",
        "adviser_id",
        "is_active",
        "merged_into_id",
    ),
    "facts_receipt": (
        "id",
        "kind",
        "number",
        "source",
        "customer_id",
        "store_id",
        "original_number",
        "cash_minor",
        "consumed_minor",
        "margin_minor",
        "margin_basis",
        "items",
        "business_date",
        "withdrawn_by_id",
    ),
    "facts_visit": ("id", "customer_id", "store_id", "business_date", "withdrawn_by_id"),
    "facts_opening": (
        "id",
        "customer_id",
        "store_id",
        "business_date",
        "first_on",
        "last_on",
        "purchases",
        "cash_minor",
        "withdrawn_by_id",
    ),
    "facts_scorevalue": ("id", "customer_id", "score_id", "number", "text", "scored_on", "withdrawn_by_id"),
    "facts_fieldvalue": ("id", "customer_id", "field_id", "text", "number", "day"),
    "facts_referral": ("id", "customer_id", "referrer_id", "business_date", "withdrawn_by_id"),
    "facts_tagspell": ("id", "customer_id", "tag_key", "first_on", "ended_on"),
    "facts_line": ("receipt_id", "item_id", "amount_minor"),
    "facts_sold": ("id", "kind", "item_key", "category_id", "category_key"),
}
"""What the mirror copies beside `txid`: the tables under the views, and the columns that the views need. Key `id`."""

PARTS: Mapping[str, tuple[str, str]] = {"facts_line": ("facts_receipt", "receipt_id")}
"""Tables of parts -> whose parts they are, and what they call it. They come with their whole."""

OF_NOBODY = frozenset({"facts_sold"})
"""Small tables that speak of no customer (the catalogue, `catalog/sold.py`): copied whole wherever some are copied."""

SUBJECTS: Mapping[str, tuple[str, ...]] = {
    "facts_customer": ("id", "merged_into_id"),
    "facts_receipt": ("customer_id",),
    "facts_visit": ("customer_id",),
    "facts_opening": ("customer_id",),
    "facts_fieldvalue": ("customer_id",),
    "facts_referral": ("customer_id", "referrer_id"),
    "facts_tagspell": ("customer_id",),
}
"""Whom a row speaks of. A record that is merged or parted touches the person it was read as, too."""

DAYS: Mapping[str, tuple[str, ...]] = {
    "facts_customer": ("known_on",),
    "facts_receipt": ("business_date",),
    "facts_visit": ("business_date",),
    "facts_opening": ("business_date", "first_on", "last_on"),
    "facts_referral": ("business_date",),
}
"""The columns whose dates the views hand on: on them, and so many days after, an answer may become another."""

NEVER_WITHDRAWN = frozenset({"facts_customer", "facts_fieldvalue", "facts_tagspell"})
"""Tables of what is known today: their rows are written over."""

_ASIDE = {"customer_id", "withdrawn_by_id"}


PERSON = "CASE WHEN record.merged_into_id IS NULL THEN record.id ELSE record.merged_into_id END"
"""As whom a record is read, in the words of the index that leads to all her records (`customer_person`)."""


def of_records(table: str, records: str, *, among: str = "") -> str:
    """The condition by which some records' rows of a table are found. `records` is a query of their ids, `among` a
    prefix of where the other tables lie."""
    if table in OF_NOBODY:
        return "TRUE"
    if table in PARTS:
        whole, named = PARTS[table]
        return f"{named} IN (SELECT id FROM {among}{whole} WHERE customer_id IN ({records}))"
    return f"{'id' if table == 'facts_customer' else 'customer_id'} IN ({records})"


def _of_persons(table: str, *columns: str) -> str:
    """The living facts of a table with the person in the place of the record they were recorded for: through the merge
    links (docs/algorithms/identity.md). From the customer on, so that asking for one person walks two indexes."""
    told = "".join(f", fact.{name}" for name in columns)
    return (
        f"(SELECT {PERSON} AS customer_id{told}"
        f" FROM facts_customer AS record JOIN {table} AS fact ON fact.customer_id = record.id"
        " WHERE fact.withdrawn_by_id IS NULL)"
    )


_RECEIPTS = _of_persons("facts_receipt", *(name for name in TABLES["facts_receipt"] if name not in _ASIDE))
_RECEIPT = (
    "SELECT customer_id, store_id, business_date, id AS receipt_id, cash_minor, consumed_minor, margin_minor,"
    f" margin_basis, items FROM {_RECEIPTS} AS receipt WHERE kind = '{{kind}}'"
)

_NAMED = f"""
(SELECT MIN(original.id) FROM {_RECEIPTS} AS original
 WHERE original.number = back.original_number AND back.original_number <> '' AND original.number <> ''
   AND original.customer_id = back.customer_id AND original.store_id = back.store_id AND original.source = back.source
   AND original.kind IN ('sale', 'use'))
"""
"""What a return names. A number may come twice; the earlier receipt is meant. Only her own: another's purchase cannot
be undone by her."""

_LIVING_RETURN = "kind = 'return'"
_NAMES_ANOTHER = "original_number <> '' AND original_number <> number"
_NAMES_NONE = "(original_number = '' OR original_number = number)"
"""Where a file has no column of originals, a return is read as naming its own number: it may, and may name nothing."""

_ALIKE = "customer_id, store_id, cash_minor, consumed_minor, items"
_IN_ORDER = "ORDER BY business_date, step DESC, kind, id"

# Brackets: purchases open, returns close, each return closes the latest that is still open among those alike in person,
# store, money and pieces. `level` is how many are open; the row before a return on its level is its purchase, or else
# it has none. docs/algorithms/money.md has the cases.
_UNNAMED = f"""
SELECT customer_id, store_id, business_date, id AS return_id,
       CASE WHEN step = 0 THEN named_id WHEN before_step = 1 THEN before_id END AS receipt_id,
       cash_minor, consumed_minor, margin_minor, items
FROM (
  SELECT levelled.*, LAG(id) OVER (PARTITION BY {_ALIKE}, ABS(step), level {_IN_ORDER}) AS before_id,
         LAG(step) OVER (PARTITION BY {_ALIKE}, ABS(step), level {_IN_ORDER}) AS before_step
  FROM (
    SELECT moves.*, SUM(step) OVER (PARTITION BY {_ALIKE}, ABS(step) {_IN_ORDER}
                                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) - LEAST(step, 0) AS level
    FROM (
      SELECT {_ALIKE}, business_date, id, kind, margin_minor, named_id,
             CASE WHEN named_id IS NULL AND (cash_minor > 0 OR consumed_minor > 0) THEN -1 ELSE 0 END AS step
      FROM (SELECT {_ALIKE}, business_date, id, kind, margin_minor, {_NAMED} AS named_id
            FROM {_RECEIPTS} AS back WHERE {_LIVING_RETURN} AND {_NAMES_NONE}) AS given
      UNION ALL
      SELECT {_ALIKE}, business_date, id, kind, margin_minor, CAST(NULL AS BIGINT) AS named_id, 1 AS step
      FROM {_RECEIPTS} AS sold
      WHERE kind IN ('sale', 'use')
        AND ({_ALIKE}) IN (SELECT {_ALIKE} FROM {_RECEIPTS} AS back WHERE {_LIVING_RETURN} AND {_NAMES_NONE})
        AND NOT EXISTS (SELECT 1 FROM {_RECEIPTS} AS named
                        WHERE named.kind = 'return' AND named.original_number = sold.number AND sold.number <> ''
                          AND named.customer_id = sold.customer_id AND named.store_id = sold.store_id
                          AND named.source = sold.source)
    ) AS moves
  ) AS levelled
) AS met
WHERE step <= 0
"""


def _read_as(record: str) -> str:
    return f"CASE WHEN {record}.merged_into_id IS NULL THEN {record}.id ELSE {record}.merged_into_id END"


_STATEMENTS = f"""
(SELECT {PERSON} AS brought_id, said.id AS said_id, {_read_as("named")} AS named_id
 FROM facts_customer AS record JOIN facts_referral AS said ON said.customer_id = record.id
 LEFT JOIN facts_customer AS named ON named.id = said.referrer_id
 WHERE said.withdrawn_by_id IS NULL)
"""

# The latest statement about a person holds, of those that do not name herself, as merging two records can make one do.
# It is looked up for each, by a query of its own: joined, there are more tables in it than PostgreSQL puts in order
# together (eight), and it reads all receipts.
_HOLDS = f"""
told.said_id = (
    SELECT MAX(later.said_id) FROM {_STATEMENTS} AS later
    WHERE later.brought_id = told.brought_id AND (later.named_id IS NULL OR later.named_id <> later.brought_id)
  )
"""

# Whoever has the facts of some persons alone has every record that is read as one of them. So whether a statement names
# herself is known there, and who else is named need not be.
_THAT_SHE_WAS = f"""
SELECT told.brought_id AS customer_id, told.business_date
FROM (
  SELECT {PERSON} AS brought_id, said.id AS said_id, said.referrer_id, said.business_date
  FROM facts_customer AS record JOIN facts_referral AS said ON said.customer_id = record.id
  WHERE said.withdrawn_by_id IS NULL
) AS told
WHERE told.referrer_id IS NOT NULL AND {_HOLDS}
"""

# From the referrer on, so that asking for one walks the indexes.
_REFERRALS = f"""
SELECT told.customer_id, told.brought_id, told.business_date
FROM (
  SELECT {_read_as("referrer")} AS customer_id, {_read_as("met")} AS brought_id, said.id AS said_id, said.business_date
  FROM facts_customer AS referrer
  JOIN facts_referral AS said ON said.referrer_id = referrer.id
  JOIN facts_customer AS met ON met.id = said.customer_id
  WHERE said.withdrawn_by_id IS NULL
) AS told
JOIN facts_customer AS person ON person.id = told.brought_id
WHERE person.is_active AND told.customer_id <> told.brought_id AND {_HOLDS}
"""

_BROUGHT = "SELECT brought.customer_id, brought.brought_id, brought.business_date AS brought_on, money.business_date"


def _spent_by(brought: str) -> str:
    """What those spent whom the rows of `brought` name. Receipts and openings are joined apart: of a union of joins
    PostgreSQL computes all before it joins."""
    return f"""
{_BROUGHT}, 1 AS is_dated,
       CASE WHEN money.kind = 'return' THEN -money.cash_minor ELSE money.cash_minor END AS cash_minor
FROM {brought} AS brought JOIN {_RECEIPTS} AS money ON money.customer_id = brought.brought_id
UNION ALL
{_BROUGHT}, 0 AS is_dated, money.cash_minor
FROM {brought} AS brought
JOIN {_of_persons("facts_opening", "last_on AS business_date", "cash_minor")} AS money
  ON money.customer_id = brought.brought_id
"""


SPENT_BY_BROUGHT = _spent_by("live.referrals")
"""`referred_spend` where `live.referrals` is a table already, over the rows of those whom it names in these tables."""
TABLES_OF_BROUGHT = ("facts_customer", "facts_receipt", "facts_opening")

# Tags that stand are carried over to the person when records are merged; what a record wore before stays with it, and
# is read as hers.
_WORN = f"""
SELECT customer_id, tag_key, first_on, ended_on FROM (
  SELECT {PERSON} AS customer_id, spell.tag_key, spell.first_on, spell.ended_on
  FROM facts_customer AS record JOIN facts_tagspell AS spell ON spell.customer_id = record.id
  WHERE spell.tag_key IS NOT NULL AND (spell.ended_on IS NOT NULL OR record.merged_into_id IS NULL)
) AS spells
"""

# From the customer on, as the others: asking for one person walks the indexes of her receipts and of their lines.
_LINES = f"""
SELECT {PERSON} AS customer_id, fact.business_date, fact.id AS receipt_id, sold.item_key, sold.kind AS item_kind,
       sold.category_id, sold.category_key, part.amount_minor
FROM facts_customer AS record
JOIN facts_receipt AS fact ON fact.customer_id = record.id
JOIN facts_line AS part ON part.receipt_id = fact.id
JOIN facts_sold AS sold ON sold.id = part.item_id
WHERE fact.withdrawn_by_id IS NULL
"""

VIEWS: Mapping[str, str] = {
    "customers": (
        "SELECT id AS customer_id, home_store_id, known_on, gender, birth_year, birth_month, birth_day, adviser_id"
        " FROM facts_customer WHERE is_active AND merged_into_id IS NULL"
    ),
    "purchases": _RECEIPT.format(kind="sale"),
    "uses": _RECEIPT.format(kind="use"),
    "returns": (
        f"SELECT customer_id, store_id, business_date, id AS return_id, {_NAMED} AS receipt_id,"
        " cash_minor, consumed_minor, margin_minor, items"
        f" FROM {_RECEIPTS} AS back WHERE {_LIVING_RETURN} AND {_NAMES_ANOTHER}"
        f" UNION ALL {_UNNAMED}"
    ),
    "visits": (
        "SELECT customer_id, store_id, business_date, id AS visit_id"
        f" FROM {_of_persons('facts_visit', 'id', 'store_id', 'business_date')} AS visit"
    ),
    "openings": (
        "SELECT customer_id, store_id, business_date, first_on, last_on, purchases, cash_minor FROM "
        + _of_persons("facts_opening", "store_id", "business_date", "first_on", "last_on", "purchases", "cash_minor")
        + " AS opening"
    ),
    "scores": (
        "SELECT customer_id, score_id, id AS value_id, number, text, scored_on FROM "
        + _of_persons("facts_scorevalue", "id", "score_id", "number", "text", "scored_on")
        + " AS said"
    ),
    "worn": _WORN,
    "lines": _LINES,
    "origins": _THAT_SHE_WAS,
    "referrals": _REFERRALS,
    "referred_spend": _spent_by(f"({_REFERRALS})"),
}
"""The views of the schema `live`, in words that PostgreSQL and DuckDB share."""


@dataclass(frozen=True)
class Further:
    """A fact whose table is large or seldom asked: it is copied from the first time on that something asks for it."""

    fact: Fact
    table: str
    columns: tuple[str, ...]
    view: str


OF_OURS = ("stage.changed", "warning.raised", "warning.closed")
"""Events by which we say what we made of her facts: no definition reads them."""

FURTHER: Mapping[str, Further] = {
    "happened": Further(
        Fact("happened", {"customer_id": "int", "kind": "text", "business_date": "date", "event_id": "int"}),
        "facts_event",
        ("id", "customer_id", "kind", "business_date", "withdrawn_by_id"),
        "SELECT customer_id, kind, business_date, id AS event_id FROM "
        + _of_persons("facts_event", "id", "kind", "business_date")
        + " AS event WHERE kind NOT IN ('"
        + "', '".join(OF_OURS)
        + "')",
    ),
    # `place`: of two statements of one record about one topic the later has the greater, at one moment the withdrawal.
    "agreed": Further(
        Fact(
            "agreed",
            {
                "customer_id": "int",
                "record_id": "int",
                "purpose": "text",
                "channel": "text",
                "given": "bool",
                "business_date": "date",
                "place": "int",
            },
        ),
        "facts_consent",
        ("id", "customer_id", "purpose", "channel", "given", "happened_at", "business_date", "withdrawn_by_id"),
        "SELECT customer_id, record_id, purpose, channel, given, business_date, ROW_NUMBER() OVER"
        " (PARTITION BY customer_id, record_id, purpose, channel ORDER BY happened_at, given DESC, id) AS place FROM "
        + _of_persons(
            "facts_consent",
            "customer_id AS record_id",
            "purpose",
            "channel",
            "given",
            "business_date",
            "happened_at",
            "id",
        )
        + " AS said",
    ),
}
"""By the name of the fact. Key `id`, transaction `txid`; whom a row speaks of is not noted."""


def before_merges(query: str) -> str:
    """A view as it was before records could be merged: migrations that are older than the column make it so."""
    return query.replace(
        "CASE WHEN record.merged_into_id IS NULL THEN record.id ELSE record.merged_into_id END", "record.id"
    ).replace(" AND merged_into_id IS NULL", "")
