import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from changke.foundation.database import grants, row_security, rows_seen
from changke.foundation.database.config import Connections
from changke.foundation.database.migrating import Executor
from changke.foundation.database.online import short_waits
from changke.foundation.instance.services import settle
from changke.foundation.persons.services.keys import settle_keys
from changke.interfaces.management.base import ShopCommand
from changke.interfaces.progress import Progress

PATIENCE_SECONDS = 600.0
RETRY_SECONDS = 2.0
IN_USE = (
    "something keeps a table in use for ten minutes now (a backup, a long query): run `changke prepare` again when it "
    "has ended; what is upgraded already stays so"
)


class Command(ShopCommand):
    help = "Create or upgrade the tables, set the rights of the database roles, and collect the static files."
    example = "changke prepare --data /srv/changke"

    def run(self, **options: Any) -> dict[str, int]:
        migrations = migrate(self.say)
        settle_keys(now=datetime.now(UTC))
        settle(now=datetime.now(UTC))
        grant(settings.CONNECTIONS)
        collect_static(Path(settings.STATIC_ROOT))
        if migrations:
            self.say(f"{migrations} migrations applied")
        return {"migrations": migrations}


def migrate(say: Callable[[str], None] = lambda _: None, *, patience: float = PATIENCE_SECONDS) -> int:
    """Apply what is pending; how many there were.

    Nobody else waits: a migration that does not get its lock at once gives way, undone, and is tried again later. Those
    before it stay applied.
    """
    with connection.cursor() as cursor:  # a migration of data changes everybody's rows, however it is written
        cursor.execute(f"SELECT set_config('{rows_seen.SETTING}', '{rows_seen.WHOLE_CHAIN}', false)")
    plan = pending()
    with Progress("creating the tables", len(plan)) as progress, short_waits(connection):
        patiently(lambda: apply_pending(progress.advance), say=say, seconds=patience)
        # Also where nothing was pending: a kill may have come between the last migration and the policies.
        patiently(row_security.apply, say=say, seconds=patience)
    return len(plan)


def pending() -> list[Any]:
    executor = Executor(connection)
    return executor.migration_plan(executor.loader.graph.leaf_nodes())


def apply_pending(advance: Callable[[], None]) -> None:
    executor = Executor(connection)
    executor.progress_callback = lambda action, *_: advance() if action == "apply_success" else None
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        executor.migrate(executor.loader.graph.leaf_nodes(), plan=plan)
        # What `migrate` does after the last one: content types, and whatever listens for it.
        call_command("migrate", verbosity=0, interactive=False)


def patiently(step: Callable[[], object], *, say: Callable[[str], None], seconds: float) -> None:
    """Do what can be done again, until the locks it needs are free."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            step()
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            if time.monotonic() > deadline:
                raise CommandError(IN_USE) from error
        else:
            return
        say("a table is in use by something that takes long (a backup?); trying again")
        time.sleep(RETRY_SECONDS)


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
