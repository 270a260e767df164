"""Finding customers."""

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, Q, QuerySet
from django.db.models.functions import Coalesce

from changke.facts.customers import rules
from changke.facts.customers.models import PERSON, Customer, Identifier, IdentifierKind, Kept, MergeLink
from changke.foundation.database.rows_seen import seeing
from changke.foundation.errors import NotFound
from changke.foundation.organisation.scope import CHAIN_WIDE, Scope
from changke.foundation.persons.queries import opened, opened_all, opened_key, vault

LIVING = {"is_active": True, "merged_into__isnull": True}
"""Records that pages show: not those that only a withdrawn batch knew, nor those that are read as another."""


def customer_in(scope: Scope, customer_id: int) -> Customer:
    """The customer, if the scope may see her; what is not yours to see does not exist. The number of a record that is
    read as another finds the person."""
    seen = Customer.objects.for_scope(scope).filter(**LIVING).select_related("home_store", "adviser")
    found = seen.filter(pk=customer_id).first()
    if found is None:
        # Asked for in two steps: put into one statement, the policies make the planner read every customer.
        read_as = Customer.objects.filter(pk=customer_id, merged_into__isnull=False).values_list(
            "merged_into", flat=True
        )
        found = seen.filter(pk__in=list(read_as)).first()
    if found is None:
        raise NotFound
    return found  # type: ignore[no-any-return]  # the scoped set is of customers


OF_HOME = frozenset({"home_store", "adviser"})
"""Fields that say whose she is."""


def is_of(scope: Scope, customer: Customer) -> bool:
    """Whether she is the scope's own, by her home or her adviser, and no visitor: only then it says whose she is."""
    return bool(Customer.objects.for_scope(scope.at_home()).filter(pk=customer.pk).exists())


def is_visitor(scope: Scope, customer: Customer) -> bool:
    """Whether she is seen for having been here, and is another store's."""
    return bool(scope.visited) and not is_of(scope, customer)


def whom_sql(scope: Scope, *, person: str, home: str) -> tuple[str, dict[str, Any]]:
    """`models.whom` for a statement of one's own: the condition on these two columns, and what it binds."""
    if scope.store_ids is None:
        return "TRUE", {}
    ways = [f"{home} = ANY(%(seen_homes)s)"]
    values: dict[str, Any] = {"seen_homes": sorted(scope.store_ids)}
    if scope.visited:
        here = f"guest.person_id = {person} AND guest.store_id = ANY(%(seen_visited)s)"
        ways.append(f"EXISTS (SELECT 1 FROM facts_guest AS guest WHERE {here})")  # noqa: S608 columns of ours
        values["seen_visited"] = sorted(scope.visited)
    if scope.adviser is not None:
        own = "" if scope.own is None else " AND home_store_id = ANY(%(seen_own)s)"
        mine = "FROM facts_customer WHERE adviser_id = %(seen_adviser)s AND merged_into_id IS NULL"
        values |= {"seen_adviser": scope.adviser, "seen_own": sorted(scope.own or ())}
        if not scope.store_ids:
            return f"{person} IN (SELECT id {mine}{own})", values
        ways.append(f"{person} IN (SELECT id {mine}{own})")
    return f"({' OR '.join(ways)})", values


def family_of(customer_id: int) -> tuple[int, ...]:
    """All records of the person that this number means, her own first: everything that is told of her is asked of all
    of them. Of a record that is read as another, the same."""
    return families_of([customer_id]).get(customer_id, (customer_id,))


def link_in(scope: Scope, customer_id: int, batch_id: int) -> int:
    """The batch of a merge, if it joined records of this customer and the scope may see her."""
    family = family_of(customer_in(scope, customer_id).pk)
    if not MergeLink.objects.filter(batch_id=batch_id, into__in=family).exists():
        raise NotFound
    return batch_id


FAMILIES = """
SELECT asked.id, record.id FROM facts_customer AS asked
JOIN facts_customer AS record
  ON CASE WHEN record.merged_into_id IS NULL
    THEN record.id ELSE record.merged_into_id END = CASE WHEN asked.merged_into_id IS NULL
    THEN asked.id ELSE asked.merged_into_id END
WHERE asked.id = ANY(%s) ORDER BY asked.id, record.merged_into_id IS NOT NULL, record.id
"""


def records_of(people: Any) -> "QuerySet[Customer, int]":
    """Ids of all records of these people, for a condition on a table of facts."""
    return Customer.objects.alias(person=PERSON).filter(person__in=people).values_list("pk", flat=True)


PERSON_OF = Coalesce("customer__merged_into_id", "customer_id", output_field=BigIntegerField())
"""Of a row that names a record: the person, as whom the record is read."""


def families_of(customer_ids: Iterable[int]) -> dict[int, tuple[int, ...]]:
    """The same for many, by the number that was asked for."""
    found: dict[int, tuple[int, ...]] = {}
    with connection.cursor() as sql:
        sql.execute(FAMILIES, [list(customer_ids)])
        for asked, record in sql.fetchall():
            found[asked] = (*found.get(asked, ()), record)
    return found


PHONE_LIKE = re.compile(r"^\+?[\d\s\-()]{5,}$")
MOST_IDENTIFIERS = 500
"""Identifiers with the same beginning that a search looks at: more is no search any more."""
MOST_TAILS = 5_000
"""Phones with the same last four digits: a chain of a million customers has about a hundred."""


def matching(text: str, *, path: str = "") -> Q:
    """Customers whom `text` may mean: a piece of the name, pinyin or initials, a phone, its last four digits, an id.
    Phones, e-mail addresses and WeCom ids are sealed and found whole only; of our own numbers the beginning will do.

    `path` leads to the customer (`customer__`) where the rows are of another table. Each way has its own index; what
    can be meant in several ways is looked up in all of them.
    """
    plain = rules.SPACES.sub("", rules.clean_name(text).lower())
    if not plain:
        return Q()
    if rules.HAN.search(plain):
        return Q(**{f"{path}name_grams__contains": _pieces(plain)}) & _in_name(plain, path)
    known = known_as(text.strip())
    if re.fullmatch(r"\d{4}", plain):
        known += with_phone_tail(plain)
    ways = Q(**{f"{path}pk__in": known})
    if not plain.isdigit():
        ways |= Q(**{f"{path}pinyin__startswith": plain}) | Q(**{f"{path}initials__startswith": plain})
        if len(plain) > 1:
            ways |= Q(**{f"{path}name_grams__contains": _pieces(plain)}) & _in_name(plain, path)
    return ways


def _pieces(plain: str) -> list[str]:
    """The longest pieces of the name that the index knows."""
    return [plain] if len(plain) <= 2 else [plain[i : i + 2] for i in range(len(plain) - 1)]


def _in_name(plain: str, path: str) -> Q:
    """Three characters and more: the pieces must stand in this order too. The name may have spaces, the search none."""
    if len(plain) <= 2:
        return Q()
    return Q(**{f"{path}name__iregex": r"\s*".join(re.escape(character) for character in plain)})


def known_as(text: str, *, whole: bool = False) -> list[int]:
    """Customers with an identifier that is the text: a phone in any writing, an e-mail address, a WeCom id. Unless
    `whole` is asked for, also those with a number of our own systems that begins with it."""
    same = Q()
    for kind, value in _meanings(text):
        same |= named(kind, value)
    for beginning in {text, text.lower()}:
        # One or two signs begin too many ids to mean any: then only the whole will do.
        same |= Q(value=beginning) if whole or len(beginning) <= 3 else Q(value__startswith=beginning)
    return list(Identifier.objects.filter(same).values_list(PERSON_OF, flat=True)[:MOST_IDENTIFIERS])


def _meanings(text: str) -> Iterable[tuple[str, str]]:
    """What a typed text may be among the sealed kinds, normalised."""
    if PHONE_LIKE.match(text):
        with suppress(ValueError):  # the beginning of a number is none yet
            yield IdentifierKind.PHONE, rules.normal_phone(text)
    if "@" in text:
        with suppress(ValueError):
            yield IdentifierKind.EMAIL, rules.normal_email(text)
    for kind in IdentifierKind.values:
        if kind not in {*rules.IN_CLEAR, IdentifierKind.PHONE, IdentifierKind.EMAIL} and len(text) > 3:
            yield kind, text


def named(kind: str, value: str, source: str = "") -> Q:
    """Identifiers of this kind and normalised value, whosesoever."""
    if kind in rules.IN_CLEAR:
        return Q(kind=kind, source=source, value=value)
    # Spelt out, because each half has an index of its own.
    same = Q(kind=kind, blind__in=vault().blinds(kind, value))
    return same & Q(shared=False) | same & Q(shared=True)


def finding(kind: str, value: str, source: str = "") -> Q:
    """The one identifier by which somebody is found; not those that others share."""
    if kind in rules.IN_CLEAR:
        return Q(kind=kind, source=source, value=value)
    return Q(kind=kind, blind__in=vault().blinds(kind, value), shared=False)


@seeing(CHAIN_WIDE)
def with_phone(text: str) -> list[int]:
    """Everybody who has this phone, however it is written, whom it finds first."""
    try:
        e164 = rules.normal_phone(text)
    except ValueError:
        return []
    rows = Identifier.objects.filter(named(IdentifierKind.PHONE, e164)).order_by("shared", "pk")
    return list(dict.fromkeys(rows.values_list(PERSON_OF, flat=True)[:MOST_IDENTIFIERS]))


def with_phone_tail(digits: str) -> list[int]:
    """Customers with a phone that ends with these four digits."""
    rows = Identifier.objects.filter(tail__in=vault().blinds("phone tail", digits))
    return list(rows.values_list(PERSON_OF, flat=True)[:MOST_TAILS])


def place_of(identifier_id: int) -> str:
    """Where an identifier's value is sealed."""
    return f"facts_identifier|value|{identifier_id}"


def values_of(identifiers: Iterable[Identifier]) -> dict[int, str]:
    """The values by identifier id, opened where they are sealed."""
    rows = list(identifiers)
    sealed = [one for one in rows if one.sealed is not None]
    texts = opened_all((one.customer_id, one.sealed, place_of(one.pk)) for one in sealed)
    known = {one.pk: one.value or "" for one in rows}
    return known | {one.pk: text for one, text in zip(sealed, texts, strict=True)}


@seeing(CHAIN_WIDE)
def by_phone(text: str) -> Customer | None:
    """Whom this phone finds, however it is written; None where it is no phone or nobody's."""
    try:
        e164 = rules.normal_phone(text)
    except ValueError:
        return None
    rows = Identifier.objects.filter(finding(IdentifierKind.PHONE, e164))
    return Customer.objects.filter(pk__in=list(rows.values_list(PERSON_OF, flat=True)), **LIVING).first()


def phone_of(customer: Customer) -> str:
    """Her first phone in E.164, or an empty text."""
    return phones_of([customer.pk]).get(customer.pk, "")


# In one statement with the keys: a list page shows fifty.
PHONES = """
SELECT DISTINCT ON (person) CASE WHEN record.merged_into_id IS NULL
    THEN record.id ELSE record.merged_into_id END AS person,
  record.id, known.id, known.sealed, key.wrapped, key.version
FROM facts_customer AS record
JOIN facts_identifier AS known ON known.customer_id = record.id AND known.kind = 'phone'
JOIN foundation_personkey AS key ON key.person_id = record.id
WHERE CASE WHEN record.merged_into_id IS NULL
    THEN record.id ELSE record.merged_into_id END = ANY(%s)
ORDER BY person, record.merged_into_id IS NOT NULL, known.shared, known.id
"""


def phones_of(customer_ids: list[int]) -> dict[int, str]:
    """First phone by person, for a page of them; her own record's before those that are read as hers."""
    safe = vault()
    with connection.cursor() as sql:
        sql.execute(PHONES, [customer_ids])
        return {
            person: opened(opened_key(safe, record, wrapped, version), record, sealed, place_of(pk))
            for person, record, pk, sealed, wrapped, version in sql.fetchall()
        }


def names_of(customer_ids: Collection[int]) -> dict[int, dict[str, list[str]]]:
    """Under what each person is known to the world, by kind, for a page of them, in the order of `phones_of`. Numbers
    of the chain's own systems are not among them."""
    rows = (
        Identifier.objects.filter(customer__in=records_of(customer_ids))
        .exclude(kind=IdentifierKind.EXTERNAL)
        .annotate(person=PERSON_OF, other=Q(customer__merged_into__isnull=False))
        .order_by("other", "shared", "pk")
    )
    some = list(rows)
    values, found = values_of(some), defaultdict[int, dict[str, list[str]]](dict)
    for one in some:
        known = found[one.person].setdefault(one.kind, [])
        if values[one.pk] not in known:
            known.append(values[one.pk])
    return dict(found)


# From name to name through the index: a chain has a million tags but a few dozen names.
TAG_NAMES = """
WITH RECURSIVE jump AS (
  (SELECT name FROM facts_tag ORDER BY name LIMIT 1)
  UNION ALL
  SELECT (SELECT name FROM facts_tag WHERE name > jump.name ORDER BY name LIMIT 1) FROM jump WHERE name IS NOT NULL
)
SELECT name FROM jump WHERE name IS NOT NULL LIMIT %s
"""


def tag_names(most: int) -> list[str]:
    """Names of the tags in use, in order, at most so many.

    They are the chain's vocabulary, the same for every store: asked of one store's rows alone, each step along the
    index would walk past everybody else's.
    """
    with seeing(CHAIN_WIDE), connection.cursor() as sql:
        sql.execute(TAG_NAMES, [most])
        return [name for (name,) in sql.fetchall()]


def kept_of(batch_id: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a batch keeps for a room that is not built yet: whose it is, and the row."""
    rows = Kept.objects.filter(batch_id=batch_id).order_by("pk").values_list("customer__name", "data")
    yield from rows.iterator(chunk_size=2_000)


@dataclass(frozen=True)
class ChangedSince:
    """A profile field that a batch wrote and that holds something else by now."""

    customer_id: int
    name: str
    field: str
    holds: object
    held: object
    """What stood there before the batch."""


def changed_since(batch_id: int, *, most: int) -> tuple[int, int, list[ChangedSince]]:
    """Of what a batch wrote into profiles: how many fields an undo gives back, how many somebody or a later batch
    changed since, and some of the latter."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FILTER (WHERE to_jsonb(customer) -> wrote.key IS NOT DISTINCT FROM wrote.value),
              count(*) FILTER (WHERE to_jsonb(customer) -> wrote.key IS DISTINCT FROM wrote.value)
            FROM facts_replaced AS replaced JOIN facts_customer AS customer ON customer.id = replaced.customer_id,
              jsonb_each(replaced.after) AS wrote
            WHERE replaced.batch_id = %s AND wrote.key <> 'is_active'
            """,
            [batch_id],
        )
        back, stays = cursor.fetchone()
        cursor.execute(
            """
            SELECT customer.id, customer.name, wrote.key, (to_jsonb(customer) -> wrote.key)::text,
              (replaced.before -> wrote.key)::text
            FROM facts_replaced AS replaced JOIN facts_customer AS customer ON customer.id = replaced.customer_id,
              jsonb_each(replaced.after) AS wrote
            WHERE replaced.batch_id = %s AND wrote.key <> 'is_active'
              AND to_jsonb(customer) -> wrote.key IS DISTINCT FROM wrote.value
            ORDER BY customer.id, wrote.key LIMIT %s
            """,
            [batch_id, most],
        )
        some = [ChangedSince(pk, name, key, json.loads(now), json.loads(was)) for pk, name, key, now, was in cursor]
    return int(back), int(stays), some
