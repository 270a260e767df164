"""Whom the tag rules speak of."""

from collections.abc import Mapping
from typing import Any

from django.db import connection

from changke.facts.customers.services.ruled_tags import Ruled

# Of several purchases that say the same the latest is the evidence. A first order is one that no living receipt of hers
# came before; which of two on one day was first is told by their ids.
SPOKEN_OF = """
SELECT DISTINCT ON (receipt.customer_id, rule.tag) receipt.customer_id, rule.tag, rule.name, receipt.id
FROM profiles_tagrule AS rule
JOIN facts_item AS item ON item.id = rule.item_id OR item.category_id = rule.category_id
JOIN facts_line AS line ON line.item_id = item.id
JOIN facts_receipt AS receipt ON receipt.id = line.receipt_id
WHERE {which} AND receipt.kind IN ('sale', 'use')
  AND receipt.withdrawn_by_id IS NULL AND receipt.customer_id IS NOT NULL
  AND (rule.occasion = 'any' OR NOT EXISTS (
    SELECT FROM facts_receipt AS before
    WHERE before.customer_id = receipt.customer_id AND before.kind IN ('sale', 'use')
      AND before.withdrawn_by_id IS NULL
      AND (before.business_date, before.id) < (receipt.business_date, receipt.id)))
ORDER BY receipt.customer_id, rule.tag, receipt.business_date DESC, receipt.id DESC
"""
IN_WINDOW = "rule.is_active AND receipt.txid >= %(since)s::text::xid8 AND receipt.txid < %(below)s::text::xid8"
OF_CUSTOMERS = "rule.id = %(rule)s AND receipt.customer_id > %(after)s AND receipt.customer_id <= %(until)s"


def spoken_of_since(since: int, below: int) -> list[Ruled]:
    """What the active rules say of the purchases that came in with these transactions."""
    return _ruled(IN_WINDOW, {"since": since, "below": below})


def spoken_of_between(rule_id: int, after: int, until: int) -> list[Ruled]:
    """What one rule says of all purchases of the customers with these ids: `after` excluded, `until` included."""
    return _ruled(OF_CUSTOMERS, {"rule": rule_id, "after": after, "until": until})


def _ruled(which: str, values: Mapping[str, Any]) -> list[Ruled]:
    with connection.cursor() as sql:
        sql.execute(SPOKEN_OF.format(which=which), values)
        return [Ruled(customer, tag, rule, f"receipt:{receipt}") for customer, tag, rule, receipt in sql.fetchall()]
