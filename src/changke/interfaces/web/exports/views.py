"""One page: what can be exported, and one's own files of the last day."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_GET, require_http_methods

from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import Staff
from changke.foundation.access.queries import allows, require
from changke.foundation.errors import DomainError, Invalid
from changke.interfaces import jobs, words
from changke.interfaces.api.v1.exports import answered
from changke.interfaces.exporters import FORMATS
from changke.interfaces.exporters.queries import mine, one_of
from changke.interfaces.exporters.services import LONGEST_FILTERS, REASON_ABOVE_ROWS, ask
from changke.interfaces.exporters.shape import DATASETS
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.doors import needs

SHOWN = 30


def maker(person: Staff) -> str:
    """As the API names whoever is logged in: both doors show the same files."""
    return f"staff:{person.pk}"


@require_http_methods(["GET", "POST"])
@needs(Capability.CUSTOMER_EXPORT)
def show(request: HttpRequest) -> HttpResponse:
    person, error, field = current.staff(request), "", ""
    given = request.POST if request.method == "POST" else request.GET
    dataset, filters = given.get("dataset", "customers"), given.get("filters", "")[:LONGEST_FILTERS].replace("\x00", "")
    if request.method == "POST":
        try:
            return _asked(request, dataset, filters)
        except Invalid as refusal:
            error, field = words.refusal(refusal), refusal.field
    language = get_language() or "zh-hans"
    context = {
        "nav": "exports",
        "datasets": [(key, str(one.words)) for key, one in DATASETS.all.items() if allows(person, one.needs)],
        "formats": [(key, one.WORDS[language]) for key, one in FORMATS.all.items()],
        "dataset": dataset,
        "format": given.get("format", "xlsx"),
        "filters": filters,
        "reason": given.get("reason", "")[:400],
        "error": error,
        "field": field,
        "reason_above": REASON_ABOVE_ROWS,
        "masked": not allows(person, Capability.CUSTOMER_VIEW_PHONE),
        "rows": [
            (made, str(DATASETS[made.dataset].words) if made.dataset in DATASETS else made.dataset)
            for made in mine(maker(person))[:SHOWN]
        ],
        "busy": any(made.state in {"waiting", "running"} for made in mine(maker(person))[:SHOWN]),
    }
    return answer(request, "exports/list.html", context, part="exports/_files.html", status=422 if error else 200)


def _asked(request: HttpRequest, dataset: str, filters: str) -> HttpResponse:
    person = current.staff(request)
    if dataset not in DATASETS:
        raise Invalid(field="dataset", reason="choose one of %(choices)s", choices=", ".join(DATASETS))
    made = ask(
        dataset=dataset,
        format=request.POST.get("format", ""),
        filters=filters,
        scope=_scope(request, dataset),
        shows_phones=allows(person, Capability.CUSTOMER_VIEW_PHONE),
        role=person.role,
        reason=request.POST.get("reason", "").replace("\x00", ""),
        maker=maker(person),
        by=current.by(request),
        language=get_language() or "zh-hans",
        now=timezone.now(),
    )
    try:
        jobs.make_export(made)
    except DomainError as refusal:
        toast(request, words.refusal(refusal), bad=True)
    toast(request, gettext("The file is ready") if made.state == "done" else gettext("The file is being made"))
    return go(request, reverse("exports"))


def _scope(request: HttpRequest, dataset: str):  # type: ignore[no-untyped-def]
    return current.scope_for(request, DATASETS[dataset].needs)


@require_GET
@needs(Capability.CUSTOMER_EXPORT)
def fetch(request: HttpRequest, export_id: int) -> HttpResponseBase:
    made = one_of(maker(current.staff(request)), export_id)
    require(current.staff(request), DATASETS[made.dataset].needs)
    return answered(made)
