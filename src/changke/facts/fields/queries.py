"""Reading fields and what stands in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from changke.facts.fields import rules
from changke.facts.fields.models import Field, FieldReplaced, FieldValue


def fields_for(role: str | None = None, *, retired: bool = False) -> list[Field]:
    """The fields in use, in their order; with a role only those it may see."""
    found = Field.objects.all() if retired else Field.objects.filter(retired_at__isnull=True)
    return [field for field in found if role is None or not field.roles or role in field.roles]


def values_of(customer_id: int, fields: Iterable[Field]) -> dict[str, rules.Plain]:
    """What stands in these fields, by key; None where nothing does."""
    known = {field.pk: field for field in fields}
    rows = FieldValue.objects.filter(customer_id=customer_id, field_id__in=known).select_related("field")
    held = {row.field.key: row.plain for row in rows}
    return {field.key: held.get(field.key) for field in known.values()}


def holders_of(key: str, text: str) -> "QuerySet[FieldValue, int]":
    """Ids of the customers in whose field stands what the text says, as one writes it; nobody where it cannot stand."""
    field = Field.objects.filter(key=key, retired_at__isnull=True).first()
    nobody = FieldValue.objects.none().values_list("customer", flat=True)
    if field is None:
        return nobody
    try:
        value = rules.fit(field.rule, rules.read(field.rule, text, exponent=0))
    except rules.Unfit:
        return nobody
    if value is None:
        return nobody
    rows = FieldValue.objects.filter(field=field)
    if isinstance(value, list):
        for choice in value:
            rows = rows.filter(text__contains=f"|{choice}|")
        return rows.values_list("customer", flat=True)
    words, number, day = rules.stored(field.kind, value)
    rows = rows.filter(text=words) if words is not None else rows
    rows = rows.filter(number=number) if number is not None else rows
    rows = rows.filter(day=day) if day is not None else rows
    return rows.values_list("customer", flat=True)


def held_by(customer_ids: Sequence[int], fields: Iterable[Field]) -> dict[int, dict[str, rules.Plain]]:
    """What stands in these fields of many customers, by customer and key; only what holds something."""
    known = {field.pk: field for field in fields}
    found: dict[int, dict[str, rules.Plain]] = {}
    rows = FieldValue.objects.filter(customer_id__in=customer_ids, field_id__in=known)
    for customer, field, text, number, day in rows.values_list("customer_id", "field_id", "text", "number", "day"):
        value = rules.plain(known[field].kind, text, number, day)
        if value is not None:
            found.setdefault(customer, {})[known[field].key] = value
    return found


@dataclass(frozen=True)
class ReplacedBy:
    """What a batch did to own fields: `back` an undo restores, `stays` somebody changed since."""

    customers: int
    back: int
    stays: int


def replaced_by(batch_id: int) -> ReplacedBy:
    """Of what a batch wrote into own fields of customers known before it."""
    back = stays = 0
    customers: set[int] = set()
    rows = FieldReplaced.objects.filter(batch_id=batch_id).order_by("customer_id")
    ids = list(rows.values_list("customer_id", flat=True).distinct())
    for place in range(0, len(ids), AT_ONCE):
        some = list(rows.filter(customer_id__in=ids[place : place + AT_ONCE]).select_related("field"))
        held = held_by([row.customer_id for row in some], {row.field_id: row.field for row in some}.values())
        for row in some:
            customers.add(row.customer_id)
            now = held.get(row.customer_id, {}).get(row.field.key)
            restored = rules.to_restore(before=row.before, after=row.after, now=now)
            back, stays = back + restored, stays + (not restored)
    return ReplacedBy(len(customers), back, stays)


AT_ONCE = 2_000
