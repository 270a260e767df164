"""A mistake of today is taken back by one tap, and put back by another."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_POST

from changke.facts.purchases.models import Receipt
from changke.facts.purchases.services.void import restore, void
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import DomainError
from changke.foundation.organisation.queries import the_chain
from changke.interfaces import words
from changke.interfaces.web import current, formats
from changke.interfaces.web.answers import go, toast
from changke.interfaces.web.doors import needs


@require_POST
@needs(Capability.FACTS_RECORD)
def take_back(request: HttpRequest, receipt_id: int) -> HttpResponse:
    scope, staff = current.scope_for(request, Capability.FACTS_RECORD), current.staff(request)
    try:
        receipt = void(receipt_id, scope=scope, staff=staff, by=current.by(request), now=timezone.now())
    except DomainError as refusal:
        if refusal.status == 404:
            raise
        toast(request, words.refusal(refusal), bad=True)
        return go(request, reverse("record"))
    said = gettext("Taken back: %(what)s. It counts nowhere any more.") % {"what": told(receipt)}
    toast(request, said, undo_url=reverse("record-restore", args=[receipt.pk]))
    return _leave(request, receipt)


@require_POST
@needs(Capability.FACTS_RECORD)
def put_back(request: HttpRequest, receipt_id: int) -> HttpResponse:
    scope = current.scope_for(request, Capability.FACTS_RECORD)
    try:
        receipt, _is_new = restore(receipt_id, scope=scope, by=current.by(request), now=timezone.now())
    except DomainError as refusal:
        if refusal.status == 404:
            raise
        toast(request, words.refusal(refusal), bad=True)
        return go(request, reverse("record"))
    toast(request, gettext("Back again: %(what)s.") % {"what": told(receipt)})
    return _leave(request, receipt)


def told(receipt: Receipt) -> str:
    """The receipt in a few words: whose, what kind, how much."""
    amount = formats.money(amount_of(receipt), the_chain().currency, get_language() or "zh-hans")
    name = receipt.customer.name if receipt.customer else gettext("A passer-by")
    kind = str(words.RECEIPT_KINDS[receipt.kind])
    return gettext("%(name)s, %(kind)s %(amount)s") % {"name": name, "kind": kind, "amount": amount}


def amount_of(receipt: Receipt) -> int:
    """What the hand wrote: money, or what a card was used for."""
    return receipt.cash_minor or receipt.consumed_minor


def _leave(request: HttpRequest, receipt: Receipt) -> HttpResponse:
    customer = receipt.customer_id
    return go(request, reverse("customer", args=[customer]) if customer else reverse("record"))
