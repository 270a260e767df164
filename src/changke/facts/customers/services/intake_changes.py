"""What candidates change once it is known whom they mean: new customers, numbers in clear, fields of known ones."""

from changke.facts.customers.services.intake_candidates import FORMER, NUMBERS, TEXTS

# Also of customers whom this very batch made: of two rows of a family, the first finds nobody.
ANOTHER_PERSON = """
UPDATE intake_customer AS intake SET customer_id = NULL, decision = 'another'
FROM facts_customer AS customer
WHERE customer.id = intake.customer_id AND found_by = 'phone' AND intake.name <> '' AND customer.name <> ''
  AND intake.name <> customer.name AND customer.is_active AND coalesce(decision, 'another') = 'another'
"""

NUMBER = """
UPDATE intake_customer
SET customer_id = nextval((SELECT pg_get_serial_sequence('facts_customer', 'id'))::regclass), is_new = true
WHERE customer_id IS NULL AND decision IS DISTINCT FROM 'refuse'
RETURNING cand, customer_id
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


def unknown_names(kind: str, *, changing: bool) -> str:
    """Whose identifier of this kind she does not have, whether another is found by it, and its index; `changing`: the
    master key is, so it may stand under either index."""
    indexes = ", ".join(f"intake.{index}" for index in (kind, *([f"{FORMER}{kind}"] if changing else [])))
    known = f"SELECT FROM facts_identifier AS known WHERE known.kind = '{kind}' AND known.blind IN ({indexes})"
    return f"""
        SELECT cand, customer_id, '{kind}', EXISTS ({known} AND NOT known.shared), intake.{kind}
        FROM intake_customer AS intake
        WHERE {kind} IS NOT NULL AND coalesce(decision, '') NOT IN ('skip', 'refuse')
          AND NOT EXISTS ({known} AND known.customer_id = intake.customer_id)
    """  # noqa: S608 the kinds are ours
