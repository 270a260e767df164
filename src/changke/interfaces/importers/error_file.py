"""The error file: every refused row as it came, with its number, the column, the value and the reason in words.

It can be mended and loaded again: our columns are known and ignored. Cells that a spreadsheet would run as a formula
get an
apostrophe, which reading takes away again.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from changke.interfaces.importers import findings
from changke.interfaces.importers.folding import OUR_COLUMNS
from changke.interfaces.importers.problems import Problem
from changke.interfaces.importers.scratch import Scratch, SheetInfo
from changke.interfaces.importers.tables import stream

JOIN = {"en": "; "}
PLAIN_NUMBER = re.compile(r"^[+-]?\d[\d,]*(\.\d+)?$")


def write_error_file(scratch: Scratch, target: Path, *, language: str, batches: str) -> int:
    """Write the refused rows, in the order of the files; how many. `batches` names this load (and those it mends)."""
    ours = OUR_COLUMNS.get(language.lower(), OUR_COLUMNS["en"])
    names = list(dict.fromkeys(name for sheet in scratch.sheets for name in original_names(sheet)))
    several = len({(sheet.file, sheet.name) for sheet in scratch.sheets}) > 1
    count = 0
    with target.open("w", encoding="utf-8-sig", newline="") as stream_out:
        writer = csv.writer(stream_out)
        writer.writerow([*ours, *(safe(name) for name in names)])
        for sheet in scratch.sheets:
            headers = list(original_names(sheet))
            for line, cells, found in _refused(scratch, sheet):
                where = f"{sheet.file} {sheet.name} ".replace("  ", " ") + str(line) if several else str(line)
                row = {header: cells[index] or "" for index, header in enumerate(headers)}
                writer.writerow(
                    [
                        where,
                        "、".join(dict.fromkeys(sheet.mapping.get(field, field) for field, _, _ in found if field)),
                        safe("、".join(value for _, _, value in found if value)),
                        JOIN.get(language.lower(), "；").join(problem.words(language) for _, problem, _ in found),
                        batches,
                        *(safe(row.get(name, "")) for name in names),
                    ]
                )
                count += 1
    return count


def original_names(sheet: SheetInfo) -> dict[str, str]:
    """header -> column of the raw table; columns without a name get one, our own from an earlier error file go."""
    from_names = {}
    for index, name in enumerate(sheet.header.names):
        if not is_error_column(name):
            from_names[name or f"({index + 1})"] = f"c{index}"
    return from_names


def is_error_column(name: str) -> bool:
    return any(name in ours for ours in OUR_COLUMNS.values())


def safe(cell: str) -> str:
    """A cell that no spreadsheet runs. Plain numbers stay as they are."""
    if cell and cell[0] in "=+-@\t\r" and not PLAIN_NUMBER.match(cell):
        return "'" + cell
    return cell


def _refused(
    scratch: Scratch, sheet: SheetInfo
) -> Iterator[tuple[int, list[str | None], list[tuple[str, Problem, str]]]]:
    columns = ", ".join(f"raw.{column}" for column in original_names(sheet).values())
    statement = f"""
        SELECT raw.line, found.all_of_them, {columns}
        FROM raw_{sheet.index} AS raw
        JOIN (
          SELECT rn, list({{'field': field, 'code': code, 'value': value, 'places': places}}) AS all_of_them
          FROM problems GROUP BY rn
        ) AS found USING (rn)
        ORDER BY raw.rn
    """  # noqa: S608 our own names
    for rows in stream(scratch.connection, statement, 2_000):
        for line, found, *cells in rows:
            yield line, cells, [_problem(each) for each in found]


def _problem(each: dict[str, Any]) -> tuple[str, Problem, str]:
    return each["field"] or "", Problem(each["code"], findings.places_of(each["places"])), each["value"] or ""
