"""A number in words and SQL, for whoever wants to check it."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from changke.foundation.access.capabilities import Capability
from changke.interfaces import numbers
from changke.interfaces.asking import Asking
from changke.interfaces.web.answers import answer
from changke.interfaces.web.doors import needs
from changke.interfaces.web.segments.common import words_for


@require_GET
@needs(Capability.ANALYTICS_VIEW)
def every(request: HttpRequest) -> HttpResponse:
    """Every number by name."""
    rows = [(key, *numbers.called(key)) for key in numbers.every()]
    return answer(request, "numbers/every.html", {"nav": "", "rows": rows})


@require_GET
@needs(Capability.ANALYTICS_VIEW)
def one(request: HttpRequest, key: str) -> HttpResponse:
    """`?segment=`, `?other=`, `?text=`: of these or this condition, where the number is one of segments."""
    segment, other, text = (request.GET.get(name, "").replace("\x00", "") for name in ("segment", "other", "text"))
    asking = Asking(segment, other, text, words_for(request))
    return answer(request, "numbers/one.html", {"nav": "", "one": numbers.number(key, asking)})
