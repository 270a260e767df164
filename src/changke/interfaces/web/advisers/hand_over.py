"""Hand somebody's customers over: who takes them, how it would look, then done, and the way back."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from changke.actions.tasks import services
from changke.actions.tasks.queries import customers_of
from changke.actions.tasks.rules import How
from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import Staff
from changke.foundation.batches.models import Batch
from changke.foundation.batches.registry import kind_of
from changke.foundation.errors import Invalid
from changke.foundation.organisation.scope import Scope
from changke.interfaces import words
from changke.interfaces.bulk import undo_words
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, wants_part
from changke.interfaces.web.bulk.result import BUSY, UNDOABLE
from changke.interfaces.web.bulk.sending import send_off, take_back
from changke.interfaces.web.doors import needs

MOST_STAFF = 200


@dataclass(frozen=True)
class Share:
    """What one of them would get. Money in minor units."""

    name: str
    customers: int
    at_risk_minor: int


@require_http_methods(["GET", "POST"])
@needs(Capability.HANDOVER_RUN)
def form(request: HttpRequest, staff_id: int) -> HttpResponse:
    """GET asks who takes over; POST shows what each would get, and with `run` has it done."""
    scope = current.scope_for(request, Capability.HANDOVER_RUN)
    leaver = get_object_or_404(Staff, pk=staff_id)
    hers = customers_of(leaver, scope)
    if not hers and not scope.whole_chain:
        raise Http404  # nobody of one's own stores: who else she looks after is not one's to know
    people = _people(leaver, scope)
    near = set(Staff.objects.filter(stores__in={one.store_id for one in hers}).values_list("pk", flat=True))
    page: dict[str, Any] = {
        "nav": "advisers",
        "leaver": leaver,
        "count": len(hers),
        "at_risk": sum(one.at_risk_minor for one in hers),
        "how": request.POST.get("how", How.EVEN.value),
        "hows": [(key, str(said)) for key, said in words.HAND_OVER.items()],
    }
    chosen = [one for one in people if str(one.pk) in request.POST.getlist("receivers")]
    page["people"] = [(one, one in chosen) for one in people if one.pk in near]
    page["others"] = [(one, one in chosen) for one in people if one.pk not in near]
    page["others_chosen"] = any(on for _one, on in page["others"])
    if request.method == "GET":
        return answer(request, "advisers/hand_over.html", page)
    try:
        if "run" in request.POST:
            return go(request, reverse("hand-over-result", args=[_run(request, leaver, chosen, page["how"], scope)]))
        planned = services.plan(leaver, chosen, page["how"], scope=scope)
    except Invalid as refusal:
        page["error"] = words.refusal(refusal)
        return answer(request, "advisers/hand_over.html", page, status=422)
    names = {one.pk: one.name for one in chosen}
    page["plan"] = [Share(names[one.staff_id], len(one.customer_ids), one.at_risk_minor) for one in planned.shares]
    page["left"] = len(planned.left)
    return answer(request, "advisers/hand_over.html", page)


def _run(request: HttpRequest, leaver: Staff, receivers: list[Staff], how: str, scope: Scope) -> int:
    title = gettext("Customers of %(name)s handed over") % {"name": leaver.name}
    with transaction.atomic():
        batch = services.hand_over(
            leaver, receivers, how, title=title, scope=scope, by=current.by(request),
            created_by=current.staff(request), now=timezone.now(),
        )  # fmt: skip
        send_off(batch)
    return batch.pk


@require_GET
@needs(Capability.HANDOVER_RUN)
def result(request: HttpRequest, batch_id: int) -> HttpResponse:
    batch = _mine(request, batch_id)
    busy = batch.status in BUSY
    if wants_part(request) and not busy:
        return go(request, reverse("hand-over-result", args=[batch.pk]))
    context = {
        "nav": "advisers",
        "batch": batch,
        "busy": busy,
        "done": batch.done,
        "total": batch.total or 0,
        "can_undo": batch.status in UNDOABLE,
    }
    return answer(request, "advisers/result.html", context, part="bulk/_running.html")


@require_http_methods(["GET", "POST"])
@needs(Capability.HANDOVER_RUN)
def undo(request: HttpRequest, batch_id: int) -> HttpResponse:
    """GET says who goes back and who stays, and why; POST takes it back."""
    batch = _mine(request, batch_id)
    if batch.status in UNDOABLE and request.method == "GET":
        said = undo_words.said(kind_of(batch.kind).before_undo(batch.pk))
        return answer(request, "advisers/undo.html", {"nav": "advisers", "batch": batch, "undo": said})
    if batch.status in UNDOABLE:
        take_back(batch, by=current.by(request))
    return go(request, reverse("hand-over-result", args=[batch.pk]))


def _people(leaver: Staff, scope: Scope) -> list[Staff]:
    """Who could take over: at work, in one of the stores of whoever asks."""
    people = Staff.objects.filter(is_active=True).exclude(pk=leaver.pk)
    if scope.places is not None:
        people = people.filter(stores__in=scope.places).distinct()
    return list(people.order_by("name")[:MOST_STAFF])


def _mine(request: HttpRequest, batch_id: int) -> Batch:
    batch = get_object_or_404(Batch.objects.select_related("created_by"), pk=batch_id, kind=services.KIND)
    everywhere = current.scope_for(request, Capability.HANDOVER_RUN).whole_chain
    if not everywhere and batch.created_by_id != current.staff(request).pk:
        raise Http404
    return batch
