"""Values by the thousand, each with what it replaced, so that undoing the batch puts it back.

docs/algorithms/import.md says the rules; they are those of the built-in fields.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from changke.facts.customers.models import Customer
from changke.facts.fields import rules
from changke.facts.fields.models import Field, FieldReplaced, FieldValue

CHUNK = 300
"""Customers in one transaction of an undo: about a quarter of a second."""


@dataclass(frozen=True)
class Wanted:
    """What a file says of one field of one customer; never empty: an empty cell says nothing."""

    customer_id: int
    field_id: int
    value: rules.Plain
    only_empty: bool = False
    """Fill what is empty, and leave what stands."""


Place = tuple[int, int]
"""A customer and a field."""


@transaction.atomic
def take_in_values(wanted: Sequence[Wanted], *, batch_id: int) -> set[int]:
    """Write the values; the customers of whom the batch changed one, now or before it was killed.

    What a batch's own customers get is kept nowhere: an undo hides them.
    """
    ids = sorted({one.customer_id for one in wanted})
    # The customer's row is the lock of her values, as for whoever writes them by hand.
    made_by = dict(Customer.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk", "batch_id"))
    kinds = {field.pk: field.kind for field in Field.objects.filter(pk__in={one.field_id for one in wanted})}
    held = _held(ids, kinds)
    replaced: dict[Place, FieldReplaced] = {}
    written: dict[Place, rules.Plain] = {}
    for one in wanted:
        place = one.customer_id, one.field_id
        before = written.get(place, held.get(place))
        if one.value == before or (one.only_empty and before is not None):
            continue
        written[place] = one.value
        if made_by.get(one.customer_id) != batch_id:
            replaced[place] = FieldReplaced(
                batch_id=batch_id, customer_id=one.customer_id, field_id=one.field_id, before=held.get(place),
                after=one.value,
            )  # fmt: skip
    _write(written, kinds)
    FieldReplaced.objects.bulk_create(
        replaced.values(),
        update_conflicts=True,
        unique_fields=["batch", "customer", "field"],
        update_fields=["after"],
    )
    before_the_kill = FieldReplaced.objects.filter(batch_id=batch_id, customer_id__in=ids)
    return {customer for customer, _ in written} | set(before_the_kill.values_list("customer_id", flat=True))


def put_back_values(batch_id: int) -> int:
    """Restore what the batch replaced and nobody changed since; how many customers. Safe to repeat: what was kept is
    used up in the transaction that restores it."""
    restored = 0
    while True:
        with transaction.atomic():
            mine = FieldReplaced.objects.filter(batch_id=batch_id)
            ids = list(mine.order_by("customer_id").values_list("customer_id", flat=True).distinct()[:CHUNK])
            if not ids:
                return restored
            rows = list(mine.filter(customer_id__in=ids).order_by("pk"))
            restored += _put_back(ids, rows)
            mine.filter(pk__in=[row.pk for row in rows]).delete()


def _put_back(ids: Sequence[int], rows: Sequence[FieldReplaced]) -> int:
    list(Customer.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk"))
    kinds = {field.pk: field.kind for field in Field.objects.filter(pk__in={row.field_id for row in rows})}
    held = _held(ids, kinds)
    later: dict[Place, list[FieldReplaced]] = {}
    for one in FieldReplaced.objects.filter(customer_id__in=ids, pk__gt=rows[0].pk).order_by("pk"):
        later.setdefault((one.customer_id, one.field_id), []).append(one)
    back: dict[Place, rules.Plain] = {}
    for row in rows:
        place = row.customer_id, row.field_id
        if rules.to_restore(before=row.before, after=row.after, now=held.get(place)):
            back[place] = row.before
        else:
            _hand_over(row, later.get(place, ()))
    _write(back, kinds)
    return len({customer for customer, _ in back})


def _hand_over(row: FieldReplaced, later: Iterable[FieldReplaced]) -> None:
    """A later batch replaced our value: undone in its turn, it shall restore what stood before us."""
    for one in later:
        if one.pk > row.pk and one.batch_id != row.batch_id and one.before == row.after:
            one.before = row.before
            one.save(update_fields=["before"])
            return


def _held(customer_ids: Sequence[int], kinds: Mapping[int, str]) -> dict[Place, rules.Plain]:
    rows = FieldValue.objects.filter(customer_id__in=customer_ids, field_id__in=kinds)
    return {
        (customer, field): rules.plain(kinds[field], text, number, day)
        for customer, field, text, number, day in rows.values_list("customer_id", "field_id", "text", "number", "day")
    }


def _write(values: Mapping[Place, rules.Plain], kinds: Mapping[int, str]) -> None:
    if not values:
        return
    rows = [(*place, *rules.stored(kinds[place[1]], value)) for place, value in sorted(values.items())]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO facts_fieldvalue (customer_id, field_id, text, number, day)
            SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::bigint[], %s::date[])
            ON CONFLICT (customer_id, field_id) DO UPDATE
              SET text = EXCLUDED.text, number = EXCLUDED.number, day = EXCLUDED.day, txid = pg_current_xact_id()
            """,
            [list(column) for column in zip(*rows, strict=True)],
        )
