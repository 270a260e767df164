"""Who brought others: her own value beside what those spent whom she brought."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from changke.facts.customers.models import Customer
from changke.facts.customers.queries import phones_of
from changke.foundation.access.capabilities import Capability
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer
from changke.interfaces.web.doors import needs
from changke.interfaces.web.value.grid import PAGE, after_of
from changke.profiles.value.referrers import referrers


@require_GET
@needs(Capability.CUSTOMER_VIEW)
def show(request: HttpRequest) -> HttpResponse:
    scope = current.scope_for(request, Capability.CUSTOMER_VIEW) & current.scope(request)
    found: list[Any] = list(referrers(scope, after=after_of(request))[: PAGE + 1])
    page = found[:PAGE]
    ids = [one.pk for one in page]
    customers = Customer.objects.select_related("home_store", "adviser").in_bulk(ids)
    phones = phones_of(ids)
    context = {
        "nav": "value",
        "rows": [
            {"customer": customers[one.pk], "phone": phones.get(one.pk, ""), "profile": one}
            for one in page
            if one.pk in customers
        ],
        "after": f"{page[-1].referral_value}~{page[-1].pk}" if len(found) > PAGE else "",
    }
    return answer(request, "value/referrers.html", context)
