"""Product lines: for which ages each is, how long customers stay with it, and both by age."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from changke.foundation.access.capabilities import Capability
from changke.interfaces.web import current, formats
from changke.interfaces.web.answers import answer
from changke.interfaces.web.doors import needs
from changke.profiles.value.lines import Band, Line, product_lines


@require_GET
@needs(Capability.ANALYTICS_VIEW)
def show(request: HttpRequest) -> HttpResponse:
    found = product_lines(current.scope(request))
    language = get_language() or "zh-hans"
    day = formats.day(found.as_of, timezone.localdate(), language) if found.as_of else ""
    context = {
        "nav": "value",
        "day": day,
        "counted": found.as_of is not None,
        "lines": [_told(one) for one in found.lines],
        "fewest": found.fewest,
    }
    return answer(request, "value/lines.html", context)


def _told(line: Line) -> dict[str, Any]:
    return {"line": line, "years": _years(line.held.expected_years), "bands": [_band(one) for one in line.bands]}


def _band(band: Band) -> dict[str, Any]:
    return {"band": band, "years": _years(band.held.expected_years)}


def _years(years: float | None) -> str:
    return "" if years is None else formats.number(years, 1)
