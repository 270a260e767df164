"""Finding pairs, and the list of them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce

from changke.facts.customers.models import Identifier, IdentifierKind, whom
from changke.facts.duplicates import rules
from changke.facts.duplicates.models import Duplicate, State
from changke.foundation.organisation.scope import Scope
from changke.foundation.persons.queries import vault

PHONE_IN_CLEAR = r"^(\+?86)?1[3-9][0-9]{9}$"
"""A member number that is a phone: old systems use it so. Only here does a value pass through Python, because only here
is the key of the blind index."""

NAME = r"lower(regexp_replace(name, '\s', '', 'g'))"

# Whoever has a phone, an address or an account in common with another has it as `shared`, or the other has: the pairs
# are found from those rows alone. A record that is read as another counts as the person.
COMMON = """
WITH common AS (
  SELECT kind, blind FROM facts_identifier WHERE shared
  UNION SELECT 'phone', blind FROM unnest(%(clear)s::bigint[]) AS clear (blind)
), held AS (
  SELECT known.kind, known.blind, known.customer_id FROM facts_identifier AS known
  JOIN common ON common.kind = known.kind AND common.blind = known.blind
  UNION ALL
  SELECT 'phone', clear.blind, clear.customer_id
  FROM unnest(%(clear)s::bigint[], %(of)s::bigint[]) AS clear (blind, customer_id)
), persons AS (
  SELECT DISTINCT held.kind, held.blind, COALESCE(record.merged_into_id, record.id) AS person
  FROM held JOIN facts_customer AS record ON record.id = held.customer_id
)
SELECT kind, array_agg(person) FROM persons JOIN facts_customer AS whose ON whose.id = person AND whose.is_active
GROUP BY kind, blind HAVING count(*) BETWEEN 2 AND %(most)s
"""

# How common each name and each day is, is counted of everybody; of the names only those that some are alike in.
NAMESAKES = f"""
WITH people AS MATERIALIZED (
  SELECT id, {NAME} AS plain, home_store_id,
    CASE WHEN birth_year IS NOT NULL AND birth_month IS NOT NULL AND birth_day IS NOT NULL
    THEN birth_year * 10000 + birth_month * 100 + birth_day END AS born
  FROM facts_customer WHERE is_active AND merged_into_id IS NULL
), alike AS (
  SELECT plain, born, array_agg(id ORDER BY id) AS ids, array_agg(home_store_id ORDER BY id) AS stores FROM people
  WHERE born IS NOT NULL AND char_length(plain) >= %(shortest)s
  GROUP BY plain, born HAVING count(*) BETWEEN 2 AND %(most)s
), named AS (SELECT plain, count(*) AS many FROM people GROUP BY plain
), days AS (SELECT born, count(*) AS many FROM people WHERE born IS NOT NULL GROUP BY born)
SELECT ids, stores, named.many, days.many, (SELECT sum(many)::bigint FROM days)
FROM alike JOIN named USING (plain) JOIN days USING (born)
"""  # noqa: S608 our own words

STORES = """
SELECT home_store_id, count(*)::float8 / sum(count(*)) OVER () FROM facts_customer
WHERE is_active AND merged_into_id IS NULL GROUP BY home_store_id
"""

PROFILES = """
SELECT id, name, birth_year, birth_month, birth_day FROM facts_customer WHERE id = ANY(%s)
"""

# A pair that somebody refused, or that was merged and separated again, is refused for whomever the two are read as;
# unless somebody said since that it may be one person after all.
REFUSED = """
SELECT COALESCE(a.merged_into_id, a.id), COALESCE(b.merged_into_id, b.id)
FROM (
  SELECT one_id, other_id FROM facts_duplicate WHERE state = 'not_same'
  UNION SELECT merged_id, into_id FROM facts_mergelink AS link WHERE withdrawn_by_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM facts_duplicate WHERE state = 'proposed' AND decided_at IS NOT NULL
      AND one_id = LEAST(link.merged_id, link.into_id) AND other_id = GREATEST(link.merged_id, link.into_id))
) AS pair JOIN facts_customer AS a ON a.id = pair.one_id JOIN facts_customer AS b ON b.id = pair.other_id
"""


@dataclass(frozen=True)
class Alike:
    """What two persons have in common. `chance`: of a hundred pairs with such a name and birthday, how many are one
    person; 0 where too many have them."""

    signals: frozenset[str]
    chance: int


def alike() -> dict[tuple[int, int], Alike]:
    """Every pair of persons that has something in common, and what, but for those that were refused. Looks at
    everybody, and writes nothing: a long statement that writes would hold up whoever follows the facts."""
    found: dict[tuple[int, int], set[str]] = {}
    chances: dict[tuple[int, int], int] = {}
    values, customers = _phones_in_clear()
    with connection.cursor() as sql:
        sql.execute(COMMON, {"clear": values, "of": customers, "most": rules.MOST_ALIKE})
        for kind, people in sql:
            signal = kind if kind in {"phone", "email"} else "account"
            for pair in rules.pairs(people):
                found.setdefault(pair, set()).add(signal)
        sql.execute(NAMESAKES, {"most": rules.MOST_ALIKE, "shortest": rules.SHORTEST_NAME})
        namesakes = sql.fetchall()
        sql.execute(STORES)
        shares = dict(sql.fetchall())
        for people, stores, *counts in namesakes:
            of, group = dict(zip(people, stores, strict=True)), rules.Namesakes(len(people), *counts)
            for one, other in rules.pairs(people):
                chances[one, other] = rules.chance_of_one(group, (of[one], of[other]), shares)
                if (one, other) in found or chances[one, other] >= rules.PROPOSED_FROM:
                    found.setdefault((one, other), set()).update({"name", "birthday"})
        sql.execute(REFUSED)
        for one, other in sql:
            found.pop((min(one, other), max(one, other)), None)
        sql.execute(PROFILES, [sorted({person for pair in found for person in pair})])
        known = {pk: (rules.plain_name(name), born) for pk, name, *born in sql}
    return {
        pair: Alike(frozenset(signals | _same(known[pair[0]], known[pair[1]])), chances.get(pair, 0))
        for pair, signals in found.items()
    }


def _same(one: tuple[str, list[int | None]], other: tuple[str, list[int | None]]) -> set[str]:
    same = {"name"} if one[0] and one[0] == other[0] else set()
    return same | ({"birthday"} if None not in one[1] and one[1] == other[1] else set())


def _phones_in_clear() -> tuple[list[int], list[int]]:
    """Numbers in clear that look like phones: their blind indexes as phones, and whose they are."""
    safe = vault()
    kinds = (IdentifierKind.EXTERNAL, IdentifierKind.CARD)
    rows = Identifier.objects.filter(kind__in=kinds, value__regex=PHONE_IN_CLEAR).order_by()
    values, customers = [], []
    for customer_id, value in rows.values_list("customer_id", "value").iterator(chunk_size=20_000):
        if value and re.match(PHONE_IN_CLEAR, value):
            values.append(safe.blind(IdentifierKind.PHONE, f"+86{value[-11:]}"))
            customers.append(customer_id)
    return values, customers


def pairs_in(scope: Scope) -> "QuerySet[Duplicate, Duplicate]":
    """Pairs of which the scope may see both persons."""
    rows = Duplicate.objects.select_related("one", "other", "one__home_store", "other__home_store", "decided_by")
    if scope.store_ids is None:
        return rows
    home = {
        side: Coalesce(f"{side}__merged_into__home_store_id", f"{side}__home_store_id") for side in ("one", "other")
    }
    person = {side: Coalesce(f"{side}__merged_into_id", f"{side}_id") for side in ("one", "other")}
    seen = rows.alias(
        one_home=home["one"], other_home=home["other"], one_person=person["one"], other_person=person["other"]
    )
    return seen.filter(*(whom(scope, person=f"{side}_person", home=f"{side}_home") for side in ("one", "other")))


def open_pairs(scope: Scope) -> "QuerySet[Duplicate, Duplicate]":
    """Pairs that wait for somebody, the surest first. One whose records were merged or hidden meanwhile waits for
    nobody, also before the next search takes it away."""
    living: dict[str, Any] = {
        f"{side}__{field}": value
        for side in ("one", "other")
        for field, value in (("is_active", True), ("merged_into__isnull", True))
    }
    return pairs_in(scope).filter(state=State.PROPOSED, **living).order_by("-score", "id")


def decided_pairs(scope: Scope) -> "QuerySet[Duplicate, Duplicate]":
    """What was decided, the latest first."""
    return pairs_in(scope).exclude(state=State.PROPOSED).order_by("-decided_at", "-id")


def parted() -> list[int]:
    """Pairs that were merged and are two persons again."""
    rows = Duplicate.objects.filter(state=State.MERGED).alias(
        a=Coalesce("one__merged_into_id", "one_id"), b=Coalesce("other__merged_into_id", "other_id")
    )
    return list(rows.exclude(a=F("b")).values_list("pk", flat=True))


def standing() -> Iterator[tuple[int, tuple[int, int], tuple[str, int, list[str]]]]:
    """Pairs that are proposed now: id, who, by which rule, how likely, what is in common."""
    rows = Duplicate.objects.filter(state=State.PROPOSED).order_by()
    wanted = ("pk", "one_id", "other_id", "rule", "score", "why")
    for pk, one, other, rule, score, why in rows.values_list(*wanted).iterator():
        yield pk, (one, other), (rule, score, why)
