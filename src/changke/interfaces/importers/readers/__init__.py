"""One module per file format, found by being here. Each says by the first bytes whether a file is its own.

A reader is a module with `KEY`, `recognises(head) -> bool`, `PRIORITY` (lower is asked first) and
`read(path, *, name, encoding) -> Iterator[Sheet]`; it raises `UnreadableFile` with the remedy, never anything else.
"""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from changke.foundation.registry import Registry
from changke.interfaces.importers.problems import UnreadableFile
from changke.interfaces.importers.sheets import Sheet

HEAD_BYTES = 4096


class Reader(Protocol):
    KEY: str
    PRIORITY: int

    def recognises(self, head: bytes) -> bool: ...

    def read(self, path: Path, *, name: str, encoding: str | None) -> Iterator[Sheet]: ...


def is_reader(thing: object) -> bool:
    return all(hasattr(thing, wanted) for wanted in ("KEY", "PRIORITY", "recognises", "read"))


READERS: Registry[Reader] = Registry("readers", is_reader)
for _found in pkgutil.iter_modules(__path__):
    _module = cast(Reader, import_module(f"{__name__}.{_found.name}"))
    READERS.register(_module.KEY, _module)


def open_sheets(path: Path, *, name: str, encoding: str | None = None) -> Iterator[Sheet]:
    """The sheets of a file, read in this process; whoever reads a stranger's file does it `apart`."""
    yield from reader_of(path, name=name).read(path, name=name, encoding=encoding)


def reader_of(path: Path, *, name: str) -> Reader:
    """Whose file it is, by content and not by the ending of its name: old systems write text and call it .xls."""
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    except OSError as error:
        raise UnreadableFile("file_missing", file=name, detail=error.strerror or "") from error
    if not head.strip(b"\xef\xbb\xbf\r\n\t \x00"):
        raise UnreadableFile("file_empty", file=name)
    for reader in sorted(READERS.all.values(), key=lambda each: each.PRIORITY):
        if reader.recognises(head):
            return reader
    raise UnreadableFile("file_kind_unknown", file=name)
