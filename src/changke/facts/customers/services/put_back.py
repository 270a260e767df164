"""Undo of what a batch wrote over in profiles and of the tags it brought. docs/algorithms/import.md says the rules."""

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db import connection, transaction
from django.db.models import QuerySet

from changke.facts.customers import rules
from changke.facts.customers.models import Customer, Identifier, IdentifierKind, Replaced, Tag
from changke.facts.customers.services.intake_tags import source_of
from changke.facts.customers.services.names import take_off
from changke.facts.customers.services.renew import renew
from changke.foundation.database.append_only import current_xid

CHUNK = 300
"""Customers in one transaction: about a quarter of a second."""


def take_tags_off(batch_id: int) -> int:
    """Delete the tags that the batch put on; how many. A tag somebody else put on first was never the batch's."""
    taken = 0
    while some := dict(Tag.objects.filter(source=source_of(batch_id)).values_list("pk", "customer_id")[:CHUNK]):
        with transaction.atomic():
            taken += Tag.objects.filter(pk__in=some).delete()[0]
            renew(set(some.values()))
    return taken


BROUGHT = (IdentifierKind.CARD, IdentifierKind.UNIONID)
"""What a file of customers says of one person: kept by the wrong one, it would keep the right one out."""


def names_brought(batch_id: int) -> "QuerySet[Identifier, Identifier]":
    """Cards and union ids that the batch gave to customers whom it did not make. Whom it made keeps hers: hidden with
    her, they show her again."""
    rows = Identifier.objects.filter(batch_id=batch_id, kind__in=BROUGHT)
    return rows.exclude(customer__batch_id=batch_id)


def take_names_off(batch_id: int) -> int:
    """Take them off again; how many. What was recorded under them meanwhile stays where it was recorded."""
    taken = 0
    while ids := list(names_brought(batch_id).order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        taken += take_off(Identifier.objects.filter(pk__in=ids))
    return taken


def put_back(batch_id: int) -> int:
    """Restore the profile fields that the batch changed and nobody changed since; how many customers. Safe to repeat:
    what was kept for a customer is used up in the transaction that restores her."""
    restored = 0
    while True:
        with transaction.atomic():
            rows = list(Replaced.objects.filter(batch_id=batch_id).order_by("customer_id")[:CHUNK])
            if not rows:
                return restored
            restored += _put_back(rows)
            Replaced.objects.filter(pk__in=[row.pk for row in rows]).delete()


def _put_back(rows: Sequence[Replaced]) -> int:
    ids = [row.customer_id for row in rows]
    people = {one.pk: one for one in Customer.objects.select_for_update().filter(pk__in=ids).order_by("pk")}
    later: dict[int, list[Replaced]] = {}
    for one in Replaced.objects.filter(customer_id__in=ids, pk__gt=min(row.pk for row in rows)).order_by("pk"):
        later.setdefault(one.customer_id, []).append(one)
    earliest = _earliest_facts([row.customer_id for row in rows if "known_on" in row.before])
    restored = 0
    for row in rows:
        customer = people[row.customer_id]
        fields = {name: value for name, value in row.before.items() if name != "is_active"}
        now_holds = {name: _as_kept(getattr(customer, name)) for name in fields}
        back = rules.to_put_back(before=fields, after=row.after, now=now_holds)
        _hand_over({name: value for name, value in fields.items() if name not in back}, row, later)
        if back:
            _write(customer, back, earliest.get(customer.pk))
            restored += 1
    return restored


def _hand_over(fields: Mapping[str, object], row: Replaced, later: Mapping[int, Sequence[Replaced]]) -> None:
    """A later batch replaced our value: undone in its turn, it shall restore what stood before us."""
    for name, value in fields.items():
        for one in later.get(row.customer_id, ()):
            if one.pk > row.pk and name in one.before and one.before[name] == row.after[name]:
                one.before[name] = value
                one.save(update_fields=["before"])
                break


def _write(customer: Customer, back: Mapping[str, object], earliest: dt.date | None) -> None:
    for name, value in back.items():
        setattr(customer, name, value)
    if "name" in back:
        customer.pinyin, customer.initials = rules.pinyin(customer.name), rules.initials(customer.name)
        customer.name_grams = rules.grams(customer.name)
    if "known_on" in back:
        known_on = dt.date.fromisoformat(str(back["known_on"]))
        customer.known_on = min(known_on, earliest) if earliest else known_on
    customer.txid = current_xid()  # type: ignore[assignment]  # the database fills it in
    customer.save()


def _as_kept(value: object) -> object:
    return value.isoformat() if isinstance(value, dt.date) else value


def _earliest_facts(customer_ids: Sequence[int]) -> dict[int, dt.date]:
    """The first day of a living fact of each: the batch's own are withdrawn already."""
    if not customer_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT customer_id, min(day) FROM (
              SELECT customer_id, business_date AS day FROM facts_receipt
              WHERE customer_id = ANY(%(ids)s) AND withdrawn_by_id IS NULL
              UNION ALL SELECT customer_id, business_date FROM facts_visit
              WHERE customer_id = ANY(%(ids)s) AND withdrawn_by_id IS NULL
              UNION ALL SELECT customer_id, first_on FROM facts_opening
              WHERE customer_id = ANY(%(ids)s) AND withdrawn_by_id IS NULL
            ) AS facts GROUP BY 1
            """,
            {"ids": list(customer_ids)},
        )
        return dict(cursor.fetchall())
