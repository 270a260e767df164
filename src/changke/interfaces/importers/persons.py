"""Who the rows speak of: one candidate per identifier, taken in by the customers' room, pass by pass.

External ids first, then WeCom ids, phones, e-mails: a row with only a phone then finds the person whom another row
of the same
file introduced with number and phone.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

import duckdb

from changke.facts.customers.services.intake import Candidate, take_in
from changke.interfaces.importers import findings
from changke.interfaces.importers.setting import Setting
from changke.interfaces.importers.tables import add, put, stream

PERSON_KEY = "coalesce('x' || customer_id, 'w' || wecom_id, 'p' || phone, 'e' || email)"
PASSES = "xwpe"
CHUNK = 2_000
SHAPE = {"key": "VARCHAR", "id": "BIGINT", "outcome": "VARCHAR"}
TEXTS = ("name", "gender", "occupation", "income_band", "city", "interests", "living", "allergies", "source")


def take_in_persons(
    connection: duckdb.DuckDBPyConnection,
    setting: Setting,
    *,
    rows: str,
    update: bool,
    progress: Callable[[int], None] = lambda rows: None,
) -> None:
    """Make `customer_of(key, id, outcome)` for the persons of the table `rows` (rn, key, store_id, day, adviser_id)."""
    put(connection, "customer_of", SHAPE, [])
    # A customer file's last word counts; a purchase file only introduces.
    pick = "arg_max" if update else "arg_min"
    fields = ", ".join(
        f"{pick}(typed.{field}, typed.rn) AS {field}" if is_given else f"CAST(NULL AS {kind}) AS {field}"
        for field, (kind, is_given) in _given(connection).items()
    )
    connection.execute(
        "CREATE OR REPLACE TABLE persons AS SELECT who.key, count(*) AS rows, min(who.rn) AS first_rn, "  # noqa: S608
        "min(who.day) AS day, "
        f"{fields}, {pick}(who.store_id, who.rn) AS store_id, {pick}(who.adviser_id, who.rn) AS adviser_id "
        f"FROM {rows} AS who JOIN typed USING (rn) WHERE who.key IS NOT NULL GROUP BY who.key"
    )
    done = 0
    for letter in PASSES:
        chunks = stream(connection, f"SELECT * FROM persons WHERE left(key, 1) = '{letter}' ORDER BY first_rn", CHUNK)  # noqa: S608
        names = [str(column[0]) for column in connection.execute("DESCRIBE persons").fetchall()]
        for chunk in chunks:
            people = [dict(zip(names, row, strict=True)) for row in chunk]
            candidates = [candidate(index, person) for index, person in enumerate(people)]
            taken = take_in(
                candidates, source=setting.source, batch_id=setting.batch_id, now=setting.now, update=update
            )
            add(
                connection,
                "customer_of",
                SHAPE,
                [(people[index]["key"], *taken[index]) for index in range(len(people))],
            )
            done += sum(person["rows"] for person in people)
            progress(done)


def _given(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, bool]]:
    """The fields of a person: type, and whether any row fills it.

    A till's file has two or three of fifteen, and picking the first of each costs memory per person and field: a
    million rows would not fit otherwise.
    """
    fields = ("customer_id", "wecom_id", "phone", "email", "birthday", "birth_year", *TEXTS)
    kinds = {str(row[0]): str(row[1]) for row in connection.execute("DESCRIBE typed").fetchall()}
    counts = connection.execute(f"SELECT {', '.join(f'count({field})' for field in fields)} FROM typed").fetchone()  # noqa: S608
    return {field: (kinds[field], bool(count)) for field, count in zip(fields, counts or (), strict=True)}


def candidate(index: int, person: dict[str, Any]) -> Candidate:
    """One row of `persons` as the customers' room wants it."""
    year, month, day = born(person["birthday"], person["birth_year"])
    return Candidate(
        cand=index,
        external=person["customer_id"],
        wecom=person["wecom_id"],
        phone=person["phone"],
        email=person["email"],
        name=person["name"] or "",
        gender=person["gender"] or "",
        birth_year=year,
        birth_month=month,
        birth_day=day,
        occupation=person["occupation"] or "",
        income_band=person["income_band"] or "",
        city=person["city"] or "",
        interests=person["interests"] or "",
        living=person["living"] or "",
        allergies=person["allergies"] or "",
        first_source=person["source"] or "",
        home_store_id=person["store_id"],
        adviser_id=person["adviser_id"],
        known_on=person["day"],
    )


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
