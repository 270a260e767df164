"""Which tables the rows of facts name without a constraint of their own (docs/decisions/0089).

As migrations 0029 and 0032 found them, which write their triggers from here on every new installation: these stay as
they are. A column that comes later brings a list of its own, beside this one, and a migration that writes the function
of its table anew.
"""

OF_A_FACT = {"batch_id": "foundation_batch", "store_id": "foundation_store", "staff_id": "foundation_staff"}
REFERENCES = {
    "facts_receipt": {**OF_A_FACT, "customer_id": "facts_customer"},
    "facts_line": {"receipt_id": "facts_receipt", "item_id": "facts_item"},
    "facts_tender": {"receipt_id": "facts_receipt"},
    "facts_visit": {**OF_A_FACT, "customer_id": "facts_customer"},
}
LASTING = frozenset({"facts_customer", "facts_receipt"})
"""A receipt is append-only; a customer is erased or joined with another, and her row stays."""
