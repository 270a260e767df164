"""Who brought others, by what these spent. docs/algorithms/referral.md"""

from collections.abc import Sequence

from django.db.models import Q, QuerySet

from changke.foundation.organisation.scope import Scope
from changke.profiles.attributes.models import Profile


def referrers(scope: Scope, *, after: Sequence[int] | None = None) -> "QuerySet[Profile]":
    """Those of the scope who brought somebody, the most valuable first; behind a position of this order: the value
    and the customer."""
    rows = Profile.objects.for_scope(scope).filter(referred_customers__gt=0)
    if after is not None:
        value, pk = after
        behind = Q(referral_value__lt=value) | Q(referral_value=value, customer_id__gt=pk)
        rows = rows.filter(behind, referral_value__lte=value)
    return rows.order_by("-referral_value", "customer_id")  # type: ignore[no-any-return]  # of profiles
