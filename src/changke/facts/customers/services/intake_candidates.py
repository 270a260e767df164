"""What a file says about persons, put down where the database compares it with whom it knows.

Phones, e-mail addresses, WeCom ids and union ids reach the database as their blind indexes; in clear they stay in this
process.
"""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from changke.facts.customers import rules
from changke.foundation.database.copy import array_text, copy_rows, staging
from changke.foundation.persons.queries import vault


class Candidate(NamedTuple):
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
    cand bigint, external text, card text, wecom bigint, unionid bigint, phone bigint, email bigint,
    name text DEFAULT '', gender text DEFAULT '', birth_year smallint, birth_month smallint, birth_day smallint,
    occupation text DEFAULT '', income_band text DEFAULT '', city text DEFAULT '', interests text DEFAULT '',
    living text DEFAULT '', allergies text DEFAULT '', first_source text DEFAULT '', home_store_id bigint,
    adviser_id bigint, known_on date, pinyin text DEFAULT '', initials text DEFAULT '',
    name_grams text[] DEFAULT '{}', customer_id bigint, is_new boolean DEFAULT false, former_wecom bigint,
    former_unionid bigint, former_phone bigint, former_email bigint, found_by text, decision text
"""
SEALED = ("wecom", "unionid", "phone", "email")
"""In the order in which they are believed."""
TEXTS = ("name", "gender", "occupation", "income_band", "city", "interests", "living", "allergies")
NUMBERS = ("birth_year", "birth_month", "birth_day", "home_store_id", "adviser_id")

FORMER = "former_"
"""While the master key is being changed a known value may stand under the former index."""


def put_down(candidates: Sequence[Candidate]) -> dict[str, Sequence[object]]:
    """Into `intake_customer`, column by column and only those that somebody fills: a till's file fills six of thirty.
    The columns as they went there."""
    safe = vault()
    said = dict(zip(Candidate._fields, zip(*candidates, strict=True), strict=True)) if candidates else {}
    columns: dict[str, Sequence[object]] = {field: says for field, says in said.items() if set(says) - {None, ""}}
    for kind in SEALED:
        if (values := columns.get(kind)) is None:
            continue
        columns[kind] = [safe.blind(kind, str(value)) if value else None for value in values]
        if len(safe.in_use) > 1:
            former = safe.in_use[-2]
            columns[FORMER + kind] = [safe.blind(kind, str(value), former) if value else None for value in values]
    if "name" in columns:
        names = [rules.clean_name(str(name)) for name in columns["name"]]
        columns["name"] = names
        columns["pinyin"] = [rules.pinyin(name) for name in names]
        columns["initials"] = [rules.initials(name) for name in names]
        columns["name_grams"] = [array_text(rules.grams(name)) for name in names]
    staging("intake_customer", COLUMNS)
    copy_rows("intake_customer", zip(*columns.values(), strict=True), columns=list(columns))
    return columns
