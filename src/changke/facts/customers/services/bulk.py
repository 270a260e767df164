"""The same change to many customers: chosen first, then changed chunk by chunk, each in its transaction. What stood
before is kept per customer, so that the batch can be undone."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from changke.facts.customers.models import AdvisingReason, Chosen
from changke.facts.customers.services.advising import note
from changke.facts.customers.services.intake_tags import source_of
from changke.facts.customers.services.renew import renew

CHUNK = 500
"""Customers in one transaction: about a quarter of a second with tags."""
CHOOSE_AT_ONCE = 5_000

FIELDS = ("gender", "occupation", "income_band", "city", "interests", "living", "source", "home_store_id", "adviser_id")
"""What may be the same for many. A name, a birthday or an allergy is one person's own."""


@dataclass(frozen=True)
class BulkChange:
    """`fields` are columns of `FIELDS` with their new value, "" or None to clear them."""

    fields: Mapping[str, object] = field(default_factory=dict)
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()


def choose(batch_id: int, customer_ids: Iterable[int]) -> int:
    """Write down whom the batch means, before anything is changed: a change may move people out of the very filter that
    found them. How many. Safe to repeat as long as nobody was changed."""
    chosen = 0
    Chosen.objects.filter(batch_id=batch_id).delete()
    for some in _in_chunks(customer_ids):
        Chosen.objects.bulk_create([Chosen(batch_id=batch_id, customer_id=one) for one in some])
        chosen += len(some)
    return chosen


def _in_chunks(ids: Iterable[int]) -> Iterable[list[int]]:
    some: list[int] = []
    for one in ids:
        some.append(one)
        if len(some) == CHOOSE_AT_ONCE:
            yield some
            some = []
    if some:
        yield some


@transaction.atomic
def change_next(batch_id: int, change: BulkChange, *, now: dt.datetime) -> int:
    """Change the next chunk of those who were chosen; how many were looked at, 0 at the end."""
    waiting = Chosen.objects.select_for_update().filter(batch_id=batch_id, outcome="").order_by("customer_id")
    ids = list(waiting.values_list("customer_id", flat=True)[:CHUNK])
    if not ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM facts_customer WHERE id = ANY(%s) AND is_active AND merged_into_id IS NULL"
            " ORDER BY id FOR UPDATE",
            [ids],
        )
        here = [row[0] for row in cursor.fetchall()]
        changed = set_already = set(_set_fields(batch_id, here, change.fields))
        changed = changed | _put_tags_on(batch_id, here, change.add_tags, now)
        removed = _take_tags_off(here, change.remove_tags, now)
    for customer, tags in removed.items():
        Chosen.objects.filter(batch_id=batch_id, customer_id=customer).update(removed=tags)
    renew((changed - set_already) | removed.keys())
    changed |= removed.keys()
    mine = Chosen.objects.filter(batch_id=batch_id, customer_id__in=ids)
    mine.filter(customer_id__in=changed).update(outcome="changed")
    mine.filter(customer_id__in=set(here) - changed).update(outcome="same")
    mine.exclude(customer_id__in=here).update(outcome="gone")
    return len(ids)


def _set_fields(batch_id: int, ids: Sequence[int], fields: Mapping[str, object]) -> list[int]:
    if not fields or not ids:
        return []
    names = sorted(fields)
    if unknown := set(names) - set(FIELDS):
        raise ValueError(f"not for many: {sorted(unknown)}")
    sets = ", ".join(f"{name} = %({name})s" for name in names)
    differs = " OR ".join(f"customer.{name} IS DISTINCT FROM %({name})s" for name in names)
    before = ", ".join(f"'{name}', former.{name}" for name in names)
    after = ", ".join(f"'{name}', customer.{name}" for name in names)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH changed AS (
              UPDATE facts_customer AS customer SET {sets}, txid = pg_current_xact_id()
              FROM facts_customer AS former
              WHERE customer.id = former.id AND customer.id = ANY(%(ids)s) AND ({differs})
              RETURNING customer.id, jsonb_build_object({before}) AS before, jsonb_build_object({after}) AS after
            ), kept AS (
              INSERT INTO facts_replaced AS known (batch_id, customer_id, before, after)
              SELECT %(batch)s, id, jsonb_object_agg(key, value), jsonb_object_agg(key, after -> key)
              FROM changed, jsonb_each(before) WHERE value IS DISTINCT FROM after -> key GROUP BY id
              ON CONFLICT (batch_id, customer_id) DO NOTHING
            )
            SELECT id FROM changed
            """,  # noqa: S608 the fields are ours
            dict(fields) | {"ids": list(ids), "batch": batch_id},  # type: ignore[arg-type]  # plain values of columns
        )
        return [row[0] for row in cursor.fetchall()]


@transaction.atomic
def give_adviser(
    batch_id: int, customer_ids: Sequence[int], *, leaver: int, to: int, by_id: int | None, now: dt.datetime
) -> int:
    """Give those of them whom the leaver still looks after another adviser; how many. Safe to repeat."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM facts_customer WHERE id = ANY(%s) AND adviser_id = %s"
            " AND is_active AND merged_into_id IS NULL ORDER BY id FOR UPDATE",
            [list(customer_ids), leaver],
        )
        hers = [row[0] for row in cursor.fetchall()]
    changed = _set_fields(batch_id, hers, {"adviser_id": to})
    note(changed, by_id=by_id, reason=AdvisingReason.HANDED_OVER, batch_id=batch_id, now=now)
    return len(changed)


def _put_tags_on(batch_id: int, ids: Sequence[int], names: Sequence[str], now: dt.datetime) -> set[int]:
    if not names or not ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO facts_tag (customer_id, name, source, recorded_at) "
            "SELECT customer, name, %(source)s, %(now)s FROM unnest(%(ids)s::bigint[]) AS customer, "
            "unnest(%(names)s::text[]) AS name ORDER BY 1, 2 ON CONFLICT (customer_id, name) DO NOTHING "
            "RETURNING customer_id",
            {"ids": list(ids), "names": list(names), "source": source_of(batch_id), "now": now},
        )
        return {row[0] for row in cursor.fetchall()}


def _take_tags_off(ids: Sequence[int], names: Sequence[str], now: dt.datetime) -> dict[int, list[dict[str, Any]]]:
    """Whose tags went, and what they were: an undo puts the same ones on again."""
    removed: dict[int, list[dict[str, Any]]] = {}
    if not names or not ids:
        return removed
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH gone AS (
              DELETE FROM facts_tag WHERE customer_id = ANY(%(ids)s) AND name = ANY(%(names)s)
              RETURNING customer_id, name, source, given_by_id, rule, fact, recorded_at, stale_on
            ), kept AS (
              INSERT INTO facts_formertag (customer_id, name, source, given_by_id, rule, fact, recorded_at, ended_at,
                ended_because)
              SELECT customer_id, name, source, given_by_id, rule, fact, recorded_at, %(now)s, 'removed' FROM gone
            )
            SELECT customer_id, (to_jsonb(gone) - 'customer_id')::text FROM gone
            """,
            {"ids": list(ids), "names": list(names), "now": now},
        )
        for customer, tag in cursor.fetchall():
            removed.setdefault(customer, []).append(json.loads(tag))
    return removed


def put_tags_back(batch_id: int) -> int:
    """Put the tags on again that the batch took off; how many customers. Safe to repeat: what is put back is used
    up."""
    restored = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            rows = Chosen.objects.select_for_update().filter(batch_id=batch_id).exclude(removed=[])
            some = list(rows.order_by("customer_id").values_list("pk", flat=True)[:CHUNK])
            if not some:
                return restored
            cursor.execute(
                """
                INSERT INTO facts_tag (customer_id, name, source, given_by_id, rule, fact, recorded_at, stale_on)
                SELECT chosen.customer_id, tag ->> 'name', tag ->> 'source', (tag ->> 'given_by_id')::bigint,
                  coalesce(tag ->> 'rule', ''), coalesce(tag ->> 'fact', ''), (tag ->> 'recorded_at')::timestamptz,
                  (tag ->> 'stale_on')::date
                FROM facts_chosen AS chosen JOIN facts_customer AS customer ON customer.id = chosen.customer_id,
                  jsonb_array_elements(chosen.removed) AS tag
                WHERE chosen.id = ANY(%s) AND customer.is_active ORDER BY 1, 2
                ON CONFLICT (customer_id, name) DO NOTHING
                """,
                [some],
            )
            renew(list(Chosen.objects.filter(pk__in=some).values_list("customer_id", flat=True)))
            Chosen.objects.filter(pk__in=some).update(removed=[])
            restored += len(some)
