"""The audit trail in words: actions, subjects, fields and values, as page, API and export say them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, pgettext
from django.utils.translation import gettext_lazy as _

from changke.facts.catalog.models import Category, Item
from changke.facts.catalog.rules import percent
from changke.facts.customers.models import Customer, TagGroup, TagWord
from changke.facts.fields.models import Field
from changke.facts.fields.queries import fields_for
from changke.facts.scores.models import Score
from changke.foundation.access.models import ApiKey, OwnRole, Staff
from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.rules import MASK
from changke.foundation.batches.models import Batch
from changke.foundation.organisation.models import Region, Store
from changke.interfaces import words
from changke.interfaces.web import formats
from changke.interfaces.web.customers import own_fields
from changke.interfaces.web.customers.timeline import FIELD_WORDS, UNMASK_REASONS
from changke.interfaces.webhooks.models import WebhookAddress
from changke.profiles.affinity.models import Need, TagRule
from changke.profiles.segments.models import Segment

Words = str | Promise

ACTIONS: dict[str, Words] = {
    "chain.founded": _("Chain founded"),
    "chain.changed": _("Settings of the chain changed"),
    "region.added": _("Region added"),
    "region.changed": _("Region changed"),
    "region.removed": _("Region removed"),
    "store.added": _("Store added"),
    "store.changed": _("Store changed"),
    "staff.added": _("Person added to the staff"),
    "staff.changed": _("Person of the staff changed"),
    "staff.password_set": _("New password set"),
    "staff.reset_link_made": _("Link for a new password made"),
    "staff.second_factor_set": _("Second factor set up"),
    "staff.second_factor_reset": _("Second factor reset"),
    "staff.recovery_codes_renewed": _("Recovery codes renewed"),
    "role.added": _("Role made"),
    "role.changed": _("Role changed"),
    "role.removed": _("Role removed"),
    "role.granted": _("Role granted"),
    "role.taken_back": _("Role taken back"),
    "key.issued": _("Key of a machine made"),
    "key.revoked": _("Key of a machine revoked"),
    "key.rotated": _("Key of a machine renewed"),
    "device.bound": _("Device bound to a store"),
    "device.revoked": _("Device given up"),
    "staff.pin_set": _("PIN set"),
    "login.succeeded": _("Logged in"),
    "login.failed": _("Log-in failed"),
    "stages.published": _("Stage model published"),
    "stages.switched": _("Stage model switched on or off"),
    "stages.default_chosen": _("Stage model of the lists chosen"),
    "batch.run": _("Import or bulk change done"),
    "batch.undone": _("Import or bulk change undone"),
    "customers.bulk_edited": _("Many customers changed"),
    "customers.handed_over": _("Customers handed over"),
    "customer.merged": _("Two records of one person merged"),
    "customer.unmerged": _("Merged records separated"),
    "customer.named": _("Phone, address or number added"),
    "customer.unnamed": _("Phone, address or number taken off"),
    "customer.not_same": _("Two records called two persons"),
    "customer.asked_again": _("Two persons may be one after all"),
    "customer.registered": _("Customer registered"),
    "export.made": _("Data exported"),
    "data.published": _("Analysts' file written"),
    "webhook.added": _("Web shop connected"),
    "webhook.changed": _("Connection of a web shop changed"),
    "webhook.place": _("Store of a place of a web shop chosen"),
    "webhook.rotated": _("Secret of a web shop changed"),
    "privacy.answered": _("Privacy request of a web shop answered"),
    "customer.changed": _("Profile of a customer changed"),
    "customer.exported": _("Data of a customer handed out"),
    "customer.erased": _("Customer erased"),
    "profile.changed": _("Own fields of a customer changed"),
    "field.defined": _("Field added"),
    "field.changed": _("Field changed"),
    "field.retired": _("Field retired"),
    "field.revived": _("Field asked again"),
    "score.defined": _("Score added"),
    "score.changed": _("Score changed"),
    "score.retired": _("Score retired"),
    "score.revived": _("Score asked again"),
    "phone.unmasked": _("Looked at a whole phone number"),
    "tag.added": _("Tag added"),
    "tag.removed": _("Tag taken off"),
    "tag_group.changed": _("Group of tags changed"),
    "tag_group.removed": _("Group of tags removed"),
    "tag_word.changed": _("Tag decided about"),
    "tag_word.removed": _("Decision about a tag taken back"),
    "item.added": _("Item added"),
    "item.changed": _("Item changed"),
    "category.added": _("Category added"),
    "category.changed": _("Category changed"),
    "tag_rule.changed": _("Rule that tags changed"),
    "tag_rule.removed": _("Rule that tags removed"),
    "need.changed": _("What a tag asks for changed"),
    "need.removed": _("What a tag asks for removed"),
    "value_rules.changed": _("Numbers of the values changed"),
    "segment.changed": _("Segment changed"),
    "segment.frozen": _("List of a segment frozen"),
    "segment.removed": _("Segment removed"),
    "risk_rule.chosen": _("Rule that warns chosen"),
    "service_line.switched": _("Warnings about a line of services switched"),
    "audit.restored": _("Earlier values put back"),
    "audit.restated": _("Said again without whom somebody searched for"),
    "sending.confirmed": _("Confirmed that this installation writes to customers"),
    "backup.restored": _("A backup was put in the place of the data"),
}
"""What was done, in words. A new action needs its line here; a house test says so."""

FIELDS: dict[str, Words] = {
    **FIELD_WORDS,
    "silent_after_days": _("Days until silent"),
    "lost_after_days": _("Days until lost"),
    "mature_visit_days": _("Visit days until mature"),
    "gap_weight": _("Weight of the chain's pace"),
    "activity_kinds": _("What counts as activity"),
    "time_zone": _("Time zone"),
    "language": _("Language"),
    "currency": _("Currency"),
    "bands": _("Bands of the grid"),
    "target_age_from": _("Made from age"),
    "target_age_until": _("Made until age"),
    "horizon_days": _("Days that are looked ahead"),
    "margin_percent": _("Share of the money that stays, in percent"),
    "calendar": _("Holidays that move"),
    "worth_years": _("Years of the discounted worth"),
    "discount_percent": _("How much less money is worth a year later, in percent"),
    "item_kind": _("Kind"),
    "price_minor": _("Price"),
    "unit_cost_minor": _("Cost"),
    "usual_cycle_days": _("Usual cycle in days"),
    "margin_basis_points": _("Margin"),
    "second_factor_required": _("Second factor required"),
    "opening_days": _("Open on"),
    "is_open": _("Open"),
    "region": _("Region"),
    "parent": _("Part of"),
    "code": _("Code"),
    "username": _("User name"),
    "role": _("Role"),
    "stores": _("Stores"),
    "store": _("Store"),
    "place": _("What the shop calls it"),
    "keep_days": _("Days that letters are kept"),
    "allowed_networks": _("Only from these networks"),
    "is_active": _("May log in"),
    "password": _("Password"),
    "prefix": _("Begins with"),
    "capabilities": _("May do"),
    "until": _("Until"),
    "node": _("Where"),
    "title": _("Title"),
    "kind": _("Kind"),
    "total": _("Rows"),
    "created_count": _("Created"),
    "updated_count": _("Changed"),
    "skipped_count": _("Skipped"),
    "refused_count": _("Refused"),
    "definition": _("Definition"),
    "in_use": _("In use"),
    "default": _("Lists go by"),
    "settings": _("Numbers"),
    "version": _("Version"),
    "tag": _("Tag"),
    "group": _("Group"),
    "batch": _("Batch"),
    "receivers": _("Who takes over"),
    "customers": _("Customers"),
    "text": _("Condition"),
    "is_tracked": _("Who enters and leaves is written down"),
    "only_one": _("One answer only"),
    "stale_after_days": _("Comes off after so many days"),
    "occasion": _("When"),
    "item": _("Item"),
    "category": _("Category"),
    "labels": _("Names"),
    "choices": _("Choices"),
    "required": _("Required"),
    "minimum": _("At least"),
    "maximum": _("At most"),
    "roles": _("Who sees it"),
    "position": _("Position"),
    "key": _("Key"),
    "reason": _("Reason"),
    "line": _("Line"),
    "who": _("Who"),
    "threshold": _("Threshold"),
    "minimum_silence_days": _("Shortest silence in days"),
    "least_purchases": _("Counts from which purchase on"),
    "latest_days": _("At the latest after silent days"),
    "per_line": _("Warn of lines of services too"),
    "is_on": _("Switched on"),
    "fields": _("Fields"),
}

NOTHING = "–"
LONGEST = 400
"""Characters of one value on a page: a stage model is longer than anybody reads in a table."""


@dataclass(frozen=True)
class Change:
    """One field of a line, both sides in words."""

    name: str
    words: str
    before: str
    after: str


@dataclass
class Names:
    """Names for the ids that lines mention, read at once for a page of them."""

    stores: Mapping[int, str] = field(default_factory=dict)
    regions: Mapping[int, str] = field(default_factory=dict)
    staff: Mapping[int, str] = field(default_factory=dict)
    categories: Mapping[int, str] = field(default_factory=dict)
    subjects: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, Field] = field(default_factory=dict)
    """The chain's own fields that the reader may see."""


OF_PERSONS = {"staff", "customer", "profile"}
"""Subjects that are called by a person's name."""

SUBJECT_MODELS = {
    "store": Store,
    "region": Region,
    "staff": Staff,
    "key": ApiKey,
    "role": OwnRole,
    "batch": Batch,
    "customer": Customer,
    "tag_group": TagGroup,
    "tag_word": TagWord,
    "tag_rule": TagRule,
    "need": Need,
    "item": Item,
    "category": Category,
    "segment": Segment,
    "profile": Customer,
    "field": Field,
    "score": Score,
    "webhook": WebhookAddress,
}
OF_CATEGORIES = {"item", "tag_rule", "need"}
PLACES = {
    "chain": lambda key: reverse("settings"),
    "store": lambda key: reverse("settings-store", args=[key]),
    "staff": lambda key: reverse("settings-person", args=[key]),
    "key": lambda key: reverse("settings-keys"),
    "region": lambda key: reverse("settings-stores"),
    "role": lambda key: reverse("settings-roles"),
    "tag_group": lambda key: reverse("settings-tags"),
    "tag_word": lambda key: reverse("settings-tags"),
    "tag_rule": lambda key: reverse("settings-tags"),
    "need": lambda key: reverse("settings-tags"),
    "item": lambda key: reverse("item", args=[key]),
    "category": lambda key: reverse("category", args=[key]),
    "value_rules": lambda key: reverse("value-numbers"),
    "risk_rule": lambda key: reverse("risk-rules"),
    "service_line": lambda key: reverse("risk-lines"),
    "batch": lambda key: reverse("imports-result", args=[key]),
    "customer": lambda key: reverse("customer", args=[key]),
    "profile": lambda key: reverse("customer", args=[key]),
    "field": lambda key: reverse("settings-field", args=[key]),
    "score": lambda key: reverse("score", args=[key]),
    "webhook": lambda key: reverse("webhook-address", args=[key]),
}
"""Where the thing itself is looked at."""


def names_for(lines: Iterable[AuditLine], role: str) -> Names:
    wanted: dict[str, set[int]] = {}
    for line in lines:
        kind, _colon, key = line.subject.partition(":")
        if kind in SUBJECT_MODELS and key.isdigit():
            wanted.setdefault(kind, set()).add(int(key))
    subjects = {
        f"{kind}:{one.pk}": str(one) if kind != "key" else one.name
        for kind, ids in wanted.items()
        for one in SUBJECT_MODELS[kind].objects.filter(pk__in=ids)  # type: ignore[attr-defined]
    }
    return Names(
        stores=dict(Store.objects.values_list("pk", "name")),
        regions=dict(Region.objects.values_list("pk", "name")),
        staff=dict(Staff.objects.values_list("pk", "name")),
        categories=dict(Category.objects.values_list("pk", "name"))
        if {"item", "tag_rule", "need"} & set(wanted)
        else {},
        subjects=subjects,
        own={one.key: one for one in fields_for(role, retired=True)},
    )


def action(code: str) -> str:
    return str(ACTIONS.get(code, code))


def subject(line: AuditLine, names: Names) -> str:
    """What it was done to: its name today, else what the line called it."""
    kind = line.subject.partition(":")[0]
    if kind == "chain":
        return gettext("The chain")
    if kind == "risk_rule":
        return gettext("The rule that warns")
    if kind == "stages":
        return line.subject.partition(":")[2].upper()
    if line.subject in names.subjects:
        return names.subjects[line.subject]
    held = {**(line.before or {}), **(line.after or {})}
    return str(held.get("name") or held.get("title") or line.subject)


def place(line: AuditLine) -> str:
    kind, _colon, key = line.subject.partition(":")
    return PLACES[kind](key) if kind in PLACES and key not in {"", "0"} else ""


def actor(line: AuditLine) -> str:
    if line.actor_kind == "system":
        return (
            gettext("The house (%(name)s)") % {"name": line.actor_name} if line.actor_name else gettext("Nobody known")
        )
    return line.actor_name


def changes(line: AuditLine, names: Names) -> list[Change]:
    before, after = line.before or {}, line.after or {}
    if line.subject.startswith("profile:"):
        return [
            Change(key, one.label(get_language() or "zh-hans"), *(own(one, side.get(key)) for side in (before, after)))
            for key, one in names.own.items()
            if key in before or key in after
        ]
    found = []
    for name in sorted({*before, *after}, key=lambda one: list(FIELDS).index(one) if one in FIELDS else 999):
        was, is_now = _what_differs(before.get(name), after.get(name))
        found.append(Change(name, _label(name, line), value(name, was, names), value(name, is_now, names)))
    return found


def _what_differs(was: object, is_now: object) -> tuple[object, object]:
    """Of two groups of numbers only those that differ: nobody compares ten by eye."""
    if not (isinstance(was, dict) and isinstance(is_now, dict)):
        return was, is_now
    differing = [key for key in {**was, **is_now} if was.get(key) != is_now.get(key)]
    return {key: was.get(key) for key in differing}, {key: is_now.get(key) for key in differing}


def own(one: Field, held: object) -> str:
    """A value of the chain's own field, as it was kept then: the field may have changed since."""
    if held == MASK:
        return MASK
    return own_fields.said(one, held) or NOTHING  # type: ignore[arg-type]


def seen(held: Mapping[str, object] | None, line: AuditLine, role: str) -> dict[str, object] | None:
    """One side of a line without the fields that the reader may not see."""
    if held is None or not line.subject.startswith("profile:"):
        return None if held is None else dict(held)
    mine = {one.key for one in fields_for(role, retired=True)}
    return {key: value for key, value in held.items() if key in mine}


def label(name: str) -> str:
    return str(FIELDS.get(name, name))


def _label(name: str, line: AuditLine) -> str:
    """Words that mean something else of a person."""
    if line.subject.startswith("webhook:"):
        return {
            "source": gettext("Who calls"),
            "name": gettext("What to call it"),
            "is_active": gettext("Takes calls"),
        }.get(name, label(name))
    if name == "is_active" and line.subject.startswith("item:"):
        return gettext("In use")
    if name == "name" and line.subject.partition(":")[0] not in OF_PERSONS:
        return pgettext("thing", "Name")
    return label(name)


def value(name: str, held: object, names: Names) -> str:
    """One value as a reader would say it."""
    language = get_language() or "zh-hans"
    if held is None or held == "" or held == []:
        return NOTHING
    if isinstance(held, bool):
        return gettext("yes") if held else gettext("no")
    if name == "fields" and isinstance(held, list):
        return formats.enumeration([label(str(one)) for one in held], language)
    if isinstance(held, list):
        return formats.enumeration([_word(name, one, names) for one in held], language)
    if name == "definition" and isinstance(held, dict):
        return gettext("as published then")  # nobody reads a tree of conditions in a table
    if isinstance(held, dict):
        inside = [f"{label(str(key))}: {value(str(key), one, names)}" for key, one in held.items()]
        return "; ".join(inside)[:LONGEST]
    return _word(name, held, names)[:LONGEST]


def _word(name: str, held: object, names: Names) -> str:
    if name.endswith("_minor") and isinstance(held, int):
        return formats.money(held, formats.currency.get(), get_language() or "zh-hans")
    if name == "margin_basis_points" and isinstance(held, int):
        return f"{percent(held)} %"
    tables: dict[str, Mapping[int, str]] = {
        "category": names.categories,
        "home_store": names.stores,
        "adviser": names.staff,
        "region": names.regions,
        "parent": names.regions,
    }
    if name in tables and isinstance(held, int):
        return tables[name].get(held, f"#{held}")
    codes: dict[str, Mapping[str, Words]] = {
        "gender": words.GENDERS,
        "activity_kinds": words.ACTIVITIES,
        "item_kind": words.ITEM_KINDS,
        "role": words.ROLES,
        "reason": UNMASK_REASONS,
    }
    if name in codes:
        return str(codes[name].get(str(held), held))
    if name == "opening_days" and isinstance(held, int) and 1 <= held <= 7:
        return str(WEEKDAYS[held - 1])
    if name == "password":
        return gettext("set anew")
    return str(held)


WEEKDAYS: tuple[Words, ...] = (
    _("Monday"),
    _("Tuesday"),
    _("Wednesday"),
    _("Thursday"),
    _("Friday"),
    _("Saturday"),
    _("Sunday"),
)

BREACHES: dict[str, Words] = {
    "altered": _("was changed afterwards"),
    "missing": _("was deleted"),
    "slipped_in": _("was smuggled in"),
    "blanked": _("lost its values without an erasure"),
    "seal_altered": _("is a seal that was changed"),
    "seal_missing": _("follows a seal that is missing"),
    "cut_off": _("is a seal known outside the database and gone inside"),
}
