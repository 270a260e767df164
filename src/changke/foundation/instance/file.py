"""The file that knows the installation. It lies in the data folder and goes into no backup: that is its whole point."""

import json
import os
from dataclasses import asdict
from pathlib import Path

from changke.foundation.instance.rules import Confirmed, Database

NAME = "instance.json"


def read(data_dir: Path) -> tuple[Confirmed | None, int]:
    """What was confirmed, and which file says so. One that cannot be read confirms nothing."""
    try:
        with (data_dir / NAME).open(encoding="ascii") as stream:
            told = json.load(stream)
            return Confirmed(**told | {"database": Database(**told["database"])}), os.fstat(stream.fileno()).st_ino
    except (OSError, ValueError, TypeError, KeyError):
        return None, 0


def write(data_dir: Path, *, instance: str, epoch: int, database: Database, since: str) -> Confirmed:
    """Write it whole or not at all. It names its own inode, which a copy does not have and a moved file keeps."""
    data_dir.mkdir(parents=True, exist_ok=True)
    unfinished = data_dir / f".{NAME}.{os.getpid()}"
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        confirmed = Confirmed(instance, epoch, database, os.fstat(descriptor).st_ino, since)
        json.dump(asdict(confirmed), stream, indent=2)
        stream.flush()
        os.fsync(descriptor)
    unfinished.replace(data_dir / NAME)
    return confirmed
