"""Rows of cards with what is left on them. The room of balances comes later: until then they are kept, checked and
matched with their customer, in their batch."""

import json
from collections.abc import Iterator

import duckdb

from changke.interfaces.importers import findings, known, persons
from changke.interfaces.importers.known import Unknown
from changke.interfaces.importers.setting import Setting
from changke.interfaces.importers.tables import stream

NEEDED = (("card",), ("remaining",), ("customer_id", "wecom_id", "phone", "email"))
CHUNK = 2_000
KIND = "card"


class Cards:
    """One load of cards, known again by customer, card and the day or number of its sale."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, setting: Setting, mapped: list[str]) -> None:
        self.connection = connection
        self.setting = setting

    def resolve(self) -> list[Unknown]:
        return [unknown for unknown in known.resolve_stores(self.connection, self.setting) if unknown.word]

    def judge(self) -> None:
        connection, today = self.connection, self.setting.now.date().isoformat()
        findings.start(connection)
        for code, field, when in (
            ("customer_missing", "phone", f"{persons.PERSON_KEY} IS NULL"),
            ("card_missing", "card", "card IS NULL"),
            ("left_missing", "remaining", "remaining IS NULL"),
            ("left_too_many", "remaining", "sessions IS NOT NULL AND remaining > sessions"),
        ):
            findings.refuse(connection, table="typed", code=code, field=field, when=when)
        findings.refuse(
            connection, table="typed", code="date_future", field="bought_on", value="bought_on",
            when=f"bought_on > DATE '{today}'",
        )  # fmt: skip
        findings.refuse(
            connection, table="typed", code="store_unknown", field="store", value="store",
            when="store IS NOT NULL AND store NOT IN (SELECT word FROM store_of)",
        )  # fmt: skip
        connection.execute(
            f"""
            CREATE OR REPLACE TABLE good AS
            SELECT typed.rn, typed.sheet, {persons.PERSON_KEY} AS key, store_of.id AS store_id, typed.card,
              typed.card_number, typed.sessions, typed.remaining, typed.value, typed.bought_on,
              typed.expires_on, coalesce(typed.bought_on, DATE '{today}') AS day, CAST(NULL AS BIGINT) AS adviser_id
            FROM typed LEFT JOIN store_of ON store_of.word = coalesce(typed.store, '')
            WHERE typed.rn NOT IN (SELECT rn FROM problems)
            """  # noqa: S608 our own names
        )

    def take_in_persons(self) -> None:
        persons.take_in_persons(self.connection, self.setting, rows="good", update=False)

    def chunks(self) -> Iterator[list[tuple[object, ...]]]:
        """(row, source key, customer, what is kept). Two equal cards of one person are two cards."""
        source = self.setting.source.replace("'", "''")
        statement = f"""
            SELECT rn, 'card:{source}:' || digest || ':' || row_number() OVER (PARTITION BY digest ORDER BY rn), id,
              store_id, card, card_number, sessions, remaining, value, bought_on, expires_on
            FROM (
              SELECT good.*, customer_of.id,
                md5(concat_ws(chr(31), key, card, coalesce(card_number, ''), coalesce(bought_on::VARCHAR, '')))
                  AS digest
              FROM good JOIN customer_of USING (key)
            ) ORDER BY rn
        """  # noqa: S608
        names = ("store", "card", "number", "sessions", "remaining", "value_minor", "bought_on", "expires_on")
        for rows in stream(self.connection, statement, CHUNK):
            yield [
                (rn, key, customer, json.dumps({
                    name: str(value) if name.endswith("_on") else value
                    for name, value in zip(names, rest, strict=True) if value is not None
                }, ensure_ascii=False, sort_keys=True))
                for rn, key, customer, *rest in rows
            ]  # fmt: skip

    def good_rows(self) -> int:
        found = self.connection.execute("SELECT count(*) FROM good").fetchone()
        return int(found[0]) if found else 0
