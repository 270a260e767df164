"""Whose customers somebody looks after, and who could take over."""

from django.db import connection

from changke.actions.tasks.rules import Hers, Receiver
from changke.facts.customers.queries import whom_sql
from changke.foundation.access.models import Staff
from changke.foundation.access.queries import scope_of
from changke.foundation.organisation.scope import Scope

# Who served her last: the latest receipt with a name on it. Looked up only for these customers, by her own index.
OF_ADVISER = """
SELECT customer.id, customer.home_store_id, coalesce(profile.value_at_risk, 0),
  (SELECT receipt.staff_id
   FROM facts_customer AS record JOIN facts_receipt AS receipt ON receipt.customer_id = record.id
   WHERE CASE WHEN record.merged_into_id IS NULL THEN record.id ELSE record.merged_into_id END = customer.id
     AND receipt.withdrawn_by_id IS NULL AND receipt.staff_id IS NOT NULL
   ORDER BY receipt.business_date DESC, receipt.id DESC LIMIT 1)
FROM facts_customer AS customer
LEFT JOIN profiles_profile AS profile ON profile.customer_id = customer.id
WHERE customer.adviser_id = %(adviser)s AND customer.is_active AND customer.merged_into_id IS NULL
  AND {seen}
ORDER BY customer.id
"""


def customers_of(adviser: Staff, scope: Scope) -> list[Hers]:
    """The customers of somebody, as far as the scope sees them."""
    seen, values = whom_sql(scope, person="customer.id", home="customer.home_store_id")
    with connection.cursor() as sql:
        sql.execute(OF_ADVISER.format(seen=seen), {"adviser": adviser.pk, **values})
        return [Hers(*row) for row in sql.fetchall()]


def receivers_of(people: list[Staff]) -> list[Receiver]:
    """The same people with the stores in which they see customers."""
    return [Receiver(one.pk, scope_of(one).places) for one in people]
