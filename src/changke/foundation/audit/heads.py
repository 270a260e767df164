"""The head of the chain outside the database: a file that the worker adds to, one line per seal.

Who may delete the last lines and their seals from the database leaves a chain that is whole, only shorter. The file
knows how long it was. A file per month; one line is `seal digest total moment`, or `restored seal digest total moment`
where an operator put an older backup in the place of what was there: from then on only later lines count.
"""

import datetime as dt
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

RESTORED = "restored"
FOLDER = "audit"


@dataclass(frozen=True)
class Head:
    """A seal as it was when it was made."""

    seal: int
    digest: str
    total: int
    at: str


def write(data_dir: Path, head: Head, *, restored: bool = False) -> None:
    """Add a head, on the disk before we return."""
    folder = data_dir / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    words = [RESTORED] if restored else []
    words += [str(head.seal), head.digest, str(head.total), head.at]
    month = dt.datetime.fromisoformat(head.at).astimezone(dt.UTC).strftime("%Y-%m")
    with (folder / f"heads-{month}.log").open("a", encoding="ascii") as stream:
        stream.write(" ".join(words) + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def read(data_dir: Path) -> list[Head]:
    """Heads that the chain must still contain: those since the last restore; of older months only the last.

    A line torn by a power cut is left out.
    """
    files = sorted((data_dir / FOLDER).glob("heads-*.log"))
    heads: list[Head] = []
    for file in files:
        of_month: list[Head] = []
        for was_restored, head in _lines(file):
            if was_restored:
                heads, of_month = [], []
            if head.seal:  # the backup may have held no seal yet
                of_month.append(head)
        heads += of_month if file == files[-1] else of_month[-1:]
    return heads


def _lines(file: Path) -> Iterator[tuple[bool, Head]]:
    for line in file.read_text(encoding="ascii").splitlines():
        words = line.split()
        restored = words[:1] == [RESTORED]
        try:
            seal, digest, total, at = words[1:] if restored else words
            yield restored, Head(int(seal), digest, int(total), at)
        except ValueError:
            continue
