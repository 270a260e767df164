"""Putting earlier values back: what stands there now, what would, and what somebody did since."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_http_methods

from changke.foundation.access.capabilities import Capability
from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.queries import Preview
from changke.foundation.audit.services import ChangedSince
from changke.foundation.errors import DomainError
from changke.interfaces import audited_words as said
from changke.interfaces import restoring, words
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.doors import needs


@require_http_methods(["GET", "POST"])
@needs(Capability.AUDIT_RESTORE)
def show(request: HttpRequest, line_id: int) -> HttpResponse:
    line = get_object_or_404(AuditLine, pk=line_id)
    found = restoring.shown_to(current.staff(request), line)
    if request.method == "GET":
        return _page(request, line, found)
    known = {one.name for one in found.fields}
    chosen = [name for name in request.POST.getlist("field") if name in known]
    if not chosen:
        return _page(request, line, found, error=gettext("Choose at least one field."), status=422)
    try:
        # What the person saw when she chose: a field that changed under her hands is shown again, not written.
        if any(one.name in chosen and said_now(one.now) != request.POST.get(f"now_{one.name}") for one in found.fields):
            raise ChangedSince(fields=chosen)
        restoring.put_back(line, found, chosen, by=current.by(request), now=timezone.now())
    except DomainError as refused:
        return _page(request, line, found, error=words.refusal(refused), status=refused.status)
    toast(request, gettext("The earlier values stand again"))
    return go(request, said.place(line) or "/audit/")


def said_now(value: object) -> str:
    return str(value)


def _page(request: HttpRequest, line: AuditLine, found: Preview, *, error: str = "", status: int = 200) -> HttpResponse:
    role = current.staff(request).role
    names = said.names_for([line], role)
    own = found.kind.key == "profile"
    fields = [
        {
            "name": one.name,
            "words": names.own[one.name].label(get_language() or "zh-hans") if own else said.label(one.name),
            "now": said.own(names.own[one.name], one.now) if own else said.value(one.name, one.now, names),
            "seen": said_now(one.now),
            "then": said.own(names.own[one.name], one.before) if own else said.value(one.name, one.before, names),
            "since": one.changed_since,
            "same": one.now == one.before,
        }
        for one in found.fields
    ]
    context = {
        "nav": "audit",
        "line": line,
        "action": said.action(line.action),
        "who": said.actor(line),
        "subject": said.subject(line, names),
        "fields": fields,
        "changed": any(one.changed_since for one in found.fields),
        "nothing": all(one.now == one.before for one in found.fields),
        "error": error,
    }
    return answer(request, "audit/restore.html", context, status=status)
