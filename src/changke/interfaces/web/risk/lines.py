"""Lines of services: what the past of each says, and which of them warn."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from changke.foundation.access.capabilities import Capability
from changke.interfaces import jobs, words, words_of_lines
from changke.interfaces.web import current, formats
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.doors import needs
from changke.interfaces.web.risk.backtest import share
from changke.profiles.risk.models import ServiceLine
from changke.profiles.risk.queries import rule_in_use, service_lines
from changke.profiles.risk.services.choose import look_at_lines, switch_line

SHOWN = ("fixed", "outlook")
"""What a line warns by, and what it is held against."""


@dataclass(frozen=True)
class Judged:
    """One rule on the past of a line."""

    words: str
    precision: str
    recall: str
    lead: str
    false_per_100: str
    warns: bool


@dataclass(frozen=True)
class Line:
    """A line in words and numbers."""

    line: ServiceLine
    rule: str
    refused: str
    judged: tuple[Judged, ...]

    @property
    def warns(self) -> bool:
        return self.line.is_on and not self.refused


@require_GET
@needs(Capability.ANALYTICS_VIEW)
def show(request: HttpRequest) -> HttpResponse:
    """Every line that was judged, those of most customers first."""
    standing = rule_in_use()
    rows = [_line(line) for line in service_lines()]
    context = {"nav": "risk", "standing": standing, "rows": rows, "warning": sum(row.warns for row in rows)}
    return answer(request, "risk/lines.html", context)


@require_POST
@needs(Capability.SETTINGS_EDIT)
def switch(request: HttpRequest) -> HttpResponse:
    """The rule in use looks at lines too, or at whole customers only. Lines are judged with the next computation,
    which is asked for."""
    on = request.POST.get("on") == "1"
    look_at_lines(on, by=current.by(request), now=timezone.now())
    if on:
        jobs.ask_for_refresh()
        toast(request, gettext("Lines of services are being judged on your past; the first warnings follow."))
    else:
        toast(request, gettext("Nobody is warned of for a line of services any more."))
    return go(request, reverse("risk-lines"))


@require_POST
@needs(Capability.SETTINGS_EDIT)
def one(request: HttpRequest, line_id: int) -> HttpResponse:
    """One line may warn, or may not."""
    line = switch_line(line_id, request.POST.get("on") == "1", by=current.by(request), now=timezone.now())
    said = gettext("%(line)s warns from now on.") if line.is_on else gettext("%(line)s warns no more.")
    toast(request, said % {"line": line})
    return go(request, reverse("risk-lines"))


def _line(line: ServiceLine) -> Line:
    return Line(
        line,
        words_of_lines.rule(line),
        words_of_lines.refused(line),
        tuple(_judged(row, line) for row in line.rows if row["kind"] in SHOWN),
    )


def _judged(row: Mapping[str, Any], line: ServiceLine) -> Judged:
    return Judged(
        words.risk_rule(row["kind"], row["threshold"], line.horizon_days, row.get("latest_days")),
        share(row["precision_bp"]),
        share(row["recall_bp"]),
        _whole(row["lead_days"]),
        _whole(row["false_per_100"]),
        row["kind"] == "outlook" and row.get("latest_days") == line.latest_days,
    )


def _whole(number: int | None) -> str:
    return "–" if number is None else formats.number(number)
