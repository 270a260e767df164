"""Rows that were judged good become receipts with lines and tenders, in the order in which they are written."""

import duckdb

from changke.interfaces.importers import findings
from changke.interfaces.importers.setting import Setting

PART = 200_000
"""Rows of the file that are put together at a time."""

WIDE = {
    "cash": "tender_cash", "card": "tender_card", "wechat": "tender_wechat", "alipay": "tender_alipay",
    "stored_value": "tender_stored_value", "session": "tender_session", "points": "tender_points",
}  # fmt: skip
NO_NEW_MONEY = "('stored_value', 'session', 'points')"
RENDERED = "item_kind IN ('service', 'product', 'other')"


class Receipts:
    """`receipts`, `receipt_lines` and `receipt_tenders` of one load, made of `good` and `customer_of`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, setting: Setting, wide: list[str]) -> None:
        self.connection = connection
        self.setting = setting
        self.wide = wide

    def assemble(self, known_ordinals: dict[str, int] | None = None) -> int:
        """Make them, numbered by `k`; how many. Returns come last, so that they find the purchases of the same load.
        Otherwise customer by customer: what the database keeps of one then lies together, and is written together."""
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
