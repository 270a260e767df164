"""What she allows, and what is hers by law: consents with their proof, her data as a file, to be forgotten."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from changke.facts.consents import rules
from changke.facts.consents.queries import Told, allowed, history, personalised, verdicts
from changke.facts.consents.rules import Channel, Purpose, Topic, Verdict
from changke.facts.consents.services.links import make_link, revoke_links
from changke.facts.consents.services.state import Proof, state
from changke.facts.customers.models import Customer
from changke.facts.customers.queries import customer_in, is_visitor
from changke.foundation.access.capabilities import Capability
from changke.foundation.audit.services import record
from changke.foundation.errors import DomainError, Invalid
from changke.foundation.organisation.queries import the_chain
from changke.foundation.periods import business_date
from changke.foundation.persons.registry import family_of
from changke.foundation.persons.services.erase import erase, preview
from changke.interfaces import person_file, words
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast

HOWS = ("counter", "phone", "form")
"""How somebody of the shop hears it; the others are written by machines."""


@dataclass(frozen=True)
class Line:
    """One purpose with its channels, for the table."""

    purpose: str
    said: str
    cells: list[tuple[str, str, Verdict]]
    """Key of the topic, words of the channel, and the verdict."""


@never_cache
@require_http_methods(["GET", "POST"])
def consents(request: HttpRequest, customer_id: int) -> HttpResponse:
    if request.method == "GET":
        customer = customer_in(current.scope_for(request, Capability.CUSTOMER_VIEW), customer_id)
        return _page(request, customer)
    customer = customer_in(current.scope_for(request, Capability.CONSENT_RECORD), customer_id)
    given = request.POST.get("given")
    try:
        if given not in {"yes", "no"}:
            raise Invalid(field="given", reason="say whether she says yes or no")
        _state(request, customer, given == "yes")
    except DomainError as refusal:
        return _page(request, customer, error=words.refusal(refusal), status=refusal.status)
    toast(request, gettext("Written down"))
    return go(request, reverse("customer-consents", args=[customer.pk]))


def _state(request: HttpRequest, customer: Customer, given: bool) -> None:
    now = timezone.now()
    state(
        family_of(customer.pk),
        [topic for name in request.POST.getlist("topic") if (topic := _topic(name)) is not None],
        given=given,
        proof=Proof(
            how=request.POST.get("how", "") if request.POST.get("how") in HOWS else "",
            text_version=request.POST.get("text_version", "").strip()[:40],
            evidence=request.POST.get("evidence", "").strip(),
            guardian="guardian" in request.POST,
            separate=_alone(request.POST.getlist("topic")),
            staff=current.staff(request),
            store=current.chosen_store(request) or customer.home_store,
        ),
        source_key=f"page:{request.POST.get('token') or now.isoformat()}",
        happened_at=now,
        time_zone=the_chain().time_zone,
        now=now,
    )


def _topic(name: str) -> Topic | None:
    return next((topic for topic in [*rules.topics(), PERSONAL] if key_of(topic) == name), None)


PERSONAL: Topic = (Purpose.PERSONAL, Channel.NONE)


def key_of(topic: Topic) -> str:
    return f"{topic[0]}-{topic[1]}".rstrip("-")


def _alone(names: list[str]) -> bool:
    """Health data are asked for on their own: ticked with anything else, the consent is no separate one."""
    return set(names) == {Purpose.HEALTH.value}


@require_POST
def link(request: HttpRequest, customer_id: int) -> HttpResponse:
    """A new address of her own page, shown once as a QR code; or none any more."""
    customer = customer_in(current.scope_for(request, Capability.CONSENT_RECORD), customer_id)
    now = timezone.now()
    if "revoke" in request.POST:
        revoke_links(customer.pk, now=now)
        toast(request, gettext("Her page is closed"))
        return go(request, reverse("customer-consents", args=[customer.pk]))
    token = make_link(customer, by=current.staff(request), now=now)
    return _page(request, customer, address=request.build_absolute_uri(reverse("member", args=[token])))


@never_cache
@require_http_methods(["GET", "POST"])
def data(request: HttpRequest, customer_id: int) -> HttpResponse:
    """What is kept about her; POST hands it out as a file."""
    customer = customer_in(current.scope_for(request, Capability.CUSTOMER_EXPORT), customer_id)
    if request.method == "GET":
        return _data(request, customer)
    reason, now = request.POST.get("reason", "").strip(), timezone.now()
    if not reason:
        return _data(request, customer, error=gettext("Say why: it stays in the audit trail."), status=422)
    contents = person_file.as_zip(family_of(customer.pk), now=now)
    record(
        by=current.by(request),
        action="customer.exported",
        subject=f"customer:{customer.pk}",
        reason=reason[:400],
        customer_id=customer.pk,
        now=now,
    )
    return HttpResponse(
        contents,
        content_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="customer-{customer.pk}.zip"',
            "Cache-Control": "no-store",
        },
    )


@require_POST
def forget(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Erase her. Her number is typed once more, so that it is nobody else."""
    customer = customer_in(current.scope_for(request, Capability.CUSTOMER_ERASE), customer_id)
    if request.POST.get("number", "").strip() != str(customer.pk):
        return _data(request, customer, erase_error=gettext("Type her number, so that it is nobody else."), status=422)
    try:
        erase(customer.pk, reason=request.POST.get("reason", ""), by=current.by(request), now=timezone.now())
    except Invalid as refusal:
        return _data(request, customer, erase_error=words.refusal(refusal), status=422)
    toast(
        request,
        gettext("She is forgotten. What she bought stays under the number %(number)s.") % {"number": customer.pk},
    )
    return go(request, reverse("customers"))


def summary(
    customer: Customer, family: tuple[int, ...], *, zone: str, now: dt.datetime
) -> tuple[list[tuple[str, bool, str]], bool]:
    """Purposes in words for her page: over which channels she may be reached; and whether anything may be chosen for
    her by her profile. `zone`: that of her day."""
    found, personal = allowed(family, at=now, on=business_date(now, zone), records=[customer])
    lines = []
    for purpose in dict.fromkeys(purpose for purpose, _ in found):
        ways = [str(words.CHANNELS[c]) for (p, c), one in found.items() if p is purpose and one.allowed and c]
        yes = any(one.allowed for (p, _), one in found.items() if p is purpose)
        said = " · ".join(ways) if ways else str(words.CONSENT_YES if yes else words.CONSENT_NO)
        lines.append((str(words.PURPOSES[purpose]), yes, said))
    return lines, personal


def _verdicts(customer: Customer, family: tuple[int, ...], now: dt.datetime) -> dict[Topic, Verdict]:
    zone = customer.home_store.time_zone if customer.home_store else the_chain().time_zone
    return verdicts(family, at=now, on=business_date(now, zone))


def _page(
    request: HttpRequest, customer: Customer, *, error: str = "", address: str = "", status: int = 200
) -> HttpResponse:
    now = timezone.now()
    family = family_of(customer.pk)
    found = _verdicts(customer, family, now)
    lines = [
        Line(
            purpose.value,
            str(words.PURPOSES[purpose]),
            [(key_of((p, c)), str(words.CHANNELS[c]), one) for (p, c), one in found.items() if p is purpose],
        )
        for purpose in dict.fromkeys(purpose for purpose, _ in found)
    ]
    context = {
        "nav": "customers",
        "customer": customer,
        "lines": lines,
        "personal": personalised(family, at=now),
        "history": [_told(one) for one in history(family)],
        "hows": [(how, words.CONSENT_HOWS[how]) for how in HOWS],
        "error": error,
        "address": address,
        "token": f"{now.timestamp()}",
        "typed": request.POST if request.method == "POST" and error else {},
    }
    response = answer(request, "customers/consents.html", context, status=status)
    if address:
        response["Cache-Control"] = "no-store"
    return response


def _told(told: Told) -> dict[str, Any]:
    one = told.consent
    return {
        "at": one.happened_at,
        "topic": words.topic(Purpose(one.purpose), Channel(one.channel)),
        "given": one.given,
        "how": words.CONSENT_HOWS[one.how],
        "who": one.staff.name if one.staff else "",
        "store": one.store.name if one.store else "",
        "text_version": one.text_version,
        "evidence": told.evidence,
        "guardian": one.guardian,
    }


def _data(
    request: HttpRequest, customer: Customer, *, error: str = "", erase_error: str = "", status: int = 200
) -> HttpResponse:
    going = preview(customer.pk)
    context = {
        "nav": "customers",
        "customer": customer,
        "is_visitor": is_visitor(current.scope_for(request, Capability.CUSTOMER_VIEW), customer),
        "goes": [(person_file.title(one.key), one.rows) for one in going if not one.stays],
        "stays": [(person_file.title(one.key), one.rows, words.PERSON_STAYS[one.stays]) for one in going if one.stays],
        "error": error,
        "erase_error": erase_error,
        "typed": request.POST,
    }
    return answer(request, "customers/data.html", context, status=status)
