"""Own fields of a person with two records: what is empty is filled, and emptied when they are parted."""

from collections.abc import Sequence
from typing import Any

from changke.facts.fields.models import FieldValue
from changke.foundation.database.append_only import current_xid

PLACES = ("text", "number", "day")


def carry(merged_id: int, into_id: int) -> list[int]:
    """Fill what is empty; the ids of the fields that were filled."""
    held = {one.field_id for one in FieldValue.objects.filter(customer_id=into_id) if any(_stands(one))}
    filled = []
    for one in FieldValue.objects.filter(customer_id=merged_id).exclude(field_id__in=held).order_by("field_id"):
        if any(_stands(one)):
            written: dict[str, Any] = {place: getattr(one, place) for place in PLACES}
            written["txid"] = current_xid()
            FieldValue.objects.update_or_create(customer_id=into_id, field_id=one.field_id, defaults=written)
            filled.append(one.field_id)
    return filled


def give_back(merged_id: int, into_id: int, filled: Sequence[int] | None) -> None:
    """Empty what still says what the other record says; what somebody changed since stays."""
    brought = {one.field_id: one for one in FieldValue.objects.filter(customer_id=merged_id, field_id__in=filled or ())}
    for one in FieldValue.objects.filter(customer_id=into_id, field_id__in=brought):
        if all(getattr(one, place) == getattr(brought[one.field_id], place) for place in PLACES):
            FieldValue.objects.filter(pk=one.pk).update(text=None, number=None, day=None, txid=current_xid())


def _stands(one: FieldValue) -> list[bool]:
    return [getattr(one, place) is not None for place in PLACES]
