"""A first look at a file: its sheets, their headers and first rows, and what the columns probably are.

Quick, because it reads no further than the preview; `pipeline.analyse` reads everything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from changke.foundation.batches.models import RememberedMapping
from changke.interfaces.importers import columns
from changke.interfaces.importers.readers import open_sheets
from changke.interfaces.importers.scratch import SourceFile, fit
from changke.interfaces.importers.sheets import Sheet

PREVIEW_ROWS = 8
LONGEST_CELL = 80
WIDEST = 400


@dataclass(frozen=True)
class SheetLook:
    """One sheet. `path` is the name on disk; `header` is empty where no row looks like column names."""

    path: str
    file: str
    name: str
    encoding: str
    delimiter: str
    titles: list[str]
    header: list[str]
    signature: str
    mapping: Mapping[str, str]
    origin: str
    """How the mapping came about: preset, remembered or recognised."""
    first_rows: list[list[str]]


def look(file: SourceFile, *, kind: str, given: Mapping[str, str], encoding: str | None) -> tuple[str, list[SheetLook]]:
    """The kind (guessed where it is "") and the sheets. Raises `UnreadableFile` with the remedy."""
    sheets = list(open_sheets_looked(file, kind=kind or "purchases", given=given, encoding=encoding))
    if kind:
        return kind, sheets
    guessed = next((columns.guess_kind(sheet.header) for sheet in sheets if sheet.header), "purchases")
    if guessed == "purchases":
        return guessed, sheets
    return guessed, list(open_sheets_looked(file, kind=guessed, given=given, encoding=encoding))


def open_sheets_looked(
    file: SourceFile, *, kind: str, given: Mapping[str, str], encoding: str | None
) -> list[SheetLook]:
    return [
        _look(sheet, file, kind=kind, given=given)
        for sheet in open_sheets(file.path, name=file.name, encoding=encoding)
    ]


def _look(sheet: Sheet, file: SourceFile, *, kind: str, given: Mapping[str, str]) -> SheetLook:
    first = list(islice(sheet.rows, columns.HEADER_WITHIN_ROWS))
    rows = [cells for _, cells, _ in first]
    header = columns.find_header(rows, kind, wanted=given or None)
    if header is None or len(header.names) > WIDEST:
        return SheetLook(file.path.name, file.name, sheet.name, sheet.encoding, sheet.delimiter, [], [], "", {}, "", [])
    titles = [" ".join(cell.strip() for cell in row if cell.strip()) for row in rows[: header.index]]
    mapping, origin = _understood(header, kind, given)
    width = len(header.names)
    preview = [
        [cell[:LONGEST_CELL] for cell in fit(cells, problem, width=width, strict=False)[0]]
        for _, cells, problem in first[header.index + 1 :]
        if any(cell.strip() for cell in cells)
    ]
    return SheetLook(
        path=file.path.name,
        file=file.name,
        name=sheet.name,
        encoding=sheet.encoding,
        delimiter=sheet.delimiter,
        titles=[title for title in titles if title],
        header=list(header.names),
        signature=header.signature,
        mapping=mapping,
        origin=origin,
        first_rows=preview[:PREVIEW_ROWS],
    )


def _understood(header: columns.Header, kind: str, given: Mapping[str, str]) -> tuple[Mapping[str, str], str]:
    if given:
        return {field: name for field, name in given.items() if name in header.names}, "preset"
    remembered = RememberedMapping.objects.filter(kind=kind, signature=header.signature).first()
    if remembered is not None:
        return {field: name for field, name in remembered.mapping.items() if name in header.names}, "remembered"
    return columns.recognise(header.names, kind), "recognised"
