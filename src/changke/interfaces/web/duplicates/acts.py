"""What is decided about a pair. Sent twice, it is decided once."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from changke.facts.customers.models import MergeLink
from changke.facts.duplicates.models import Duplicate
from changke.facts.duplicates.queries import pairs_in
from changke.facts.duplicates.services import ask_again, merge_pair, not_same
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import DomainError, NotFound
from changke.foundation.organisation.scope import Scope
from changke.interfaces import jobs, words
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast, wants_part


@require_POST
def merged(request: HttpRequest, pair_id: int) -> HttpResponse:
    """They are one person; the form says which record stays."""
    scope = current.scope_for(request, Capability.CUSTOMER_MERGE)
    pair, into = _pair(scope, pair_id), request.POST.get("into", "")
    stays = int(into) if into.isascii() and into.isdigit() else 0
    try:
        pair = merge_pair(pair.pk, into_id=stays, by=current.by(request), now=timezone.now())
    except DomainError as refusal:
        return _refused(request, refusal)
    name = str(pair.one if stays == pair.one_id else pair.other)
    toast(request, gettext("Merged into %(name)s") % {"name": name}, undo_url=parting(pair.one_id, pair.other_id))
    return _done(request, pair, gettext("One person now: %(name)s") % {"name": name}, stays)


@require_POST
def two_persons(request: HttpRequest, pair_id: int) -> HttpResponse:
    scope = current.scope_for(request, Capability.DUPLICATES_REVIEW)
    pair = _pair(scope, pair_id)
    try:
        not_same(pair.pk, by=current.by(request), now=timezone.now())
    except DomainError as refusal:
        return _refused(request, refusal)
    said = gettext("Two persons: this pair is not shown again")
    toast(request, said, undo_url=reverse("duplicate-ask-again", args=[pair.pk]))
    return _done(request, pair, said, 0)


@require_POST
def asked_again(request: HttpRequest, pair_id: int) -> HttpResponse:
    """That they are two is taken back: the pair waits again."""
    scope = current.scope_for(request, Capability.DUPLICATES_REVIEW)
    pair = _pair(scope, pair_id)
    try:
        ask_again(pair.pk, by=current.by(request), now=timezone.now())
    except DomainError as refusal:
        return _refused(request, refusal)
    toast(request, gettext("The pair waits again"))
    return go(request, reverse("duplicates"))


@require_POST
def search(request: HttpRequest) -> HttpResponse:
    """Have everybody looked at now, in the background."""
    current.scope_for(request, Capability.DUPLICATES_REVIEW)
    jobs.ask_for_duplicates()
    toast(request, gettext("The search has begun. Look again in a minute."))
    return go(request, reverse("duplicates"))


def parting(one_id: int, other_id: int) -> str:
    """Where the merge of these two is taken back."""
    link = MergeLink.objects.filter(
        merged__in=(one_id, other_id), into__in=(one_id, other_id), withdrawn_by__isnull=True
    ).first()
    return reverse("customer-separate", args=[link.into_id, link.batch_id]) if link else ""


def _pair(scope: Scope, pair_id: int) -> Duplicate:
    found = pairs_in(scope).filter(pk=pair_id).first()
    if found is None:
        raise NotFound
    return found


def _done(request: HttpRequest, pair: Duplicate, said: str, stays: int) -> HttpResponse:
    if not wants_part(request):
        return go(request, reverse("duplicates"))
    context = {"pair": pair, "said": said, "stays": stays}
    return answer(request, "duplicates/list.html", context, part="duplicates/_done.html")


def _refused(request: HttpRequest, refusal: DomainError) -> HttpResponse:
    """Said at the bottom; the pair stays as it is."""
    said = words.refusal(refusal)
    toast(request, said, bad=True)
    if not wants_part(request):
        return go(request, reverse("duplicates"))
    response = answer(request, "duplicates/list.html", {"error": said}, part="duplicates/_refused.html")
    response.headers["HX-Reswap"] = "none"
    return response
