"""A sale, the use of a card, a return: one form with three faces."""

from dataclasses import dataclass, replace

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from changke.facts.catalog.models import Item, ItemKind
from changke.facts.customers.models import Customer
from changke.facts.customers.queries import family_of
from changke.facts.purchases.models import Line, Receipt, ReceiptKind, Tender
from changke.facts.purchases.queries import given_back
from changke.facts.purchases.rules import PartsExceedWhole, split
from changke.facts.purchases.services.record import record_receipt
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import Invalid, NotFound
from changke.foundation.organisation.models import Store
from changke.foundation.periods import business_date
from changke.interfaces import words
from changke.interfaces.web import formats
from changke.interfaces.web.answers import answer
from changke.interfaces.web.doors import needs
from changke.interfaces.web.record import drafts
from changke.interfaces.web.record.drafts import Draft, Part
from changke.interfaces.web.record.pick import pick
from changke.interfaces.web.record.setting import Setting, setting_of, show, written

FAVOURITES = 8
LOOKED_BACK = 300
"""Receipts of the store that say what is sold most here: a week or two of a busy one."""
GIVEN_BACK = 8
"""Her last receipts, offered when something is given back."""


PARTS = 2
"""Further ways of paying that the form offers. More than three ways is a matter for the till."""
BESIDE = ("when", "parts")
"""Mistakes that stand beside their field."""


@dataclass(frozen=True)
class Kind:
    """One face of the form."""

    title: str | Promise
    said: str | Promise
    tenders: tuple[str, ...]
    items: tuple[str, ...]
    walk_in: bool = False


KINDS = {
    "sale": Kind(
        title=_("Sale"),
        said=_("%(name)s: %(amount)s written down."),
        tenders=("wechat", "alipay", "cash", "card", "stored_value", "session", "other"),
        items=("service", "product", "card", "topup", "other"),
        walk_in=True,
    ),
    "use": Kind(
        title=_("Card use"),
        said=_("%(name)s: card use of %(amount)s written down."),
        tenders=("session", "stored_value", "points"),
        items=("service", "product"),
    ),
    "return": Kind(
        title=_("Return"),
        said=_("%(name)s: %(amount)s given back."),
        tenders=("wechat", "alipay", "cash", "card", "stored_value", "session", "other"),
        items=("service", "product", "card", "topup", "other"),
    ),
}


@require_http_methods(["GET", "POST"])
def write(request: HttpRequest, kind: str) -> HttpResponse:
    setting, face = setting_of(request, timezone.now(), Capability.FACTS_RECORD), KINDS[kind]
    walks_in = face.walk_in and bool(setting.given("walk_in"))
    if setting.customer is None and not walks_in:
        return pick(setting, title=face.title, walk_in=face.walk_in)
    original = _original(setting) if kind == "return" else None
    lines = _lines(setting, original)
    if setting.posted and not _is_still_choosing(setting):
        try:
            receipt = _record(setting, kind, lines, original)
        except Invalid as refusal:
            setting.refuse(refusal)
        else:
            undo = reverse("record-void", args=[receipt.pk])
            return written(setting, _said(setting, face, receipt), setting.customer, undo_url=undo)
    looked_for = "" if setting.given("add") else setting.given("item_q")
    lines = [
        replace(line, error=setting.errors.get(f"amount-{place}", "")) for place, line in enumerate(lines or [Draft()])
    ]
    context = {
        "kind": kind,
        "lines": lines,
        "total_minor": drafts.total_minor(lines, setting.chain.currency),
        "favourites": favourites(setting.store, face.items),
        "found": find_items(looked_for, face.items),
        "item_q": looked_for,
        "unsaid": unsaid(looked_for, face.items),
        "tenders": [(one, words.TENDERS[one]) for one in face.tenders],
        "tender": _tender(setting, face, original),
        "parts": _parts(setting),
        "has_parts": any(part.amount for part in drafts.read_parts(setting.request.POST)),
        "walk_in": walks_in,
        "symbol": formats.symbol(setting.chain.currency),
        "receipts": _receipts(setting.customer) if kind == "return" and setting.customer else [],
        "original": original,
        "general": [said for field, said in setting.errors.items() if field not in BESIDE and "-" not in field],
    }
    return show(setting, "record/_sale.html", context, title=face.title)


@require_GET
@needs(Capability.FACTS_RECORD)
def items(request: HttpRequest) -> HttpResponse:
    """Items whose name contains what is being typed."""
    face = KINDS.get(request.GET.get("kind", ""), KINDS["sale"])
    text = request.GET.get("item_q", "")
    context = {"found": find_items(text, face.items), "item_q": text, "unsaid": unsaid(text, face.items)}
    return answer(request, "record/_items.html", context)


def find_items(text: str, kinds: tuple[str, ...]) -> list[Item]:
    plain = text.replace("\0", "").strip()
    if not plain:
        return []
    return list(Item.objects.filter(is_active=True, kind__in=kinds, name__icontains=plain).order_by("name")[:12])


def unsaid(text: str, kinds: tuple[str, ...]) -> list[Item]:
    """Items that are not offered only because nobody said what they are: those called like that, or without a text,
    where nothing is offered at all, the first of them."""
    if ItemKind.OTHER in kinds:
        return []
    rows = Item.objects.filter(is_active=True, kind=ItemKind.OTHER)
    if plain := text.replace("\0", "").strip():
        return list(rows.filter(name__icontains=plain).order_by("name")[:3])
    return [] if Item.objects.filter(is_active=True, kind__in=kinds).exists() else list(rows.order_by("name")[:3])


def favourites(store: Store, kinds: tuple[str, ...]) -> list[Item]:
    """What this store sold most lately; where it sold nothing yet, the beginning of the catalogue."""
    latest = Receipt.objects.filter(store=store, withdrawn_by__isnull=True).order_by("-business_date")
    ids = list(latest.values_list("pk", flat=True)[:LOOKED_BACK])
    sold = Line.objects.filter(receipt__in=ids, item__is_active=True, item__kind__in=kinds)
    most = sold.values_list("item_id").annotate(times=Count("pk")).order_by("-times", "item_id")[:FAVOURITES]
    ranked = [item_id for item_id, _times in most]
    by_id = Item.objects.in_bulk(ranked)
    if ranked:
        return [by_id[item_id] for item_id in ranked]
    return list(Item.objects.filter(is_active=True, kind__in=kinds).order_by("pk")[:FAVOURITES])


@dataclass(frozen=True)
class Earlier:
    """A receipt that may be given back."""

    receipt: Receipt
    what: str
    amount_minor: int
    is_returned: bool


def _receipts(customer: Customer) -> list[Earlier]:
    rows = Receipt.objects.filter(customer__in=family_of(customer.pk), withdrawn_by__isnull=True).select_related(
        "store"
    )
    latest = list(rows.exclude(kind=ReceiptKind.RETURN).order_by("-business_date", "-happened_at")[:GIVEN_BACK])
    sold: dict[int, list[Line]] = {}
    for line in Line.objects.filter(receipt__in=latest).select_related("item").order_by("receipt_id", "position"):
        sold.setdefault(line.receipt_id, []).append(line)
    back = given_back(customer.pk)
    return [
        Earlier(
            receipt=one,
            what=formats.enumeration([_name(line) for line in sold.get(one.pk, [])], get_language() or "zh-hans"),
            amount_minor=sum(line.amount_minor for line in sold.get(one.pk, [])),
            is_returned=one.pk in back,
        )
        for one in latest
    ]


def _name(line: Line) -> str:
    return line.item.name if line.item else line.description or gettext("Without a name")


def _original(setting: Setting) -> Receipt | None:
    """The receipt that is given back: one of hers."""
    wanted = setting.given("receipt")
    if not (wanted.isascii() and wanted.isdigit()):
        return None
    hers = {"customer__in": family_of(setting.customer.pk)} if setting.customer else {"customer": None}
    found = Receipt.objects.filter(pk=int(wanted), withdrawn_by__isnull=True, **hers)
    original = found.exclude(kind=ReceiptKind.RETURN).first()
    if original is None:
        raise NotFound
    return original


def _lines(setting: Setting, original: Receipt | None) -> list[Draft]:
    currency = setting.chain.currency
    if not setting.posted:
        if original is None:
            return []
        lines = Line.objects.filter(receipt=original).select_related("item").order_by("position")
        return drafts.of_receipt(lines, currency)
    typed = drafts.read(setting.request.POST)
    added, removed = setting.given("add"), setting.given("remove")
    if added.isascii() and added.isdigit() and (item := Item.objects.filter(pk=int(added), is_active=True).first()):
        return drafts.add(typed, item, currency)
    if added == "free":
        return [*typed, Draft()]
    if removed.isascii() and removed.isdigit():
        return [draft for place, draft in enumerate(typed) if place != int(removed)]
    return typed


def _parts(setting: Setting) -> list[Part]:
    """The further ways as typed, each with its mistake, and empty ones up to the number offered."""
    typed = drafts.read_parts(setting.request.POST) if setting.posted else []
    rows = [*typed, *[Part()] * PARTS][: max(PARTS, len(typed))]
    return [replace(row, error=setting.errors.get(f"part-{place}", "")) for place, row in enumerate(rows)]


def _is_still_choosing(setting: Setting) -> bool:
    """A button of the form that is not the one that saves."""
    return any(setting.given(name) for name in ("add", "remove", "look"))


def _tender(setting: Setting, face: Kind, original: Receipt | None) -> str:
    if chosen := setting.given("tender"):
        return chosen
    if original is not None:
        first = Tender.objects.filter(receipt=original).order_by("-amount_minor", "pk").first()
        if first is not None and first.kind in face.tenders:
            return first.kind
    return face.tenders[0]


def _record(setting: Setting, kind: str, lines: list[Draft], original: Receipt | None) -> Receipt:
    face = KINDS[kind]
    new = drafts.as_lines(lines, setting.chain.currency)
    tender = setting.given("tender")
    if tender not in face.tenders:
        raise Invalid(field="tender", reason="choose one of %(choices)s", choices=", ".join(face.tenders))
    parts = drafts.as_paid(drafts.read_parts(setting.request.POST), setting.chain.currency, face.tenders)
    try:
        tenders = split(sum(line.amount_minor for line in new), tender, parts)
    except PartsExceedWhole:
        raise Invalid(field="parts", reason="the parts come to more than the whole") from None
    happened_at = setting.moment()
    day = business_date(happened_at, setting.store.time_zone)
    receipt, _is_new = record_receipt(
        # A return meets its purchase by source, store and number.
        store=original.store if original else setting.store,
        source=original.source if original else "hand",
        original_number=original.number if original else "",
        customer=setting.customer,
        lines=new,
        tenders=tenders,
        is_return=kind == "return",
        number=f"{day:%y%m%d}-{setting.token[:6]}",
        source_key=setting.key,
        staff=setting.by(),
        happened_at=happened_at,
        now=setting.now,
    )
    return receipt


def _said(setting: Setting, face: Kind, receipt: Receipt) -> str:
    paid = sum(Tender.objects.filter(receipt=receipt).values_list("amount_minor", flat=True))
    amount = formats.money(paid, setting.chain.currency, get_language() or "zh-hans")
    return str(face.said) % {"name": setting.customer or gettext("A passer-by"), "amount": amount}
