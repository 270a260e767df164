import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.db import connection

from changke.foundation.database import grants
from changke.interfaces.health import FAILED, OK, WARNING, examine
from changke.interfaces.management.base import ShopCommand

SIGNS = {OK: "✓", WARNING: "!", FAILED: "✗"}


class Command(ShopCommand):
    help = "Check the installation and say what mends it. Exit code 1 if something failed, 0 with warnings only."
    example = "changke doctor --json"

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--sql", action="store_true", help="print what an administrator runs on a PostgreSQL of your own"
        )

    def run(self, *, sql: bool, **options: Any) -> dict[str, Any]:
        if sql:
            with connection.cursor():
                script = grants.administrator_script(
                    connection.connection, database=settings.CONNECTIONS.owner.parameters["dbname"]
                )
            self.say(script)
            return {"ok": True, "sql": script}
        findings = []
        for finding in examine(datetime.now(UTC)):
            findings.append(finding)
            self.say(f"{SIGNS[finding.status]} {finding.check:<12} {finding.found}")
            if finding.remedy:
                self.say(f"  {'':<12} → {finding.remedy}")
        healthy = all(finding.status != FAILED for finding in findings)
        self.exit_code = 0 if healthy else 1
        return {"ok": healthy, "findings": [asdict(finding) for finding in findings]}

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        if getattr(self, "exit_code", 0):
            sys.exit(self.exit_code)
