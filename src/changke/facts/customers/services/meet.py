"""Whom the facts of a machine's batch are about: found under the name it knows her by, or written down as new."""

import datetime as dt
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction

from changke.facts.customers import rules
from changke.facts.customers.models import PERSON, Customer, Identifier, IdentifierKind
from changke.facts.customers.queries import LIVING, family_of, finding, named
from changke.facts.customers.services.names import NewName, hand_over, write
from changke.foundation.database.rows import array
from changke.foundation.database.rows_seen import seeing
from changke.foundation.errors import DomainError, Invalid
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import CHAIN_WIDE, Scope
from changke.foundation.persons.queries import vault

TRIES = 3
"""Two machines may meet the same new person at once: the later one looks again and finds her."""

MEETING, LOCKS = 4_637_288, 512
"""The space of the locks in which strangers are met one after the other, and how many there are: PostgreSQL keeps some
thousands for everybody together."""

ID = "id"
LONGEST_VALUE = 200


class UnknownCustomer(DomainError):
    code, status = "unknown_customer", 404
    message = "There is no customer %(value)s, or she is not yours to see."


class IdentifierTaken(DomainError):
    code, status = "identifier_taken", 409
    message = "%(value)s already belongs to another customer."


@dataclass(frozen=True)
class Reference:
    """One way to say who she is: `id`, or a kind of identifier. The value is normalised by `reference`."""

    kind: str
    value: str
    source: str = ""


@dataclass(frozen=True)
class Meeting:
    """Somebody was met: who, and what to write down if she is new."""

    who: Reference
    store: Store | None
    day: dt.date
    name: str = ""
    source: str = ""


NORMAL: Mapping[str, Callable[[str], str]] = {
    IdentifierKind.PHONE.value: rules.normal_phone,
    IdentifierKind.EMAIL.value: rules.normal_email,
}


def reference(kind: str, value: str, source: str = "") -> Reference:
    """The reference as it is kept. Raises Invalid, naming the kind, where the value cannot be one."""
    plain = value.strip()
    try:
        plain = NORMAL.get(kind, str)(plain)
    except ValueError as error:
        raise Invalid(field=kind, reason=str(error)) from None
    if not plain:
        raise Invalid(field=kind, reason="must not be empty")
    if len(plain) > LONGEST_VALUE:
        raise Invalid(field=kind, reason="at most %(longest)s characters", longest=LONGEST_VALUE)
    return Reference(kind, plain, source.strip() if kind == IdentifierKind.EXTERNAL else "")


def find(references: Sequence[Reference], *, scope: Scope) -> dict[Reference, int]:
    """Ids of those whom we know. By our own id only whom the scope may see; by her phone whoever stands at the till."""
    return _by_id([one for one in references if one.kind == ID], scope) | _by_identifier(
        [one for one in references if one.kind != ID]
    )


def find_or_create(
    meetings: Sequence[Meeting], *, scope: Scope, now: dt.datetime, also: Sequence[Reference] = ()
) -> dict[Reference, int]:
    """Ids of all of them, the new ones written down, and of those in `also` whom we know. A reference by id that is not
    there stays out of the answer."""
    known = find(list(dict.fromkeys([*(meeting.who for meeting in meetings), *also])), scope=scope)
    for tries_left in reversed(range(TRIES)):
        strangers = _strangers(meetings, known)
        if not strangers:
            break
        _one_at_a_time(strangers)
        known |= find(list(strangers), scope=scope)
        strangers = _strangers(meetings, known)
        try:
            with transaction.atomic():
                known |= _create(strangers, now=now)
        except IntegrityError:
            if not tries_left:
                raise
            known |= find(list(strangers), scope=scope)
    return known


def _one_at_a_time(strangers: Mapping[Reference, Meeting]) -> None:
    """Two batches that meet the same new person wait for each other here, before either has written anything: colliding
    at the unique index instead, several machines that start at once would go on colliding, person by person."""
    places = {zlib.crc32(f"{one.kind}|{one.source}|{one.value}".encode()) % LOCKS for one in strangers}
    with connection.cursor() as sql:
        sql.execute(
            "SELECT pg_advisory_xact_lock(%s, place) FROM unnest(%s::int[]) AS place", [MEETING, sorted(places)]
        )


def known_since(days: Mapping[int, dt.date], names: Mapping[int, str] | None = None) -> None:
    """Facts of these days exist of these customers: whoever was known later is known from then on.

    A customer whom only a withdrawn batch knew comes back to life: she was met again. Who has no name yet gets the one
    in `names`: the order of arrival must not matter.
    """
    called = names or {}
    ids = sorted({*days, *called})
    if not ids:
        return
    with connection.cursor() as sql:
        # All in one statement and in the order of ids, so that two batches over the same people wait for each other
        # instead of dying; and only as hard as an update locks: who writes a fact of hers does not wait for it.
        sql.execute(
            """
            SELECT customers.id, customers.name = '' FROM facts_customer AS customers
            JOIN unnest(%s::bigint[], %s::date[], %s::boolean[]) AS told (id, day, called) ON told.id = customers.id
            WHERE customers.known_on > told.day OR (told.called AND customers.name = '')
               OR (told.day IS NOT NULL AND NOT (customers.is_active OR customers.is_erased))
            ORDER BY customers.id FOR NO KEY UPDATE OF customers
            """,
            [ids, [days.get(one) for one in ids], [one in called for one in ids]],
        )
        found = sql.fetchall()
        if earlier := [pk for pk, _ in found if pk in days]:
            sql.execute(
                """
                UPDATE facts_customer AS customers SET known_on = LEAST(known_on, told.day), is_active = NOT is_erased,
                       txid = pg_current_xact_id()
                FROM unnest(%s::bigint[], %s::date[]) AS told (id, day) WHERE told.id = customers.id
                """,
                [earlier, [days[one] for one in earlier]],
            )
        if nameless := [(pk, called[pk]) for pk, is_nameless in found if is_nameless and pk in called]:
            sql.execute(
                """
                UPDATE facts_customer AS customers SET name = told.name, pinyin = told.pinyin,
                       initials = told.initials, name_grams = string_to_array(told.grams, ' '),
                       txid = pg_current_xact_id()
                FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[])
                  AS told (id, name, pinyin, initials, grams)
                WHERE told.id = customers.id
                """,
                _columns([(pk, *_spelt(name)) for pk, name in nameless], 5),
            )


@seeing(CHAIN_WIDE)
@transaction.atomic
def add_identifiers(customer: Customer, references: Sequence[Reference], *, share: bool = False) -> int:
    """Further names of the same person; how many are new. One that is hers already changes nothing; another's is
    refused, unless only an undone batch knew that other: then the name comes over to her. With `share` a phone, an
    address or an account of another is kept as hers too, and goes on finding the other."""
    family = family_of(customer.pk)
    known = _by_identifier(references)
    others = set(known.values()) - set(family)
    shown = set(Customer.objects.filter(pk__in=others, is_active=True).values_list("pk", flat=True))
    new = [NewName(customer.pk, one.kind, one.value, one.source) for one in references if one not in known]
    moved = 0
    for one in references:
        if known.get(one) in shown:
            if not share or one.kind in rules.IN_CLEAR:
                raise IdentifierTaken(value=one.value)
            if not Identifier.objects.filter(named(one.kind, one.value), customer__in=family).exists():
                new.append(NewName(customer.pk, one.kind, one.value, shared=True))
        elif known.get(one) in others:
            hand_over(Identifier.objects.get(finding(one.kind, one.value, one.source)), to=customer.pk)
            moved += 1
    try:
        with transaction.atomic():
            write(new)
    except IntegrityError:
        raise IdentifierTaken(value=", ".join(one.value for one in new)) from None
    return len(new) + moved


def _by_id(references: Sequence[Reference], scope: Scope) -> dict[Reference, int]:
    wanted = {int(one.value): one for one in references if one.value.isascii() and one.value.isdigit()}
    if not wanted:
        return {}
    people = Customer.objects.for_scope(scope).filter(**LIVING)
    seen = Customer.objects.alias(person=PERSON).filter(pk__in=list(wanted), person__in=people.values("pk"))
    return {wanted[pk]: pk for pk in seen.values_list("id", flat=True)}


def _by_identifier(references: Sequence[Reference]) -> dict[Reference, int]:
    if not references:
        return {}
    clear = {(one.kind, one.source, one.value): one for one in references if one.kind in rules.IN_CLEAR}
    safe = vault() if len(clear) < len(references) else None
    blind = {
        (one.kind, bits): one
        for one in references
        if safe and one.kind not in rules.IN_CLEAR
        for bits in safe.blinds(one.kind, one.value)
    }
    with connection.cursor() as sql:
        sql.execute(
            """
            SELECT known.kind, known.source, known.value, NULL, known.customer_id FROM facts_identifier AS known
            JOIN unnest(%s::text[], %s::text[], %s::text[]) AS wanted (kind, source, value)
              ON wanted.kind = known.kind AND wanted.source = known.source AND wanted.value = known.value
            UNION ALL
            SELECT known.kind, known.source, NULL, known.blind, known.customer_id FROM facts_identifier AS known
            JOIN unnest(%s::text[], %s::bigint[]) AS wanted (kind, blind)
              ON wanted.kind = known.kind AND wanted.blind = known.blind AND NOT known.shared
            """,
            [*_columns(clear, 3), *_columns(blind, 2)],
        )
        return {
            clear[kind, source, value] if bits is None else blind[kind, bits]: pk
            for kind, source, value, bits, pk in sql.fetchall()
        }


def _columns(keys: Iterable[tuple[Any, ...]], width: int) -> list[Any]:
    """Rows as one array per column."""
    return [array(column) for column in zip(*keys, strict=True)] or [[] for _ in range(width)]


def names_told(meetings: Iterable[Meeting], known: Mapping[Reference, int]) -> dict[int, str]:
    """What they were called, by id: of several names the one of the earliest day."""
    names: dict[int, str] = {}
    for meeting in sorted((one for one in meetings if one.name and one.who in known), key=lambda one: one.day):
        if name := rules.clean_name(meeting.name):
            names.setdefault(known[meeting.who], name)
    return names


def _spelt(name: str) -> tuple[str, str, str, str]:
    """The name and how it is searched for."""
    return name, rules.pinyin(name), rules.initials(name), " ".join(rules.grams(name))


def _strangers(meetings: Sequence[Meeting], known: Mapping[Reference, int]) -> dict[Reference, Meeting]:
    """Those nobody knows yet, each with her earliest meeting."""
    first: dict[Reference, Meeting] = {}
    for meeting in meetings:
        if meeting.who.kind != ID and meeting.who not in known:
            before = first.get(meeting.who)
            first[meeting.who] = meeting if before is None or meeting.day < before.day else before
    return first


def _create(strangers: Mapping[Reference, Meeting], *, now: dt.datetime) -> dict[Reference, int]:
    # In the order of the unique index: two batches with the same strangers wait for each other instead of dying.
    ordered = sorted(strangers, key=lambda one: (one.kind, one.source, one.value))
    people = Customer.objects.bulk_create([_person(one, strangers[one], now=now) for one in ordered])
    write([NewName(one.pk, who.kind, who.value, who.source) for who, one in zip(ordered, people, strict=True)])
    return {one: person.pk for one, person in zip(ordered, people, strict=True)}


def _person(who: Reference, meeting: Meeting, *, now: dt.datetime) -> Customer:
    name = rules.clean_name(meeting.name)
    return Customer(
        name=name,
        pinyin=rules.pinyin(name),
        initials=rules.initials(name),
        name_grams=rules.grams(name),
        source=meeting.source,
        home_store=meeting.store,
        known_on=meeting.day,
        recorded_at=now,
    )
