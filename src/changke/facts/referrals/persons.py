"""What this room knows of a person: who brought her, and whom she brought, by their numbers: a name is another's."""

from collections.abc import Iterator, Sequence

from django.db.models import Q

from changke.facts.referrals.models import Referral
from changke.facts.referrals.services.forget import forget_referrals
from changke.foundation.persons.registry import PersonTable, Row, register

SAID = ("customer_id", "referrer_id", "how", "business_date", "recorded_at", "withdrawn_by_id")


def referrals(customer_ids: Sequence[int]) -> Iterator[Row]:
    rows = Referral.objects.filter(Q(customer__in=customer_ids) | Q(referrer__in=customer_ids)).order_by("pk")
    yield from rows.values(*SAID)


register(PersonTable("referrals", ("facts_referral",), referrals, forget_referrals))
