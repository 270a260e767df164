"""Who was erased, in a file outside the database: a restored backup does not know, this file tells it.

One line of JSON for each person, only ever appended. It holds no name: her number, and two marks by which the same
person is known again in a backup (the fingerprint of her key, the moment she was written down), because an older backup
may give her number to somebody else later.
"""

import datetime as dt
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Tombstone:
    person: int
    key: str
    recorded: str
    erased_at: str

    def means(self, *, key: str, recorded: str) -> bool:
        """Whether the person of this number, as the database knows her, is the one who was erased."""
        return (bool(self.key) and self.key == key) or self.recorded == recorded


def append(file: Path, stones: Iterable[Tombstone]) -> None:
    """Add lines, on the disk before this returns."""
    text = "".join(json.dumps(asdict(one)) + "\n" for one in stones)
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, text.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(file: Path) -> Iterator[Tombstone]:
    """Every line; one that a crash cut off is skipped, because its erasure did not happen either."""
    if not file.exists():
        return
    for line in file.read_text().splitlines():
        try:
            yield Tombstone(**json.loads(line))
        except (ValueError, TypeError):
            continue


def merge(file: Path, other: Path) -> int:
    """Add what another copy of the file knows more; how many."""
    known = set(read(file))
    new = [one for one in read(other) if one not in known]
    if new:
        append(file, new)
    return len(new)


def moment(now: dt.datetime) -> str:
    return now.astimezone(dt.UTC).isoformat()
