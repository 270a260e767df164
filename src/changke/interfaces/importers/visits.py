"""Rows of visits become visits, known again by their whole content and an ordinal."""

from collections.abc import Iterator

import duckdb

from changke.interfaces.importers import findings, known, moments, persons
from changke.interfaces.importers.known import Unknown
from changke.interfaces.importers.setting import Setting
from changke.interfaces.importers.tables import stream

NEEDED = (("happened",), ("customer_id", "wecom_id", "phone", "email"))
CHUNK = 5_000


class Visits:
    """One load of visits."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, setting: Setting, mapped: list[str]) -> None:
        self.connection = connection
        self.setting = setting

    def resolve(self) -> list[Unknown]:
        return [
            *known.resolve_stores(self.connection, self.setting),
            *known.resolve_staff(self.connection, self.setting),
        ]

    def judge(self) -> None:
        findings.start(self.connection)
        moments.build_timed(self.connection)
        moments.refuse_moments(self.connection, now=self.setting.now)
        findings.refuse(
            self.connection, table="typed", code="customer_missing", field="phone", when=f"{persons.PERSON_KEY} IS NULL"
        )
        self.connection.execute(
            f"""
            CREATE OR REPLACE TABLE good AS
            SELECT timed.rn, timed.sheet, {persons.PERSON_KEY} AS key, timed.store_id, staff_of.id AS staff_id,
              timed.purpose,
              timed.instant, timed.day, CAST(NULL AS BIGINT) AS adviser_id,
              md5(concat_ws(chr(31), timed.store_id, {persons.PERSON_KEY}, timed.local, coalesce(timed.purpose, '')))
                AS digest
            FROM timed LEFT JOIN staff_of ON staff_of.word = timed.staff
            WHERE timed.rn NOT IN (SELECT rn FROM problems)
            """  # noqa: S608 our own names
        )

    def take_in_persons(self) -> None:
        persons.take_in_persons(self.connection, self.setting, rows="good", update=False)

    def chunks(self) -> Iterator[list[tuple[object, ...]]]:
        """Rows of the visits' staging table, `k` being the row's number; of equal keys only the first."""
        source = self.setting.source.replace("'", "''")
        yield from stream(
            self.connection,
            f"""
            SELECT rn, source_key, id, store_id, staff_id, purpose, '{source}', instant || '+00', day
            FROM (
              SELECT *, row_number() OVER (PARTITION BY source_key ORDER BY rn) AS nth
              FROM (
                SELECT good.*, customer_of.id,
                  'v:{source}:' || digest || ':' || row_number() OVER (PARTITION BY sheet, digest ORDER BY rn) AS
                    source_key
                FROM good JOIN customer_of USING (key)
              )
            ) WHERE nth = 1 ORDER BY rn
            """,  # noqa: S608
            CHUNK,
        )

    def good_rows(self) -> int:
        found = self.connection.execute("SELECT count(*) FROM good").fetchone()
        return int(found[0]) if found else 0
