"""What is expected of one customer; loaded into her page by itself."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from changke.facts.customers.queries import customer_in
from changke.foundation.access.capabilities import Capability
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer
from changke.interfaces.web.doors import needs
from changke.profiles.value.queries import prediction_of, value_rules


@require_GET
@needs(Capability.CUSTOMER_VIEW)
def show(request: HttpRequest, customer_id: int) -> HttpResponse:
    customer = customer_in(current.scope_for(request, Capability.CUSTOMER_VIEW), customer_id)
    context = {"said": prediction_of(customer.pk), "rules": value_rules()}
    return answer(request, "value/_person.html", context)
