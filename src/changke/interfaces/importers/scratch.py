"""The scratch database of one batch: its files as rows of text on disk, in bounded memory, each row with its number."""

import csv
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from types import TracebackType

import duckdb

from changke.interfaces.importers import columns
from changke.interfaces.importers.apart import open_sheets
from changke.interfaces.importers.clean import SOLD_AS, tidy
from changke.interfaces.importers.normalise.texts import text
from changke.interfaces.importers.parts import Ground, Turned
from changke.interfaces.importers.problems import UnreadableFile
from changke.interfaces.importers.sheets import RawRow, Sheet

MEMORY_LIMIT = "72MB"
"""Of the scratch database; what does not fit spills to the disk beside it."""
MORE_MEMORY = "256MB"
"""For a file of which something neither fits nor spills: it is read a second time."""
WRITE_AT_ONCE = 2_000
PREVIEW_ROWS = 20
WIDEST = 400


@dataclass(frozen=True)
class SourceFile:
    """A file as the person knows it (`name`) and where it lies."""

    path: Path
    name: str


@dataclass
class SheetInfo:
    """What was found in one sheet. `mapping` is field -> header."""

    index: int
    file: str
    name: str
    header: columns.Header
    mapping: Mapping[str, str]
    first_rows: list[list[str]] = field(default_factory=list)
    rows: int = 0
    path: str = ""
    """Name of the file on disk, by which a person's choices about the sheet are kept."""
    kind: str = ""
    source: str = ""
    """Key of the source that understood the sheet, or "" where its columns speak for themselves."""


Chooser = Callable[[columns.Header, Turned | None], tuple[str, Mapping[str, str]]]
"""The kind of the rows, and how the columns of this header are understood: given, remembered or recognised."""

Finder = Callable[[Sequence[str]], Turned | None]
"""Whether these column names are those of a source."""


def turned(
    first: list[RawRow], rest: Iterator[RawRow], find: Finder, ground: Ground, *, strict: bool
) -> tuple[Turned, columns.Header, Iterator[RawRow]] | None:
    """The sheet as its source turns it; None where it is no source's. `first` are the rows that were read already."""
    for index, (_line, cells, _problem) in enumerate(first):
        names = columns.unique(cells)
        if names and len(names) <= WIDEST and (found := find(names)) is not None:
            width = len(names)
            rows = (
                (line, *fit(each, problem, width=width, strict=strict))
                for line, each, problem in chain(first[index + 1 :], rest)
            )
            filled = (row for row in rows if any(row[1]))
            return found, columns.Header(index, found.header), found.rows(filled, ground)
    return None


class Scratch:
    """Opened in the folder of the batch; closed and deleted when the work is done."""

    def __init__(self, folder: Path, *, memory: str = MEMORY_LIMIT) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.file = folder / "rows.duckdb"
        self.remove()
        self.connection = duckdb.connect(
            str(self.file),
            config={"memory_limit": memory, "threads": "2", "temp_directory": str(folder / "spill")},
        )
        self.connection.execute("SET preserve_insertion_order = false")
        self.connection.execute("SET TimeZone = 'UTC'")
        # It lives for minutes: packing its columns, and writing it out once more at its end, would be work for nothing.
        self.connection.execute("SET force_compression = 'uncompressed'")
        self.connection.execute("PRAGMA disable_checkpoint_on_shutdown")
        self.sheets: list[SheetInfo] = []
        self.total = 0

    def __enter__(self) -> "Scratch":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()
        self.remove()

    def remove(self) -> None:
        """A scratch database left by a killed run is worth nothing: the files are read again."""
        for left in (self.file, self.file.with_suffix(".duckdb.wal"), self.folder / "rows.csv"):
            left.unlink(missing_ok=True)
        for part in ("receipts", "lines", "tenders"):
            for left in self.folder.glob(f"{part}-*.csv"):
                left.unlink(missing_ok=True)

    def read(
        self,
        files: Sequence[SourceFile],
        *,
        kind: str,
        choose: Chooser,
        wanted: Mapping[str, str] | None,
        find: Finder,
        ground: Ground,
        own: columns.Own = columns.NONE,
        encoding: str | None = None,
        leave_out: Collection[tuple[str, str]] = (),
        progress: Callable[[int], None] = lambda rows: None,
    ) -> None:
        """All rows of all sheets into `raw_0`, `raw_1`, ...; a sheet without a header that we understand is left out
        as long as another one of the batch has it. `leave_out` names sheets that a person did not want: the name of
        the file on disk and of the sheet."""
        skipped: list[SourceFile] = []
        for source in files:
            found = 0
            for sheet in open_sheets(source.path, name=source.name, encoding=encoding):
                if (source.path.name, sheet.name) in leave_out:
                    found += 1
                    continue
                found += self._read_sheet(
                    sheet, source, kind=kind, choose=choose, wanted=wanted, find=find, ground=ground, own=own,
                    progress=progress,
                )  # fmt: skip
            if not found:
                skipped.append(source)
        if skipped:
            raise UnreadableFile("header_missing", file=skipped[0].name)

    def _read_sheet(
        self,
        sheet: Sheet,
        source: SourceFile,
        *,
        kind: str,
        choose: Chooser,
        wanted: Mapping[str, str] | None,
        find: Finder,
        ground: Ground,
        own: columns.Own,
        progress: Callable[[int], None],
    ) -> bool:
        first = list(islice(sheet.rows, columns.HEADER_WITHIN_ROWS))
        by_source = turned(first, sheet.rows, find, ground, strict=sheet.strict_width)
        if by_source is not None:
            understood, header, rows = by_source
        else:
            understood = None
            plain = columns.find_header([cells for _, cells, _ in first], kind, wanted=wanted, own=own)
            if plain is None or len(plain.names) > WIDEST:
                return False
            header, rows = plain, chain(first[plain.index + 1 :], sheet.rows)
        its_kind, chosen = choose(header, understood)
        mapping = {field: name for field, name in chosen.items() if name in header.names}
        if not mapping and self.sheets:
            return False
        info = SheetInfo(
            len(self.sheets), source.name, sheet.name, header, mapping, path=source.path.name, kind=its_kind,
            source=understood.source if understood else "",
        )  # fmt: skip
        self.sheets.append(info)
        self._write(info, rows, strict=sheet.strict_width, progress=progress)
        return True

    def _write(self, info: SheetInfo, rows: Iterator[RawRow], *, strict: bool, progress: Callable[[int], None]) -> None:
        width = len(info.header.names)
        passing = self.folder / "rows.csv"
        with passing.open("w", encoding="utf-8", errors="replace", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            waiting: list[list[object]] = []
            for line, cells, problem in rows:
                cells, problem = fit(cells, problem, width=width, strict=strict)
                if not any(cells):
                    continue
                self.total += 1
                info.rows += 1
                waiting.append([self.total, line, problem, *cells])
                if len(info.first_rows) < PREVIEW_ROWS:
                    info.first_rows.append(cells)
                if len(waiting) == WRITE_AT_ONCE:
                    writer.writerows(waiting)
                    waiting = []
                    progress(self.total)
            writer.writerows(waiting)
        progress(self.total)
        names = ["rn", "line", "problem", *(f"c{index}" for index in range(width))]
        types = ", ".join(f"'{name}': '{'BIGINT' if name in ('rn', 'line') else 'VARCHAR'}'" for name in names)
        self.connection.execute(
            f"CREATE OR REPLACE TABLE raw_{info.index} AS "  # noqa: S608
            f"SELECT * FROM read_csv('{_quoted(passing)}', columns = {{{types}}}, "
            "auto_detect = false, header = false, delim = ',', quote = '\"', escape = '\"', max_line_size = 4000000, "
            "buffer_size = 8000000)"
        )
        passing.unlink()

    def canonical_rows(self, kind: str, stores: Mapping[tuple[str, str], str] | None = None) -> list[str]:
        """Make `rows` of the sheets of this kind: one column per mapped field, whatever they call theirs. The fields,
        in order.

        `stores` names, by file on disk and sheet, the store of those rows of a sheet that name none.
        """
        stores = stores or {}
        sheets = [sheet for sheet in self.sheets if sheet.kind == kind]
        mapped = list(dict.fromkeys(field for sheet in sheets for field in sheet.mapping))
        if stores and "store" not in mapped:
            mapped.append("store")
        if "type" in mapped:
            mapped.append(SOLD_AS)
        selects = []
        for sheet in sheets:
            place = {name: index for index, name in enumerate(sheet.header.names)}
            of_all = stores.get((sheet.path, sheet.name), "").replace("'", "''")
            constant = {"store": f"'{of_all}'"} if of_all else {}
            raw = {each: tidy(f"c{place[name]}") for each, name in sheet.mapping.items()}
            if "type" in raw:
                raw[SOLD_AS] = raw["type"]
            if of_all and "store" in raw:
                raw["store"] = f"coalesce(nullif({raw['store']}, ''), {constant['store']})"
            cells = [f"{raw.get(each) or constant.get(each, 'NULL')} AS {each}" for each in mapped]
            selects.append(
                f"SELECT rn, {sheet.index} AS sheet, line, coalesce(problem, '') AS problem, {', '.join(cells) or '1'} "  # noqa: S608
                f"FROM raw_{sheet.index}"
            )
        self.connection.execute(f"CREATE OR REPLACE VIEW rows AS {' UNION ALL '.join(selects)}")
        return mapped


def fit(cells: list[str], problem: str, *, width: int, strict: bool) -> tuple[list[str], str]:
    """Clean cells, exactly as many as the header has; a row of another width is refused, not shifted."""
    cells = [cell.strip() for cell in cells]
    joined = "".join(cells)
    if not joined.isprintable() or "=" in joined or "'" in joined:
        cells = [text(cell) for cell in cells]
    if len(cells) == width:
        return cells, problem
    if len(cells) > width:
        if not problem and any(cells[width:]):
            problem = "row_long"
        return cells[:width], problem
    if strict and not problem and joined:
        problem = "row_short"
    return cells + [""] * (width - len(cells)), problem


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
