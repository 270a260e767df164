"""Answering what a web shop passes on: her data, that she be forgotten, that the whole shop be forgotten.

A person of the house confirms each (the law gives 30 days): the request says what was asked, and nobody deletes by a
letter alone. Everything may be repeated after an interruption.
"""

import datetime as dt
from collections.abc import Sequence

from django.db import connection, transaction

from changke.foundation.audit.rules import By
from changke.foundation.audit.services import record
from changke.foundation.database.rows_seen import seeing
from changke.foundation.errors import DomainError, Invalid
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.foundation.persons.services.erase import erase
from changke.interfaces.webhooks.models import PrivacyRequest, WebhookAddress

ANSWER_WITHIN = dt.timedelta(days=30)
"""What Shopify and the law give; docs/operations/erase-a-person.md."""
OUTCOMES = ("exported", "erased", "nobody")


class RequestAnswered(DomainError):
    code, status = "request_answered", 409
    message = "This request was answered on %(day)s."


def close(asked: PrivacyRequest, outcome: str, *, by: By, now: dt.datetime) -> None:
    """Write down that it is answered, by whom and how; once."""
    with transaction.atomic():
        locked = PrivacyRequest.objects.select_for_update().get(pk=asked.pk)
        refuse_answered(locked)
        locked.handled_at = now
        locked.save(update_fields=["handled_at"])
        record(
            by=by, action="privacy.answered", subject=f"privacy_request:{asked.pk}",
            after={"asked": asked.kind, "outcome": outcome, "customers": list(asked.customer_ids)}, now=now,
        )  # fmt: skip


def refuse_answered(asked: PrivacyRequest) -> None:
    if asked.handled_at is not None:
        raise RequestAnswered(day=asked.handled_at.date().isoformat())


def forget_whom_it_names(asked: PrivacyRequest, confirmed: Sequence[int], *, by: By, now: dt.datetime) -> list[int]:
    """Erase her as her page does; `confirmed` are the numbers that a person typed, so that it is nobody else."""
    refuse_answered(asked)
    if asked.kind != "erase" or not asked.customer_ids or sorted(confirmed) != sorted(asked.customer_ids):
        raise Invalid(field="confirm", reason="type the numbers of all whom the request names")
    for customer in asked.customer_ids:
        erase(customer, reason=reason_of(asked), by=by, now=now)
    close(asked, "erased", by=by, now=now)
    return list(asked.customer_ids)


def may_forget_the_shop(asked: PrivacyRequest, *, name: str) -> bool:
    """Whether this request is about a whole shop, and somebody typed which one, so that it is no other."""
    refuse_answered(asked)
    return asked.kind == "erase_shop" and name.strip() == asked.address.name


def forget_the_shop(asked: PrivacyRequest, *, by: By, now: dt.datetime) -> int:
    """Erase everybody whom only this shop knows; how many. Whoever came to a store of ours too is the chain's own
    customer and stays."""
    erased = 0
    while some := known_only_by(asked.address, most=AT_ONCE):
        for customer in some:
            erase(customer, reason=reason_of(asked), by=by, now=now)
        erased += len(some)
    if PrivacyRequest.objects.filter(pk=asked.pk, handled_at__isnull=True).exists():
        close(asked, "erased", by=by, now=now)
    return erased


AT_ONCE = 200


def reason_of(asked: PrivacyRequest) -> str:
    return f"{asked.address.source}: request {asked.pk} of {asked.received_at.date()}"


@seeing(CHAIN_WIDE)
def known_only_by(address: WebhookAddress, *, most: int | None = None) -> list[int]:
    """Customers who carry a number of this shop and of whom nothing else speaks."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT customer.id FROM facts_customer AS customer
            WHERE NOT is_erased AND merged_into_id IS NULL
              AND EXISTS (SELECT FROM facts_identifier WHERE customer_id = customer.id AND kind = 'external'
                          AND source = %(source)s)
              AND NOT EXISTS (SELECT FROM facts_identifier WHERE customer_id = customer.id
                              AND kind NOT IN ('phone', 'email') AND source <> %(source)s)
              AND NOT EXISTS (SELECT FROM facts_receipt WHERE customer_id = customer.id AND withdrawn_by_id IS NULL
                              AND source <> %(receipts)s)
              AND NOT EXISTS (SELECT FROM facts_visit WHERE customer_id = customer.id AND withdrawn_by_id IS NULL)
              AND NOT EXISTS (SELECT FROM facts_opening WHERE customer_id = customer.id AND withdrawn_by_id IS NULL)
              AND NOT EXISTS (SELECT FROM facts_consent WHERE customer_id = customer.id AND withdrawn_by_id IS NULL)
              AND NOT EXISTS (SELECT FROM facts_note WHERE customer_id = customer.id)
              AND NOT EXISTS (SELECT FROM facts_customer AS other WHERE other.merged_into_id = customer.id)
              AND NOT EXISTS (SELECT FROM interfaces_webhookdelivery AS delivery
                              WHERE delivery.address_id <> %(address)s
                                AND delivery.customer_ids @> ARRAY[customer.id])
            ORDER BY customer.id LIMIT %(most)s
            """,
            {
                "source": address.source,
                "receipts": address.receipt_source,
                "address": address.pk,
                "most": most,
            },
        )
        return [row[0] for row in cursor.fetchall()]
