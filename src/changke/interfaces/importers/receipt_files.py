"""Receipts of a load leave the scratch database chunk by chunk, as the files that the purchases' room copies in."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from changke.facts.purchases.services.intake import ReceiptFiles
from changke.interfaces.importers.setting import Setting

CHUNK = 4_000
"""Receipts per transaction: about a third of a second with their lines on two cores."""


@dataclass(frozen=True)
class Chunk:
    """Receipts from `first` to `last`, by their place `k` in the load."""

    first: int
    last: int

    @property
    def count(self) -> int:
        return self.last - self.first + 1


class Files:
    """The chunks of what `Receipts` made."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, setting: Setting) -> None:
        self.connection = connection
        self.setting = setting

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
