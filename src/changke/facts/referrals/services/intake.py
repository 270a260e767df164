"""Statements by the hundred, as a file tells them, and the load taken back."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from changke.facts.referrals import rules
from changke.facts.referrals.models import How, Referral
from changke.facts.referrals.queries import Said, living, standing_above
from changke.facts.referrals.services.write import one_at_a_time, statement
from changke.foundation.database.rows_seen import seeing
from changke.foundation.database.withdrawal import withdraw
from changke.foundation.errors import DomainError
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import CHAIN_WIDE


@dataclass(frozen=True)
class Told:
    """What a file says of one customer. `only_unsaid`: where anybody spoke of it before, that stays."""

    customer_id: int
    referrer_id: int
    only_unsaid: bool = False


@seeing(CHAIN_WIDE)
@transaction.atomic
def take_in_referrals(told: Sequence[Told], *, batch_id: int, now: dt.datetime) -> Mapping[int, str]:
    """Append what is news. Customer -> what came of it: `named` (by this load, now or before it was killed), `same`,
    `stays` (somebody said otherwise, and a file does not overrule it), or the code of a refusal."""
    one_at_a_time()
    known = living([pk for one in told for pk in (one.customer_id, one.referrer_id)])
    zone = the_chain().time_zone
    said = standing_above({one.pk for one in known.values()})
    brought_by = {pk: one.referrer_id for pk, one in said.items()}
    outcomes: dict[int, str] = {}
    rows = []
    for one in told:
        person, referrer = known.get(one.customer_id), known.get(one.referrer_id)
        if person is None or referrer is None:
            outcomes[one.customer_id] = "referrer_unknown"
            continue
        last = said.get(person.pk)
        if brought_by.get(person.pk) == referrer.pk:
            mine = last is None or last.batch_id == batch_id
            outcomes[one.customer_id] = "named" if mine else "same"
        elif person.pk in brought_by and (last is None or _stays(last, one, batch_id)):
            outcomes[one.customer_id] = "stays"
        else:
            try:
                rules.check(person.pk, referrer.pk, brought_by)
            except DomainError as refusal:
                outcomes[one.customer_id] = refusal.code
                continue
            brought_by[person.pk] = referrer.pk
            outcomes[one.customer_id] = "named"
            rows.append(
                statement(
                    one.customer_id,
                    one.referrer_id,
                    person=person,
                    brought_on=None,
                    how=How.FILE,
                    source_key=f"import:{batch_id}:{one.customer_id}",
                    time_zone=zone,
                    now=now,
                    batch_id=batch_id,
                )
            )
    Referral.objects.bulk_create(rows)
    return outcomes


def _stays(last: Said, one: Told, batch_id: int) -> bool:
    """What was said before holds over the file: somebody of the shop said it, or another row of the same load."""
    return one.only_unsaid or last.how != How.FILE or last.batch_id == batch_id


def withdraw_referrals(*, batch_id: int) -> int:
    """What the batch told is told no more; what was said before it holds again. How many statements."""
    return withdraw("facts_referral", batch_id=batch_id)
