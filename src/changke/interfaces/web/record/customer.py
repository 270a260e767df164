"""A new customer: name, phone, where she came from. A phone that is known leads to its owner."""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from changke.facts.consents import rules
from changke.facts.consents.services.state import Proof, state
from changke.facts.customers.models import Customer
from changke.facts.customers.queries import LIVING, by_phone
from changke.facts.customers.services.register import PhoneKnown
from changke.facts.fields.queries import fields_for
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import Invalid
from changke.foundation.persons.registry import family_of
from changke.interfaces import words
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer
from changke.interfaces.web.customers import own_fields
from changke.interfaces.web.record.acts import new_customer
from changke.interfaces.web.record.pick import Found, find
from changke.interfaces.web.record.setting import Setting, setting_of, show, written

SOURCES: tuple[tuple[str, str | Promise], ...] = (
    ("路过", _("Passing by")),
    ("朋友介绍", _("A friend")),
    ("大众点评", _("Dianping")),
    ("美团", _("Meituan")),
    ("抖音", _("Douyin")),
    ("小红书", _("Xiaohongshu")),
    ("企业微信", _("WeCom")),
)
"""The first source as it is kept, and its word. Files bring others; they are kept as they come."""


AGREEMENTS: tuple[tuple[str, str | Promise], ...] = (
    ("marketing-sms", _("Offers by SMS")),
    ("marketing-wechat", _("Offers by WeChat")),
    ("care-wechat", _("Care by WeChat")),
)
"""What is asked at the counter of somebody new; everything else on her page of consents."""


@require_http_methods(["GET", "POST"])
def write(request: HttpRequest) -> HttpResponse:
    setting = setting_of(request, timezone.now(), Capability.CUSTOMER_EDIT)
    known: Customer | None = None
    is_known = False
    own = fields_for(setting.staff.role)
    typed = own_fields.sent(request.POST, own)
    choices = find(text, setting.scope) if (text := setting.given("referrer")) else []
    referrer: Customer | None = None
    if setting.posted:
        asked = own_fields.read(own, typed, {}, all_required=True)
        setting.errors |= asked.errors
        referrer = _referrer(setting, choices)
    if setting.posted and not setting.errors:
        try:
            customer = new_customer(
                name=setting.given("name"),
                phone=setting.given("phone"),
                source=setting.given("other_source") or setting.given("source"),
                store=setting.store,
                adviser=setting.by(),
                profile=_profile(setting),
                own=asked.changes,
                share=bool(setting.given("share")),
                referrer=referrer,
                by=setting.staff,
                who=current.by(request),
                key=setting.key,
                now=setting.now,
            )
        except PhoneKnown as refusal:
            known, is_known = visible(setting, refusal.customer_id), True
            setting.errors["phone"] = gettext("This phone is already known.")
        except Invalid as refusal:
            setting.refuse(refusal)
        else:
            _consents(setting, customer)
            return written(setting, gettext("%(name)s is written down.") % {"name": customer}, customer)
    inputs = own_fields.inputs(own, typed, setting.errors)
    context = {
        "own_required": [one for one in inputs if one.required],
        "own_more": [one for one in inputs if not one.required],
        "own_more_wrong": any(one.error for one in inputs if not one.required),
        "values": {name: setting.given(name) for name in ("name", "phone", "source", "other_source", "referrer")},
        "referrers": choices,
        "referrer_id": setting.given("referrer_id"),
        "referrer_text": text,
        "birthday": {name: setting.given(name) for name in ("birth_year", "birth_month", "birth_day")},
        "gender": setting.given("gender"),
        "genders": [(key, label) for key, label in words.GENDERS.items() if key],
        "sources": SOURCES,
        "months": [(number, number) for number in range(1, 13)],
        "days": [(number, number) for number in range(1, 32)],
        "agreements": AGREEMENTS,
        "chosen_staff": setting.given("staff", str(setting.staff.pk)),
        "known": known,
        "is_known": is_known,
    }
    return show(setting, "record/_customer.html", context, title=gettext("New customer"))


@require_GET
def known_phone(request: HttpRequest) -> HttpResponse:
    """While the phone is typed: does she have a page already?"""
    setting = setting_of(request, timezone.now(), Capability.CUSTOMER_EDIT)
    owner = by_phone(request.GET.get("phone", ""))
    context = {"is_known": owner is not None, "known": visible(setting, owner.pk) if owner else None}
    return answer(request, "record/_known.html", context)


@require_GET
def referrers(request: HttpRequest) -> HttpResponse:
    """While it is typed: whom of those one may see the words may mean."""
    setting = setting_of(request, timezone.now(), Capability.CUSTOMER_EDIT)
    text = request.GET.get("referrer", "").strip()
    context = {"referrers": find(text, setting.scope) if text else [], "referrer_text": text, "referrer_id": ""}
    return answer(request, "record/_referrers.html", context)


def _referrer(setting: Setting, choices: Sequence[Found]) -> Customer | None:
    """The one that was chosen, or the only one that the words mean. Where they may mean several, one is to be
    chosen."""
    if not setting.given("referrer"):
        return None
    picked = [one.pk for one in choices if str(one.pk) == setting.given("referrer_id")]
    meant = picked or ([choices[0].pk] if len(choices) == 1 else [])
    if not meant:
        setting.errors["referrer"] = (
            gettext("Choose who of them brought her.")
            if choices
            else gettext("Nobody found. Try the last four digits of her phone, or leave it empty.")
        )
        return None
    return visible(setting, meant[0])


def visible(setting: Setting, customer_id: int) -> Customer | None:
    """The owner of a phone, if she may be seen: whose number it is, only her own stores are told."""
    found: Customer | None = Customer.objects.for_scope(setting.scope).filter(pk=customer_id, **LIVING).first()
    return found


def _consents(setting: Setting, customer: Customer) -> None:
    """What she agreed to at the counter. Nothing ticked is nothing said."""
    ticked = setting.request.POST.getlist("agrees")
    asked = {key for key, _ in AGREEMENTS} & set(ticked)
    topics = [topic for topic in rules.topics() if f"{topic[0]}-{topic[1]}" in asked]
    if topics:
        state(
            family_of(customer.pk),
            topics,
            given=True,
            proof=Proof("counter", staff=setting.staff, store=setting.store),
            source_key=f"{setting.key}:consent",
            happened_at=setting.now,
            time_zone=setting.store.time_zone,
            now=setting.now,
        )


def _profile(setting: Setting) -> dict[str, object]:
    profile: dict[str, object] = {}
    if (gender := setting.given("gender")) in ("f", "m"):
        profile["gender"] = gender
    for name in ("birth_year", "birth_month", "birth_day"):
        if text := setting.given(name):
            if not (text.isascii() and text.isdigit() and len(text) < 5):
                raise Invalid(field="birth_day", reason="there is no such day")
            profile[name] = int(text)
    return profile
