from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser
from django.db import connections

from changke.foundation.audit.rules import system
from changke.foundation.database import backup, launcher
from changke.foundation.persons.services.erase import replay
from changke.interfaces.management.base import ShopCommand
from changke.interfaces.trail import note_restored


class Command(ShopCommand):
    help = "Bring everything back from the file that `changke backup` wrote, also one of an older version."
    example = "changke restore /backup/changke.tar --data /srv/changke"

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the backup")
        parser.add_argument("--replace", action="store_true", help="put it in the place of the data that are there")

    def run(self, *, file: Path, replace: bool, **options: Any) -> dict[str, Any]:
        try:
            manifest = backup.restore(
                file.resolve(),
                connections=settings.CONNECTIONS,
                binaries=launcher.binaries_of(settings.DATA_DIR),
                data_dir=settings.DATA_DIR,
                erased=settings.ERASED_FILE,
                replace=replace,
                say=self.say,
            )
        except (backup.NotABackup, backup.TargetInUse, backup.BackupFailed) as error:
            raise CommandError(str(error)) from error
        connections.close_all()
        call_command("prepare")
        again = replay(by=system("changke restore"), now=datetime.now(UTC))
        if again:
            self.say(f"{len(again)} customers who were erased since are erased again")
        note_restored(settings.DATA_DIR, now=datetime.now(UTC))
        self.say(f"restored what was saved on {manifest.taken_at} by version {manifest.version}")
        self.say(
            "nothing is sent to customers from here until you confirm it: changke confirm, or the button on the site"
        )
        return {"file": str(file), **asdict(manifest), "erased_again": len(again)}
