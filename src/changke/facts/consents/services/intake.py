"""Statements by the thousand, as a file tells them. docs/algorithms/consent.md says what a file may say."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from changke.facts.consents.models import Consent
from changke.facts.consents.queries import place_of, said_of
from changke.facts.consents.rules import Statement, Topic
from changke.facts.customers.models import Customer
from changke.facts.customers.queries import families_of
from changke.foundation.database.copy import reserve_ids
from changke.foundation.database.rows_seen import seeing
from changke.foundation.database.withdrawal import withdraw
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.foundation.persons.cipher import seal
from changke.foundation.persons.services.keys import keys_for


@dataclass(frozen=True)
class Told:
    """What a file says of one customer and topic."""

    customer_id: int
    topic: Topic
    given: bool
    happened_at: dt.datetime
    business_date: dt.date
    dated: bool
    """The file says on which day; else it is what held when the file was loaded."""
    evidence: str
    only_unsaid: bool = False
    """Where she said something before, that stays."""


@seeing(CHAIN_WIDE)
@transaction.atomic
def take_in_consents(told: Sequence[Told], *, batch_id: int, now: dt.datetime) -> set[int]:
    """Append what is news, for every record of hers; the customers of whom the batch recorded something, now or before
    it was killed. A yes never becomes the last word over a withdrawal, and lifts no mark of the suppression list."""
    families = families_of({one.customer_id for one in told})
    records = sorted({record for family in families.values() for record in family})
    people = Customer.objects.select_for_update().filter(pk__in=records, is_erased=False).order_by("pk")
    living = set(people.values_list("pk", flat=True))
    said = said_of(list(families), at=now)
    wanted: dict[str, tuple[int, Told]] = {}
    for one in told:
        family = families.get(one.customer_id, ())
        if _is_news(one, said.get(one.customer_id, {}).get(one.topic)):
            wanted |= {_key(one, record, batch_id): (record, one) for record in family if record in living}
    known = Consent.objects.filter(source_key__in=list(wanted), withdrawn_by__isnull=True)
    known_keys = set(known.values_list("source_key", flat=True))
    _write({key: one for key, one in wanted.items() if key not in known_keys}, batch_id=batch_id, now=now)
    brought = set(
        Consent.objects.filter(batch_id=batch_id, withdrawn_by__isnull=True, customer_id__in=records).values_list(
            "customer_id", flat=True
        )
    )
    return {asked for asked, family in families.items() if brought & set(family)}


def _is_news(one: Told, last: Statement | None) -> bool:
    if last is None:
        return True
    if one.only_unsaid or (not one.dated and last.given == one.given):
        return False
    return not (one.given and overrules(last, one.happened_at))


def overrules(last: Statement, happened_at: dt.datetime) -> bool:
    """Whether a yes of this moment would take back the withdrawal: a file may not."""
    return not last.given and happened_at > last.happened_at


def _key(one: Told, record: int, batch_id: int) -> str:
    """A dated statement is the same in every file; one without a day belongs to its load."""
    origin = f"file:{one.business_date}" if one.dated else f"import:{batch_id}"
    return f"{origin}:{'yes' if one.given else 'no'}:{record}:{one.topic[0]}:{one.topic[1]}"


def _write(news: dict[str, tuple[int, Told]], *, batch_id: int, now: dt.datetime) -> None:
    if not news:
        return
    keys = keys_for(sorted({record for record, _ in news.values()}))
    rows = [
        (
            pk, record, one.topic[0].value, one.topic[1].value, one.given, one.happened_at, one.business_date, key,
            seal(keys[record], one.evidence, place_of(pk)),
        )
        for (key, (record, one)), pk in zip(news.items(), reserve_ids("facts_consent", len(news)), strict=True)
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO facts_consent (id, customer_id, purpose, channel, given, happened_at, business_date, source_key,
              evidence, how, text_version, guardian, separate, recorded_at, batch_id)
            SELECT told.*, 'file', '', false, false, %s, %s
            FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::bool[], %s::timestamptz[], %s::date[],
              %s::text[], %s::bytea[]) AS told
            ON CONFLICT (source_key) WHERE withdrawn_by_id IS NULL DO NOTHING
            """,
            [now, batch_id, *(list(column) for column in zip(*rows, strict=True))],
        )


def withdraw_consents(*, batch_id: int) -> int:
    """What the batch told is told no more; what she said before it holds again. How many statements."""
    return withdraw("facts_consent", batch_id=batch_id)
