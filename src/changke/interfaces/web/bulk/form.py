"""Whom and what: chosen, shown for some of them as it stands and as it would stand, then sent off."""

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_http_methods

from changke.facts.customers.queries import tag_names
from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import Staff
from changke.foundation.batches.models import Batch
from changke.foundation.errors import Invalid
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import Scope
from changke.interfaces import words
from changke.interfaces.bulk import shown, work
from changke.interfaces.bulk.change import FIELDS, TEXTS, Wish
from changke.interfaces.bulk.whom import Whom
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go
from changke.interfaces.web.bulk.sending import send_off
from changke.interfaces.web.customers import may_ask
from changke.interfaces.web.customers.filters import read_filters
from changke.interfaces.web.customers.lists import in_words
from changke.interfaces.web.doors import needs

TAGS = ("add_tag", "remove_tag")
LATEST = 5
MOST_TAGS = 60
MOST_STAFF = 500


@require_http_methods(["GET", "POST"])
@needs(Capability.CUSTOMER_BULK_EDIT)
def show(request: HttpRequest) -> HttpResponse:
    """GET asks what to change; POST shows what would happen, and with `run` has it done."""
    whom = _whom(request)
    may_ask.check(whom.filters, current.staff(request).role)
    what = request.POST.get("what") or request.GET.get("what", "")
    what = what if what in (*FIELDS, *TAGS) else TAGS[0]
    if request.method == "GET":
        return _page(request, whom, what)
    value = request.POST.get("value", "").strip()
    wish = _wish(what, value)
    try:
        if "run" in request.POST:
            batch = work.start(
                whom, wish, by=current.by(request), created_by=current.staff(request),
                language=get_language() or "zh-hans", now=timezone.now(),
            )  # fmt: skip
            send_off(batch)
            return go(request, reverse("bulk-result", args=[batch.pk]))
        return _page(request, whom, what, value=value, wish=wish, preview=work.preview(whom, wish))
    except Invalid as refusal:
        return _page(request, whom, what, value=value, error=words.refusal(refusal), status=422)


def _whom(request: HttpRequest) -> Whom:
    """Those ticked, else everybody of the filter, within the stores the person may change and has chosen."""
    scope = current.scope_for(request, Capability.CUSTOMER_BULK_EDIT)
    ids = [int(text) for text in request.GET.getlist("id") if text.isascii() and text.isdigit() and len(text) < 19]
    query = request.GET.copy()
    for name in ("id", "what", "after", "before"):
        query.pop(name, None)
    if (store := current.chosen_store(request)) is not None:
        scope = scope.narrowed(store.pk)
    return Whom.asked(query.urlencode(), ids, scope)


def _wish(what: str, value: str) -> Wish:
    if what == "add_tag":
        return Wish(add_tags=[value])
    if what == "remove_tag":
        return Wish(remove_tags=[value])
    return Wish(set={what: value})


def _page(
    request: HttpRequest,
    whom: Whom,
    what: str,
    *,
    value: str = "",
    wish: Wish | None = None,
    preview: work.Preview | None = None,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    filters = read_filters(QueryDict(whom.query))
    context: dict[str, Any] = {
        "nav": "customers",
        "count": preview.count if preview else whom.count(),
        "ticked": bool(whom.ids),
        "conditions": [] if whom.ids else in_words(filters, request),
        "query": request.GET.urlencode(),
        "pairs": [(key, text) for key, texts in request.GET.lists() if key != "what" for text in texts],
        "what": what,
        "whats": _whats(),
        "choices": _choices(what, whom.scope),
        "is_tag": what in TAGS,
        "is_text": what in TEXTS,
        "tags": tag_names(MOST_TAGS),
        "value": value,
        "wish": shown.wish(wish) if wish else [],
        "preview": preview,
        "error": error,
        "latest": _latest(request),
        "list_url": reverse("customers") + ("" if whom.ids else filters.query),
    }
    return answer(request, "bulk/form.html", context, status=status)


def _whats() -> list[tuple[str, str]]:
    tags = [("add_tag", gettext("Put a tag on")), ("remove_tag", gettext("Take a tag off"))]
    return [*tags, *((name, shown.field(name)) for name in FIELDS)]


def _choices(what: str, scope: Scope) -> list[tuple[object, str]]:
    match what:
        case "adviser":
            people = Staff.objects.filter(is_active=True)
            if scope.places is not None:
                people = people.filter(stores__in=scope.places).distinct()
            return [(pk, name) for pk, name in people.order_by("name").values_list("pk", "name")[:MOST_STAFF]]
        case "home_store":
            return [(store.pk, store.name) for store in Store.objects.for_scope(scope).order_by("name")]
        case "gender":
            return [(key, str(said)) for key, said in words.GENDERS.items() if key]
        case _:
            return []


def _latest(request: HttpRequest) -> list[Batch]:
    """The last changes this person may look at."""
    batches = Batch.objects.filter(kind=work.KIND).select_related("created_by").order_by("-id")
    if not current.scope_for(request, Capability.CUSTOMER_BULK_EDIT).whole_chain:
        batches = batches.filter(created_by=current.staff(request))
    return list(batches[:LATEST])
