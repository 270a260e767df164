"""Columns of text become columns of values, each distinct value once.

Clean values (nearly all) are converted by one vectorised expression; every other distinct value goes through the Python
rule of `normalise`, which is the definition. Both agree: tests/interfaces/importers/test_clean.py.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as of

import duckdb
import numpy as np

from changke.facts.fields.models import Field
from changke.foundation.money import LARGEST_MINOR, exponent
from changke.interfaces.importers import own
from changke.interfaces.importers.columns import cell_words
from changke.interfaces.importers.folding import folded
from changke.interfaces.importers.normalise import dates, numbers, phones, texts
from changke.interfaces.importers.problems import Refused

ODD_AT_ONCE = 20_000
SOLD_AS = "sold_as"
"""A column of every file with a column of types: what those say of the item. It reads the same cells once more."""


@dataclass(frozen=True)
class Type:
    """How one field is read. `fast` is SQL over `x` that gives the value or NULL; `rule` decides everything else."""

    sql: str
    rule: Callable[[str], object]
    fast: str = "NULL"


@dataclass(frozen=True)
class Reading:
    """What the same text means here: the chain's currency and the country of its phones."""

    currency: str = "CNY"
    region: str = "CN"
    own: Mapping[str, Field] = of(default_factory=dict)
    """The chain's own fields, by column."""


CLOCK = r"([01]\d|2[0-3]):[0-5]\d"


def types(reading: Reading) -> dict[str, Type]:
    """The type of every field that is not plain text."""
    digits = exponent(reading.currency)
    whole, point = 18, rf"(\.\d{{1,{digits}}})?" if digits else ""
    money = Type(
        "BIGINT",
        lambda text: numbers.money(text, currency=reading.currency),
        rf"CASE WHEN regexp_full_match(x, '-?\d{{1,9}}{point}') AND "
        rf"abs(CAST(x AS DECIMAL({whole},{digits}))) * {10**digits} "
        rf"<= {LARGEST_MINOR} THEN CAST(CAST(x AS DECIMAL({whole},{digits})) * {10**digits} AS BIGINT) END",
    )
    moment_shape = rf"\d{{4}}[-/]\d{{2}}[-/]\d{{2}}([ T]{CLOCK}(:[0-5]\d)?)?"
    dashed = "replace(replace(x, '/', '-'), 'T', ' ')"
    is_day = f"try_cast(left({dashed}, 10) AS DATE) >= DATE '1970-01-01'"
    moment = Type(
        "VARCHAR",
        dates.moment,
        f"CASE WHEN regexp_full_match(x, '{moment_shape}') AND {is_day} "
        f"THEN CASE length(x) WHEN 16 THEN {dashed} || ':00' ELSE {dashed} END END",
    )
    day = Type(
        "DATE",
        dates.day,
        rf"CASE WHEN regexp_full_match(x, '\d{{4}}[-/]\d{{2}}[-/]\d{{2}}') AND {is_day} "
        f"THEN try_cast({dashed} AS DATE) END",
    )
    phone_fast = (
        r"CASE WHEN regexp_full_match(x, '1[3-9]\d{9}') THEN '+86' || x END" if reading.region == "CN" else "NULL"
    )
    count = Type("BIGINT", numbers.count, r"CASE WHEN regexp_full_match(x, '\d{1,6}') THEN CAST(x AS BIGINT) END")
    identity = Type(
        "VARCHAR",
        identity_text,
        "CASE WHEN regexp_full_match(x, '[A-Za-z0-9-]{1,80}')"
        r" AND NOT regexp_full_match(x, '-?\d[eE]-?\d+') THEN x END",
    )
    return {
        "phone": Type("VARCHAR", lambda text: phones.phone(text, region=reading.region), phone_fast),
        "email": Type("VARCHAR", texts.email),
        "customer_id": identity,
        "wecom_id": identity,
        "member_card": identity,
        "union_id": identity,
        "number": identity,
        "original_number": identity,
        "card_number": identity,
        "happened": moment,
        "clock": Type("VARCHAR", dates.time_of_day, f"CASE WHEN regexp_full_match(x, '{CLOCK}:[0-5]\\d') THEN x END"),
        "first_on": day,
        "last_on": day,
        "known_on": day,
        "birthday": Type("VARCHAR", dates.birthday),
        "birth_year": Type("VARCHAR", dates.birthday),
        "gender": Type("VARCHAR", texts.gender),
        "quantity": Type(
            "BIGINT", numbers.quantity, r"CASE WHEN regexp_full_match(x, '-?\d{1,6}') THEN CAST(x AS BIGINT) * 1000 END"
        ),
        "purchases": count,
        "sessions": count,
        "remaining": count,
        "bought_on": day,
        "expires_on": day,
        **dict.fromkeys(MONEY_FIELDS, money),
        "type": Type("VARCHAR", type_word),
        "item_kind": Type("VARCHAR", item_kind_word),
        SOLD_AS: Type("VARCHAR", sold_as_word, "CASE WHEN x IN ('消费', '销售', '退款', 'sale') THEN '' END"),
        "tender": Type("VARCHAR", tender_word),
        "consent_on": day,
        **dict.fromkeys(own.TOPICS, Type("VARCHAR", own.consent)),
        **{
            column: Type("VARCHAR", own.reader(one, currency=reading.currency, exponent=digits))
            for column, one in reading.own.items()
        },
    }


TENDER_FIELDS = (
    "tender_cash", "tender_card", "tender_wechat", "tender_alipay", "tender_stored_value", "tender_session",
    "tender_points",
)  # fmt: skip
MONEY_FIELDS = ("unit_price", "amount", "discount", "cost", "cash", "value", *TENDER_FIELDS)

LONGEST = {"name": 120, "item": 200, "item_code": 80, "category": 120, "store": 120, "staff": 120, "purpose": 120,
           "occupation": 120, "income_band": 60, "city": 120, "interests": 400, "living": 400,
           "allergies": 400, "source": 80,
           "adviser": 120, "referrer": 200, "tags": 400, "card": 120, "text": 4_000}  # fmt: skip
"""Longer texts are cut: no fact hangs on their last characters."""


def identity_text(value: str) -> str:
    """A number that names a thing. `13085.0` is what programs make of 13085; `1.38E+10` has lost its digits."""
    found = texts.text(value)
    if numbers.ROUNDED.match(found):
        raise Refused("number_rounded")
    whole, _, rest = found.partition(".")
    if whole.isdigit() and rest.strip("0") == "":
        found = whole
    if len(found) > 80:
        raise Refused("text_too_long", limit=80)
    return found


def type_word(value: str) -> str:
    """sale, use, return; a word that says none of them says nothing."""
    words, plain = cell_words("type"), folded(value)
    if plain in words:
        return words[plain]
    for part, code in (("退", "return"), ("refund", "return"), ("耗卡", "use"), ("划卡", "use")):
        if part in plain:
            return code
    return ""


def item_kind_word(value: str) -> str:
    return cell_words("item_kind").get(folded(value), "other")


def sold_as_word(value: str) -> str:
    """What the type of a row says of the item: 办卡 sells a card. Most types say nothing of it."""
    return cell_words("sold_as").get(folded(value), "")


def kind_by_name(name: str) -> str:
    """What a name sounds like: proposed to a person, never decided. `补水十次卡(2025)` sounds like a card."""
    plain, endings = folded(name), cell_words("named")
    return next((code for word, code in endings.items() if plain.endswith(word)), "")


def tender_word(value: str) -> str:
    words, plain = cell_words("tender"), folded(value)
    if plain in words:
        return words[plain]
    return next((code for word, code in words.items() if len(word) > 1 and word in plain), "other")


EMPTY = ", ".join("'" + word.replace("'", "''") + "'" for word in sorted(texts.EMPTY_WORDS))


def value_type(field: str, reading: Reading) -> str:
    found = types(reading).get(field)
    return found.sql if found else "VARCHAR"


def tidy(column: str) -> str:
    """SQL: NULL for what people write into an empty cell."""
    return f"CASE WHEN lower({column}) IN ({EMPTY}) THEN NULL ELSE {column} END"


def build_typed(
    connection: duckdb.DuckDBPyConnection, fields: Sequence[str], mapped: Sequence[str], reading: Reading
) -> None:
    """From `rows` (text) make `typed`: the same rows with values, and `bad`: which field was refused with which code.

    Every field of `fields` is a column of `typed`, NULL where the file has no such column: of a till's file six in
    seven, which a view adds, so that nobody writes them.
    """
    known = types(reading)
    given = [field for field in fields if field in mapped]
    ruled = {field: known[field] for field in given if field in known}
    _build_fast(connection, given, ruled)
    odd = {field: kind for field, kind in ruled.items() if _collect_odd(connection, field, kind)}
    if odd:
        _mend(connection, given, odd)
    columns = [
        field if field in mapped else f"CAST(NULL AS {known[field].sql if field in known else 'VARCHAR'}) AS {field}"
        for field in fields
    ]
    connection.execute(
        f"CREATE OR REPLACE VIEW typed AS SELECT rn, sheet, line, problem, "  # noqa: S608 our own names
        f"{'bad' if odd else f'CAST([] AS {BAD}) AS bad'}, {', '.join(columns)} FROM {'mended' if odd else 'fast'}"
    )


BAD = "STRUCT(field VARCHAR, code VARCHAR, value VARCHAR, places VARCHAR)[]"


def _build_fast(connection: duckdb.DuckDBPyConnection, given: Sequence[str], ruled: Mapping[str, Type]) -> None:
    """`fast`: what the vectorised expressions make of the rows, and, where they make nothing, the text as it stands
    (`left_<field>`)."""
    columns = []
    for field in given:
        if field not in ruled:
            columns.append(f"left({field}, {LONGEST.get(field, 400)}) AS {field}")
            continue
        connection.execute(f"CREATE OR REPLACE MACRO fast_{field}(x) AS {ruled[field].fast}")
        value = f"CAST(fast_{field}(rows.{field}) AS {ruled[field].sql})"
        columns.append(f"{value} AS {field}, CASE WHEN {value} IS NULL THEN rows.{field} END AS left_{field}")
    connection.execute(
        f"CREATE OR REPLACE TABLE fast AS SELECT rn, sheet, line, problem, {', '.join(columns) or '1'} FROM rows"  # noqa: S608
    )


def _mend(connection: duckdb.DuckDBPyConnection, given: Sequence[str], odd: Mapping[str, Type]) -> None:
    """`mended`: the same with what the rules say of the texts that were left."""
    columns = [
        f"CAST(coalesce(fast.{field}, odd_{field}.value) AS {odd[field].sql}) AS {field}"
        if field in odd
        else f"fast.{field}"
        for field in given
    ]
    joins = [f"LEFT JOIN odd_{field} ON odd_{field}.text = fast.left_{field}" for field in odd]
    bads = [
        f"CASE WHEN odd_{field}.code IS NOT NULL THEN "
        f"{{'field': '{field}', 'code': odd_{field}.code, 'value': fast.left_{field}, "
        f"'places': odd_{field}.places}} END"
        for field in odd
    ]
    any_bad = " OR ".join(f"odd_{field}.code IS NOT NULL" for field in odd)
    listed = f"list_filter([{', '.join(bads)}], lambda each: each IS NOT NULL)"
    connection.execute(
        f"CREATE OR REPLACE TABLE mended AS SELECT fast.rn, fast.sheet, fast.line, fast.problem, "  # noqa: S608
        f"CASE WHEN {any_bad} THEN CAST({listed} AS {BAD}) ELSE [] END AS bad, {', '.join(columns)} "
        f"FROM fast {' '.join(joins)}"
    )
    connection.execute("DROP TABLE fast")


def _collect_odd(connection: duckdb.DuckDBPyConnection, field: str, kind: Type) -> bool:
    """Run the rule over the distinct values that the fast expression does not take; are there any?"""
    connection.execute(
        f"CREATE OR REPLACE TABLE odd_{field} (text VARCHAR, value {kind.sql}, code VARCHAR, places VARCHAR)"
    )
    reading = connection.cursor()
    reading.execute(f"SELECT DISTINCT left_{field} FROM fast WHERE left_{field} IS NOT NULL")  # noqa: S608
    found = False
    for chunk in _chunks(reading):
        found = True
        results = [judge(kind.rule, text) for text in chunk]
        odd = {
            "text": np.array(chunk, dtype=object),
            "value": np.array([value for value, _, _ in results], dtype=object),
            "code": np.array([code for _, code, _ in results], dtype=object),
            "places": np.array([places for _, _, places in results], dtype=object),
        }
        connection.register("odd_chunk", odd)
        connection.execute(
            f"INSERT INTO odd_{field} SELECT text, CAST(value AS {kind.sql}), code, places FROM odd_chunk"  # noqa: S608
        )
        connection.unregister("odd_chunk")
    return found


def judge(rule: Callable[[str], object], text: str) -> tuple[str | None, str | None, str | None]:
    """(value as text, code, what fills the code's places)."""
    try:
        return str(rule(text)), None, None
    except Refused as refused:
        places = "\x1f".join(f"{key}\x1e{value}" for key, value in refused.problem.places.items())
        return None, refused.problem.code, places


def _chunks(reading: duckdb.DuckDBPyConnection) -> Iterator[list[str]]:
    while rows := reading.fetchmany(ODD_AT_ONCE):
        yield [row[0] for row in rows]
