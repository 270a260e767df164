"""Writing identifiers: the one place where a phone, an address or a platform's id becomes ciphertext and index."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import QuerySet

from changke.facts.customers import rules
from changke.facts.customers.models import Identifier
from changke.facts.customers.queries import place_of, values_of
from changke.facts.customers.services.suppress import suppressed_among
from changke.foundation.database.copy import CHUNK_ROWS, copy_columns, copy_rows, reserve_ids, staging
from changke.foundation.persons.cipher import Vault, seal
from changke.foundation.persons.queries import vault
from changke.foundation.persons.services.keys import keys_for


class NewName(NamedTuple):
    """An identifier to be written; the value is normalised."""

    customer_id: int
    kind: str
    value: str
    source: str = ""
    shared: bool = False
    """Another is found by it."""
    blind: int | None = None
    """Its index under the current key, where it was computed already."""


COLUMNS = (
    "id",
    "customer_id",
    "kind",
    "source",
    "value",
    "sealed",
    "blind",
    "tail",
    "key_version",
    "batch_id",
    "suppressed",
    "shared",
)
STAGED = """
    id bigint, customer_id bigint, kind text, source text, value text, sealed bytea, blind bigint, tail bigint,
    key_version smallint, batch_id bigint, suppressed boolean, shared boolean
"""


def rows_of(names: Sequence[NewName], *, batch_id: int | None = None) -> list[tuple[object, ...]]:
    """The rows in the order of `COLUMNS`, with ids of their own, sealed where the kind is."""
    ids = reserve_ids("facts_identifier", len(names))
    sealed_for = sorted({one.customer_id for one in names if one.kind not in rules.IN_CLEAR})
    keys, safe = (keys_for(sealed_for), vault()) if sealed_for else ({}, None)
    unwanted = suppressed_among((one.kind, one.value) for one in names)
    rows: list[tuple[object, ...]] = []
    for pk, one in zip(ids, names, strict=True):
        clear = (pk, one.customer_id, one.kind, one.source)
        if one.kind in rules.IN_CLEAR or safe is None:
            rows.append((*clear, one.value, None, None, None, None, batch_id, False, False))
        else:
            sealed = seal(keys[one.customer_id], one.value, place_of(pk))
            both, marked = indexes(safe, one.kind, one.value, one.blind), (one.kind, one.value) in unwanted
            rows.append((*clear, None, sealed, *both, safe.current, batch_id, marked, one.shared))
    return rows


def indexes(safe: Vault, kind: str, value: str, known: int | None = None) -> tuple[int, int | None]:
    """The blind index of the value, unless it is `known`, and, of a phone, of its last four digits."""
    tail = safe.tail(rules.phone_tail(value)) if kind == "phone" else None
    return safe.blind(kind, value) if known is None else known, tail


def write(names: Sequence[NewName]) -> None:
    """Write identifiers that nobody has yet; IntegrityError where somebody does."""
    Identifier.objects.bulk_create(Identifier(**dict(zip(COLUMNS, row, strict=True))) for row in rows_of(names))


def write_many(names: Iterable[NewName]) -> None:
    """The same by COPY, for as many as there are, ten thousand in a transaction unless one is open."""
    stream = iter(names)
    while some := list(islice(stream, CHUNK_ROWS)):
        copy_columns("facts_identifier", COLUMNS, rows_of(some))


def write_unknown(names: Sequence[NewName], *, batch_id: int | None) -> None:
    """Write by the thousand those that she does not have yet; one that finds another is written as shared, and a number
    in clear stays with whom it belongs to."""
    if not names:
        return
    staging("intake_identifier", STAGED)
    copy_rows("intake_identifier", rows_of(names, batch_id=batch_id))
    columns = ", ".join(COLUMNS)
    with connection.cursor() as sql:
        sql.execute(
            f"INSERT INTO facts_identifier ({columns}) SELECT {columns} FROM intake_identifier"  # noqa: S608 ours
            " WHERE NOT shared ORDER BY id ON CONFLICT DO NOTHING"
        )
        if sql.rowcount == len(names):
            return
        # What could not go in because another of the same chunk was first, or found another before: beside it.
        sql.execute(
            f"INSERT INTO facts_identifier ({columns})"  # noqa: S608 ours
            f" SELECT {', '.join(COLUMNS[:-1])}, true FROM intake_identifier AS new"
            " WHERE blind IS NOT NULL AND NOT EXISTS (SELECT FROM facts_identifier AS known WHERE"
            " known.kind = new.kind AND known.blind = new.blind AND known.customer_id = new.customer_id)"
            " ORDER BY id ON CONFLICT DO NOTHING"
        )


def hand_over(identifier: Identifier, *, to: int) -> None:
    """The identifier is another person's from now on: sealed again under her key."""
    value = values_of([identifier])[identifier.pk]
    if identifier.blind is not None:
        Identifier.objects.filter(customer=to, kind=identifier.kind, blind=identifier.blind, shared=True).delete()
    identifier.customer_id = to
    if identifier.sealed is not None:
        identifier.sealed = seal(keys_for([to])[to], value, place_of(identifier.pk))
    identifier.save(update_fields=["customer", "sealed"])


@transaction.atomic
def take_off(rows: "QuerySet[Identifier, Identifier]") -> int:
    """These identifiers are nobody's any more; how many. One that others share finds the first of them from now on."""
    free = list(rows.filter(shared=False, blind__isnull=False).order_by().values_list("kind", "blind"))
    gone: int = rows.delete()[0]
    for kind, blind in free:
        others = Identifier.objects.select_for_update(of=("self",)).filter(kind=kind, blind=blind, shared=True)
        # Somebody whom a page shows before somebody whom only an undone batch knew.
        heir = others.order_by("-customer__is_active", "pk").first()
        if heir is not None:
            heir.shared = False
            heir.save(update_fields=["shared"])
    return gone


@transaction.atomic
def index_again(most: int) -> int:
    """Make the indexes of the next identifiers with the current key; how many."""
    safe = vault()
    former = Identifier.objects.filter(sealed__isnull=False, key_version__lt=safe.current)
    rows = list(former.select_for_update().order_by("pk")[:most])
    values = values_of(rows)
    columns: list[list[object]] = [[], [], []]
    for one in rows:
        # Whose key was destroyed cannot be computed again, and must not be found either: an index of nothing.
        blind, tail = indexes(safe, one.kind, values[one.pk] or f"destroyed {one.pk}")
        for column, value in zip(columns, (one.pk, blind, tail), strict=True):
            column.append(value)
    with connection.cursor() as sql:
        sql.execute(
            "UPDATE facts_identifier AS known SET blind = new.blind, tail = new.tail, key_version = %s"
            " FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS new (id, blind, tail) WHERE known.id = new.id",
            [safe.current, *columns],
        )
    return len(rows)
