"""Everything that happened to a customer, newest first, in pages: each kind of fact has a table, here they are one."""

from collections.abc import Callable, Iterator, Sequence
from heapq import merge
from itertools import islice
from typing import Any

from django.db.models import Exists, OuterRef, Q, Value
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from changke.facts.consents.models import Consent
from changke.facts.customers.models import Advising, FormerTag, Note, Tag
from changke.facts.events.models import Event
from changke.facts.purchases.models import Line, Opening, Receipt, ReceiptKind
from changke.facts.scores.models import ScoreValue
from changke.facts.visits.models import Visit
from changke.foundation.periods import business_date
from changke.interfaces import words
from changke.interfaces.web import formats
from changke.interfaces.web.customers import stays, told
from changke.interfaces.web.customers.brought import referrals
from changke.interfaces.web.customers.happenings import Asked, Happening, behind, sorting
from changke.profiles.segments.models import SegmentMember

Source = Callable[[Asked, int, int], Iterator[Happening]]

PAGE = 30
LINES_SHOWN = 6
"""Lines of a receipt that are told; a long one says how many more there are."""


KINDS: dict[str, str | Promise] = {
    "": pgettext_lazy("timeline", "All"),
    "bought": _("Purchases"),
    "visit": _("Visits"),
    "return": _("Returns"),
    "note": _("Notes"),
    "stage": _("Stages"),
    "segment": _("Segments"),
    "followup": _("Follow-ups"),
    "referral": _("Referrals"),
    "other": pgettext_lazy("timeline", "Other"),
}

CAUSES = {
    "fact": _("because of a new record"),
    "time": _("because time went by"),
    "late": _("because of a late or withdrawn record"),
    "rule": _("because the rules of the stages changed"),
    "first_run": _("when the stages were first computed"),
}
PURPOSES = {"service": _("Treatment"), "trial": _("Trial")}
"""Codes that machines write for the purpose of a visit; what a person wrote stands as written."""

UNMASK_REASONS = {
    "call": _("to call her"),
    "book": _("to book a visit"),
    "verify": _("to check that it is her"),
}
"""Why a person looks at a number, as she chooses on the page."""
LOOKED_BECAUSE: dict[str, str | Promise] = {**UNMASK_REASONS, "message": _("to write to her")}
"""And as machines say besides."""


def page_of(asked: Asked, *, size: int = PAGE) -> tuple[list[Happening], str]:
    """The next things that happened, and the position for asking on; empty at the beginning of the story."""
    filled = _filled(asked)
    sources = [
        source(asked, number, size + 1)
        for number, (kinds, source) in enumerate(SOURCES)
        if (not asked.kind or asked.kind in kinds) and (source not in RARE or source in filled)
    ]
    found = list(islice(merge(*sources, key=lambda one: one.sorting), size + 1))
    return found[:size], found[size - 1].position if len(found) > size else ""


def _filled(asked: Asked) -> set[Source]:
    """Those of the `RARE` sources that have something of her: one question, so that the others need not be asked."""
    if asked.kind:
        return set(RARE)
    asking = [
        model.objects.filter(customer_id__in=asked.records).order_by().values_list(Value(number))[:1]
        for number, models in enumerate(RARE.values())
        for model in models
    ]
    found = {number for (number,) in asking[0].union(*asking[1:])}
    return {source for number, source in enumerate(RARE) if number in found}


def _facts(model: Any, asked: Asked) -> Any:
    return model.objects.filter(customer_id__in=asked.records, withdrawn_by__isnull=True)


def _receipts(asked: Asked, number: int, size: int) -> Iterator[Happening]:
    same_day = _facts(Visit, asked).filter(business_date=OuterRef("business_date"), store=OuterRef("store"))
    rows = _facts(Receipt, asked).select_related("store", "staff").annotate(came=Exists(same_day))
    if asked.kind == "bought":
        rows = rows.exclude(kind=ReceiptKind.RETURN)
    elif asked.kind == "return":
        rows = rows.filter(kind=ReceiptKind.RETURN)
    found: Sequence[Receipt] = behind(rows, asked, number, "happened_at", size)
    lines: dict[int, list[str]] = {}
    for line in Line.objects.filter(receipt__in=found).select_related("item").order_by("receipt_id", "position"):
        lines.setdefault(line.receipt_id, []).append(_line(line))
    for one in found:
        title, tone, icon = _receipt_face(one)
        yield Happening(
            "return" if one.kind == ReceiptKind.RETURN else "bought",
            one.happened_at,
            one.business_date,
            title,
            text=_told(lines.get(one.pk, []), one),
            who=_by(one.store, one.staff),
            tone=tone,
            icon=icon,
            label=gettext("Came to the store") if not asked.kind and getattr(one, "came", False) else "",
            sorting=sorting(one.happened_at, number, one.pk),
        )


def _receipt_face(one: Receipt) -> tuple[str, str, str]:
    if one.kind == ReceiptKind.RETURN:
        return (
            gettext("Gave back %(amount)s") % {"amount": _money(one.cash_minor or one.consumed_minor)},
            "warn",
            "return",
        )
    if one.kind == ReceiptKind.USE:
        return gettext("Used a card, worth %(amount)s") % {"amount": _money(one.consumed_minor)}, "pri", "use"
    return gettext("Bought for %(amount)s") % {"amount": _money(one.cash_minor)}, "good", "purchase"


def _line(line: Line) -> str:
    name = line.item.name if line.item else line.description or gettext("Item")
    quantity = line.quantity_milli / 1000
    return name if quantity == 1 else f"{name} × {quantity:g}"


def _told(lines: list[str], one: Receipt) -> str:
    told = formats.enumeration(lines[:LINES_SHOWN], get_language() or "zh-hans")
    if len(lines) > LINES_SHOWN:
        told = gettext("%(items)s and %(more)s more") % {"items": told, "more": len(lines) - LINES_SHOWN}
    if one.kind == ReceiptKind.RETURN and one.original_number:
        of = gettext("From receipt %(number)s") % {"number": one.original_number}
        return f"{told} · {of}" if told else of
    return told


def _visits(asked: Asked, number: int, size: int) -> Iterator[Happening]:
    rows = _facts(Visit, asked).select_related("store", "staff")
    if not asked.kind:
        # A visit on which she bought is told by its receipt.
        rows = rows.filter(
            ~Exists(_facts(Receipt, asked).filter(business_date=OuterRef("business_date"), store=OuterRef("store")))
        )
    for one in behind(rows, asked, number, "happened_at", size):
        yield Happening(
            "visit",
            one.happened_at,
            one.business_date,
            gettext("Came to the store"),
            text=str(PURPOSES.get(one.purpose, one.purpose)),
            who=_by(one.store, one.staff),
            tone="pri",
            icon="visit",
            sorting=sorting(one.happened_at, number, one.pk),
        )


def _openings(asked: Asked, number: int, size: int) -> Iterator[Happening]:
    for one in behind(_facts(Opening, asked).select_related("store"), asked, number, "happened_at", size):
        yield Happening(
            "bought",
            one.happened_at,
            one.business_date,
            gettext("From the old system: %(count)s purchases, %(amount)s")
            % {"count": formats.number(one.purchases), "amount": _money(one.cash_minor)},
            text=gettext("Between %(first)s and %(last)s")
            % {"first": f"{one.first_on:%Y-%m-%d}", "last": f"{one.last_on:%Y-%m-%d}"},
            who=_by(one.store, None),
            icon="opening",
            sorting=sorting(one.happened_at, number, one.pk),
        )


def _notes(asked: Asked, number: int, size: int) -> Iterator[Happening]:
    rows = Note.objects.filter(customer_id__in=asked.records).select_related("written_by")
    for one in behind(rows, asked, number, "written_at", size):
        yield Happening(
            "note",
            one.written_at,
            business_date(one.written_at, asked.time_zone),
            gettext("Note"),
            text=one.text,
            who=one.written_by.name if one.written_by else "",
            icon="photo" if one.photo else "note",
            photo=reverse("customer-photo", args=[asked.customer_id, one.pk]) if one.photo else "",
            sorting=sorting(one.written_at, number, one.pk),
        )


Face = tuple[str, str, str, str]
"""Title, text, tone, icon."""


def _events(asked: Asked, number: int, size: int) -> Iterator[Happening]:
    kinds = [kind for kind, (group, _face) in EVENTS.items() if not asked.kind or asked.kind == group]
    rows = _facts(Event, asked).filter(kind__in=kinds).select_related("store", "staff")
    # Every model records its own changes; the page follows one of them.
    rows = rows.filter(~Q(kind="stage.changed") | Q(data__model=asked.model))
    # A tag of ours is told by its row; its event has the number of it.
    rows = rows.exclude(kind="tag.added", staff__isnull=False)
    for one in behind(rows, asked, number, "happened_at", size):
        group, face = EVENTS[one.kind]
        title, text, tone, icon = face(one, asked)
        yield Happening(
            group,
            one.happened_at,
            one.business_date,
            title,
            text=text,
            who=_who(one),
            tone=tone,
            icon=icon,
            sorting=sorting(one.happened_at, number, one.pk),
        )


def _who(one: Event) -> str:
    """Who did it, where the event says so."""
    if one.staff:
        return one.staff.name
    return gettext("Another system") if str(one.data.get("by", "")).startswith("key:") else ""


def _stage(one: Event, asked: Asked) -> Face:
    said = {key: asked.stage_words.get(one.data.get(key) or "", one.data.get(key) or "") for key in ("from", "to")}
    cause = str(CAUSES.get(one.data.get("cause", ""), ""))
    tone = {"silent": "warn", "lost": "bad", "mature": "good", "growth": "good"}.get(one.data.get("to", ""), "info")
    if said["from"]:
        return gettext("%(before)s → %(after)s") % {"before": said["from"], "after": said["to"]}, cause, tone, "stage"
    return gettext("Stage: %(stage)s") % {"stage": said["to"]}, cause, tone, "stage"


def _followup(one: Event, asked: Asked) -> Face:
    outcome = str(words.OUTCOMES.get(one.data.get("outcome", ""), ""))
    reason = str(words.REASON_LABELS.get(one.data.get("reason", ""), ""))
    if because := one.data.get("because"):
        reason = f"{reason} · {words.CAUSE_LABELS.get(because, because)}"
    if until := one.data.get("until"):
        reason = gettext("%(reason)s, again on %(day)s") % {"reason": reason, "day": until}
    return gettext("Follow-up: %(outcome)s") % {"outcome": outcome}, reason, "info", "followup"


def _unmasked(one: Event, asked: Asked) -> Face:
    return (
        gettext("Looked at the whole phone number"),
        str(LOOKED_BECAUSE.get(one.data.get("reason", ""), "")),
        "",
        "eye",
    )


def _complaint(one: Event, asked: Asked) -> Face:
    """About what, as whoever recorded it called it."""
    about = one.data.get("topic") or one.data.get("about")
    return gettext("Complained"), about if isinstance(about, str) else "", "bad", "alert"


def _registered(one: Event, asked: Asked) -> Face:
    source = str(one.data.get("source") or "")
    return (
        gettext("Written down as a customer"),
        gettext("First source: %(source)s") % {"source": source} if source else "",
        "good",
        "user-plus",
    )


REQUESTS = {"export": _("Asked for a copy of her data"), "erase": _("Asked to be forgotten")}


def _requested(one: Event, asked: Asked) -> Face:
    what = REQUESTS.get(str(one.data.get("what")), _("Asked for what is hers by law"))
    return str(what), gettext("On her own page"), "warn", "shield"


def _changed(one: Event, asked: Asked) -> Face:
    language = get_language() or "zh-hans"
    fields = [str(FIELD_WORDS.get(name, name)) for name in one.data.get("fields", [])]
    return gettext("Profile changed"), formats.enumeration(fields, language), "", "edit"


def _tagged(one: Event, asked: Asked) -> Face:
    """As another system says it; our own tags are told by their rows, with their evidence."""
    tag = one.data.get("tag")
    return (
        (gettext("Tag added: %(tag)s") % {"tag": tag} if isinstance(tag, str) else gettext("Tag added")),
        "",
        "",
        "tag",
    )


def _warned(one: Event, asked: Asked) -> Face:
    outlook = formats.basis_points(int(one.data.get("outlook_bp") or 0), 0)
    by = str(words.FIRED_LABELS.get(one.data.get("fired_by", ""), ""))
    return gettext("May be leaving: outlook %(outlook)s") % {"outlook": outlook}, by, "warn", "alert"


def _ended(one: Event, asked: Asked) -> Face:
    ended = str(words.WARNING_ENDS.get(one.data.get("ended", ""), ""))
    tone = "good" if str(one.data.get("ended", "")).startswith("came") else ""
    return gettext("Warning over: %(how)s") % {"how": ended}, "", tone, "alert"


def _opened(one: Event, asked: Asked) -> Face:
    return gettext("Opened a page or message of ours"), "", "", "screen"


FIELD_WORDS: dict[str, str | Promise] = {
    "name": pgettext_lazy("customer", "Name"),
    "gender": _("Gender"),
    "birth_year": _("Year of birth"),
    "birth_month": _("Month of birth"),
    "birth_day": _("Day of birth"),
    "occupation": _("Occupation"),
    "income_band": _("Income"),
    "city": _("City"),
    "interests": _("Interests"),
    "living": _("Living situation"),
    "allergies": _("Allergies"),
    "source": _("First source"),
    "home_store": _("Home store"),
    "adviser": _("Adviser"),
}

EVENTS: dict[str, tuple[str, Callable[[Event, Asked], Face]]] = {
    "stage.changed": ("stage", _stage),
    "followup.recorded": ("followup", _followup),
    "phone.unmasked": ("followup", _unmasked),
    "complaint.received": ("note", _complaint),
    "warning.raised": ("followup", _warned),
    "warning.closed": ("followup", _ended),
    "customer.registered": ("other", _registered),
    "customer.changed": ("other", _changed),
    "data.requested": ("other", _requested),
    "tag.added": ("other", _tagged),
    "app.opened": ("other", _opened),
}
"""Kind of event -> the filter it belongs to, and how it is told."""
BY_THEIR_ROWS = frozenset({"note.written"})
"""Kinds that say only that a row is there, which is told itself."""

SOURCES: tuple[tuple[frozenset[str], Source], ...] = (
    (frozenset({"stage", "followup", "note", "other"}), _events),
    (frozenset({"note"}), _notes),
    (frozenset({"bought", "return"}), _receipts),
    (frozenset({"visit"}), _visits),
    (frozenset({"bought"}), _openings),
    (frozenset({"referral"}), referrals),
    (frozenset({"other"}), told.consents),
    (frozenset({"other"}), told.tags),
    (frozenset({"other"}), told.merges),
    (frozenset({"other"}), told.advisers),
    (frozenset({"other"}), told.scores),
    (frozenset({"segment"}), stays.entered),
    (frozenset({"segment"}), stays.left),
)
"""A position names its source by its place: further ones come last."""
RARE: dict[Source, tuple[Any, ...]] = {
    _notes: (Note,),
    _visits: (Visit,),
    _openings: (Opening,),
    told.consents: (Consent,),
    told.tags: (Tag, FormerTag),
    told.advisers: (Advising,),
    told.scores: (ScoreValue,),
    stays.entered: (SegmentMember,),
    stays.left: (SegmentMember,),
}
"""What is told from tables in which most customers do not stand."""


def _by(store: Any, staff: Any) -> str:
    return " · ".join(one.name for one in (store, staff) if one)


def _money(minor: int) -> str:
    return formats.money(minor, formats.currency.get(), get_language() or "zh-hans")
