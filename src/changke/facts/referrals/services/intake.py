"""Statements by the hundred, as a file tells them, and the load taken back."""

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db import transaction

from changke.facts.referrals.models import How, Referral
from changke.facts.referrals.queries import living, standing_above
from changke.facts.referrals.services.weigh import Told, weigh
from changke.facts.referrals.services.write import one_at_a_time, statement
from changke.foundation.database.rows_seen import seeing
from changke.foundation.database.withdrawal import withdraw
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import CHAIN_WIDE

__all__ = ["Told", "take_in_referrals", "withdraw_referrals"]


@seeing(CHAIN_WIDE)
@transaction.atomic
def take_in_referrals(told: Sequence[Told], *, batch_id: int, now: dt.datetime) -> Mapping[int, str]:
    """Append what is news. Customer -> what came of it: `named` (by this load, now or before it was killed), `same`,
    `stays` (somebody said otherwise, and a file does not overrule it), or the code of a refusal."""
    one_at_a_time()
    known = living([pk for one in told for pk in (one.customer_id, one.referrer_id)])
    zone = the_chain().time_zone
    persons = {pk: one.pk for pk, one in known.items()}
    said = standing_above(set(persons.values()))
    brought_by = {pk: one.referrer_id for pk, one in said.items()}
    outcomes: dict[int, str] = {}
    rows = []
    for one, code, is_news in weigh(told, persons=persons, said=said, brought_by=brought_by, batch_id=batch_id):
        outcomes[one.customer_id] = code
        if is_news:
            rows.append(
                statement(
                    one.customer_id,
                    one.referrer_id,
                    person=known[one.customer_id],
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


def withdraw_referrals(*, batch_id: int) -> int:
    """What the batch told is told no more; what was said before it holds again. How many statements."""
    return withdraw("facts_referral", batch_id=batch_id)
