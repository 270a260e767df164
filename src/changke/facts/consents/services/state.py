"""She says yes or no. Each verb is safe to repeat: the same source key is the same statement."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from changke.facts.consents import rules
from changke.facts.consents.models import Consent
from changke.facts.consents.queries import place_of
from changke.facts.consents.rules import Channel, Purpose, Topic
from changke.facts.customers.models import Customer
from changke.facts.customers.services.suppress import lift
from changke.foundation.access.models import Staff
from changke.foundation.database.copy import reserve_ids
from changke.foundation.database.rows_seen import seeing
from changke.foundation.errors import DomainError, Invalid
from changke.foundation.intake import check_moment
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.foundation.periods import business_date
from changke.foundation.persons.services.keys import sealed_for

LONGEST_EVIDENCE = 1_000


class CustomerErased(DomainError):
    code, status = "customer_erased", 409
    message = "This customer was erased. What she says now belongs to a new record."


@dataclass(frozen=True)
class Proof:
    """How we know: shown when somebody asks for it."""

    how: str
    text_version: str = ""
    evidence: str = ""
    guardian: bool = False
    separate: bool = False
    staff: Staff | None = None
    store: Store | None = None
    batch_id: int | None = None


@seeing(CHAIN_WIDE)
@transaction.atomic
def state(
    customer_ids: Sequence[int],
    topics: Sequence[Topic],
    *,
    given: bool,
    proof: Proof,
    source_key: str,
    happened_at: dt.datetime,
    time_zone: str,
    now: dt.datetime,
) -> int:
    """Record one statement about each topic, for every record of hers; how many are new.

    A consent said to somebody of the shop takes the mark of the suppression list off the address it is about.
    """
    _check(topics, proof)
    check_moment(happened_at, now=now)
    people = list(Customer.objects.select_for_update().filter(pk__in=customer_ids).order_by("pk"))
    if any(one.is_erased for one in people):
        raise CustomerErased
    keys = [
        (one, topic, f"{source_key}:{one.pk}:{topic[0]}:{topic[1]}")
        for one in people
        for topic in dict.fromkeys(topics)
    ]
    known = set(
        Consent.objects.filter(source_key__in=[key for *_, key in keys], withdrawn_by__isnull=True).values_list(
            "source_key", flat=True
        )
    )
    new = [one for one in keys if one[2] not in known]
    zone = proof.store.time_zone if proof.store else time_zone
    for (customer, (purpose, channel), key), pk in zip(new, reserve_ids("facts_consent", len(new)), strict=True):
        Consent(
            pk=pk,
            customer=customer,
            purpose=purpose.value,
            channel=channel.value,
            given=given,
            how=proof.how,
            text_version=proof.text_version,
            guardian=proof.guardian,
            separate=proof.separate,
            evidence=sealed_for(customer.pk, proof.evidence, place_of(pk)),
            store=proof.store,
            staff=proof.staff,
            happened_at=happened_at,
            business_date=business_date(happened_at, zone),
            recorded_at=now,
            source_key=key,
            batch_id=proof.batch_id,
        ).save(force_insert=True)
    if given and new and proof.how in {"counter", "form", "phone"}:
        for kind in {rules.ADDRESS[channel] for _, channel in topics if channel is not Channel.NONE}:
            lift(customer_ids, kind)
    return len(new)


def withdraw_everything(customer_ids: Sequence[int], **said: object) -> int:
    """No to all of it at once: whatever she may have said, and whatever she was never asked."""
    return state(customer_ids, rules.topics(), given=False, **said)  # type: ignore[arg-type]


def _check(topics: Sequence[Topic], proof: Proof) -> None:
    if not topics:
        raise Invalid(field="purpose", reason="say what for")
    for purpose, channel in topics:
        if purpose is not Purpose.PERSONAL and not rules.fits(purpose, channel):
            raise Invalid(field="channel", reason="this purpose and this channel do not go together")
    if proof.how not in rules.HOWS:
        raise Invalid(field="how", reason="say how she said it")
    if proof.how == "counter" and proof.staff is None:
        raise Invalid(field="staff", reason="say who heard it")
    if len(proof.evidence) > LONGEST_EVIDENCE:
        raise Invalid(field="evidence", reason="at most %(longest)s characters", longest=LONGEST_EVIDENCE)
