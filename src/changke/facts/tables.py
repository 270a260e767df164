"""The facts as definitions see them: names, columns, types, and the views that show them, alike on both engines.

The views lie in the schema `live`. Withdrawn facts and receipts without a customer are left out there, so that no
definition can forget it.
"""

# ruff: noqa: S608 -- the statements are made of our own words
from collections.abc import Mapping

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
}
"""What the mirror copies beside `txid`: the tables under the views, and the columns that the views need. Key `id`."""

_RECEIPT = (
    "SELECT customer_id, store_id, business_date, id AS receipt_id, cash_minor, consumed_minor, margin_minor,"
    " margin_basis, items FROM facts_receipt"
    " WHERE kind = '{kind}' AND withdrawn_by_id IS NULL AND customer_id IS NOT NULL"
)

_NAMED = """
(SELECT MIN(original.id) FROM facts_receipt AS original
 WHERE original.number = back.original_number AND back.original_number <> '' AND original.number <> ''
   AND original.customer_id = back.customer_id AND original.store_id = back.store_id AND original.source = back.source
   AND original.kind IN ('sale', 'use') AND original.withdrawn_by_id IS NULL)
"""
"""What a return names. A number may come twice; the earlier receipt is meant. Only her own: another's purchase cannot
be undone by her."""

_LIVING_RETURN = "kind = 'return' AND withdrawn_by_id IS NULL AND customer_id IS NOT NULL"
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
            FROM facts_receipt AS back WHERE {_LIVING_RETURN} AND {_NAMES_NONE}) AS given
      UNION ALL
      SELECT {_ALIKE}, business_date, id, kind, margin_minor, CAST(NULL AS BIGINT) AS named_id, 1 AS step
      FROM facts_receipt AS sold
      WHERE kind IN ('sale', 'use') AND withdrawn_by_id IS NULL AND customer_id IS NOT NULL
        AND ({_ALIKE}) IN (SELECT {_ALIKE} FROM facts_receipt WHERE {_LIVING_RETURN} AND {_NAMES_NONE})
        AND NOT EXISTS (SELECT 1 FROM facts_receipt AS named
                        WHERE named.kind = 'return' AND named.withdrawn_by_id IS NULL
                          AND named.original_number = sold.number AND sold.number <> ''
                          AND named.customer_id = sold.customer_id AND named.store_id = sold.store_id
                          AND named.source = sold.source)
    ) AS moves
  ) AS levelled
) AS met
WHERE step <= 0
"""

VIEWS: Mapping[str, str] = {
    "customers": (
        "SELECT id AS customer_id, home_store_id, known_on, gender, birth_year, birth_month, birth_day, adviser_id"
        " FROM facts_customer WHERE is_active"
    ),
    "purchases": _RECEIPT.format(kind="sale"),
    "uses": _RECEIPT.format(kind="use"),
    "returns": (
        f"SELECT customer_id, store_id, business_date, id AS return_id, {_NAMED} AS receipt_id,"
        " cash_minor, consumed_minor, margin_minor, items"
        f" FROM facts_receipt AS back WHERE {_LIVING_RETURN} AND {_NAMES_ANOTHER}"
        f" UNION ALL {_UNNAMED}"
    ),
    "visits": (
        "SELECT customer_id, store_id, business_date, id AS visit_id FROM facts_visit WHERE withdrawn_by_id IS NULL"
    ),
    "openings": (
        "SELECT customer_id, store_id, business_date, first_on, last_on, purchases, cash_minor"
        " FROM facts_opening WHERE withdrawn_by_id IS NULL"
    ),
}
"""The views of the schema `live`, in words that PostgreSQL and DuckDB share."""
