"""Rows of customers: created, updated or known already."""

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

import duckdb

from changke.facts.consents.queries import said_of
from changke.facts.consents.services.intake import Told, take_in_consents
from changke.facts.customers.services.intake import ANOTHER, CARD_TAKEN, GROUPS
from changke.facts.customers.services.intake_tags import take_in_tags
from changke.facts.fields.services.intake import Wanted, take_in_values
from changke.facts.referrals.services.intake import Told as ToldReferral
from changke.facts.referrals.services.intake import take_in_referrals
from changke.interfaces.importers import findings, known, own, persons
from changke.interfaces.importers.known import Unknown, customers_named
from changke.interfaces.importers.normalise.texts import tags_of
from changke.interfaces.importers.setting import Setting
from changke.interfaces.importers.tables import add, put, stream

NEEDED = (("customer_id", "member_card", "wecom_id", "union_id", "phone", "email"),)
CHUNK = 2_000
OWN_CHUNK = 1_000
"""Customers, or statements of theirs, in one transaction: each may carry many values, and each statement is sealed."""


class Customers:
    """One load of customers. A known customer's fields take what the file says; empty cells say nothing."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, setting: Setting, mapped: list[str]) -> None:
        self.connection = connection
        self.setting = setting
        self.own = {column: field for column, field in setting.reading.own.items() if column in mapped}
        self.has_cards = "member_card" in mapped
        self.has_referrers = "referrer" in mapped
        self.consents = {column: topic for column, topic in own.TOPICS.items() if column in mapped}

    def resolve(self) -> list[Unknown]:
        return [
            *[unknown for unknown in known.resolve_stores(self.connection, self.setting) if unknown.word],
            *known.resolve_staff(self.connection, self.setting, field="adviser"),
        ]

    def judge(self) -> None:
        findings.start(self.connection)
        findings.refuse(
            self.connection,
            table="typed",
            code="customer_missing",
            field="phone",
            when=f"{persons.CUSTOMER_KEY} IS NULL",
        )
        self._refuse_shared_names()
        findings.refuse(
            self.connection, table="typed", code="card_twice", field="member_card", value="member_card",
            when="member_card IN (SELECT member_card FROM typed WHERE problem = '' GROUP BY member_card "
            "HAVING count(DISTINCT customer_id) > 1)",
        )  # fmt: skip
        persons.refuse_births(self.connection, today=self.setting.now.date())
        findings.refuse(
            self.connection, table="typed", code="date_future", field="known_on", value="known_on",
            when=f"known_on > DATE '{self.setting.now.date().isoformat()}'",
        )  # fmt: skip
        findings.refuse(
            self.connection, table="typed", code="date_future", field="consent_on", value="consent_on",
            when=f"consent_on > DATE '{self.setting.now.date().isoformat()}'",
        )  # fmt: skip
        apart = self.setting.decide("phone_other_name") == ANOTHER
        key = persons.FAMILY_KEY if apart else persons.CUSTOMER_KEY
        self.connection.execute(
            f"""
            CREATE OR REPLACE TABLE good AS
            SELECT typed.rn, {key} AS key, store_of.id AS store_id, adviser_of.id AS adviser_id,
              coalesce(typed.known_on, DATE '{self.setting.now.date().isoformat()}') AS day
            FROM typed
            LEFT JOIN store_of ON store_of.word = coalesce(typed.store, '')
            LEFT JOIN adviser_of ON adviser_of.word = typed.adviser
            WHERE typed.rn NOT IN (SELECT rn FROM problems)
            """  # noqa: S608 our own names
        )
        self._refuse_cards_of_others()
        self._refuse_withdrawn()

    def _refuse_withdrawn(self) -> None:
        """A file gives no consent back that she withdrew, unless it proves an earlier day; whoever decided that known
        customers stay as they are asks nothing."""
        if not self.consents:
            return
        zone = ZoneInfo(self.setting.time_zone)
        put(self.connection, "withdrawn", {"key": "VARCHAR", "field": "VARCHAR", "day": "DATE"}, [])
        for met in persons.whom_they_meet(self.connection, self.setting, rows="good"):
            asked = {one.customer_id: key for key, one in met if self.setting.decide(one.group) == "update"}
            said = said_of(list(asked), at=self.setting.now)
            rows = [
                (asked[customer], column, last.happened_at.astimezone(zone).date())
                for customer, topics in said.items()
                for column, topic in self.consents.items()
                if (last := topics.get(topic)) is not None and not last.given
            ]
            add(self.connection, "withdrawn", {"key": "VARCHAR", "field": "VARCHAR", "day": "DATE"}, rows)
        for column in self.consents:
            findings.refuse(
                self.connection, table="good JOIN typed USING (rn) JOIN rows USING (rn) JOIN withdrawn USING (key)",
                code="consent_withdrawn", field=column, value=f"rows.{column}",
                places=findings.place("day", "withdrawn.day"),
                when=f"withdrawn.field = '{column}' AND typed.{column} = 'yes' "
                "AND (typed.consent_on IS NULL OR typed.consent_on > withdrawn.day)",
                fresh=False,
            )  # fmt: skip
        self.connection.execute("DELETE FROM good WHERE rn IN (SELECT rn FROM problems)")

    def _refuse_cards_of_others(self) -> None:
        """A card is one person's, in the file and in the house; nobody's is taken away by a file."""
        if not self.has_cards:
            return
        taken = {"key": "VARCHAR"}
        put(self.connection, "taken", taken, [])
        for keys in persons.with_cards_of_others(self.connection, self.setting, rows="good"):
            add(self.connection, "taken", taken, [(key,) for key in keys])
        findings.refuse(
            self.connection, table="good JOIN typed USING (rn) JOIN taken USING (key)", code=CARD_TAKEN,
            field="member_card", value="typed.member_card", when="typed.member_card IS NOT NULL", fresh=False,
        )  # fmt: skip
        self.connection.execute("DELETE FROM good WHERE rn IN (SELECT rn FROM problems)")

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
        findings.refuse(
            self.connection, table="good JOIN customer_of USING (key) JOIN typed USING (rn)", code=CARD_TAKEN,
            field="member_card", value="typed.member_card", when=f"customer_of.outcome = '{CARD_TAKEN}'",
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
        self._count_as_updated("tagged")

    def take_in_own(self) -> None:
        """After the persons: what stands in the chain's own fields; of several rows of hers the last that says
        something."""
        put(self.connection, "owned", {"id": "BIGINT"}, [])
        if not self.own:
            return
        names = list(self.own)
        last = ", ".join(f"arg_max(typed.{name}, typed.rn)" for name in names)
        says = " OR ".join(f"typed.{name} IS NOT NULL" for name in names)
        cells = (
            f"SELECT customer_of.id, max(customer_of.only_empty), {last} FROM good JOIN customer_of USING (key) "  # noqa: S608 ours
            f"JOIN typed USING (rn) WHERE ({says}) AND customer_of.outcome <> 'left' GROUP BY 1 ORDER BY 1"
        )
        for rows in stream(self.connection, cells, OWN_CHUNK):
            wanted = [
                Wanted(customer, field.pk, own.value(field.kind, cell), only_empty=bool(only_empty))
                for customer, only_empty, *values in rows
                for field, cell in zip(self.own.values(), values, strict=True)
                if cell is not None
            ]
            changed = take_in_values(wanted, batch_id=self.setting.batch_id)
            add(self.connection, "owned", {"id": "BIGINT"}, [(customer,) for customer in sorted(changed)])
        self._count_as_updated("owned")

    def take_in_consents(self, place: Callable[[int, int], str]) -> None:
        """After the persons: what she said yes and no to. Of rows that contradict each other the no holds. `place` says
        in words where a row stands: sheet and line."""
        put(self.connection, "consented", {"id": "BIGINT"}, [])
        if not self.consents:
            return
        parts = " UNION ALL ".join(
            f"SELECT rn, '{name}' AS field, {name} AS said FROM typed WHERE {name} IS NOT NULL"  # noqa: S608 ours
            for name in self.consents
        )
        cells = (
            "SELECT customer_of.id, max(customer_of.only_empty), asked.field, min(asked.said), "  # noqa: S608 'no' < 'yes'
            "arg_min({'sheet': typed.sheet, 'line': typed.line, 'day': typed.consent_on}, (asked.said, typed.rn)) "
            f"FROM ({parts}) AS asked JOIN good USING (rn) JOIN customer_of USING (key) JOIN typed USING (rn) "
            "WHERE customer_of.outcome <> 'left' GROUP BY 1, 3 ORDER BY 1, 3"
        )
        for rows in stream(self.connection, cells, OWN_CHUNK):
            told = [
                self._told(customer, bool(only_empty), column, said, where["day"], place(where["sheet"], where["line"]))
                for customer, only_empty, column, said, where in rows
            ]
            asked = take_in_consents(told, batch_id=self.setting.batch_id, now=self.setting.now)
            add(self.connection, "consented", {"id": "BIGINT"}, [(customer,) for customer in sorted(asked)])
        self._count_as_updated("consented")

    def _told(
        self, customer: int, only_unsaid: bool, column: str, said: str, day: dt.date | None, evidence: str
    ) -> Told:
        """A day without a clock counts against us: a yes from its beginning, a no until its end."""
        zone, moment = ZoneInfo(self.setting.time_zone), self.setting.now
        if day is not None:
            begins = dt.datetime.combine(day, dt.time(), zone)
            moment = begins if said == "yes" else min(begins + dt.timedelta(days=1, seconds=-1), self.setting.now)
        return Told(
            customer, self.consents[column], said == "yes", moment, moment.astimezone(zone).date(),
            dated=day is not None, evidence=evidence, only_unsaid=only_unsaid,
        )  # fmt: skip

    def take_in_referrals(self) -> None:
        """After the persons: who brought whom, of several rows of hers the last that says it. Looked up when all are
        there, for a row may name somebody of a later one. What cannot be is told; the row is in all the same."""
        put(self.connection, "referred", {"id": "BIGINT"}, [])
        if not self.has_referrers:
            return
        cells = (
            "SELECT customer_of.id, max(customer_of.only_empty), arg_max(typed.referrer, typed.rn), max(typed.rn) "
            "FROM good JOIN customer_of USING (key) JOIN typed USING (rn) "
            "WHERE typed.referrer IS NOT NULL AND customer_of.outcome <> 'left' GROUP BY 1 ORDER BY 1"
        )
        for rows in stream(self.connection, cells, OWN_CHUNK):
            found = customers_named({cell for _, _, cell, _ in rows}, source=self.setting.source)
            told = [
                ToldReferral(customer, found[cell], only_unsaid=bool(only_empty))
                for customer, only_empty, cell, _ in rows
                if cell in found
            ]
            came = take_in_referrals(told, batch_id=self.setting.batch_id, now=self.setting.now)
            remarks = []
            for customer, only_empty, cell, rn in rows:
                code = came.get(customer, "referrer_unknown")
                if code == "stays":
                    code = "" if only_empty else "referrer_stays"
                if code in findings.REMARKS:
                    remarks.append((rn, "referrer", code, cell))
            findings.remark(self.connection, remarks)
            named = sorted(customer for customer, code in came.items() if code == "named")
            add(self.connection, "referred", {"id": "BIGINT"}, [(customer,) for customer in named])
        self._count_as_updated("referred")

    def _count_as_updated(self, table: str) -> None:
        self.connection.execute(
            f"UPDATE customer_of SET outcome = 'updated' WHERE outcome = 'skipped' AND id IN (SELECT id FROM {table})"  # noqa: S608
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
