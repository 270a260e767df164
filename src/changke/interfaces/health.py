"""What `changke doctor` looks at. Each check says what it found and, if that is not well, what mends it."""

import platform
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psycopg
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from procrastinate.contrib.django.models import ProcrastinateJob

from changke.facts.customers.models import Identifier
from changke.foundation.audit import heads
from changke.foundation.audit.queries import SEALED_WITHIN, verify
from changke.foundation.database import grants, row_security
from changke.foundation.database.append_only import AppendOnly
from changke.foundation.database.binaries import OLDEST_MAJOR
from changke.foundation.errors import DomainError
from changke.foundation.instance.queries import sending_paused
from changke.foundation.organisation.models import Chain
from changke.foundation.persons.models import KeyVersion
from changke.foundation.persons.queries import vault
from changke.interfaces import analytics, trail
from changke.interfaces.webhooks.models import WebhookAddress
from changke.interfaces.webhooks.queries import in_need
from changke.profiles.attributes.queries import last_bulk_run

OK, WARNING, FAILED = "ok", "warning", "failed"
LOW_DISK_MEGABYTES = 2_000
FULL_DISK_MEGABYTES = 300
CLOCK_SECONDS = 5
COMPARED_CUSTOMERS = 200
HEARTBEAT = timedelta(seconds=60)
COPY_KEY = "changke keys backup FILE, and keep the file away from this machine and from the backups"
NO_NET = (
    "pages and jobs use the owner's own user, so only triggers protect the facts: `changke doctor --sql` prints what "
    "an administrator runs, then set DATABASE_APP_URL and DATABASE_READER_URL"
)


@dataclass(frozen=True)
class Finding:
    """One check's answer. `remedy` is empty where nothing needs to be done."""

    check: str
    status: str
    found: str
    remedy: str = ""


Check = Callable[[datetime], Iterator[Finding]]


def examine(now: datetime) -> Iterator[Finding]:
    """Every check in turn; without tables those that need tables are left out."""
    yield from programs()
    yield from disk()
    yield from secrets()
    yield from database(now)
    pending = list(migrations())
    yield from pending
    if any(finding.status == FAILED for finding in pending):
        return
    for check in (keys, net, rows, audit_trail, sending, time_zones, jobs, profiles, web_shops):
        yield from check(now)


def programs() -> Iterator[Finding]:
    """Versions, to be quoted when asking for help."""
    names = ("Django", "psycopg", "duckdb", "sqlglot", "procrastinate", "granian")
    found = ", ".join(f"{name} {version(name)}" for name in names)
    yield Finding("versions", OK, f"changke {settings.VERSION}, Python {platform.python_version()}, {found}")


def disk() -> Iterator[Finding]:
    free = shutil.disk_usage(settings.DATA_DIR).free // 2**20
    status = FAILED if free < FULL_DISK_MEGABYTES else WARNING if free < LOW_DISK_MEGABYTES else OK
    remedy = "" if status == OK else f"free some space below {settings.DATA_DIR}, or move the folder to a larger disk"
    yield Finding("disk", status, f"{free:,} MB free at {settings.DATA_DIR}", remedy)


def secrets() -> Iterator[Finding]:
    folder: Path = settings.DATA_DIR / "secrets"
    if not folder.exists():
        return
    open_files = [file for file in (folder, *folder.iterdir()) if stat.S_IMODE(file.stat().st_mode) & 0o077]
    if open_files:
        yield Finding("secrets", FAILED, f"others may read {open_files[0]}", f"chmod -R go= {folder}")
    else:
        yield Finding("secrets", OK, "readable by their owner only")


def keys(now: datetime) -> Iterator[Finding]:
    """The master key of phones and addresses: the right one, and a copy of it somewhere else."""
    try:
        in_use = vault().in_use
    except DomainError as refusal:
        yield Finding("master key", FAILED, str(refusal), "changke keys restore FILE")
        return
    if Identifier.objects.filter(sealed__isnull=False, key_version__lt=in_use[0]).exists() or len(in_use) > 1:
        yield Finding("master key", WARNING, "a change of the key was not finished", "changke keys rotate")
    uncopied = KeyVersion.objects.filter(retired_at__isnull=True, backed_up_at__isnull=True)
    if not KeyVersion.objects.exists():
        yield Finding("master key", WARNING, "its fingerprint was not written down yet", "changke prepare")
    elif uncopied.exists():
        yield Finding("master key", WARNING, "there is no copy of it: lost, it takes every phone with it", COPY_KEY)
    else:
        yield Finding("master key", OK, f"version {in_use[-1]}, the one that these data were written with; copied")


def database(now: datetime) -> Iterator[Finding]:
    """Reachable (or we would not be here), new enough, its clock near ours."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), clock_timestamp(), current_setting('synchronous_commit')"
        )
        number, clock, commit = cursor.fetchone()
    kind = "embedded" if settings.CONNECTIONS.embedded else "DATABASE_URL"
    if connection.pg_version // 10000 < OLDEST_MAJOR:  # type: ignore[attr-defined]
        yield Finding("database", FAILED, f"PostgreSQL {number}", f"upgrade it to PostgreSQL {OLDEST_MAJOR} or newer")
    else:
        yield Finding("database", OK, f"PostgreSQL {number} ({kind})")
    if commit == "off":
        yield Finding("durability", WARNING, "synchronous_commit is off", "set it on: a power cut would lose receipts")
    apart = abs((clock - now).total_seconds())
    if apart > CLOCK_SECONDS:
        yield Finding("clock", FAILED, f"{apart:.0f} s between here and the database", "let both set their time by NTP")
    else:
        yield Finding("clock", OK, f"{apart:.1f} s between here and the database")


def migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        yield Finding("tables", FAILED, f"{len(plan)} migrations pending", "changke prepare")
    else:
        yield Finding("tables", OK, "up to date")


def net(now: datetime) -> Iterator[Finding]:
    """The two nets under facts, their parts and the audit trail: a trigger on each table, and no right to change it."""
    with connection.cursor():
        guarded = grants.guarded_tables(connection.connection)
    names = {one.table for one in guarded}
    bare = sorted({model._meta.db_table for model in apps.get_models() if issubclass(model, AppendOnly)} - names)
    if bare:
        yield Finding("append-only", FAILED, f"no trigger on {', '.join(bare)}", "restore a backup, or changke prepare")
    else:
        yield Finding("append-only", OK, f"{len(names)} tables of facts and of the audit trail are guarded by triggers")
    roles = settings.CONNECTIONS
    if roles.app.parameters["user"] == roles.owner.parameters["user"]:
        yield Finding("roles", WARNING, "one database user for everything", NO_NET)
        return
    with psycopg.connect(roles.app.conninfo) as app:
        writable = [
            one.table
            for one in guarded
            if app.execute(
                "SELECT has_table_privilege(%s, 'UPDATE') OR has_table_privilege(%s, 'DELETE')",
                [f'"{one.schema}"."{one.table}"'] * 2,
            ).fetchone()
            == (True,)
        ]
    if writable:
        yield Finding("roles", FAILED, f"the role `app` may change {', '.join(writable)}", "changke prepare")
    else:
        yield Finding("roles", OK, "owner, app and reader are three users; app cannot change a fact")


def rows(now: datetime) -> Iterator[Finding]:
    """The net under the scopes: every table of stores and customers has its policy, and our user is bound by it."""
    lacking = row_security.lacking()
    if lacking.tables:
        yield Finding("row security", FAILED, f"no policy on {', '.join(lacking.tables)}", "changke prepare")
    elif lacking.bypassed:
        told = "pages and jobs use a user whom no policy binds"
        yield Finding("row security", WARNING, told, "give them a user that is no superuser: `changke doctor --sql`")
    elif lacking.marks:
        told = "a search by name reads every customer: its comparisons are not marked LEAKPROOF"
        yield Finding("row security", WARNING, told, "an administrator runs what `changke doctor --sql` prints")
    else:
        yield Finding("row security", OK, "the database itself shows nobody a foreign row")


def web_shops(now: datetime) -> Iterator[Finding]:
    """What web shops delivered and what did not go in."""
    if not WebhookAddress.objects.exists():
        return
    need = in_need(now=now)
    if need["late"]:
        late = f"{need['late']} deliveries kept and not read for five minutes"
        yield Finding("web shops", WARNING, late, "start a worker: changke worker")
    if need["waiting"] or need["failed"]:
        stuck = f"{need['waiting']} deliveries wait, {need['failed']} were not taken in (7 days)"
        yield Finding("web shops", WARNING, stuck, "settings, web shops: each says what it lacks")
    if need["unsigned"]:
        tried = f"{need['unsigned']} calls with a wrong signature since yesterday"
        yield Finding(
            "web shops", WARNING, tried, "compare the secret with the shop's; if it is right, somebody is trying"
        )
    if need["asked"]:
        level = FAILED if need["urgent"] else WARNING
        asked = f"{need['asked']} privacy requests wait for an answer, {need['urgent']} for more than 20 of the 30 days"
        yield Finding("web shops", level, asked, "settings, web shops: open the request and confirm it")
    if not any(need.values()):
        yield Finding("web shops", OK, "everything that came is in")


def audit_trail(now: datetime) -> Iterator[Finding]:
    """Nobody rewrote the past, and the head of the chain is known outside the database."""
    known = heads.read(settings.DATA_DIR)
    found = verify(heads=known)
    if found.broken_count:
        first = "; ".join(f"{one.kind} {trail.named(one.line, one.seal)}" for one in found.broken[:5])
        remedy = "docs/operations/audit.md says what each kind means; compare with a backup before anything else"
        yield Finding("audit trail", FAILED, f"{found.broken_count} broken: {first}", remedy)
        return
    if found.unsealed_since and now - found.unsealed_since > SEALED_WITHIN:
        waiting = f"{found.unsealed} lines unsealed since {found.unsealed_since:%Y-%m-%d %H:%M} UTC"
        yield Finding("audit trail", WARNING, waiting, "start a worker: changke worker")
        return
    whole = f"{found.lines:,} lines in {found.seals:,} seals, none broken"
    if found.seals and not known:
        remedy = "the worker writes it into its data folder: run `changke doctor` there"
        yield Finding("audit trail", WARNING, f"{whole}; no head outside the database here", remedy)
    else:
        yield Finding("audit trail", OK, whole)


def sending(now: datetime) -> Iterator[Finding]:
    """Whether this installation may write to customers, or waits for somebody to say so."""
    why = sending_paused()
    if why is None:
        yield Finding("sending", OK, "confirmed for this database and this data folder")
    else:
        remedy = "if this is the installation in use: changke confirm; never on a copy that is tried out"
        yield Finding("sending", WARNING, f"paused: {why.value}", remedy)


def time_zones(now: datetime) -> Iterator[Finding]:
    chain = Chain.objects.first()
    if chain is None:
        yield Finding("chain", WARNING, "no chain yet", "changke demo, or open the first page of the site")
        return
    try:
        local = now.astimezone(ZoneInfo(chain.time_zone))
    except (ZoneInfoNotFoundError, ValueError):
        yield Finding("time zone", FAILED, f"{chain.time_zone!r} is unknown", "choose another in the settings page")
        return
    yield Finding("time zone", OK, f"{chain.time_zone}, where it is {local:%Y-%m-%d %H:%M}")


def jobs(now: datetime) -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(last_heartbeat) FROM procrastinate_workers")
        (beat,) = cursor.fetchone()
    if beat is None or now - beat > HEARTBEAT:
        last = f"last heard of {beat:%Y-%m-%d %H:%M} UTC" if beat else "never heard of"
        yield Finding("worker", WARNING, f"not running ({last})", "changke up, or changke worker")
    else:
        yield Finding("worker", OK, f"alive {(now - beat).total_seconds():.0f} s ago")
    failed = ProcrastinateJob.objects.filter(status="failed").count()
    waiting = ProcrastinateJob.objects.filter(status="todo", scheduled_at__lt=now - timedelta(hours=1)).count()
    if failed:
        yield Finding("jobs", WARNING, f"{failed} failed", "the worker's log says why; they stay until looked at")
    if waiting:
        yield Finding("jobs", WARNING, f"{waiting} wait for more than an hour", "start a worker: changke worker")


def profiles(now: datetime) -> Iterator[Finding]:
    """Computed today, and the same whether computed one by one or all at once."""
    last = last_bulk_run()
    if last is None:
        yield Finding("profiles", WARNING, "never computed", "changke refresh")
        return
    if analytics.is_due(now):
        yield Finding("profiles", WARNING, f"as of {last.as_of}", "start a worker, or changke refresh")
        return
    compared = analytics.compare_paths(now=now, sample=COMPARED_CUSTOMERS)
    if compared.agrees:
        found = f"as of {last.as_of}; stored, single and bulk agree for {compared.customers} customers"
        yield Finding("profiles", OK, found)
    else:
        first = compared.differences[0]
        found = f"{len(compared.differences)} values differ, first {first.column} of customer {first.customer_id}"
        yield Finding("profiles", FAILED, found, "changke refresh; if it stays, tell us with the output of --json")
