"""Workbooks and Parquet are read in a process of their own: their parsers are not ours, and what a stranger's file
makes of them shall reach nothing.

The process has no secrets, no database and no log; it may take so much memory and so many seconds, open few files and
write none. It hands over plain text, as JSON, a few hundred rows when it is asked for them, and is gone with whoever
asked. What it took is given back with it: a sheet of a million rows costs the load no memory.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from changke.interfaces.importers.problems import UnreadableFile
from changke.interfaces.importers.readers import READERS, Reader, reader_of
from changke.interfaces.importers.readers import open_sheets as open_here
from changke.interfaces.importers.sheets import RawRow, Sheet

MOST_MEMORY_BYTES = 3 * 1024**3
"""Of addresses. The largest sheet that we take (`workbook.LARGEST_AREA`) needs a good gigabyte."""
MOST_SECONDS = 900
"""Of CPU. Such a sheet takes about half a minute."""
MOST_OPEN_FILES = 64
PARSED_ELSEWHERE = frozenset({"workbook", "parquet"})
"""Readers whose parser is a library; text is read by Python's own, row by row, and stays here."""

ROWS_AT_ONCE = 500
CHARACTERS_AT_ONCE = 1_000_000
LONGEST_ANSWER = 64 * 1024**2
KEPT_ENVIRONMENT = ("PATH", "PYTHONPATH", "VIRTUAL_ENV", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "TZ")


def open_sheets(path: Path, *, name: str, encoding: str | None = None) -> Generator[Sheet, None, None]:
    """The sheets of a file, as `readers.open_sheets` has them."""
    reader = reader_of(path, name=name)
    if reader.KEY not in PARSED_ELSEWHERE:
        yield from open_here(path, name=name, encoding=encoding)
        return
    process = _started(reader, path, name, encoding)
    try:
        while (sheet := _ask(process, "sheet", name)["sheet"]) is not None:
            yield Sheet(rows=_rows(process, name), **sheet)
    finally:
        process.kill()
        process.communicate()


def _started(reader: Reader, path: Path, name: str, encoding: str | None) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", __name__, reader.KEY, str(path.resolve()), name, encoding or ""]
    known = {key: os.environ[key] for key in KEPT_ENVIRONMENT if key in os.environ}
    return subprocess.Popen(
        command, env=known, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


def _rows(process: "subprocess.Popen[bytes]", name: str) -> Iterator[RawRow]:
    while rows := _ask(process, "rows", name)["rows"]:
        for line, cells, problem in rows:
            yield int(line), cells, problem


def _ask(process: "subprocess.Popen[bytes]", what: str, name: str) -> dict[str, Any]:
    """One answer. Whoever dies instead has taken more than it may, or was broken by the file."""
    assert process.stdin is not None
    assert process.stdout is not None
    answer = b""
    with suppress(OSError):
        process.stdin.write(f"{what}\n".encode())
        process.stdin.flush()
        answer = process.stdout.readline(LONGEST_ANSWER)
    if not answer.endswith(b"\n"):
        raise UnreadableFile("file_too_heavy", file=name)
    found: dict[str, Any] = json.loads(answer)
    if "problem" in found:
        raise UnreadableFile(found["problem"], **{**found["places"], "file": name})
    return found


# In the process itself.


def main(key: str, path: str, name: str, encoding: str) -> None:
    hold_back()
    sheets = READERS[key].read(Path(path), name=name, encoding=encoding or None)
    rows: Iterator[RawRow] = iter(())
    for asked in sys.stdin:
        try:
            if asked.strip() == "rows":
                answer: dict[str, Any] = {"rows": _some(rows)}
            else:
                sheet = next(sheets, None)
                rows = sheet.rows if sheet else iter(())
                answer = {"sheet": _described(sheet) if sheet else None}
        except UnreadableFile as refusal:
            places = {place: str(value) for place, value in refusal.problem.places.items()}
            answer = {"problem": refusal.problem.code, "places": places}
        _say(sys.stdout, answer)


def hold_back() -> None:
    """From here on this process may do no more than read."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_NOFILE, (MOST_OPEN_FILES, MOST_OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _described(sheet: Sheet) -> dict[str, Any]:
    return {"name": sheet.name, "strict_width": sheet.strict_width, "encoding": sheet.encoding,
            "delimiter": sheet.delimiter}  # fmt: skip


def _some(rows: Iterator[RawRow]) -> list[RawRow]:
    taken: list[RawRow] = []
    characters = 0
    while len(taken) < ROWS_AT_ONCE and characters < CHARACTERS_AT_ONCE and (row := next(rows, None)) is not None:
        taken.append(row)
        characters += sum(map(len, row[1]))
    return taken


def _say(stream: IO[str], answer: dict[str, Any]) -> None:
    stream.write(json.dumps(answer) + "\n")
    stream.flush()


if __name__ == "__main__":
    main(*sys.argv[1:5])
