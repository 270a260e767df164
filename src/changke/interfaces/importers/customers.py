"""Rows of customers: created, updated or known already."""

import duckdb

from changke.facts.customers.services.intake import GROUPS
from changke.facts.customers.services.intake_tags import take_in_tags
from changke.interfaces.importers import findings, known, persons
from changke.interfaces.importers.known import Unknown
from changke.interfaces.importers.normalise.texts import tags_of
from changke.interfaces.importers.setting import Setting
from changke.interfaces.importers.tables import add, put, stream

NEEDED = (("customer_id", "wecom_id", "phone", "email"),)
CHUNK = 2_000


class Customers:
    """One load of customers. A known customer's fields take what the file says; empty cells say nothing."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, setting: Setting, mapped: list[str]) -> None:
        self.connection = connection
        self.setting = setting

    def resolve(self) -> list[Unknown]:
        return [
            *[unknown for unknown in known.resolve_stores(self.connection, self.setting) if unknown.word],
            *known.resolve_staff(self.connection, self.setting, field="adviser"),
        ]

    def judge(self) -> None:
        findings.start(self.connection)
        findings.refuse(
            self.connection, table="typed", code="customer_missing", field="phone", when=f"{persons.PERSON_KEY} IS NULL"
        )
        self._refuse_shared_names()
        persons.refuse_births(self.connection, today=self.setting.now.date())
        findings.refuse(
            self.connection, table="typed", code="date_future", field="known_on", value="known_on",
            when=f"known_on > DATE '{self.setting.now.date().isoformat()}'",
        )  # fmt: skip
        self.connection.execute(
            f"""
            CREATE OR REPLACE TABLE good AS
            SELECT typed.rn, {persons.PERSON_KEY} AS key, store_of.id AS store_id, adviser_of.id AS adviser_id,
              coalesce(typed.known_on, DATE '{self.setting.now.date().isoformat()}') AS day
            FROM typed
            LEFT JOIN store_of ON store_of.word = coalesce(typed.store, '')
            LEFT JOIN adviser_of ON adviser_of.word = typed.adviser
            WHERE typed.rn NOT IN (SELECT rn FROM problems)
            """  # noqa: S608 our own names
        )

    def _refuse_shared_names(self) -> None:
        """Where a name is the number, the same name with two phones may be two persons: nobody is merged by chance."""
        findings.refuse(
            self.connection, table="typed", code="name_twice", field="name", value="name",
            when="customer_id = name AND name IN (SELECT name FROM typed WHERE customer_id = name AND problem = '' "
            "GROUP BY name HAVING count(DISTINCT phone) > 1)",
        )  # fmt: skip

    def refuse_known(self) -> None:
        """After the persons: rows of known customers who were not to be touched, each with how it met them."""
        for group in GROUPS:
            findings.refuse(
                self.connection, table="good JOIN customer_of USING (key)", code=f"known_by_{group}", field="phone",
                when=f"customer_of.outcome = '{group}'",
            )  # fmt: skip
        self.connection.execute("DELETE FROM good WHERE rn IN (SELECT rn FROM problems)")

    def take_in_tags(self) -> None:
        """After the persons. Who got a tag and nothing else is updated, not skipped."""
        put(self.connection, "tagged", {"id": "BIGINT"}, [])
        cells = (
            "SELECT customer_of.id, typed.tags FROM good JOIN customer_of USING (key) JOIN typed USING (rn) "
            "WHERE typed.tags IS NOT NULL AND customer_of.outcome <> 'left' ORDER BY 1"
        )
        for rows in stream(self.connection, cells, CHUNK):
            tags = [(customer, tag) for customer, cell in rows for tag in tags_of(cell)]
            tagged = take_in_tags(tags, batch_id=self.setting.batch_id, now=self.setting.now)
            add(self.connection, "tagged", {"id": "BIGINT"}, [(customer,) for customer in sorted(tagged)])
        self.connection.execute(
            "UPDATE customer_of SET outcome = 'updated' WHERE outcome = 'skipped' AND id IN (SELECT id FROM tagged)"
        )

    def outcomes(self) -> dict[str, int]:
        """Rows created, updated, skipped. A second row of the same customer only updates or repeats the first."""
        rows = self.connection.execute(
            """
            SELECT CASE WHEN outcome = 'left' THEN 'skipped' WHEN nth = 1 THEN outcome
              WHEN outcome = 'created' THEN 'updated' ELSE outcome END, count(*)
            FROM (SELECT outcome, row_number() OVER (PARTITION BY key ORDER BY rn) AS nth FROM good JOIN customer_of
            USING (key))
            GROUP BY 1
            """
        ).fetchall()
        return {str(outcome): int(count) for outcome, count in rows}

    def good_rows(self) -> int:
        found = self.connection.execute("SELECT count(*) FROM good").fetchone()
        return int(found[0]) if found else 0
