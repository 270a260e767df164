import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from changke.foundation.persons.cipher import UnreadableKeys, write_keys
from changke.foundation.persons.queries import VAULT_SECONDS, master_keys, vault
from changke.foundation.persons.services import rotate
from changke.interfaces.management.base import ShopCommand

VERBS = {
    "backup": "copy the master key into FILE; keep it away from this machine",
    "restore": "put the master key of FILE back, if these data were written with it",
    "rotate": "change the master key while the shop is open; may be interrupted and started again",
    "check": "whether the key is the one that these data were written with",
}


class Command(ShopCommand):
    help = "The master key under which phones and addresses are kept: " + "; ".join(
        f"{verb}: {said}" for verb, said in VERBS.items()
    )
    example = "changke keys backup /media/usb/changke.key"

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=list(VERBS), help="what to do")
        parser.add_argument("file", nargs="?", type=Path, help="of `backup` and `restore`")

    def run(self, *, verb: str, file: Path | None, **options: Any) -> dict[str, Any]:
        try:
            match verb, file:
                case "backup", Path():
                    return self._backup(file)
                case "restore", Path():
                    return self._restore(file)
                case "rotate", None:
                    return self._rotate()
                case "check", None:
                    return self._check()
        except UnreadableKeys as error:
            raise CommandError(str(error)) from error
        raise CommandError(f"`{verb}` {'takes no' if file else 'needs a'} file")

    def _backup(self, file: Path) -> dict[str, Any]:
        text = write_keys(master_keys())
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error
        with os.fdopen(descriptor, "w") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(descriptor)
        versions = rotate.backed_up(text, now=datetime.now(UTC))
        self.say(f"{file}. With it and a backup everything can be read: keep the two apart.")
        return {"file": str(file), "versions": versions}

    def _restore(self, file: Path) -> dict[str, Any]:
        if not file.is_file():
            raise CommandError(f"there is no file {file}")
        versions = rotate.put_back(file.read_text())
        self.say("the master key is back")
        return {"file": str(file), "versions": versions}

    def _rotate(self) -> dict[str, Any]:
        version = rotate.begin(now=datetime.now(UTC))
        self.say(f"changing to version {version}; copy it with `changke keys backup` when this is done")
        moved = 0
        while True:
            time.sleep(VAULT_SECONDS * 2)  # until every process knows the new version and has written its last old one
            found = self._all_steps()
            moved += found
            if moved == 0 or found == 0:
                break
        retired = rotate.finish(now=datetime.now(UTC))
        self.say(f"{moved:,} keys and indexes moved to version {version}")
        return {"version": version, "moved": moved, "retired": retired}

    def _all_steps(self) -> int:
        moved = 0
        while some := rotate.step():
            moved += some
        return moved

    def _check(self) -> dict[str, Any]:
        in_use = list(vault().in_use)
        self.say(f"version {in_use[-1]} of the master key opens these data")
        return {"versions": in_use}
