"""What is expected of one customer; loaded into her page by itself."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from changke.facts.customers.queries import customer_in
from changke.facts.scores.queries import latest_of, scores_for
from changke.foundation.access.capabilities import Capability
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer
from changke.interfaces.web.doors import needs
from changke.interfaces.web.scores import own as own_scores
from changke.profiles.value.queries import prediction_of, value_rules


@require_GET
@needs(Capability.CUSTOMER_VIEW)
def show(request: HttpRequest, customer_id: int) -> HttpResponse:
    customer = customer_in(current.scope_for(request, Capability.CUSTOMER_VIEW), customer_id)
    scores = scores_for(current.staff(request).role)
    context = {
        "said": prediction_of(customer.pk),
        "rules": value_rules(),
        "scores": [own_scores.shown(one) for one in latest_of([customer.pk], scores).get(customer.pk, ())],
    }
    return answer(request, "value/_person.html", context)
