"""A first look at a file: its sheets, their headers and first rows, and what the columns probably are.

Quick, because it reads no further than the preview; `pipeline.analyse` reads everything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from changke.foundation.batches.services import remembered_mapping
from changke.interfaces.importers import columns, sources
from changke.interfaces.importers.apart import open_sheets
from changke.interfaces.importers.own import KIND
from changke.interfaces.importers.parts import Ground
from changke.interfaces.importers.scratch import SourceFile, fit, turned
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
    """How the mapping came about: preset, source, remembered or recognised."""
    first_rows: list[list[str]]
    kind: str = ""
    source: str = ""


def look(
    file: SourceFile,
    *,
    kind: str,
    given: Mapping[str, str],
    encoding: str | None,
    only: str = "",
    otherwise: str = "",
    own: columns.Own = columns.NONE,
) -> tuple[str, list[SheetLook]]:
    """The kind (guessed where it is "") and the sheets. Raises `UnreadableFile` with the remedy.

    `only` is the key of the source that the person chose; `otherwise` the kind of a file before this one, which a file
    of no source shares.
    """
    sheets = list(open_sheets_looked(file, kind=kind, given=given, encoding=encoding, only=only, own=own))
    kinds = {sheet.kind for sheet in sheets if sheet.header}
    if any(sheet.source for sheet in sheets):
        return (kinds.pop() if len(kinds) == 1 else sources.MIXED), sheets
    if kind:
        return kind, sheets
    guessed = otherwise or next((columns.guess_kind(sheet.header) for sheet in sheets if sheet.header), "purchases")
    return guessed, list(open_sheets_looked(file, kind=guessed, given=given, encoding=encoding, only=only, own=own))


def open_sheets_looked(
    file: SourceFile, *, kind: str, given: Mapping[str, str], encoding: str | None, only: str, own: columns.Own
) -> list[SheetLook]:
    return [
        _look(sheet, file, kind=kind, given=given, only=only, own=own)
        for sheet in open_sheets(file.path, name=file.name, encoding=encoding)
    ]


def _look(
    sheet: Sheet, file: SourceFile, *, kind: str, given: Mapping[str, str], only: str, own: columns.Own
) -> SheetLook:
    first = list(islice(sheet.rows, columns.HEADER_WITHIN_ROWS))
    cells_of = [cells for _, cells, _ in first]
    found = None if given else turned(
        first, iter(()), lambda names: sources.understood(names, kind=kind, only=only), Ground(), strict=False
    )  # fmt: skip
    if found is not None:
        understood, header, rows = found
        its_kind, source = understood.part.kind, understood.source
        remembered = remembered_mapping(kind=its_kind, source=source, signature=header.signature)
        mapping: Mapping[str, str] = remembered or understood.part.mapping
        origin = "remembered" if remembered else "source"
    else:
        plain = columns.find_header(
            cells_of, kind or "purchases", wanted=given or None, own=own if kind == KIND else columns.NONE
        )
        if plain is None or len(plain.names) > WIDEST:
            empty: dict[str, str] = {}
            return SheetLook(file.path.name, file.name, sheet.name, sheet.encoding, sheet.delimiter, [], [], "", empty,
                             "", [])  # fmt: skip
        header, rows, source = plain, iter(first[plain.index + 1 :]), ""
        its_kind = columns.guess_kind(header.names) if kind == sources.MIXED else kind or "purchases"
        mapping, origin = _understood(header, its_kind, given, own if its_kind == KIND else columns.NONE)
    titles = [" ".join(cell.strip() for cell in row if cell.strip()) for row in cells_of[: header.index]]
    width = len(header.names)
    preview = [
        [cell[:LONGEST_CELL] for cell in fit(cells, problem, width=width, strict=False)[0]]
        for _, cells, problem in rows
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
        kind=its_kind,
        source=source,
    )


def _understood(
    header: columns.Header, kind: str, given: Mapping[str, str], own: columns.Own
) -> tuple[Mapping[str, str], str]:
    if given:
        return {field: name for field, name in given.items() if name in header.names}, "preset"
    remembered = remembered_mapping(kind=kind, source="", signature=header.signature)
    if remembered is not None:
        return {field: name for field, name in remembered.items() if name in header.names}, "remembered"
    return columns.recognise(header.names, kind, own), "recognised"
