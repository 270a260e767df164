"""The facts as definitions see them: names, columns, types, and the views that show them, alike on both engines.

The views lie in the schema `live`. Withdrawn facts and receipts without a customer are left out there, so that no
definition can forget it.
"""

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

VIEWS: Mapping[str, str] = {
    "customers": (
        "SELECT id AS customer_id, home_store_id, known_on, gender, birth_year, birth_month, birth_day, adviser_id"
        " FROM facts_customer WHERE is_active"
    ),
    "purchases": _RECEIPT.format(kind="sale"),
    "uses": _RECEIPT.format(kind="use"),
    # A number may come twice; the earlier receipt is meant. Only her own: another's purchase cannot be undone by her.
    "returns": (
        "SELECT back.customer_id, back.store_id, back.business_date, back.id AS return_id,"
        " (SELECT MIN(original.id) FROM facts_receipt AS original"
        "  WHERE original.number = back.original_number AND back.original_number <> '' AND original.number <> ''"
        "    AND original.customer_id = back.customer_id AND original.store_id = back.store_id"
        "    AND original.source = back.source AND original.kind IN ('sale', 'use')"
        "    AND original.withdrawn_by_id IS NULL) AS receipt_id,"
        " back.cash_minor, back.consumed_minor, back.margin_minor, back.items"
        " FROM facts_receipt AS back"
        " WHERE back.kind = 'return' AND back.withdrawn_by_id IS NULL AND back.customer_id IS NOT NULL"
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
