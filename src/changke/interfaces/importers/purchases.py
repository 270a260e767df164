"""Rows of purchases become receipts with lines and tenders. The rules in prose: docs/algorithms/import.md.

Everything happens set by set in the scratch database; `record_receipt` in the
purchases' room does the same for one receipt, and
tests/interfaces/importers/test_purchases.py holds both to the same money.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from changke.facts.purchases.services.intake import ReceiptFiles
from changke.foundation.money import LARGEST_MINOR, exponent
from changke.interfaces.importers import findings, known, moments, persons
from changke.interfaces.importers.known import Unknown
from changke.interfaces.importers.setting import Setting

NEEDED = (("happened",), ("amount", "unit_price", "tender_cash", "tender_session", "tender_stored_value"))
"""Of each group at least one column."""
LINE_FIELDS = frozenset({"item", "item_code", "quantity", "unit_price"})

CHUNK = 4_000
"""Receipts per transaction: about a third of a second with their lines on two cores."""
PART = 200_000
"""Rows of the file that are put together at a time."""

WIDE = {
    "cash": "tender_cash", "card": "tender_card", "wechat": "tender_wechat", "alipay": "tender_alipay",
    "stored_value": "tender_stored_value", "session": "tender_session", "points": "tender_points",
}  # fmt: skip
NO_NEW_MONEY = "('stored_value', 'session', 'points')"
RENDERED = "item_kind IN ('service', 'product', 'other')"


@dataclass(frozen=True)
class Chunk:
    """Receipts from `first` to `last`, by their place `k` in the load."""

    first: int
    last: int

    @property
    def count(self) -> int:
        return self.last - self.first + 1


class Purchases:
    """One load of purchases, step by step on the scratch database."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, setting: Setting, mapped: list[str]) -> None:
        self.connection = connection
        self.setting = setting
        self.line_level = bool(LINE_FIELDS & set(mapped))
        self.differing: list[int] = []
        self.exceeding: list[tuple[int, int]] = []
        self.wide = [kind for kind, field in WIDE.items() if field in mapped]

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
              item_of.id AS item_id, coalesce(item_of.kind, timed.item_kind, nullif('{self.setting.item_kind}', ''),
                'other')
                AS item_kind,
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

    def assemble(self, known_ordinals: dict[str, int] | None = None) -> int:
        """From `good` and `customer_of` make `receipts`, `receipt_lines`, `receipt_tenders`, numbered by `k`; how
        many. Returns come last, so that they find the purchases of the same load. Otherwise customer by customer: what
        the database keeps of one then lies together, and is written together."""
        self._build_offsets(known_ordinals or {})
        source = self.setting.source.replace("'", "''")
        daily = "|| ':' || day" if self.setting.numbers_restart == "daily" else ""
        new_money = (
            " + ".join(f"coalesce({WIDE[kind]}, 0)" for kind in self.wide if f"'{kind}'" not in NO_NEW_MONEY) or "0"
        )
        self._part_by_part(
            "totals",
            "gid",
            f"""
            SELECT gid, min(sheet) AS sheet, count(*) AS rows, min(number) AS number, max(original_number) AS
            original_number,
              max(key) AS key, min(store_id) AS store_id, arg_min(staff_id, rn) AS staff_id, min(instant) AS instant,
              min(day) AS day,
              bool_or(back) OR sum(amount) < 0 OR (sum(amount) = 0 AND sum(quantity) < 0) AS is_return,
              CASE WHEN sum(amount) < 0 OR (sum(amount) = 0 AND sum(quantity) < 0) THEN -1 ELSE 1 END AS flip,
              CAST(sum(amount) AS BIGINT) AS total,
              CAST(coalesce(sum(amount) FILTER ({RENDERED}), 0) AS BIGINT) AS rendered,
              CAST(coalesce(sum(greatest(1, abs(quantity) // 1000)) FILTER ({RENDERED}), 0) AS BIGINT) AS items,
              count(*) FILTER ({RENDERED}) AS rendered_lines,
              count(*) FILTER ({RENDERED} AND cost IS NOT NULL) AS by_cost,
              count(*) FILTER ({RENDERED} AND cost IS NULL AND margin IS NOT NULL) AS by_percent,
              CAST(sum(cost) FILTER ({RENDERED}) AS BIGINT) AS costs,
              CAST(sum(amount) FILTER ({RENDERED} AND cost IS NOT NULL) AS BIGINT) AS with_cost,
              CAST(sum(abs(amount) * margin // 10000 * sign(amount)) FILTER ({RENDERED} AND cost IS NULL) AS BIGINT)
                AS percents,
              count(tender) + count(nullif(wide_sum, 0)) AS tenders,
              CAST(coalesce(sum(CASE WHEN wide_sum <> 0 THEN {new_money} WHEN tender NOT IN {NO_NEW_MONEY} THEN amount
                END), 0) AS BIGINT) AS new_money,
              coalesce(bool_and(CASE WHEN wide_sum <> 0 THEN {new_money} = 0 ELSE tender IN {NO_NEW_MONEY} END),
                FALSE) AS old_money,
              min(digest) AS digest
            FROM good WHERE {{part}} GROUP BY gid
            """,  # noqa: S608
        )
        self.connection.execute(
            f"""
            CREATE OR REPLACE TABLE counted AS
            SELECT totals.*, 'c:{source}:' || digest || ':' ||
              (coalesce(offset_of.n, 0) + row_number() OVER (PARTITION BY sheet, digest ORDER BY gid)) AS source_key
            FROM totals LEFT JOIN offset_of USING (digest) WHERE number IS NULL
            """  # noqa: S608
        )
        self.connection.execute(
            f"""
            CREATE OR REPLACE VIEW keyed AS
            SELECT *, 'n:{source}:' || store_id || ':' || number {daily} || CASE WHEN is_return THEN ':r' ELSE '' END
              AS source_key
            FROM totals WHERE number IS NOT NULL
            UNION ALL SELECT * FROM counted
            """  # noqa: S608
        )
        self._settle_overlaps()
        self.connection.execute(
            """
            CREATE OR REPLACE TABLE places AS
            SELECT gid, customer_of.id AS customer_id, row_number() OVER (ORDER BY is_return, customer_of.id, gid) AS k
            FROM totals LEFT JOIN customer_of USING (key) WHERE gid NOT IN (SELECT gid FROM overlapping)
            """
        )
        self._part_by_part(
            "receipts",
            "k",
            """
            SELECT places.k, keyed.* EXCLUDE (sheet, key, digest), places.customer_id
            FROM keyed JOIN (SELECT * FROM places WHERE {part}) AS places USING (gid) ORDER BY places.k
            """,
        )
        self._build_parts()
        found = self.connection.execute("SELECT count(*) FROM receipts").fetchone()
        return int(found[0]) if found else 0

    def digests_without_number(self) -> list[str]:
        """Of rows that are known by content alone: used when an error file comes back."""
        rows = self.connection.execute("SELECT DISTINCT digest FROM good WHERE number IS NULL").fetchall()
        return [row[0] for row in rows]

    def _build_offsets(self, known_ordinals: dict[str, int]) -> None:
        self.connection.execute("CREATE OR REPLACE TABLE offset_of (digest VARCHAR, n BIGINT)")
        if known_ordinals:
            self.connection.executemany("INSERT INTO offset_of VALUES (?, ?)", list(known_ordinals.items()))

    def _settle_overlaps(self) -> None:
        """The same receipt in two files of the batch: the first one stands; an equal one is known, another one
        refused."""
        self.connection.execute(
            """
            CREATE OR REPLACE TABLE overlapping AS
            SELECT gid, (is_return, day, total, rendered, items, key) IS NOT DISTINCT FROM (first_one) AS same
            FROM (
              SELECT gid, is_return, day, total, rendered, items, key,
                first_value((is_return, day, total, rendered, items, key)) OVER each AS first_one, row_number() OVER
                each AS nth
              FROM keyed WHERE source_key IN (SELECT source_key FROM keyed GROUP BY 1 HAVING count(*) > 1)
              WINDOW each AS (PARTITION BY source_key ORDER BY gid)
            ) WHERE nth > 1
            """
        )
        self.connection.execute(
            "INSERT INTO again SELECT rn FROM good JOIN overlapping USING (gid) WHERE overlapping.same"
        )
        findings.refuse(
            self.connection, table="good JOIN overlapping USING (gid)", code="receipt_differs", field="number",
            when="NOT overlapping.same", value="number",
        )  # fmt: skip

    def _build_parts(self) -> None:
        self._part_by_part(
            "receipt_lines",
            "k",
            """
            SELECT k, row_number() OVER (PARTITION BY k ORDER BY good.rn) AS position, good.item_id, good.description,
              abs(good.quantity) AS quantity,
              coalesce(good.unit_price, CASE WHEN good.quantity <> 0 THEN abs(good.amount) * 1000 //
              abs(good.quantity) ELSE 0 END)
                AS unit_price,
              good.amount * receipts.flip AS amount, good.cost
            FROM good JOIN (SELECT k, gid, flip FROM receipts WHERE {part}) AS receipts USING (gid) ORDER BY k, position
            """,
        )
        paid = ["SELECT gid, tender AS kind, amount FROM good WHERE wide_sum = 0 AND tender IS NOT NULL"]
        paid += [
            f"SELECT gid, '{kind}', {WIDE[kind]} FROM good WHERE coalesce({WIDE[kind]}, 0) <> 0"  # noqa: S608
            for kind in self.wide
        ]
        self._part_by_part(
            "receipt_tenders",
            "k",
            f"""
            SELECT k, kind, sum(amount) * min(flip) AS amount
            FROM ({" UNION ALL ".join(paid)}) AS paid
            JOIN (SELECT k, gid, flip FROM receipts WHERE {{part}}) AS receipts USING (gid)
            GROUP BY k, kind ORDER BY k
            """,  # noqa: S608
        )

    def _part_by_part(self, table: str, by: str, statement: str) -> None:
        """Make the table of so many receipts at a time, by their first row (`gid`) or their place (`k`): what joins and
        sorts keep in memory does not grow with the file, and a chunk lies in one part. A receipt is in one part, whole.
        """
        source = {"gid": "good", "k": "places"}[by]
        found = self.connection.execute(f"SELECT max({by}) FROM {source}").fetchone()  # noqa: S608 our own names
        highest = found[0] if found and found[0] is not None else 0
        for first in range(0, highest + 1, PART):
            how = f"INSERT INTO {table}" if first else f"CREATE OR REPLACE TABLE {table} AS"
            self.connection.execute(f"{how} {statement.format(part=f'{by} BETWEEN {first} AND {first + PART - 1}')}")

    def chunks(self, *, returns: bool) -> Iterator[Chunk]:
        """Whole receipts, so many at a time that their transaction stays well under a second. Returns are numbered
        behind all others: what they give back must be in before it is asked how much of it is left."""
        found = self.connection.execute("SELECT min(k), max(k) FROM receipts WHERE is_return = ?", [returns]).fetchone()
        lowest, highest = found if found and found[0] is not None else (1, 0)
        for first in range(lowest, highest + 1, CHUNK):
            yield Chunk(first, min(first + CHUNK - 1, highest))

    def export(self, chunk: Chunk, ids: Sequence[int], folder: Path) -> ReceiptFiles:
        """The chunk as the files that the purchases' room copies in, each receipt under its reserved id.

        Called by several threads at once: each has a cursor, and so a connection, of its own.
        """
        files = ReceiptFiles(*(folder / f"{part}-{chunk.first}.csv" for part in ("receipts", "lines", "tenders")))
        scratch = self.connection.cursor()
        scratch.register("reserved", {"k": np.arange(chunk.first, chunk.last + 1), "id": np.array(ids)})
        places = {
            "between": f"k BETWEEN {chunk.first} AND {chunk.last}",
            "source": self.setting.source.replace("'", "''"),
            "batch": self.setting.batch_id,
            "now": self.setting.now.astimezone(dt.UTC).isoformat(sep=" "),
        }
        for file, statement in ((files.receipts, RECEIPT), (files.lines, LINE), (files.tenders, TENDER)):
            target = str(file).replace("'", "''")
            scratch.execute(f"COPY ({statement.format(**places)}) TO '{target}' (FORMAT csv, HEADER false)")
        scratch.close()
        return files

    def keys_of(self, chunk: Chunk) -> list[str]:
        scratch = self.connection.cursor()
        statement = "SELECT source_key FROM receipts WHERE k BETWEEN ? AND ?"
        keys = [row[0] for row in scratch.execute(statement, [chunk.first, chunk.last]).fetchall()]
        scratch.close()
        return keys

    def rows_of(self, first: int, last: int, ks: Sequence[int] = ()) -> int:
        """How many rows of the source these receipts are."""
        scratch = self.connection.cursor()
        some = f"AND k IN ({', '.join(str(int(k)) for k in ks)})" if ks else ""
        found = scratch.execute(
            f"SELECT coalesce(sum(rows), 0) FROM receipts WHERE k BETWEEN {first} AND {last} {some}"  # noqa: S608
        ).fetchone()
        scratch.close()
        return int(found[0]) if found else 0

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


RECEIPT = """
SELECT reserved.id, strftime(instant, '%Y-%m-%d %H:%M:%S+00') AS happened_at, day, '{now}' AS recorded_at, source_key,
  {batch} AS batch_id,
  CASE WHEN is_return THEN 'return' WHEN old_money AND rendered * flip > 0 THEN 'use' ELSE 'sale' END AS kind,
  coalesce(number, '') AS number, '{source}' AS source, customer_id, store_id, staff_id,
  coalesce(CASE WHEN NOT is_return THEN NULL
                WHEN original_number IS NOT NULL THEN original_number
                WHEN regexp_full_match(number, '[Cc]\\d+') THEN substr(number, 2)
                ELSE number END, '') AS original_number,
  CASE WHEN tenders > 0 THEN new_money ELSE total END * flip AS cash_minor,
  rendered * flip AS consumed_minor,
  CASE WHEN rendered_lines > 0 AND by_cost + by_percent = rendered_lines
       THEN CAST(coalesce(with_cost * flip - costs, 0) + coalesce(percents * flip, 0) AS BIGINT) END AS margin_minor,
  CASE WHEN rendered_lines = 0 OR by_cost + by_percent < rendered_lines THEN 'unknown'
       WHEN by_percent = 0 THEN 'cost' WHEN by_cost = 0 THEN 'percent' ELSE 'mixed' END AS margin_basis,
  items
FROM receipts JOIN reserved USING (k) WHERE {between} ORDER BY k
"""
LINE = """
SELECT reserved.id, position, item_id, description, quantity, unit_price, amount, cost
FROM receipt_lines JOIN reserved USING (k) WHERE {between} ORDER BY k, position
"""
TENDER = "SELECT reserved.id, kind, amount FROM receipt_tenders JOIN reserved USING (k) WHERE {between} ORDER BY k"
