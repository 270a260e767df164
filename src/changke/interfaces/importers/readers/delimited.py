"""Text with a delimiter (CSV, TSV): encoding and delimiter are detected, every bad line is named, nothing is
swallowed."""

import codecs
import csv
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import islice
from pathlib import Path

from changke.interfaces.importers.problems import UnreadableFile
from changke.interfaces.importers.sheets import RawRow, Sheet

KEY = "delimited"
PRIORITY = 90  # asked last: anything that is no other format is text

DELIMITERS = ",\t;|，"
BLOCK_BYTES = 1 << 20
SAMPLE_LINES = 200
LONGEST_FIELD = 65_536
"""A note of a shop is shorter; a longer field is an open quote that swallows the rows behind it."""
LONGEST_LINE = 1 << 18
"""No table has a longer one. A dump or a program's JSON may be gigabytes without a line end; so much is never held."""
EVIDENCE_LINES = 20_000


def recognises(head: bytes) -> bool:
    return True


def read(path: Path, *, name: str, encoding: str | None) -> Iterator[Sheet]:
    found = Encoding(encoding, broken=True) if encoding else detect_encoding(path, name=name)
    try:
        codecs.lookup(found.codec)
    except LookupError as error:
        raise UnreadableFile("encoding_unknown", file=name, encoding=found.codec) from error
    if codecs.lookup(found.codec).name == "utf-16" and not _is_marked_utf_16(path):  # somebody chose it wrongly
        raise UnreadableFile("encoding_undetected", file=name)
    with _open(path, found) as stream:
        sample = list(islice(_Lines(stream), SAMPLE_LINES))
    text = "".join(sample[:5]).lstrip().lower()
    if text.startswith(("<html", "<!doctype", "<?xml", "<table")):
        raise UnreadableFile("file_is_web_page", file=name)
    if "\x00" in text:
        raise UnreadableFile("file_kind_unknown", file=name)
    delimiter = sniff_delimiter(sample)
    rows = _rows(path, found, delimiter=delimiter, width=_usual_width(sample, delimiter))
    yield Sheet(name="", rows=rows, encoding=found.codec, delimiter=delimiter)


@dataclass(frozen=True)
class Encoding:
    """`broken`: some lines are written in another encoding; those rows are refused by number and the rest goes in."""

    codec: str
    broken: bool = False


def _is_marked_utf_16(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def detect_encoding(path: Path, *, name: str) -> Encoding:
    """UTF-8 (with or without BOM), UTF-16 by its BOM, else GB18030 (which contains GBK and GB2312).

    The whole file is looked at: the first Chinese name may stand behind a gigabyte of digits.
    """
    with path.open("rb") as stream:
        head = stream.read(4)
    if head.startswith(codecs.BOM_UTF8):
        return Encoding("utf-8-sig", broken=not _decodes(path, "utf-8"))
    if _is_marked_utf_16(path):
        return Encoding("utf-16", broken=not _decodes(path, "utf-16"))
    if _decodes(path, "utf-8"):
        return Encoding("utf-8")
    good, bad, chinese = _evidence(path)
    # A GBK line is almost never valid UTF-8, so a file with mostly valid multi-byte lines is UTF-8 with damaged ones.
    if good > bad:
        return Encoding("utf-8", broken=True)
    if _decodes(path, "gb18030"):
        return Encoding("gb18030")
    if chinese * 2 < bad:
        raise UnreadableFile("encoding_undetected", file=name)
    return Encoding("gb18030", broken=True)


def sniff_delimiter(lines: list[str]) -> str:
    """The delimiter that splits the sample into rows of one width most often."""

    def score(delimiter: str) -> tuple[int, int]:
        widths = Counter(len(row) for row in _parse(lines, delimiter) if len(row) > 1)
        if not widths:
            return (0, 0)
        width, rows = widths.most_common(1)[0]
        return (rows, width)

    best = max(DELIMITERS, key=score)
    return best if score(best) > (0, 0) else ","


def _decodes(path: Path, codec: str) -> bool:
    decoder = codecs.getincrementaldecoder(codec)()
    with path.open("rb") as stream:
        try:
            while block := stream.read(BLOCK_BYTES):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _evidence(path: Path) -> tuple[int, int, int]:
    """Among lines with non-ASCII bytes: valid UTF-8, not valid UTF-8, and of the latter valid GB18030."""
    good = bad = chinese = 0
    with path.open("rb") as stream:
        while line := stream.readline(BLOCK_BYTES):
            if line.isascii():
                continue
            try:
                line.decode("utf-8")
                good += 1
            except UnicodeDecodeError:
                bad += 1
                try:
                    line.decode("gb18030")
                    chinese += 1
                except UnicodeDecodeError:
                    pass
            if good + bad >= EVIDENCE_LINES:
                break
    return good, bad, chinese


def _open(path: Path, encoding: Encoding) -> TextIOWrapper:
    # Bytes that do not decode become lone surrogates: the row is then refused by its number, not guessed.
    errors = "surrogateescape" if encoding.broken and encoding.codec != "utf-16" else "strict"
    if encoding.broken and encoding.codec == "utf-16":
        errors = "replace"
    return path.open(encoding=encoding.codec, errors=errors, newline="")


def _parse(lines: list[str], delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        try:
            rows.append(next(reader))
        except StopIteration:
            return rows
        except csv.Error:
            continue


def _usual_width(sample: list[str], delimiter: str) -> int:
    widths = Counter(len(row) for row in _parse(sample, delimiter) if row)
    return widths.most_common(1)[0][0] if widths else 0


class _Lines:
    """The lines of the file, remembering those of the record being read so that they can be read again. Of one that is
    too long the beginning is handed out and the rest passed by; `cut` says so."""

    def __init__(self, stream: TextIOWrapper) -> None:
        self.stream = stream
        self.again: deque[str] = deque()
        self.record: list[str] = []
        self.cut = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self.again.popleft() if self.again else self._next()
        self.record.append(line)
        return line

    def _next(self) -> str:
        line = self.stream.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        if len(line) == LONGEST_LINE and not line.endswith(("\n", "\r")):
            while rest := self.stream.readline(LONGEST_LINE):
                self.cut = True
                if rest.endswith(("\n", "\r")):
                    break
        return line


def _rows(path: Path, encoding: Encoding, *, delimiter: str, width: int) -> Iterator[RawRow]:
    limit = csv.field_size_limit(LONGEST_FIELD)
    try:
        with _open(path, encoding) as stream:
            yield from _records(_Lines(stream), delimiter=delimiter, width=width, broken=encoding.broken)
    finally:
        csv.field_size_limit(limit)


def _records(lines: _Lines, *, delimiter: str, width: int, broken: bool) -> Iterator[RawRow]:
    reader = csv.reader(lines, delimiter=delimiter)
    line = 1
    while True:
        record: list[str] = []
        lines.record = record
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells = []
        if lines.cut:
            lines.cut, cells = False, []
        if len(record) > 1 and (len(cells) != width or sum(each.count('"') for each in record) % 2):
            # An open quote has swallowed the lines behind it: refuse its own line and read the others again.
            lines.again.extendleft(reversed(record[1:]))
            yield line, _printable([part.strip('"\r\n') for part in record[0].split(delimiter)]), "quote_open"
            line += 1
            continue
        if not cells and record[0].strip():
            yield line, _printable([record[0].strip()[:LONGEST_FIELD]]), "line_unreadable"
        elif broken and any(_damaged(cell) for cell in cells):
            yield line, _printable(cells), "bytes_damaged"
        elif cells:
            yield line, cells, ""
        line += len(record)


def _damaged(cell: str) -> bool:
    return not cell.isascii() and any("\udc80" <= each <= "\udcff" or each == "�" for each in cell)


def _printable(cells: list[str]) -> list[str]:
    return [cell.encode("utf-8", "replace").decode("utf-8") for cell in cells]
