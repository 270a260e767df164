"""The outlook of one customer and the warnings about her. It loads by itself, after her page."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from changke.facts.customers.queries import customer_in, family_of
from changke.foundation.access.capabilities import Capability
from changke.foundation.organisation.queries import the_chain
from changke.foundation.periods import business_date
from changke.interfaces import words
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer
from changke.interfaces.web.risk.lists import evidence, fired, why
from changke.profiles.risk.queries import history_of
from changke.profiles.value.queries import prediction_of


@require_GET
def show(request: HttpRequest, customer_id: int) -> HttpResponse:
    customer = customer_in(current.scope_for(request, Capability.CUSTOMER_VIEW), customer_id)
    today = business_date(timezone.now(), the_chain().time_zone)
    found = history_of(family_of(customer.pk))
    rows = [(one, why(one, today), fired(one), evidence(one, today), words.WARNING_ENDS[one.ended]) for one in found]
    context = {"nav": "customers", "customer": customer, "rows": rows, "outlook": prediction_of(customer.pk)}
    return answer(request, "risk/hers.html", context, part="risk/_hers.html")
