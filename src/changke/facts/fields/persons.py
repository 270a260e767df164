"""What a chain's own fields say of a person."""

from collections.abc import Iterator, Sequence

from changke.facts.fields.models import FieldReplaced, FieldValue
from changke.facts.fields.services.forget import forget_replaced, forget_values
from changke.facts.fields.services.join import carry, give_back
from changke.foundation.persons.registry import Joining, PersonTable, Row, register, register_joining


def values(customer_ids: Sequence[int]) -> Iterator[Row]:
    rows = FieldValue.objects.filter(customer_id__in=customer_ids).select_related("field").order_by("pk")
    for row in rows:
        if row.plain is not None:
            yield {"customer_id": row.customer_id, "field": row.field.key, "value": row.plain}


def replaced(customer_ids: Sequence[int]) -> Iterator[Row]:
    rows = FieldReplaced.objects.filter(customer_id__in=customer_ids).select_related("field").order_by("pk")
    for row in rows:
        yield {
            "customer_id": row.customer_id,
            "batch_id": row.batch_id,
            "field": row.field.key,
            "before": row.before,
            "after": row.after,
        }


register(PersonTable("fields", ("facts_fieldvalue",), values, forget_values))
register(PersonTable("fields_replaced", ("facts_fieldreplaced",), replaced, forget_replaced))
register_joining(Joining("fields", carry, give_back))
