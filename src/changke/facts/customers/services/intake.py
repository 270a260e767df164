"""Persons by the thousand: matched by external id, card, WeCom id, union id, phone and e-mail, created where nobody is
found.

A phone that belongs to somebody with another external id of the same source is shared (a mother pays for her
daughter): the new external id is a person of her own, keeps the phone too, and goes on not being found by it.

A card number stands in clear and is one person's: whose row says the card of another is refused (docs/decisions/0071).

Phones, e-mail addresses, WeCom ids and union ids reach the database as their blind indexes, and as ciphertext once it
is known whose they are; in clear they stay in this process.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import connection, transaction

from changke.facts.customers import rules
from changke.facts.customers.services.names import NewName, write_unknown
from changke.foundation.database.copy import array_text, copy_rows, staging
from changke.foundation.persons.cipher import Vault
from changke.foundation.persons.queries import vault


@dataclass(frozen=True)
class Candidate:
    """What a file says about one person. Empty means "the file does not say" and never blanks what is known."""

    cand: int
    external: str | None = None
    card: str | None = None
    wecom: str | None = None
    unionid: str | None = None
    phone: str | None = None
    email: str | None = None
    name: str = ""
    gender: str = ""
    birth_year: int | None = None
    birth_month: int | None = None
    birth_day: int | None = None
    occupation: str = ""
    income_band: str = ""
    city: str = ""
    interests: str = ""
    living: str = ""
    allergies: str = ""
    first_source: str = ""
    home_store_id: int | None = None
    adviser_id: int | None = None
    known_on: dt.date | None = None


COLUMNS = """
    cand bigint, external text, card text, wecom bigint, unionid bigint, phone bigint, email bigint, name text,
    gender text, birth_year smallint, birth_month smallint, birth_day smallint, occupation text, income_band text,
    city text, interests text, living text, allergies text, first_source text, home_store_id bigint, adviser_id bigint,
    known_on date, pinyin text, initials text, name_grams text[], customer_id bigint, is_new boolean,
    former_wecom bigint, former_unionid bigint, former_phone bigint, former_email bigint, found_by text, decision text
"""
SEALED = ("wecom", "unionid", "phone", "email")
"""In the order in which they are believed."""
TEXTS = ("name", "gender", "occupation", "income_band", "city", "interests", "living", "allergies")
NUMBERS = ("birth_year", "birth_month", "birth_day", "home_store_id", "adviser_id")


Decide = Callable[[str], str]
"""Group of known customers -> update, merge (fill what is empty), skip, refuse or, of `phone_other_name`, another: a
person of her own with the same phone. `docs/algorithms/import.md`."""

ANOTHER = "another"

GROUPS = ("number", "phone", "phone_other_name", "email", "conflict")
"""How a row met a customer known before: by number, card, WeCom id or union id, by phone under the same name, by phone
under another name, by e-mail; or its number is one person's and its phone or e-mail another's."""

CARD_TAKEN = "card_taken"
"""The row says the card of somebody else than whom it means. Nobody decides that: it is refused."""


class Taken(NamedTuple):
    """What became of one candidate: created, updated, skipped, left (skipped on purpose) or the group that was refused;
    and what was decided of her, where she was known before."""

    customer_id: int
    outcome: str
    decision: str = ""


@transaction.atomic
def take_in(
    candidates: Iterable[Candidate],
    *,
    source: str,
    batch_id: int,
    now: dt.datetime,
    decide: Decide,
    by_name: bool = False,
) -> dict[int, Taken]:
    """By `cand`. The candidates are different persons as far as the file knows. `by_name`: of several who share a
    phone, the one of the row's name is meant.

    `update`: the file's fields replace those of a known customer. `merge`: they only fill what is empty, as of a
    purchase file that happens to carry names. `skip` and `refuse` leave her as she is, identifiers too.
    """
    by_cand = {each.cand: each for each in candidates}
    with connection.cursor() as cursor:
        groups = _match(cursor, by_cand.values(), source=source, batch_id=batch_id, by_name=by_name)
        named = [kind for kind in SEALED if any(getattr(each, kind) for each in by_cand.values())]
        decided = {group: "refuse" if group == CARD_TAKEN else decide(group) for group in set(groups.values())}
        for group, decision in decided.items():
            cands = [cand for cand, its in groups.items() if its == group]
            cursor.execute("UPDATE intake_customer SET decision = %s WHERE cand = ANY(%s)", [decision, cands])
        if by_name and decide("phone_other_name") == ANOTHER:
            cursor.execute(ANOTHER_PERSON)
        for statement in (NUMBER, INSERT):
            cursor.execute(statement, {"source": source, "batch": batch_id, "now": now})
        cursor.execute(IDENTIFY_EXTERNAL, {"source": source, "batch": batch_id})
        if any(each.card for each in by_cand.values()):
            cursor.execute(IDENTIFY_CARD, {"batch": batch_id})
        if named:
            cursor.execute(" UNION ALL ".join(unknown_names(kind, changing=len(vault().in_use) > 1) for kind in named))
            write_unknown(list(_new_names(by_cand, sorted(cursor.fetchall()))), batch_id=batch_id)
        changed: set[int] = set()
        for statement in (UPDATE, FILL):
            cursor.execute(statement, {"batch": batch_id})
            changed |= {row[0] for row in cursor.fetchall()}
        cursor.execute(EARLIER, {"batch": batch_id})
        aside = {
            cand: group if decided[group] == "refuse" else "left"
            for cand, group in groups.items()
            if decided[group] in ("skip", "refuse")
        }
        # A customer whom this batch made before it was killed counts as created when it runs again.
        cursor.execute(
            "SELECT cand, customer_id, is_new OR customer.batch_id IS NOT DISTINCT FROM %(batch)s "
            "FROM intake_customer AS intake JOIN facts_customer AS customer ON customer.id = intake.customer_id",
            {"batch": batch_id},
        )
        nobody = {cand: Taken(0, group, "refuse") for cand, group in groups.items() if group == CARD_TAKEN}
        return nobody | {
            cand: Taken(
                customer,
                aside.get(cand, "") or ("created" if new else "updated" if customer in changed else "skipped"),
                decided.get(groups.get(cand, ""), ""),
            )
            for cand, customer, new in cursor.fetchall()
        }


@dataclass(frozen=True)
class Met:
    """A row that met a customer known before: who she is, how they met, and what the row would change of her."""

    cand: int
    customer_id: int
    group: str
    name: str
    differences: Mapping[str, tuple[object, object]]


@transaction.atomic
def compare(candidates: Iterable[Candidate], *, source: str, batch_id: int) -> list[Met]:
    """Whom of those known before the rows would meet. Nothing is written."""
    by_cand = {each.cand: each for each in candidates}
    with connection.cursor() as cursor:
        groups = _match(cursor, by_cand.values(), source=source, batch_id=batch_id, by_name=True)
        columns = ", ".join(f"customer.{field}" for field in (*TEXTS, *NUMBERS))
        cursor.execute(
            f"SELECT cand, customer.id, {columns} FROM intake_customer AS intake "  # noqa: S608 ours
            "JOIN facts_customer AS customer ON customer.id = intake.customer_id ORDER BY cand"
        )
        met = []
        for cand, customer, *held in cursor.fetchall():
            if cand in groups:
                now = dict(zip((*TEXTS, *NUMBERS), held, strict=True))
                met.append(Met(cand, customer, groups[cand], str(now["name"]), _differences(by_cand[cand], now)))
        return met


@transaction.atomic
def with_cards_of_others(candidates: Iterable[Candidate], *, source: str, batch_id: int) -> set[int]:
    """Of these, whose card is another's. Nothing is written."""
    with connection.cursor() as cursor:
        groups = _match(cursor, candidates, source=source, batch_id=batch_id, by_name=True)
    return {cand for cand, group in groups.items() if group == CARD_TAKEN}


def _differences(who: Candidate, now: Mapping[str, object]) -> dict[str, tuple[object, object]]:
    says = {field: getattr(who, field) for field in (*TEXTS, *NUMBERS)}
    says["name"] = rules.clean_name(who.name)
    return {field: (now[field], said) for field, said in says.items() if said not in ("", None) and said != now[field]}


def _match(
    cursor: Any, candidates: Iterable[Candidate], *, source: str, batch_id: int, by_name: bool
) -> dict[int, str]:
    """Stage the candidates and find whom they mean; `cand` -> how it met somebody known before this batch."""
    safe = vault()
    staging("intake_customer", COLUMNS)
    copy_rows("intake_customer", (_row(each, safe) for each in candidates))
    # While the master key is being changed a known value may stand under the former index.
    indexes = [*SEALED, *(f"former_{kind}" for kind in SEALED if len(safe.in_use) > 1)]
    for statement in (MATCH_EXTERNAL, MATCH_CARD, *map(match_by, indexes)):
        cursor.execute(statement, {"source": source})
    if by_name:
        for index in [index for index in indexes if index.endswith("phone")]:
            cursor.execute(match_by_name(index), {"source": source})
    cursor.execute(GROUP, {"batch": batch_id})
    groups = dict(cursor.fetchall())
    cursor.execute(CARDS_OF_OTHERS)
    return groups | {cand: CARD_TAKEN for (cand,) in cursor.fetchall()}


PLAIN = attrgetter(*(field.name for field in fields(Candidate)))
"""The fields in their order; `dataclasses.astuple` copies each deeply, which costs more than all the rest."""


def _row(who: Candidate, safe: Vault) -> tuple[object, ...]:
    name = rules.clean_name(who.name)
    values = PLAIN(who)
    former = _blind(who, safe, safe.in_use[-2]) if len(safe.in_use) > 1 else [None] * len(SEALED)
    return (
        *values[:3], *_blind(who, safe, safe.current), name, *values[8:], rules.pinyin(name), rules.initials(name),
        array_text(rules.grams(name)), None, False, *former, None, None,
    )  # fmt: skip


def _blind(who: Candidate, safe: Vault, version: int) -> list[int | None]:
    values = ((kind, getattr(who, kind)) for kind in SEALED)
    return [safe.blind(kind, value, version) if value else None for kind, value in values]


def _new_names(by_cand: Mapping[int, Candidate], rows: Iterable[tuple[int, int, str, bool, int]]) -> Iterator[NewName]:
    for cand, customer_id, kind, shared, blind in rows:
        yield NewName(customer_id, kind, getattr(by_cand[cand], kind), shared=shared, blind=blind)


MATCH_EXTERNAL = """
UPDATE intake_customer AS intake SET customer_id = known.customer_id, found_by = 'number'
FROM facts_identifier AS known
WHERE known.kind = 'external' AND known.source = %(source)s AND known.value = intake.external
"""


MATCH_CARD = """
UPDATE intake_customer AS intake SET customer_id = known.customer_id, found_by = 'number'
FROM facts_identifier AS known
WHERE intake.customer_id IS NULL AND known.kind = 'card' AND known.source = '' AND known.value = intake.card
  AND (intake.external IS NULL OR NOT EXISTS (
    SELECT FROM facts_identifier AS other
    WHERE other.customer_id = known.customer_id AND other.kind = 'external' AND other.source = %(source)s))
"""

# Whose card only an undone batch knew is nobody's. Records of one person hold their cards together.
CARDS_OF_OTHERS = """
SELECT cand FROM intake_customer AS intake
JOIN facts_identifier AS known ON known.kind = 'card' AND known.source = '' AND known.value = intake.card
JOIN facts_customer AS holder ON holder.id = known.customer_id AND holder.is_active
LEFT JOIN facts_customer AS meant ON meant.id = intake.customer_id
WHERE CASE WHEN meant.merged_into_id IS NULL THEN meant.id ELSE meant.merged_into_id END
  IS DISTINCT FROM CASE WHEN holder.merged_into_id IS NULL THEN holder.id ELSE holder.merged_into_id END
"""


def match_by(index: str) -> str:
    kind = index.removeprefix("former_")
    found_by = "number" if kind in {"wecom", "unionid"} else kind
    return f"""
        UPDATE intake_customer AS intake SET customer_id = known.customer_id, found_by = '{found_by}'
        FROM facts_identifier AS known
        WHERE intake.customer_id IS NULL AND known.kind = '{kind}' AND known.blind = intake.{index} AND NOT known.shared
          AND (intake.external IS NULL OR NOT EXISTS (
            SELECT FROM facts_identifier AS other
            WHERE other.customer_id = known.customer_id AND other.kind = 'external' AND other.source = %(source)s))
    """  # noqa: S608 the kinds are ours


def match_by_name(index: str) -> str:
    """Of those who share the phone, the first of the row's name (docs/decisions/0072)."""
    return f"""
        UPDATE intake_customer AS intake SET customer_id = sharer.id, found_by = 'phone'
        FROM (
          SELECT DISTINCT ON (asked.cand) asked.cand, holder.id FROM intake_customer AS asked
          JOIN facts_identifier AS known ON known.kind = 'phone' AND known.blind = asked.{index} AND known.shared
          JOIN facts_customer AS holder ON holder.id = known.customer_id AND holder.name = asked.name
          LEFT JOIN facts_customer AS owner ON owner.id = asked.customer_id
          WHERE asked.name <> ''
            AND (asked.customer_id IS NULL OR asked.found_by = 'phone' AND owner.name <> asked.name)
            AND (asked.external IS NULL OR NOT EXISTS (
              SELECT FROM facts_identifier AS other
              WHERE other.customer_id = holder.id AND other.kind = 'external' AND other.source = %(source)s))
          ORDER BY asked.cand, holder.is_active DESC, known.id
        ) AS sharer WHERE sharer.cand = intake.cand
    """  # noqa: S608 the index is ours


# Also of customers whom this very batch made: of two rows of a family, the first finds nobody.
ANOTHER_PERSON = """
UPDATE intake_customer AS intake SET customer_id = NULL, decision = 'another'
FROM facts_customer AS customer
WHERE customer.id = intake.customer_id AND found_by = 'phone' AND intake.name <> '' AND customer.name <> ''
  AND intake.name <> customer.name AND customer.is_active AND coalesce(decision, 'another') = 'another'
"""

GROUP = f"""
SELECT cand, CASE
    WHEN {
    " OR ".join(
        f"EXISTS (SELECT FROM facts_identifier AS other WHERE other.kind = '{kind}' AND other.blind = intake.{kind} "
        "AND other.customer_id <> intake.customer_id AND NOT other.shared) AND NOT EXISTS (SELECT FROM "
        f"facts_identifier AS hers WHERE hers.kind = '{kind}' AND hers.blind = intake.{kind} "
        "AND hers.customer_id = intake.customer_id)"
        for kind in SEALED
    )
} THEN 'conflict'
    WHEN found_by = 'phone' AND intake.name <> '' AND customer.name <> '' AND intake.name <> customer.name
      THEN 'phone_other_name'
    ELSE found_by END
FROM intake_customer AS intake JOIN facts_customer AS customer ON customer.id = intake.customer_id
WHERE customer.is_active AND customer.batch_id IS DISTINCT FROM %(batch)s
"""  # noqa: S608 the kinds are ours
# A customer whom only an undone batch knew counts as new: nothing is decided of her, the row shows her again.

NUMBER = """
UPDATE intake_customer
SET customer_id = nextval((SELECT pg_get_serial_sequence('facts_customer', 'id'))::regclass), is_new = true
WHERE customer_id IS NULL AND decision IS DISTINCT FROM 'refuse'
"""

INSERT = """
INSERT INTO facts_customer (id, name, pinyin, initials, name_grams, gender, birth_year, birth_month, birth_day,
occupation,
  income_band, city, interests, living, allergies, source, home_store_id, adviser_id, known_on,
  is_active, batch_id,
  recorded_at)
SELECT customer_id, name, pinyin, initials, name_grams, gender, birth_year, birth_month, birth_day, occupation,
income_band,
  city, interests, living, allergies, first_source, home_store_id, adviser_id,
  coalesce(known_on, (%(now)s AT TIME ZONE 'UTC')::date), true, %(batch)s, %(now)s
FROM intake_customer WHERE is_new ORDER BY cand
"""


IDENTIFY_EXTERNAL = """
INSERT INTO facts_identifier (customer_id, kind, source, value, batch_id)
SELECT customer_id, 'external', %(source)s, external, %(batch)s FROM intake_customer WHERE external IS NOT NULL
  AND coalesce(decision, '') NOT IN ('skip', 'refuse')
  ORDER BY cand
ON CONFLICT (kind, source, value) DO NOTHING
"""


# One that only an undone batch's customer has comes over.
IDENTIFY_CARD = """
INSERT INTO facts_identifier AS known (customer_id, kind, source, value, batch_id)
SELECT customer_id, 'card', '', card, %(batch)s FROM intake_customer WHERE card IS NOT NULL
  AND coalesce(decision, '') NOT IN ('skip', 'refuse')
  ORDER BY cand
ON CONFLICT (kind, source, value) DO UPDATE SET customer_id = EXCLUDED.customer_id, batch_id = EXCLUDED.batch_id
  WHERE known.customer_id <> EXCLUDED.customer_id
    AND NOT (SELECT holder.is_active FROM facts_customer AS holder WHERE holder.id = known.customer_id)
"""


def unknown_names(kind: str, *, changing: bool) -> str:
    """Whose identifier of this kind she does not have, whether another is found by it, and its index; `changing`: the
    master key is, so it may stand under either index."""
    indexes = ", ".join(f"intake.{index}" for index in (kind, *([f"former_{kind}"] if changing else [])))
    known = f"SELECT FROM facts_identifier AS known WHERE known.kind = '{kind}' AND known.blind IN ({indexes})"
    return f"""
        SELECT cand, customer_id, '{kind}', EXISTS ({known} AND NOT known.shared), intake.{kind}
        FROM intake_customer AS intake
        WHERE {kind} IS NOT NULL AND coalesce(decision, '') NOT IN ('skip', 'refuse')
          AND NOT EXISTS ({known} AND known.customer_id = intake.customer_id)
    """  # noqa: S608 the kinds are ours


def _says(field: str) -> str:
    return f"intake.{field} <> ''" if field in TEXTS else f"intake.{field} IS NOT NULL"


def _lacks(field: str) -> str:
    return f"customer.{field} = ''" if field in TEXTS else f"customer.{field} IS NULL"


def _write(*, only_empty: bool) -> str:
    """Set the fields that the file says (and, with `only_empty`, that nobody said before), where that changes
    anything."""
    fields = [*TEXTS, *NUMBERS]
    # Nothing was decided of customers whom this very batch made: they take what the file says.
    decided = "decision = 'merge'" if only_empty else "coalesce(decision, 'update') = 'update'"
    when = {field: f"{_says(field)} AND {_lacks(field)}" if only_empty else _says(field) for field in fields}
    sets = [f"{field} = CASE WHEN {when[field]} THEN intake.{field} ELSE customer.{field} END" for field in fields]
    # What the name is searched by follows the name; the first source stays once it is known.
    for derived in ("pinyin", "initials", "name_grams"):
        sets.append(f"{derived} = CASE WHEN {when['name']} THEN intake.{derived} ELSE customer.{derived} END")
    sets.append("source = CASE WHEN customer.source = '' THEN intake.first_source ELSE customer.source END")
    changes = [f"({when[field]} AND customer.{field} IS DISTINCT FROM intake.{field})" for field in fields]
    changes += ["(customer.source = '' AND intake.first_source <> '')"]
    changes += ["NOT customer.is_active"]
    return _keeping_what_was(
        f"{', '.join(sets)}, is_active = true",
        f"NOT intake.is_new AND {decided} AND ({' OR '.join(changes)})",
        [*fields, "source", "is_active"],
    )


def _keeping_what_was(sets: str, when: str, fields: list[str]) -> str:
    """Update known customers and keep in `facts_replaced` what the changed fields held before.

    The former row is read beside the row that is written: PostgreSQL 15 to 17 cannot return it otherwise.
    """

    def values(row: str) -> str:
        pairs = (f"'{field}', {row}.{field}" for field in fields)
        return f"jsonb_build_object({', '.join(pairs)})"

    return f"""
        WITH changed AS (
          UPDATE facts_customer AS customer SET {sets}, txid = pg_current_xact_id()
          FROM intake_customer AS intake JOIN facts_customer AS former ON former.id = intake.customer_id
          WHERE customer.id = intake.customer_id AND {when}
          RETURNING customer.id, former.batch_id AS made_by, {values("former")} AS before, {values("customer")} AS after
        ), kept AS (
          INSERT INTO facts_replaced AS known (batch_id, customer_id, before, after)
          SELECT %(batch)s, id, jsonb_object_agg(key, value), jsonb_object_agg(key, after -> key)
          FROM changed, jsonb_each(before) WHERE value IS DISTINCT FROM after -> key
            AND made_by IS DISTINCT FROM %(batch)s
          GROUP BY id
          ON CONFLICT (batch_id, customer_id) DO UPDATE
            SET before = EXCLUDED.before || known.before, after = known.after || EXCLUDED.after
        )
        SELECT id FROM changed
    """  # noqa: S608 the fields are ours


UPDATE = _write(only_empty=False)
FILL = _write(only_empty=True)

EARLIER = _keeping_what_was(
    "known_on = intake.known_on",
    "intake.known_on < customer.known_on AND coalesce(decision, '') NOT IN ('skip', 'refuse')",
    ["known_on"],
)
