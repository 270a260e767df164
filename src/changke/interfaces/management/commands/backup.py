from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from changke.foundation.database import backup, launcher
from changke.interfaces.management.base import ShopCommand


class Command(ShopCommand):
    help = "Write everything into one file: the database, the files people gave, the signing key. The site may run on."
    example = "changke backup /backup/changke.tar      (a folder gives a name with the date)"

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, default=Path(), help="the file, or a folder for it")

    def run(self, *, file: Path, **options: Any) -> dict[str, Any]:
        now = datetime.now(UTC)
        archive = file / f"changke-{now:%Y%m%d-%H%M%S}.tar" if file.is_dir() else file
        if not archive.parent.is_dir():
            raise CommandError(f"there is no folder {archive.parent}: mkdir -p {archive.parent}")
        try:
            manifest = backup.backup(
                archive.resolve(),
                connections=settings.CONNECTIONS,
                binaries=launcher.binaries_of(settings.DATA_DIR),
                data_dir=settings.DATA_DIR,
                erased=settings.ERASED_FILE,
                version=settings.VERSION,
                now=now,
                say=self.say,
            )
        except backup.BackupFailed as error:
            raise CommandError(str(error)) from error
        size = archive.stat().st_size
        self.say(f"{archive}  ({size / 2**20:,.1f} MB). It holds every customer: keep it where only you can read it.")
        return {"file": str(archive), "bytes": size, **asdict(manifest)}
