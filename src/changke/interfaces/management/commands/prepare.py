from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from changke.foundation.database import grants, rows_seen
from changke.foundation.database.config import Connections
from changke.foundation.persons.services.keys import settle_keys
from changke.interfaces.management.base import ShopCommand
from changke.interfaces.progress import Progress


class Command(ShopCommand):
    help = "Create or upgrade the tables, set the rights of the database roles, and collect the static files."
    example = "changke prepare --data /srv/changke"

    def run(self, **options: Any) -> dict[str, int]:
        migrations = migrate()
        settle_keys(now=datetime.now(UTC))
        grant(settings.CONNECTIONS)
        collect_static(Path(settings.STATIC_ROOT))
        if migrations:
            self.say(f"{migrations} migrations applied")
        return {"migrations": migrations}


def migrate() -> int:
    """Apply what is pending; how many there were."""
    with connection.cursor() as cursor:  # a migration of data changes everybody's rows, however it is written
        cursor.execute(f"SELECT set_config('{rows_seen.SETTING}', '{rows_seen.WHOLE_CHAIN}', false)")
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        with Progress("creating the tables", len(plan)) as progress:
            executor.progress_callback = lambda action, *_: progress.advance() if action == "apply_success" else None
            executor.migrate(executor.loader.graph.leaf_nodes(), plan=plan)
        # What `migrate` does after the last one: content types, and whatever listens for it.
        call_command("migrate", verbosity=0, interactive=False)
    return len(plan)


def grant(connections: Connections) -> None:
    """The rights of `app` and `reader`; where one user is everybody (one DATABASE_URL) there is nobody to restrict."""
    owner, app, reader = (one.parameters["user"] for one in (connections.owner, connections.app, connections.reader))
    if len({owner, app, reader}) < 3:
        return
    with transaction.atomic(), connection.cursor():
        grants.apply(connection.connection, app=app, reader=reader)


def collect_static(root: Path) -> None:
    """Styles, scripts and pictures under names that carry their content, so that browsers may keep them for ever."""
    root.mkdir(parents=True, exist_ok=True)
    call_command("collectstatic", verbosity=0, interactive=False)
