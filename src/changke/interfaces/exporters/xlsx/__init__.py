"""An Excel workbook, written row by row in constant memory. Phones and numbers of receipts stay texts."""

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from changke.foundation.money import to_major
from changke.interfaces.exporters.shape import Cell, Column, Row, guarded

KEY, SUFFIX = "xlsx", ".xlsx"
CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WORDS = {"zh-hans": "Excel", "en": "Excel", "zh-hant": "Excel"}
ROWS_PER_SHEET = 1_000_000
"""Excel has 1,048,576 rows; a further sheet holds what is left."""
LONGEST_CELL = 32_767


def write(path: Path, columns: Sequence[Column], rows: Iterator[Row], *, currency: str) -> None:
    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), {"constant_memory": True, "tmpdir": str(path.parent), **plain}) as book:
        head = book.add_format({"bold": True})
        shown = {
            "day": book.add_format({"num_format": "yyyy-mm-dd"}),
            "moment": book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
            "money": book.add_format({"num_format": "#,##0.00"}),
        }
        sheet, line = _sheet(book, columns, head), 1
        for row in rows:
            if line > ROWS_PER_SHEET:
                sheet, line = _sheet(book, columns, head), 1
            for place, (value, column) in enumerate(zip(row, columns, strict=True)):
                if value is not None:
                    _write(sheet, line, place, value, column.kind, shown.get(column.kind), currency)
            line += 1


def _sheet(book: Any, columns: Sequence[Column], head: Any) -> Any:
    sheet = book.add_worksheet()
    for place, column in enumerate(columns):
        sheet.set_column(place, place, 14)
        sheet.write_string(0, place, str(column.words), head)
    return sheet


def _write(sheet: Any, line: int, place: int, value: Cell, kind: str, shown: Any, currency: str) -> None:
    if kind == "money":
        sheet.write_number(line, place, float(to_major(int(str(value)), currency)), shown)
    elif isinstance(value, int):
        sheet.write_number(line, place, value)
    elif isinstance(value, dt.datetime):
        sheet.write_datetime(line, place, value.replace(tzinfo=None), shown)
    elif isinstance(value, dt.date):
        sheet.write_datetime(line, place, value, shown)
    else:
        sheet.write_string(line, place, guarded(str(value))[:LONGEST_CELL])
