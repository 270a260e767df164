"""Reading what waits."""

from django.db.models import QuerySet

from changke.facts.purchases.models import WaitingReturn
from changke.foundation.organisation.scope import Scope


def waiting_returns(scope: Scope) -> "QuerySet[WaitingReturn]":
    """Returns whose purchase has not come, or does not fit them; the longest waiting first."""
    found: QuerySet[WaitingReturn] = WaitingReturn.objects.for_scope(scope)
    return found.select_related("store").order_by("pk")
