"""A number in words and SQL, for whoever wants to check it."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from changke.foundation.access.capabilities import Capability
from changke.interfaces import numbers
from changke.interfaces.web.answers import answer
from changke.interfaces.web.doors import needs


@require_GET
@needs(Capability.ANALYTICS_VIEW)
def every(request: HttpRequest) -> HttpResponse:
    """Every number by name."""
    rows = [(key, *numbers.called(key)) for key in numbers.every()]
    return answer(request, "numbers/every.html", {"nav": "", "rows": rows})


@require_GET
@needs(Capability.ANALYTICS_VIEW)
def one(request: HttpRequest, key: str) -> HttpResponse:
    return answer(request, "numbers/one.html", {"nav": "", "one": numbers.number(key)})
