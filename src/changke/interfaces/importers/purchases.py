"""Rows of purchases are judged and become receipts with lines and tenders. The rules in prose:
docs/algorithms/import.md. What is good becomes receipts in `receipts`, and goes on from `receipt_files`.

Everything happens set by set in the scratch database; `record_receipt` in the
purchases' room does the same for one receipt, and
tests/interfaces/importers/test_purchases.py holds both to the same money.
"""

import duckdb

from changke.foundation.money import LARGEST_MINOR, exponent
from changke.interfaces.importers import findings, known, moments, persons
from changke.interfaces.importers.known import Unknown
from changke.interfaces.importers.receipt_files import Files
from changke.interfaces.importers.receipts import WIDE, Receipts
from changke.interfaces.importers.setting import Setting

NEEDED = (("happened",), ("amount", "unit_price", "tender_cash", "tender_session", "tender_stored_value"))
"""Of each group at least one column."""
ITEM_KIND = """
  CASE WHEN timed.type = 'use' AND coalesce(nullif(item_of.kind, 'other'), timed.item_kind) IN ('card', 'topup')
    THEN 'service'
    ELSE coalesce(nullif(item_of.kind, 'other'), nullif(timed.item_kind, 'other'), nullif(timed.sold_as, ''),
      nullif('{preset}', ''), 'other') END"""
"""What a row sold. Who uses up a card has something rendered, also where the till names only the card."""
LINE_FIELDS = frozenset({"item", "item_code", "quantity", "unit_price"})


class Purchases:
    """One load of purchases, step by step on the scratch database."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, setting: Setting, mapped: list[str]) -> None:
        self.connection = connection
        self.setting = setting
        self.line_level = bool(LINE_FIELDS & set(mapped))
        self.differing: list[int] = []
        self.exceeding: list[tuple[int, int]] = []
        self.wide = [kind for kind, field in WIDE.items() if field in mapped]
        self.receipts = Receipts(connection, setting, self.wide)
        self.files = Files(connection, setting)

    def resolve(self) -> list[Unknown]:
        """Stores, staff and items by name; what is unknown stays listed and, stores apart, refuses nothing."""
        return [
            *known.resolve_stores(self.connection, self.setting),
            *known.resolve_staff(self.connection, self.setting),
            *known.resolve_items(self.connection, self.setting),
        ]

    def judge(self) -> None:
        """Fill `problems` with every refused row and `good` with the rows of whole receipts."""
        findings.start(self.connection)
        moments.build_timed(self.connection)
        moments.refuse_moments(self.connection, now=self.setting.now)
        self._build_rows()
        self._refuse_amounts()
        self._refuse_siblings()
        self._group()
        self._refuse_contradictions()

    def take_in_persons(self) -> None:
        """Match and create the customers of good rows; makes `customer_of`."""
        self.connection.execute(
            "CREATE OR REPLACE VIEW good_persons AS SELECT rn, key, store_id, day, "
            "CAST(NULL AS BIGINT) AS adviser_id FROM good"
        )
        persons.take_in_persons(self.connection, self.setting, rows="good_persons", update=False)

    def _build_rows(self) -> None:
        digits = 10 ** exponent(self.setting.reading.currency)
        wide_sum = " + ".join(f"coalesce({WIDE[kind]}, 0)" for kind in self.wide) or "0"
        product = "(unit_price * coalesce(quantity, 1000))"
        self.connection.execute(
            f"""
            CREATE OR REPLACE TABLE row_facts AS
            SELECT timed.rn, timed.sheet, timed.line, timed.number, timed.original_number, timed.store AS store_word,
              coalesce(timed.type, '') AS type, timed.local, timed.instant, timed.day, timed.store_id, staff_of.id AS
                staff_id,
              item_of.id AS item_id, {ITEM_KIND.format(preset=self.setting.item_kind)} AS item_kind,
              coalesce(timed.item, timed.item_code, '') AS description, coalesce(timed.item_code, '') AS item_code,
                timed.unit_price,
              coalesce(timed.quantity, 1000) AS quantity,
              coalesce(timed.amount, CASE WHEN {wide_sum} <> 0 THEN {wide_sum} END,
                CAST(round(CAST({product} AS DECIMAL(38, 0)) / 1000) AS BIGINT) - coalesce(timed.discount, 0)) AS
                  amount,
              abs(coalesce(timed.cost, item_of.unit_cost * abs(coalesce(timed.quantity, 1000)) // 1000)) AS cost,
              item_of.margin, timed.discount,
              coalesce(timed.tender, CASE WHEN timed.type = 'use' AND {wide_sum} = 0 THEN 'session' END) AS tender,
              {"".join(f"timed.{WIDE[kind]}, " for kind in self.wide)}{wide_sum} AS wide_sum,
              {persons.PERSON_KEY.replace("customer_id", "timed.customer_id").replace("wecom_id", "timed.wecom_id")}
                AS key
            FROM timed
            LEFT JOIN staff_of ON staff_of.word = timed.staff
            LEFT JOIN item_of ON item_of.key = {known.ITEM_KEY}
            WHERE timed.problem = '' AND len(timed.bad) = 0
            """  # noqa: S608 our own names
        )
        self._digits = digits

    def _refuse_amounts(self) -> None:
        connection, limit = self.connection, f"{LARGEST_MINOR // self._digits:,} {self.setting.reading.currency}"
        for code, field, when, value, places in (
            ("price_negative", "unit_price", "unit_price < 0", f"unit_price / {self._digits}", "''"),
            ("amount_missing", "amount", "amount IS NULL", "''", "''"),
            ("money_absurd", "amount", f"abs(amount) > {LARGEST_MINOR}", f"amount // {self._digits}",
             findings.place("limit", f"'{limit}'")),
            ("sale_negative", "amount", "type = 'sale' AND amount < 0", f"amount / {self._digits}", "''"),
            ("tender_mismatch", "amount", "wide_sum <> 0 AND wide_sum <> amount AND discount IS NULL",
             f"amount / {self._digits}", findings.place("paid", f"wide_sum / {self._digits}")),
        ):  # fmt: skip
            findings.refuse(
                connection, table="row_facts", code=code, field=field, when=when, value=value, places=places
            )

    def _refuse_siblings(self) -> None:
        """A receipt goes in whole or not at all."""
        self.connection.execute(
            f"""
            INSERT INTO problems
            SELECT typed.rn, 'number', 'sibling_refused', typed.number, {findings.place("row", "broken.line")}
            FROM (
              SELECT sheet, number, coalesce(store, '') AS store, min(line) AS line
              FROM typed WHERE number IS NOT NULL AND rn IN (SELECT rn FROM problems) GROUP BY ALL
            ) AS broken
            JOIN typed ON typed.sheet = broken.sheet AND typed.number = broken.number AND coalesce(typed.store, '') =
              broken.store
            WHERE typed.rn NOT IN (SELECT rn FROM problems)
            """  # noqa: S608
        )

    def _group(self) -> None:
        """`good`: rows not refused, each with its receipt (`gid`, the first row of it) and, without number, its
        digest."""
        receipt = ["sheet", "store_id", "number", "back", *(["day"] if self.setting.numbers_restart == "daily" else [])]
        negative = "(amount < 0 OR (amount = 0 AND quantity < 0))"
        alone = "TRUE" if not self.line_level else "number IS NULL"
        self.connection.execute(
            f"""
            CREATE OR REPLACE VIEW fit AS
            SELECT * EXCLUDE (store_word, local, type, item_code, discount),
              type = 'return' OR ({alone} AND {negative}) AS back,
              CASE WHEN {alone} THEN md5(concat_ws(chr(31), store_id, coalesce(key, ''), local, item_code, description,
                quantity, amount, coalesce(tender, ''), type)) END AS digest
            FROM row_facts WHERE rn NOT IN (SELECT rn FROM problems)
            """  # noqa: S608
        )
        # Only receipts of several rows are looked up: a window over all rows would carry all their columns along.
        self.connection.execute(
            f"""
            CREATE OR REPLACE TABLE several AS
            SELECT {", ".join(receipt)}, min(rn) AS gid FROM fit WHERE number IS NOT NULL
            GROUP BY ALL HAVING count(*) > 1
            """  # noqa: S608
        )
        self.connection.execute(
            f"""
            CREATE OR REPLACE TABLE good AS
            SELECT fit.*, coalesce(several.gid, fit.rn) AS gid FROM fit LEFT JOIN several USING ({", ".join(receipt)})
            """  # noqa: S608
        )
        self.connection.execute("CREATE OR REPLACE TABLE again (rn BIGINT)")
        if not self.line_level:
            # The same receipt twice in one file with equal content: known already.
            self.connection.execute(
                "INSERT INTO again SELECT rn FROM "
                "(SELECT rn, row_number() OVER (PARTITION BY gid, digest ORDER BY rn) AS nth "
                "FROM good WHERE number IS NOT NULL) WHERE nth > 1"
            )
            self.connection.execute("DELETE FROM good WHERE rn IN (SELECT rn FROM again)")

    def _refuse_contradictions(self) -> None:
        """Numbers that one file uses for two things."""
        self.connection.execute(
            """
            CREATE OR REPLACE TABLE twisted AS
            SELECT gid, count(DISTINCT key) > 1 AS customers, min(day) <> max(day) AS days, count(*) AS rows,
            min(line) AS line,
              max(line) AS last_line
            FROM good WHERE gid IN (SELECT gid FROM several) GROUP BY gid HAVING count(*) > 1
            """
        )
        for code, field, when in (
            ("receipt_two_days", "happened", "days"),
            ("receipt_two_customers", "number", "customers"),
            ("receipt_repeated", "number", "FALSE" if self.line_level else "rows > 1"),
        ):
            findings.refuse(
                self.connection,
                table="good JOIN twisted USING (gid)",
                code=code,
                field=field,
                when=when,
                value="number",
                places=findings.place(
                    "row", "CASE WHEN good.line = twisted.line THEN twisted.last_line ELSE twisted.line END"
                ),
            )
        self.connection.execute("DELETE FROM good WHERE rn IN (SELECT rn FROM problems)")

    def digests_without_number(self) -> list[str]:
        """Of rows that are known by content alone: used when an error file comes back."""
        rows = self.connection.execute("SELECT DISTINCT digest FROM good WHERE number IS NULL").fetchall()
        return [row[0] for row in rows]

    def refuse_receipts(self, numbers: tuple[int, ...]) -> None:
        """Receipts that the database knows with other contents."""
        listed = ", ".join(str(int(number)) for number in numbers)
        findings.refuse(
            self.connection, table="good JOIN receipts USING (gid)", code="receipt_differs", field="number",
            value="good.number",
            when=f"k IN ({listed})",
        )  # fmt: skip

    def refuse_exceeding(self, found: list[tuple[int, int]]) -> None:
        """Returns of more than is left of their receipt, with what was left."""
        listed = ", ".join(f"({int(k)}, {int(left)})" for k, left in found)
        findings.refuse(
            self.connection,
            table=f"good JOIN receipts USING (gid) JOIN (VALUES {listed}) AS beyond (k, room) USING (k)",
            code="return_exceeds", field="amount", value=f"good.amount / {self._digits}", when="TRUE",
            places=findings.place("left", f"beyond.room / {self._digits}"),
        )  # fmt: skip
