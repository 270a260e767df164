"""CSV in UTF-8 with a mark, so that Excel reads Chinese; texts that a spreadsheet would run are guarded."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from changke.foundation.money import to_major
from changke.interfaces.exporters.shape import Cell, Column, Row, guarded

KEY, SUFFIX, CONTENT_TYPE = "csv", ".csv", "text/csv; charset=utf-8"
WORDS = {"zh-hans": "CSV", "en": "CSV", "zh-hant": "CSV"}


def write(path: Path, columns: Sequence[Column], rows: Iterator[Row], *, currency: str) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([str(column.words) for column in columns])
        writer.writerows(
            [_cell(value, column.kind, currency) for value, column in zip(row, columns, strict=True)] for row in rows
        )


def _cell(value: Cell, kind: str, currency: str) -> str:
    if value is None:
        return ""
    if kind == "money":
        return str(to_major(int(str(value)), currency))
    if isinstance(value, str):
        return guarded(value)
    return str(value) if isinstance(value, int) else value.isoformat()
