"""Who brought somebody who was erased, and whom she brought."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q

from changke.facts.customers.services.renew import renew
from changke.facts.referrals.models import Referral
from changke.facts.referrals.services.write import one_at_a_time
from changke.foundation.database.append_only import current_xid


@transaction.atomic
def forget_referrals(customer_ids: Sequence[int]) -> int:
    """Empty the name in every statement about her and in every one that names her; how many. The rows stay and say that
    nobody is known, and whoever had brought her is computed anew."""
    one_at_a_time()
    mine = Referral.objects.filter(Q(customer__in=customer_ids) | Q(referrer__in=customer_ids), referrer__isnull=False)
    renew(set(mine.values_list("referrer", flat=True)))
    return mine.update(referrer=None, txid=current_xid())
