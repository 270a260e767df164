"""Whom the candidates of a file mean, of those whom the chain knows: docs/algorithms/import.md."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from changke.facts.customers.services.intake_candidates import FORMER, SEALED, Candidate, put_down

GROUPS = ("number", "phone", "phone_other_name", "email", "conflict")
"""How a row met a customer known before: by number, card, WeCom id or union id, by phone under the same name, by phone
under another name, by e-mail; or its number is one person's and its phone or e-mail another's."""

CARD_TAKEN = "card_taken"
"""The row says the card of somebody else than whom it means. Nobody decides that: it is refused."""


@dataclass(frozen=True)
class Matched:
    """`cand` -> how it met somebody known before this batch. `anybody`: some candidate found somebody, if only one whom
    this very batch made; `columns` are those that the candidates fill, as they were put down."""

    groups: dict[int, str]
    anybody: bool
    columns: Mapping[str, Sequence[object]]


def match(cursor: Any, candidates: Sequence[Candidate], *, source: str, batch_id: int, by_name: bool) -> Matched:
    """Stage the candidates and find whom they mean. What no candidate says is not asked for."""
    columns = put_down(candidates)
    indexes = [*(kind for kind in SEALED if kind in columns), *(name for name in columns if name.startswith(FORMER))]
    statements = [
        *([MATCH_EXTERNAL] if "external" in columns else []),
        *([MATCH_CARD] if "card" in columns else []),
        *map(match_by, indexes),
        *(match_by_name(index) for index in indexes if by_name and index.endswith("phone")),
    ]
    found = 0
    for statement in statements:
        cursor.execute(statement, {"source": source})
        found += cursor.rowcount
    groups: dict[int, str] = {}
    if found:
        cursor.execute(GROUP, {"batch": batch_id})
        groups = dict(cursor.fetchall())
    if "card" in columns:
        cursor.execute(CARDS_OF_OTHERS)
        groups |= {cand: CARD_TAKEN for (cand,) in cursor.fetchall()}
    return Matched(groups, found > 0, columns)


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
