"""Who brought her and whom she brought, as her timeline tells it: only of customers whom the reader may see."""

import datetime as dt
from collections.abc import Iterator

from django.utils.translation import gettext

from changke.facts.customers.models import Customer
from changke.facts.customers.queries import LIVING
from changke.facts.referrals.queries import brought_by, standing
from changke.foundation.access.models import Staff
from changke.foundation.periods import start_of_day
from changke.interfaces import words
from changke.interfaces.web.customers.happenings import Asked, Happening, sorting

NOT_YET = dt.date.max


def referrals(asked: Asked, number: int, size: int) -> Iterator[Happening]:
    """At the beginning of the day on which somebody was brought, before everything else that happened on it.

    That she was brought is about her, and is told without a name where the other is not the reader's to see. Of whom
    she brought, the others are left out: the day alone would tell of somebody."""
    if not asked.referrals:
        return
    until = asked.as_of or NOT_YET
    said = standing([asked.customer_id]).get(asked.customer_id)
    named = said.referrer_id if said and said.brought_on <= until else None
    brought = brought_by(asked.customer_id, today=until)
    wanted = [one.customer_id for one in brought] + ([named] if named else [])
    seen = Customer.objects.for_scope(asked.scope).filter(pk__in=wanted, **LIVING).in_bulk() if wanted else {}
    found = [
        _told(asked, number, one.on, one.customer_id, gettext("Brought %(name)s") % {"name": seen[one.customer_id]})
        for one in brought
        if one.customer_id in seen
    ]
    if said and named:
        title = (
            gettext("Brought by %(name)s") % {"name": seen[named]}
            if named in seen
            else gettext("Brought by a customer of another store")
        )
        writer = Staff.objects.filter(pk=said.staff_id).first() if said.staff_id else None
        how, who = str(words.REFERRAL_HOWS[said.how]), writer.name if writer else ""
        found.append(_told(asked, number, said.brought_on, asked.customer_id, title, text=how, who=who))
    behind = (
        sorting(asked.position.at, asked.position.source, asked.position.pk) if asked.position else (-(2**63), 0, 0)
    )
    yield from sorted((one for one in found if one.sorting > behind), key=lambda one: one.sorting)[:size]


def _told(
    asked: Asked, number: int, on: dt.date, person: int, title: str, *, text: str = "", who: str = ""
) -> Happening:
    """`person`: whoever was brought on it; she is in the timeline once as that."""
    at = start_of_day(on, asked.time_zone)
    return Happening(
        "referral", at, on, title, text=text, who=who, tone="pri", icon="user-plus",
        sorting=sorting(at, number, person),
    )  # fmt: skip
