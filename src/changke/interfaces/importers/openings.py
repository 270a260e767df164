"""Summary lines of an old system become openings, so that an old customer does not look new."""

from collections.abc import Iterator

import duckdb

from changke.interfaces.importers import findings, known, moments, persons
from changke.interfaces.importers.known import Unknown
from changke.interfaces.importers.setting import Setting
from changke.interfaces.importers.tables import stream

NEEDED = (("first_on",), ("last_on",), ("purchases",), ("customer_id", "wecom_id", "phone", "email"))
CHUNK = 5_000


class Openings:
    """One load of openings."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, setting: Setting, mapped: list[str]) -> None:
        self.connection = connection
        self.setting = setting

    def resolve(self) -> list[Unknown]:
        return known.resolve_stores(self.connection, self.setting)

    def judge(self) -> None:
        connection = self.connection
        findings.start(connection)
        moments.refuse_stores(connection)
        findings.refuse(
            connection, table="typed", code="customer_missing", field="phone", when=f"{persons.PERSON_KEY} IS NULL"
        )
        for field in ("first_on", "last_on"):
            findings.refuse(connection, table="typed", code="date_missing", field=field, when=f"{field} IS NULL")
            findings.refuse(
                connection, table="typed", code="date_future", field=field, value=field,
                when=f"{field} > DATE '{self.setting.now.date().isoformat()}'",
            )  # fmt: skip
        findings.refuse(
            connection,
            table="typed",
            code="days_reversed",
            field="first_on",
            when="first_on > last_on",
            value="first_on",
        )
        findings.refuse(
            connection, table="typed", code="count_wrong", field="purchases", when="coalesce(purchases, 0) < 1"
        )
        connection.execute(
            f"""
            CREATE OR REPLACE TABLE good AS
            SELECT typed.rn, {persons.PERSON_KEY} AS key, store_of.id AS store_id, store_of.zone, typed.first_on,
              typed.last_on,
              typed.purchases, coalesce(typed.cash, 0) AS cash,
              least(typed.first_on, coalesce(typed.known_on, typed.first_on)) AS day, CAST(NULL AS BIGINT) AS adviser_id
            FROM typed JOIN store_of ON store_of.word = coalesce(typed.store, '')
            WHERE typed.rn NOT IN (SELECT rn FROM problems)
            """  # noqa: S608 our own names
        )

    def take_in_persons(self) -> None:
        persons.take_in_persons(self.connection, self.setting, rows="good", update=False)

    def chunks(self) -> Iterator[list[tuple[object, ...]]]:
        """Rows of the openings' staging table, `k` being the row's number; of one customer and store only the first."""
        source = self.setting.source.replace("'", "''")
        yield from stream(
            self.connection,
            f"""
            SELECT rn, 'o:{source}:' || store_id || ':' || key, id, store_id, first_on, last_on, purchases, cash,
              strftime(timezone('UTC', timezone(zone, CAST(last_on AS TIMESTAMP))), '%Y-%m-%d %H:%M:%S+00')
            FROM (
              SELECT good.*, customer_of.id, row_number() OVER (PARTITION BY store_id, key ORDER BY rn) AS nth
              FROM good JOIN customer_of USING (key)
            ) WHERE nth = 1 ORDER BY rn
            """,  # noqa: S608
            CHUNK,
        )

    def good_rows(self) -> int:
        found = self.connection.execute("SELECT count(*) FROM good").fetchone()
        return int(found[0]) if found else 0
