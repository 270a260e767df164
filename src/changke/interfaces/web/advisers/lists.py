"""Every adviser with her customers and the money at risk, and the customers who slip through."""

from dataclasses import dataclass

from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import Staff
from changke.foundation.organisation.scope import Scope
from changke.interfaces import words
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer
from changke.interfaces.web.customers import counts
from changke.interfaces.web.customers.filters import CARE, Filters
from changke.interfaces.web.customers.lists import said
from changke.interfaces.web.doors import needs
from changke.profiles.attributes.models import Profile


@dataclass(frozen=True)
class Line:
    """One adviser. Money in minor units."""

    staff: Staff
    customers: int
    at_risk_minor: int


@dataclass(frozen=True)
class Slipping:
    """One way to be forgotten: in words, how many, and the list of them."""

    words: str
    count: str
    query: str


@require_GET
@needs(Capability.HANDOVER_RUN)
def show(request: HttpRequest) -> HttpResponse:
    scope = current.scope_for(request, Capability.HANDOVER_RUN)
    if (store := current.chosen_store(request)) is not None:
        scope = scope.narrowed(store.pk)
    lines = lines_of(scope)
    context = {
        "nav": "advisers",
        "lines": sorted(lines, key=lambda one: (one.staff.is_active, -one.at_risk_minor)),
        "gone": sum(1 for one in lines if not one.staff.is_active),
        "slipping": [slipping_by(care, scope) for care in CARE],
    }
    return answer(request, "advisers/list.html", context)


def lines_of(scope: Scope) -> list[Line]:
    rows = Profile.objects.for_scope(scope).filter(adviser_id__isnull=False).order_by()
    counted = rows.values("adviser_id").annotate(customers=Count("customer_id"), money=Sum("value_at_risk"))
    found = {row["adviser_id"]: row for row in counted}
    people = Staff.objects.filter(pk__in=found)
    return [Line(one, found[one.pk]["customers"], found[one.pk]["money"] or 0) for one in people]


def slipping_by(care: str, scope: Scope) -> Slipping:
    filters = Filters(care=care)
    return Slipping(str(words.CARE[care]), said(counts.count_of(filters, scope)), filters.query)
