"""Who the rows speak of: one candidate per identifier, taken in by the customers' room, pass by pass.

External ids first, then cards, WeCom ids, union ids, phones, e-mails: a row with only a phone then finds the person
whom another row of the same file introduced with number and phone.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as of
from typing import Any

import duckdb

from changke.facts.consents.queries import said_of
from changke.facts.customers.services import intake
from changke.facts.customers.services.intake import GROUPS, Candidate, Met, compare, take_in
from changke.facts.fields.queries import held_by
from changke.foundation.database.statistics import analyze
from changke.foundation.database.threads import side_by_side
from changke.interfaces.importers import findings, own
from changke.interfaces.importers.setting import Setting
from changke.interfaces.importers.tables import add, put, stream

PERSON_KEY = "coalesce('x' || customer_id, 'w' || wecom_id, 'p' || phone, 'e' || email)"
CUSTOMER_KEY = (
    "coalesce('x' || customer_id, 'c' || member_card, 'w' || wecom_id, 'u' || union_id, 'p' || phone, 'e' || email)"
)
"""Of a file of customers, which may name cards and union ids too."""
FAMILY_KEY = CUSTOMER_KEY.replace(
    "'p' || phone",
    "'p' || phone || chr(31) || coalesce(name, min(name) OVER (PARTITION BY phone), '')",
)
"""The same where other names under one phone are other persons; a row without one is of the first by the alphabet."""
PASSES = "xcwupe"
NAMES = ("customer_id", "member_card", "wecom_id", "union_id", "phone", "email")
CHUNK = 2_000
COUNTED_AFTER = (4, 20)
"""Chunks after which the tables are counted: of an installation's first load the planner would think that they are
empty until its end, and read the whole of them for each chunk."""
PART = 100_000
"""Rows whose persons are put together at a time: all rows of a person are in one part, and what is in memory does not
grow with the file."""
PRETENDED = -1
"""A store that will be created: the analysis knows no id of it yet."""
SHAPE = {"key": "VARCHAR", "id": "BIGINT", "outcome": "VARCHAR", "only_empty": "BIGINT"}
MET_SHAPE = {"key": "VARCHAR", "id": "BIGINT", "decided": "VARCHAR"}
TEXTS = ("name", "gender", "occupation", "income_band", "city", "interests", "living", "allergies", "source")


def take_in_persons(
    connection: duckdb.DuckDBPyConnection,
    setting: Setting,
    *,
    rows: str,
    update: bool,
    progress: Callable[[int], None] = lambda rows: None,
) -> None:
    """Make `customer_of(key, id, outcome, only_empty)` for the persons of the table `rows` (rn, key, store_id, day,
    adviser_id).

    With `update` it is decided per batch and way of meeting what becomes of known customers; without it the rows are of
    something else, and who they name only gains what was empty.
    """
    put(connection, "customer_of", SHAPE, [])
    _build_persons(connection, rows=rows, update=update)
    done = 0

    def take(people: list[Person]) -> tuple[list[tuple[object, ...]], int]:
        taken = take_in(
            [candidate(index, person) for index, person in enumerate(people)],
            source=setting.source, batch_id=setting.batch_id, now=setting.now,
            decide=setting.decide if update else lambda group: "merge", by_name=update,
        )  # fmt: skip
        found: list[tuple[object, ...]] = [
            (person["key"], one.customer_id, one.outcome, int(one.decision == "merge"))
            for one, person in ((taken[index], person) for index, person in enumerate(people))
        ]
        return found, sum(person["rows"] for person in people)

    chunks = side_by_side(take, _in_passes(connection), alone=not _strangers(connection))
    for number, (found, rows_taken) in enumerate(chunks, start=1):
        if number in COUNTED_AFTER:
            analyze(("facts_customer", "facts_identifier"))
        add(connection, "customer_of", SHAPE, found)
        done += rows_taken
        progress(done)


def _strangers(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether each person is named in one way only. Then no two of the file can be the same one by a second name, and
    it does not matter who is taken in first."""
    return len(set(NAMES) & set(_columns(connection))) <= 1


@dataclass
class MetGroup:
    """Known customers whom rows met in one way: how many, and some of them with what would change."""

    group: str
    rows: int = 0
    same: int = 0
    """Of these, rows that change nothing."""
    samples: list[Met] = of(default_factory=list)


def meet_persons(connection: duckdb.DuckDBPyConnection, setting: Setting, *, rows: str) -> list[MetGroup]:
    """Whom of those known before the rows would meet, and `met_of(key, id, decided)`: what is decided of them by now.
    Nothing is written."""
    _build_persons(connection, rows=rows, update=True)
    found = {group: MetGroup(group) for group in GROUPS}
    put(connection, "met_of", MET_SHAPE, [])
    for people in _in_passes(connection):
        candidates = [candidate(index, person) for index, person in enumerate(people)]
        met = compare(candidates, source=setting.source, batch_id=setting.batch_id)
        decided = [(people[one.cand]["key"], one.customer_id, setting.decide(one.group)) for one in met]
        add(connection, "met_of", MET_SHAPE, decided)
        for one in told_besides(met, people, setting):
            group = found[one.group]
            group.rows += people[one.cand]["rows"]
            group.same += 0 if one.differences else people[one.cand]["rows"]
            if (one.differences or one.group == "conflict") and len(group.samples) < SAMPLES:
                group.samples.append(one)
    return [group for group in found.values() if group.rows]


def whom_they_meet(
    connection: duckdb.DuckDBPyConnection, setting: Setting, *, rows: str
) -> Iterator[list[tuple[str, Met]]]:
    """Customers known before whom the rows mean, each with the key of the row; some thousand at a time."""
    _build_persons(connection, rows=rows, update=True)
    for people in _in_passes(connection):
        candidates = [candidate(index, person) for index, person in enumerate(people)]
        met = compare(candidates, source=setting.source, batch_id=setting.batch_id)
        yield [(people[one.cand]["key"], one) for one in met]


def with_cards_of_others(connection: duckdb.DuckDBPyConnection, setting: Setting, *, rows: str) -> Iterator[list[str]]:
    """Keys of the rows that say somebody else's card; some thousand persons at a time."""
    _build_persons(connection, rows=rows, update=True)
    for people in _in_passes(connection):
        if any(person["member_card"] for person in people):
            candidates = [candidate(index, person) for index, person in enumerate(people)]
            taken = intake.with_cards_of_others(candidates, source=setting.source, batch_id=setting.batch_id)
            yield [people[cand]["key"] for cand in sorted(taken)]


SAMPLES = 5


def told_besides(met: Sequence[Met], people: Sequence[Mapping[str, Any]], setting: Setting) -> list[Met]:
    """The same with what the rows would change of own fields and consents."""
    mapped = {column: one for column, one in setting.reading.own.items() if any(each.get(column) for each in people)}
    ids = [one.customer_id for one in met]
    held = held_by(ids, mapped.values()) if mapped else {}
    asked = [name for name in own.TOPICS if any(person[name] for person in people)]
    said = said_of(ids, at=setting.now) if asked else {}
    found = []
    for one in met:
        person, differences = people[one.cand], dict(one.differences)
        for column, field in mapped.items():
            if person[column] is not None:
                now, value = held.get(one.customer_id, {}).get(field.key), own.value(field.kind, person[column])
                differences |= {column: (now, value)} if now != value else {}
        for column in asked:
            last = said.get(one.customer_id, {}).get(own.TOPICS[column])
            if person[column] and (last is None or last.given != (person[column] == "yes")):
                differences[column] = (None if last is None else last.given, person[column] == "yes")
        found.append(replace(one, differences=differences))
    return found


def _build_persons(connection: duckdb.DuckDBPyConnection, *, rows: str, update: bool) -> None:
    # A customer file's last word counts; a purchase file only introduces.
    pick = "arg_max" if update else "arg_min"
    fields = "".join(f"{pick}(typed.{field}, typed.rn) AS {field}, " for field in _given(connection))
    found = connection.execute(f"SELECT count(*) FROM {rows}").fetchone()  # noqa: S608 our own names
    parts = 1 + (found[0] if found else 0) // PART
    for part in range(parts):
        connection.execute(
            f"{'INSERT INTO persons' if part else 'CREATE OR REPLACE TABLE persons AS'} "  # noqa: S608
            "SELECT who.key, count(*) AS rows, min(who.rn) AS first_rn, min(who.day) AS day, "
            f"{fields}{pick}(who.store_id, who.rn) AS store_id, {pick}(who.adviser_id, who.rn) AS adviser_id "
            f"FROM {rows} AS who JOIN typed USING (rn) "
            f"WHERE who.key IS NOT NULL AND hash(who.key) % {parts} = {part} GROUP BY who.key"
        )


class Person(dict[str, Any]):
    """A row of `persons`. What no row of the file fills is no column of it, and None here."""

    def __missing__(self, name: str) -> None:
        return None


def _in_passes(connection: duckdb.DuckDBPyConnection) -> Iterator[list[Person]]:
    """The persons, pass by pass, some thousand at a time."""
    names = _columns(connection)
    for letter in PASSES:
        statement = f"SELECT * FROM persons WHERE left(key, 1) = '{letter}' ORDER BY first_rn"  # noqa: S608
        for chunk in stream(connection, statement, CHUNK):
            yield [Person(zip(names, row, strict=True)) for row in chunk]


def _columns(connection: duckdb.DuckDBPyConnection, table: str = "persons") -> list[str]:
    return [str(column[0]) for column in connection.execute(f"DESCRIBE {table}").fetchall()]


def _given(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The fields of a person that any row fills.

    A till's file has two or three of fifteen, and picking the first of each costs memory per person and field: a
    million rows would not fit otherwise.
    """
    besides = (*own.TOPICS, *(name for name in _columns(connection, "typed") if name.startswith(own.PREFIX)))
    fields = (*NAMES, "birthday", "birth_year", *TEXTS, *besides)
    counts = connection.execute(f"SELECT {', '.join(f'count({field})' for field in fields)} FROM typed").fetchone()  # noqa: S608
    return [field for field, count in zip(fields, counts or (), strict=True) if count]


def candidate(index: int, person: Mapping[str, Any]) -> Candidate:
    """One row of `persons` as the customers' room wants it."""
    said = {ours: person[theirs] for theirs, ours in SAID.items() if person[theirs] is not None}
    if person["birthday"] or person["birth_year"]:
        year, month, day = born(person["birthday"], person["birth_year"])
        said |= {"birth_year": year, "birth_month": month, "birth_day": day}
    if person["store_id"] == PRETENDED:
        del said["home_store_id"]
    return Candidate(cand=index, **said)


SAID = {
    "customer_id": "external", "member_card": "card", "wecom_id": "wecom", "union_id": "unionid", "phone": "phone",
    "email": "email", "name": "name", "gender": "gender", "occupation": "occupation", "income_band": "income_band",
    "city": "city", "interests": "interests", "living": "living", "allergies": "allergies", "source": "first_source",
    "store_id": "home_store_id", "adviser_id": "adviser_id", "day": "known_on",
}  # fmt: skip
"""Columns of `persons` and what the customers' room calls them."""


def born(birthday: str | None, birth_year: str | None) -> tuple[int | None, int | None, int | None]:
    """`1990|5|1` and the like; a month without a day is not kept, because neither says when to congratulate."""
    year, month, day = [*(birthday or "||").split("|"), "", ""][:3]
    year = year or (birth_year or "").split("|")[0]
    if not (month and day):
        month = day = ""
    return int(year) if year else None, int(month) if month else None, int(day) if day else None


def refuse_births(connection: duckdb.DuckDBPyConnection, *, today: dt.date) -> None:
    for field in ("birthday", "birth_year"):
        findings.refuse(
            connection, table="typed", code="birthday_future", field=field, value=field,
            when=f"try_cast(split_part({field}, '|', 1) AS INTEGER) > {today.year}",
        )  # fmt: skip
