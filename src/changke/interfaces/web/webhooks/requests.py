"""One privacy request of a web shop, and its answer: given by a person, recorded with who and when."""

import re

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from changke.facts.customers.models import Customer
from changke.facts.customers.queries import family_of
from changke.foundation.access.capabilities import Capability
from changke.foundation.audit.services import record
from changke.foundation.errors import DomainError, NotFound
from changke.interfaces import jobs, person_file
from changke.interfaces import words as common
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.doors import needs
from changke.interfaces.web.webhooks import words
from changke.interfaces.webhooks.models import PrivacyRequest
from changke.interfaces.webhooks.services.privacy import (
    ANSWER_WITHIN,
    close,
    forget_whom_it_names,
    known_only_by,
    may_forget_the_shop,
    reason_of,
    refuse_answered,
)


@never_cache
@require_http_methods(["GET", "POST"])
@needs(Capability.WEBHOOKS_MANAGE)
def show(request: HttpRequest, request_id: int) -> HttpResponse:
    asked = PrivacyRequest.objects.select_related("address").filter(pk=request_id).first()
    if asked is None:
        raise NotFound
    if request.method == "GET":
        return _page(request, asked)
    try:
        return _answer(request, asked)
    except DomainError as refusal:
        return _page(request, asked, error=common.refusal(refusal), status=refusal.status)


def _answer(request: HttpRequest, asked: PrivacyRequest) -> HttpResponse:
    refuse_answered(asked)
    now, by = timezone.now(), current.by(request)
    match request.POST.get("act"), asked.kind:
        case "export", "export":
            current.scope_for(request, Capability.CUSTOMER_EXPORT)
            return _handed_out(request, asked)
        case "erase", "erase":
            current.scope_for(request, Capability.CUSTOMER_ERASE)
            typed = [int(number) for number in re.findall(r"\d{1,18}", request.POST.get("confirm", ""))]
            forget_whom_it_names(asked, typed, by=by, now=now)
            toast(request, gettext("She is forgotten, and the request is answered"))
        case "erase_shop", _ if may_forget_the_shop(asked, name=request.POST.get("confirm", "")):
            current.scope_for(request, Capability.CUSTOMER_ERASE)
            jobs.forget_shop.defer(request_id=asked.pk, staff_id=current.staff(request).pk)
            toast(request, gettext("They are being forgotten, one after the other"))
        case "nobody", _ if asked.kind == "erase_shop" or not asked.customer_ids:
            close(asked, "nobody", by=by, now=now)
            toast(request, gettext("The request is answered: nobody is known here"))
        case _:
            return _page(
                request, asked, error=gettext("Type the name of the shop, so that it is no other."), status=422
            )
    return go(request, reverse("webhook-address", args=[asked.address_id]))


def _handed_out(request: HttpRequest, asked: PrivacyRequest) -> HttpResponse:
    """Her data as the zip that her page makes; whoever hands it to her does so outside the house."""
    now, by = timezone.now(), current.by(request)
    family = sorted({one for customer in asked.customer_ids for one in family_of(customer)})
    contents = person_file.as_zip(tuple(family), now=now)
    for customer in asked.customer_ids:
        subject = f"customer:{customer}"
        record(
            by=by, action="customer.exported", subject=subject, reason=reason_of(asked), customer_id=customer, now=now
        )
    close(asked, "exported", by=by, now=now)
    name = f"request-{asked.pk}.zip"
    return HttpResponse(
        contents, content_type="application/zip", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _page(request: HttpRequest, asked: PrivacyRequest, *, error: str = "", status: int = 200) -> HttpResponse:
    whole_shop = asked.kind == "erase_shop" and asked.handled_at is None
    context = {
        "nav": "settings",
        "asked": asked,
        "what": words.WISHES.get(asked.kind, asked.kind),
        "due": asked.received_at + ANSWER_WITHIN,
        "late": asked.handled_at is None and timezone.now() > asked.received_at + ANSWER_WITHIN,
        "customers": Customer.objects.filter(pk__in=asked.customer_ids).order_by("pk"),
        "only_here": len(known_only_by(asked.address)) if whole_shop else 0,
        "error": error,
    }
    return answer(request, "webhooks/request.html", context, status=status)
