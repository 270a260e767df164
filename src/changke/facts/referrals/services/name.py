"""She was brought by her: said by somebody of the shop or by a machine, one at a time."""

import datetime as dt

from django.db import transaction

from changke.facts.referrals import rules
from changke.facts.referrals.models import How, Referral
from changke.facts.referrals.queries import living, standing, standing_above
from changke.facts.referrals.services.write import check_day, next_key, one_at_a_time, statement
from changke.foundation.audit.rules import HOUSE, By
from changke.foundation.database.rows_seen import seeing
from changke.foundation.errors import DomainError, NotFound
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.foundation.periods import business_date


class NoReferrer(DomainError):
    code, status = "no_referrer", 409
    message = "Nobody is named as the one who brought her."


@seeing(CHAIN_WIDE)
@transaction.atomic
def name_referrer(
    customer_id: int, referrer_id: int, *, brought_on: dt.date | None = None, by: By = HOUSE, now: dt.datetime
) -> Referral | None:
    """From now on she was brought by this customer, whoever was named before; None where that was said already. Whose
    customers both are the caller has asked.

    Raises
    ------
    NotFound, Invalid, ReferrerIsHerself, ReferralCircle
    """
    one_at_a_time()
    known, zone = living([customer_id, referrer_id]), the_chain().time_zone
    if not {customer_id, referrer_id} <= known.keys():
        raise NotFound
    if brought_on is not None:
        check_day(brought_on, today=business_date(now, zone))
    person, referrer = known[customer_id], known[referrer_id]
    said = standing_above([person.pk, referrer.pk])
    rules.check(person.pk, referrer.pk, {pk: one.referrer_id for pk, one in said.items()})
    last = said.get(person.pk)
    if last and last.referrer_id == referrer.pk and brought_on in (None, last.brought_on):
        return None
    row = statement(
        customer_id,
        referrer_id,
        person=person,
        brought_on=brought_on,
        how=How.MACHINE if by.kind == "key" else How.BY_HAND,
        source_key=next_key(customer_id),
        time_zone=zone,
        now=now,
        staff_id=by.id if by.kind == "staff" else None,
    )
    row.save(force_insert=True)
    return row


@seeing(CHAIN_WIDE)
@transaction.atomic
def take_off_referrer(customer_id: int, *, by: By = HOUSE, now: dt.datetime) -> Referral:
    """What was said is wrong: nobody is known to have brought her.

    Raises
    ------
    NotFound, NoReferrer
    """
    one_at_a_time()
    known = living([customer_id])
    if customer_id not in known:
        raise NotFound
    person = known[customer_id]
    last = standing([person.pk]).get(person.pk)
    if last is None or last.referrer_id is None:
        raise NoReferrer
    row = statement(
        customer_id,
        None,
        person=person,
        brought_on=last.brought_on,
        how=How.MACHINE if by.kind == "key" else How.BY_HAND,
        source_key=next_key(customer_id),
        time_zone=the_chain().time_zone,
        now=now,
        staff_id=by.id if by.kind == "staff" else None,
    )
    row.save(force_insert=True)
    return row
