"""Excel workbooks (.xlsx, .xls, .xlsb) and OpenDocument. Cells are read as the values last computed; no formula is
run."""

import datetime as dt
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from changke.interfaces.importers.problems import UnreadableFile
from changke.interfaces.importers.sheets import RawRow, Sheet

KEY = "workbook"
PRIORITY = 20

ZIP, COMPOUND = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

LARGEST_BYTES = 2 * 1024**3
"""Unpacked. A sheet with all its 1,048,576 rows and ten columns takes about half a gigabyte."""
LARGEST_RATIO = 200
"""Real sheets shrink to a tenth or a thirtieth; a bomb to a thousandth."""
RATIO_MATTERS_BYTES = 50 * 1024**2
LARGEST_AREA = 12_000_000
"""Cells between the first and the last used one, held at once by the reader: a full sheet with eleven columns. It keeps
about 90 bytes of each, a gigabyte at most; the binding has no way of reading row by row."""
MOST_PARTS = 2_000

CELL = re.compile(rb'<c r="([A-Z]{1,4})')
ROW = re.compile(rb'<row r="(\d{1,8})')
BLOCK_BYTES = 1 << 20


def recognises(head: bytes) -> bool:
    return head.startswith((ZIP, COMPOUND))


def read(path: Path, *, name: str, encoding: str | None) -> Iterator[Sheet]:
    with path.open("rb") as stream:
        if stream.read(len(ZIP)) == ZIP:
            refuse_bombs(path, name=name)
    with _held(name):
        book = CalamineWorkbook.from_path(str(path))
    several = len(book.sheet_names) > 1
    for index, title in enumerate(book.sheet_names):
        with _held(name):
            sheet = book.get_sheet_by_index(index)
        if sheet.start is not None:
            yield Sheet(name=title if several else "", rows=_rows(sheet, name), strict_width=False)


@contextmanager
def _held(name: str) -> Iterator[None]:
    """What the reader cannot read is a refusal, also where its Rust gives up in a panic (which is no Exception)."""
    try:
        yield
    except PasswordError as error:
        raise UnreadableFile("workbook_locked", file=name) from error
    except (CalamineError, OSError, ValueError, OverflowError) as error:
        raise UnreadableFile("file_cut_off", file=name) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise UnreadableFile("file_cut_off", file=name) from error


def refuse_bombs(path: Path, *, name: str) -> None:
    """Refuse by what the archive declares, then hold it to its word: parts that unpack to more than declared are
    refused
    too, before the reader (which believes nothing and unpacks everything) sees them."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            unpacked = sum(part.file_size for part in parts)
            packed = max(1, sum(part.compress_size for part in parts))
            if len(parts) > MOST_PARTS or unpacked > LARGEST_BYTES:
                raise UnreadableFile("workbook_bomb", file=name, megabytes=unpacked // 1024**2)
            if unpacked > RATIO_MATTERS_BYTES and unpacked / packed > LARGEST_RATIO:
                raise UnreadableFile("workbook_bomb", file=name, megabytes=unpacked // 1024**2)
            for part in parts:
                _hold_to_word(path, archive, part, name=name)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise UnreadableFile("file_cut_off", file=name) from error


def _hold_to_word(path: Path, archive: zipfile.ZipFile, part: zipfile.ZipInfo, *, name: str) -> None:
    """Unpack in small blocks, counting; for sheets also measure the area, which a single far cell can make enormous."""
    if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UnreadableFile("file_cut_off", file=name)
    is_sheet = "/worksheets/" in part.filename
    count, columns, last_row, tail = 0, 0, 0, b""
    with path.open("rb") as stream:
        stream.seek(part.header_offset + 26)
        lengths = stream.read(4)
        stream.seek(int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little"), 1)
        unpacker = zlib.decompressobj(-15) if part.compress_type == zipfile.ZIP_DEFLATED else None
        left, waiting = part.compress_size, b""
        while left > 0 or waiting:
            if not waiting:
                waiting = stream.read(min(BLOCK_BYTES, left))
                left -= len(waiting)
                if not waiting:
                    raise UnreadableFile("file_cut_off", file=name)
            if unpacker is None:
                block, waiting = waiting, b""
            else:
                block = unpacker.decompress(waiting, BLOCK_BYTES)
                waiting = b"" if unpacker.eof else unpacker.unconsumed_tail
            count += len(block)
            if count > part.file_size:
                raise UnreadableFile("workbook_bomb", file=name, megabytes=count // 1024**2)
            if is_sheet and block:
                text = tail + block
                columns = max([columns, *(_column(letters) for letters in set(CELL.findall(text)))])
                rows = ROW.findall(text)
                last_row = max(last_row, int(rows[-1])) if rows else last_row
                tail = text[-32:]
                if columns * last_row > LARGEST_AREA:
                    raise UnreadableFile("workbook_too_wide", file=name, rows=last_row, columns=columns)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _rows(sheet: CalamineSheet, name: str) -> Iterator[RawRow]:
    first = (sheet.start or (0, 0))[0] + 1
    with _held(name):
        rows = sheet.iter_rows()
    offset = 0
    while True:
        with _held(name):
            cells = next(rows, None)
        if cells is None:
            return
        yield first + offset, [text_of(cell) for cell in cells], ""
        offset += 1


def text_of(cell: object) -> str:
    """A typed cell as the plain text that the normalising rules read: whole numbers without a point, ISO dates."""
    match cell:
        case str():
            return cell
        case bool():
            return "1" if cell else "0"
        case float():
            # Shortest text of the double; never 1e+16: a card number of 17 digits would lose its last ones silently.
            return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
        case dt.datetime():
            if cell.time() == dt.time():
                return cell.date().isoformat()
            return cell.replace(microsecond=0).isoformat(sep=" ")
        case dt.date() | dt.time():
            return cell.isoformat()
        case None:
            return ""
        case _:
            return str(cell)
