from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from changke.foundation.audit.rules import system
from changke.interfaces import analytics
from changke.interfaces.management.base import ShopCommand
from changke.interfaces.progress import Steps


class Command(ShopCommand):
    help = (
        "Write facts, profiles and predictions into a DuckDB file for analysts: no names, no phones, pseudonyms for "
        "customers, a dictionary of every column. It is a line of the audit trail."
    )
    example = "changke publish analysts.duckdb"

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="where to; it must not be there yet")

    def run(self, *, file: Path, **options: Any) -> dict[str, Any]:
        if not file.parent.is_dir():
            raise CommandError(f"there is no folder {file.parent}")
        with Steps() as steps:
            done = analytics.publish_to(
                file.absolute(), by=system("changke publish"), now=datetime.now(UTC), progress=steps
            )
        for table, rows in done.rows.items():
            self.say(f"{table:<12}{rows:>14,}")
        self.say(f"in {done.file}; the table `dictionary` says what each column holds")
        return {"file": str(done.file), "rows": dict(done.rows)}
