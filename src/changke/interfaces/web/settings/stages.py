"""The chain and the days of its stages, with what a change would do before it is made."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import DomainError
from changke.foundation.organisation.models import Chain
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.services import change_settings
from changke.interfaces import jobs, organising, words
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.doors import needs
from changke.interfaces.web.settings.forms import StagesForm

FIELDS = (
    "name",
    "silent_after_days",
    "lost_after_days",
    "mature_visit_days",
    "activity_kinds",
    "second_factor_required",
)


@require_http_methods(["GET", "POST"])
@needs(Capability.SETTINGS_EDIT)
def show(request: HttpRequest) -> HttpResponse:
    chain = the_chain()
    if request.method == "GET":
        form = StagesForm(initial={field: getattr(chain, field) for field in FIELDS})
        return _page(request, chain, form)
    form = StagesForm(request.POST)
    if not form.is_valid():
        return _page(request, chain, form, status=422)
    before = {field: getattr(chain, field) for field in FIELDS}
    try:
        change_settings(chain, form.cleaned_data, by=current.by(request), now=timezone.now())
    except DomainError as refused:
        form.refuse(refused)
        return _page(request, chain, form, status=422)
    changed = {field for field in FIELDS if before[field] != getattr(chain, field)}
    if changed - {"name", "second_factor_required"}:
        jobs.ask_for_refresh()
        toast(request, gettext("Saved. Everybody's stage is being computed again; the pages follow in a moment."))
    else:
        toast(request, gettext("Saved"))
    return go(request, request.path)


def _page(request: HttpRequest, chain: Chain, form: StagesForm, status: int = 200) -> HttpResponse:
    chosen = form["activity_kinds"].value() or []
    context = {
        "nav": "settings",
        "chain": chain,
        "form": form,
        "activities": [(kind, label, kind in chosen) for kind, label in words.ACTIVITIES.items()],
        "preview": _preview(chain, chain.silent_after_days, chain.lost_after_days),
    }
    return answer(request, "settings/stages.html", context, status=status)


@require_GET
@needs(Capability.SETTINGS_EDIT)
def preview(request: HttpRequest) -> HttpResponse:
    """How many would be silent and lost with the days that stand in the form now."""
    chain = the_chain()
    try:
        silent, lost = (int(request.GET.get(name, "")) for name in ("silent_after_days", "lost_after_days"))
    except ValueError:
        silent, lost = chain.silent_after_days, chain.lost_after_days
    return answer(request, "settings/_preview.html", {"preview": _preview(chain, silent, lost)})


def _preview(chain: Chain, silent: int, lost: int) -> dict[str, object]:
    now, then = organising.silent_and_lost(chain, silent, lost, now=timezone.now())
    changes = any((silent != chain.silent_after_days, lost != chain.lost_after_days))
    return {"silent": silent, "lost": lost, "now": now, "then": then, "changes": changes, "wrong": silent >= lost}
