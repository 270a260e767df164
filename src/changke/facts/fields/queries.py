"""Reading fields and what stands in them."""

from collections.abc import Iterable

from django.db.models import QuerySet

from changke.facts.fields import rules
from changke.facts.fields.models import Field, FieldValue


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
