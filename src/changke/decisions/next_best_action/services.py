"""A tap on the day's list becomes a fact."""

import datetime as dt

from django.db import transaction

from changke.decisions.next_best_action import rules
from changke.facts.customers.models import Customer
from changke.facts.events import services as events
from changke.facts.events.models import Event
from changke.foundation.access.models import Staff
from changke.foundation.errors import Invalid
from changke.foundation.organisation.models import Chain
from changke.foundation.periods import business_date
from changke.profiles.risk.services.warn import give_up

LONGEST_POSTPONE_DAYS = 60


@transaction.atomic
def record_followup(
    customer: Customer,
    *,
    reason: str,
    outcome: str,
    until: dt.date | None = None,
    because: str = "",
    by: Staff | None,
    source_key: str,
    chain: Chain,
    now: dt.datetime,
) -> Event:
    """Write down what came of looking after her. Safe to repeat: the same source key is the same follow-up."""
    if reason not in (*rules.REASONS, "by_hand"):
        raise Invalid(field="reason", reason="choose one of %(choices)s", choices=", ".join(rules.REASONS))
    if outcome not in rules.OUTCOMES:
        raise Invalid(field="outcome", reason="choose one of %(choices)s", choices=", ".join(rules.OUTCOMES))
    today = day_of(customer, chain, now)
    if outcome == "postponed":
        until = until or today + dt.timedelta(days=1)
        if not today < until <= today + dt.timedelta(days=LONGEST_POSTPONE_DAYS):
            raise Invalid(
                field="until", reason="choose a day within the next %(days)s days", days=LONGEST_POSTPONE_DAYS
            )
    if because not in rules.BECAUSE:
        raise Invalid(field="because", reason="choose one of %(choices)s", choices=", ".join(rules.BECAUSE[1:]))
    data = {"reason": reason, "outcome": outcome, "until": until.isoformat() if until else None}
    if outcome == "lost":
        data["because"] = because or None
        give_up(customer.pk, today=today, now=now)
    return events.record(
        "followup.recorded",
        customer=customer,
        store=customer.home_store,
        staff=by,
        data=data,
        source_key=source_key,
        happened_at=now,
        now=now,
        time_zone=chain.time_zone,
    )


def day_of(customer: Customer, chain: Chain, now: dt.datetime) -> dt.date:
    """Which day it is for her: that of her store."""
    return business_date(now, customer.home_store.time_zone if customer.home_store else chain.time_zone)
