"""Customers as the list shows them, with its filters, and the chain's own fields and scores that whoever asks may see.

The header is one that our own import understands."""

from collections.abc import Iterator
from itertools import islice

from django.http import QueryDict
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from changke.facts.catalog.models import Category
from changke.facts.customers.models import Customer, Tag
from changke.facts.customers.queries import names_of
from changke.facts.customers.rules import local_phone, masked, masked_phone
from changke.facts.fields import rules
from changke.facts.fields.models import Field, FieldValue
from changke.facts.fields.queries import fields_for
from changke.facts.scores.models import Score
from changke.facts.scores.queries import latest_of, scores_for
from changke.interfaces.exporters.shape import DATASETS, Ask, Cell, Column, Dataset, Row
from changke.interfaces.referrals import referrers_seen
from changke.interfaces.web.customers import may_ask, narrowed
from changke.interfaces.web.customers.filters import read_filters
from changke.profiles.attributes.models import Profile
from changke.profiles.value.models import Prediction

CHUNK = 2_000
COLUMNS = (
    Column("customer_id", _("Customer number"), "int"),
    Column("name", _("Name")),
    Column("phone", _("Phone")),
    Column("other_phones", _("Other phones")),
    Column("email", _("E-mail")),
    Column("wecom_id", _("WeCom ID")),
    Column("union_id", _("Union ID")),
    Column("member_card", _("Member card")),
    Column("gender", _("Gender")),
    Column("birthday", _("Birthday")),
    Column("occupation", _("Occupation")),
    Column("income_band", _("Income")),
    Column("city", _("City")),
    Column("interests", _("Interests")),
    Column("living", _("Living situation")),
    Column("allergies", _("Allergies")),
    Column("home_store", _("Home store")),
    Column("adviser", _("Adviser")),
    Column("source", _("Source")),
    Column("known_on", _("Known since"), "day"),
    Column("tags", _("Tags")),
    Column("stage", _("Stage")),
    Column("value_group", _("Value group")),
    Column("need_group", _("Need group")),
    Column("service_preference", _("Service preference")),
    Column("last_active_on", _("Last active on"), "day"),
    Column("visits_365d", _("Visits in 365 days"), "int"),
    Column("net_spend", _("Net spend"), "money"),
    Column("value_at_risk", _("Value at risk"), "money"),
    Column("was_brought", _("Brought by a customer")),
    Column("referrer_id", _("Referrer number"), "int"),
    Column("referrer_name", _("Name of the referrer")),
    Column("referred_customers", _("Customers she brought"), "int"),
    Column("referral_value", _("Referral value"), "money"),
    Column("referral_value_365d", _("Referral value this year"), "money"),
    Column("outlook_bp", _("Outlook in basis points"), "int"),
    Column("expected_purchases_milli", _("Expected purchase days in thousandths"), "int"),
    Column("expected_spend", _("Expected spend"), "money"),
    Column("value_year", _("Annual value"), "money"),
    Column("value_year_low", _("Annual value, four of five above"), "money"),
    Column("value_year_high", _("Annual value, four of five below"), "money"),
    Column("worth", _("Discounted worth"), "money"),
    Column("horizon_days", _("Horizon in days"), "int"),
    Column("predicted_on", _("Expected as of"), "day"),
)
EXPECTED = (
    "p_active_bp", "expected_purchases_milli", "expected_spend_minor", "value_year_minor",
    "value_year_low_minor", "value_year_high_minor", "worth_minor", "horizon_days", "as_of",
)  # fmt: skip
NOTHING_EXPECTED: tuple[Cell, ...] = (None,) * len(EXPECTED)
WANTED = (
    "stage", "value_group", "need_group_id", "service_preference_id", "value_at_risk", "net_spend", "visits_365d",
    "last_active_on", "was_brought",
    "referred_customers", "referral_value", "referral_value_365d",
)  # fmt: skip


def count(ask: Ask) -> int:
    return narrowed.count_everybody(read_filters(QueryDict(ask.filters)), ask.scope)


def check(ask: Ask) -> None:
    if ask.role:
        may_ask.check(read_filters(QueryDict(ask.filters)), ask.role)


def rows(ask: Ask) -> Iterator[Row]:
    fields, scores = _fields(ask), scores_for(ask.role or None)
    categories: dict[int | None, str] = dict(Category.objects.values_list("pk", "name"))
    ids = narrowed.everybody(read_filters(QueryDict(ask.filters)), ask.scope)
    while chunk := list(islice(ids, CHUNK)):
        people = Customer.objects.select_related("home_store", "adviser").in_bulk(chunk)
        about = {
            row.pop("customer_id"): row for row in Profile.objects.filter(pk__in=chunk).values("customer_id", *WANTED)
        }
        names, tags, expected = names_of(chunk), _tags(chunk), _expected(chunk)
        referrers = referrers_seen(chunk, scope=ask.scope)
        own, said = _own_values(chunk, fields), _said(chunk, scores)
        for pk in chunk:
            if (one := people.get(pk)) is not None:
                profile = about.get(pk, {})
                yield (
                    pk,
                    one.name,
                    *_known_as(names.get(pk, {}), ask),
                    one.gender,
                    _birthday(one),
                    one.occupation,
                    one.income_band,
                    one.city,
                    one.interests,
                    one.living,
                    one.allergies,
                    one.home_store.name if one.home_store else "",
                    one.adviser.name if one.adviser else "",
                    one.source,
                    one.known_on,
                    tags.get(pk, ""),
                    profile.get("stage", ""),
                    profile.get("value_group") or "",
                    categories.get(profile.get("need_group_id"), ""),
                    categories.get(profile.get("service_preference_id"), ""),
                    profile.get("last_active_on"),
                    profile.get("visits_365d"),
                    profile.get("net_spend"),
                    profile.get("value_at_risk"),
                    _cell(profile.get("was_brought", False)),
                    *_named_by(referrers.get(pk)),
                    profile.get("referred_customers"),
                    profile.get("referral_value"),
                    profile.get("referral_value_365d"),
                    *expected.get(pk, NOTHING_EXPECTED),
                    *own.get(pk, [None] * len(fields)),
                    *said.get(pk, [None] * len(scores)),
                )


def _expected(ids: list[int]) -> dict[int, tuple[Cell, ...]]:
    """What is expected of each; nobody who never bought is among them."""
    rows = Prediction.objects.filter(pk__in=ids).values_list("pk", *EXPECTED)
    return {pk: cells for pk, *cells in rows}


def _named_by(referrer: Customer | None) -> tuple[Cell, Cell]:
    """Number and name of who brought her; empty, too, where that one is not the asker's to see."""
    return (referrer.pk, referrer.name) if referrer else (None, "")


def _known_as(names: dict[str, list[str]], ask: Ask) -> tuple[str, ...]:
    """Phone, other phones, e-mail, WeCom, union id, card. Of all but phones the first, as a load takes them in; the
    others stand among the names (`people.py`)."""
    first, *others = names.get("phone", [""])
    shown = [", ".join(phone_shown(one, ask) for one in others)]
    for kind in ("email", "wecom", "unionid", "card"):
        value = names.get(kind, [""])[0]
        shown.append(value if ask.shows_phones else masked(kind, value) if value else "")
    return phone_shown(first, ask), *shown


def phone_shown(e164: str, ask: Ask) -> str:
    if not e164:
        return ""
    return local_phone(e164) if ask.shows_phones else masked_phone(e164)


def _birthday(one: Customer) -> str:
    if one.birth_month is None or one.birth_day is None:
        return str(one.birth_year or "")
    return f"{one.birth_year or ''}{'-' if one.birth_year else ''}{one.birth_month:02}-{one.birth_day:02}"


def _tags(ids: list[int]) -> dict[int, str]:
    found: dict[int, list[str]] = {}
    for customer_id, name in Tag.objects.filter(customer__in=ids).order_by("name").values_list("customer_id", "name"):
        found.setdefault(customer_id, []).append(name)
    return {pk: "、".join(names) for pk, names in found.items()}


KINDS = {"number": "int", "money": "money", "date": "day"}
"""Of an own field to a column; the others are texts."""


def own_columns(ask: Ask) -> tuple[Column, ...]:
    language = get_language() or "zh-hans"
    fields = tuple(Column(field.key, field.label(language), KINDS.get(field.kind, "text")) for field in _fields(ask))
    scores = tuple(
        Column(f"score_{one.key}", _named(one, language), SCORED.get(one.kind, "text"))
        for one in scores_for(ask.role or None)
    )
    return fields + scores


SCORED = {"chance": "int", "number": "int", "money": "money"}
"""Of a score to a column. A chance stands in basis points, as the house's own do."""


def _named(one: Score, language: str) -> str:
    label = one.label(language)
    return gettext("%(score)s (basis points)") % {"score": label} if one.kind == "chance" else label


def _said(ids: list[int], scores: list[Score]) -> dict[int, list[Cell]]:
    """The latest of each score; one query a chunk, none where there are no scores."""
    place = {one.pk: position for position, one in enumerate(scores)}
    found: dict[int, list[Cell]] = {}
    for customer, some in latest_of(ids, scores).items():
        cells: list[Cell] = [None] * len(scores)
        for one in some:
            cells[place[one.score.pk]] = one.text if one.number is None else one.number
        found[customer] = cells
    return found


def _fields(ask: Ask) -> list[Field]:
    return fields_for(ask.role or None)


def _own_values(ids: list[int], fields: list[Field]) -> dict[int, list[Cell]]:
    """One query a chunk; none where the chain has no fields of its own."""
    place = {field.pk: position for position, field in enumerate(fields)}
    found: dict[int, list[Cell]] = {}
    if not fields:
        return found
    for row in FieldValue.objects.filter(customer__in=ids, field__in=place):
        field = fields[place[row.field_id]]
        cells = found.setdefault(row.customer_id, [None] * len(fields))
        cells[place[row.field_id]] = row.day or _cell(rules.plain(field.kind, row.text, row.number, row.day))
    return found


def _cell(value: rules.Plain) -> Cell:
    """As a person reads it, and as `rules.read` reads it again."""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return "、".join(value) if isinstance(value, list) else value


DATASETS.register("customers", Dataset("customers", _("Customers"), COLUMNS, rows, count, own=own_columns, check=check))
