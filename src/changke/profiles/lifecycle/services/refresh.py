"""Compute attributes and stages, by one statement, and keep them: of everybody by night, of some after a fact.

Everybody: DuckDB over the mirror, written back in slices whose transactions stay well under a second. A few:
PostgreSQL. Several: DuckDB over their facts alone. All hand the same rows to the same writer; which of two computations
is newer is decided there, by day and snapshot.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from django.conf import settings
from django.db import connection, transaction

from changke.engine.definitions import Cases, Scope, Statement, values_of
from changke.engine.engines import postgres as on_postgres
from changke.engine.mirror import Mirror
from changke.engine.schemas import mirror_tables
from changke.facts.tables import SUBJECTS, TABLES, VIEWS
from changke.foundation.cursors import Cursor, Window, close_window
from changke.foundation.database import rows_seen
from changke.foundation.database.connections import conninfo
from changke.foundation.organisation.models import Chain
from changke.foundation.organisation.queries import the_chain
from changke.profiles.attributes.catalogue import COLUMNS
from changke.profiles.attributes.models import BulkRun, PopulationVersion, Profile
from changke.profiles.attributes.queries import Days, days_at, last_bulk_run, settings_of, values_for
from changke.profiles.attributes.services.everybody import compute_everybody, shared_tables
from changke.profiles.attributes.services.lasting import kept_up
from changke.profiles.attributes.services.populations import (
    compute_populations,
    forget_outdated,
    held_version,
    load_population,
)
from changke.profiles.attributes.services.several import facts_of
from changke.profiles.attributes.services.write import drop, fill_csv, fill_rows, merge, prepare
from changke.profiles.lifecycle.models import SeriesFill
from changke.profiles.lifecycle.queries import composer_for, models_in_use, own_asked
from changke.profiles.lifecycle.rules import LifecycleModel
from changke.profiles.lifecycle.services import written
from changke.profiles.lifecycle.services.changes import CURSOR, read_from, scored_since, touched
from changke.profiles.lifecycle.services.publish import publish_models
from changke.profiles.lifecycle.services.series import CURSOR as CHARTS
from changke.profiles.lifecycle.services.series import MONTHS, Progress, fill_series, silent
from changke.profiles.lifecycle.services.standings import FACT, FIRST_RUN, RULE, TIME, drop_standings, record_changes

SLICE = 2_000
"""Rows of one transaction by night: some 0.2 s on two quiet cores, so that no cursor waits a second for it."""

SOME = 1_000
"""Customers of one list statement: a third of a second of computing."""

SEVERAL = 2_000
"""Customers from which on their facts are read out and computed by DuckDB: opening one takes what these take here."""

AT_ONCE = 10_000
"""Customers of one such database: some 100,000 receipts."""

FEW_ENOUGH = 50_000
"""Customers up to which every month of the charts is filled in one run."""

MONTHS_A_RUN = 6
"""Months of the charts that a run over more customers fills; the rest follows by night."""


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did: rows computed, rows that were new or had changed, stages that changed."""

    customers: int
    written: int
    changed: int
    snapshot: int
    as_of: dt.date


def refresh_from(
    duck: duckdb.DuckDBPyConnection, *, snapshot: int, now: dt.datetime, progress: Progress = silent
) -> Refreshed:
    """Compute everybody over an open mirror that knows every transaction below `snapshot`.

    Customers whose home store has another local day are computed as of that day. Afterwards everything below the
    snapshot counts as followed, so that `fold` starts there.
    """
    night = begin(snapshot=snapshot, now=now)
    version: PopulationVersion | None = None
    for day in night.days.in_turn:
        progress("attributes and stages", night.customers, 0)
        registry = composer_for(night.models).registry
        with kept_up(duck, settings=night.numbers, today=day, registry=registry) as composer:
            version = version or compute_populations(
                duck, composer, settings=night.numbers, today=day, snapshot=snapshot, now=now
            )
            values = values_for(night.numbers, today=day, version=version.pk)
            compute_everybody(duck, composer, "fresh", COLUMNS, night.cases, values)
        night.write(duck, day, progress)
    assert version is not None
    return night.end(duck, version)


@dataclass
class Night:
    """A run over everybody, whoever computes them: what it goes by, and how its rows are written.

    For every day that it is somewhere in the chain the caller puts everybody into the table `fresh` of DuckDB and calls
    `write`; then `end`.
    """

    models: list[LifecycleModel]
    days: Days
    numbers: dict[str, int]
    snapshot: int
    now: dt.datetime
    window: Window
    causes: Mapping[str, str]
    """Model -> why a stage changes where no fact explains it."""
    hurried: Mapping[int, str]
    """Customer -> why, of those with new facts."""
    before: BulkRun | None = None
    """The run that wrote the rows which stand."""
    known: bool | None = None
    """Whether it is known what that run told; None before the first row is written."""
    customers: int = 0
    written: int = 0
    changed: int = 0

    @property
    def cases(self) -> dict[str, Cases]:
        """The models as columns of a statement."""
        return {model.column: model.cases for model in self.models}

    def write(self, duck: duckdb.DuckDBPyConnection, day: dt.date, progress: Progress = silent) -> None:
        """Keep the rows of `fresh` that speak of those for whom it is that day."""
        if self.known is None:
            self.known = written.is_known(duck, self.before)
            written.forget(duck)
            if self.before and own_asked(self.models):
                written.note(duck, scored_since(self.before.snapshot))
        count, done = _leave_those_of(duck, day, self.days), 0
        written.split(duck, [model.column for model in self.models], known=self.known)
        without: list[int] = []
        for lines in written.passing(duck):
            taken, missing = written.update(lines, day=day, snapshot=self.snapshot)
            self.written, done = self.written + taken, done + len(lines)
            without += missing
            progress("writing profiles", done, count)
        for lines in _slices(duck, day, self.snapshot, self.models, without):
            wrote, changed = _write_slice(lines, self.models, self.causes, self.hurried, self.now)
            self.written, self.changed, done = self.written + wrote, self.changed + changed, done + len(lines)
            progress("writing profiles", min(done, count), count)
        self.customers += count

    def end(self, duck: duckdb.DuckDBPyConnection, version: PopulationVersion) -> Refreshed:
        """Everybody is written: single customers are placed among these from now on."""
        duck.execute("DROP TABLE fresh")
        _drop_the_gone()
        written.remember(duck, _remember(self, version))
        if not self.window.is_empty:
            close_window(CURSOR, self.window)
        # Forgetting waits for whoever still places somebody in the run before; those are then placed anew.
        forget_outdated(version)
        _place_anew(self.snapshot, self.now)
        return Refreshed(self.customers, self.written, self.changed, self.snapshot, self.days.chain)


def begin(*, snapshot: int, now: dt.datetime) -> Night:
    """Publish what waits to be, and find out by what everybody is to be computed."""
    chain = the_chain()
    publish_models(chain, now=now)
    models, days, before = models_in_use(), days_at(now, chain), last_bulk_run()
    if read_from() > snapshot and current_snapshot() < read_from():
        _start_counting_anew(snapshot)
    window = Window(min(read_from(), snapshot), snapshot)
    causes = {model.key: _cause(model, before) for model in models}
    late_before = before.as_of if before else days.chain
    hurried = touched(window, late_before=late_before) if before else {}
    return Night(models, days, settings_of(chain), snapshot, now, window, causes, hurried, before)


def refresh_all(
    *, now: dt.datetime, mirror: Path | None = None, months: int = MONTHS, progress: Progress = silent
) -> Refreshed:
    """Bring the mirror up to date, compute everybody, and fill the charts. The one process that may open the mirror.

    Parameters
    ----------
    mirror
        The DuckDB file; `mirror_file()` unless given.
    months
        How far back the charts reach.
    """
    with open_mirror(mirror or mirror_file()) as (duck, copy):
        progress("copying facts", 0, 1)
        snapshot = copy.sync(conninfo("reader")).read_below
        done = refresh_from(duck, snapshot=snapshot, now=now, progress=progress)
        fill_charts(duck, done, snapshot=snapshot, now=now, months=months, progress=progress)
    return done


def fill_charts(
    duck: duckdb.DuckDBPyConnection,
    done: Refreshed,
    *,
    snapshot: int,
    now: dt.datetime,
    months: int = MONTHS,
    progress: Progress = silent,
) -> None:
    """After a run: the charts, some months of them at a time where there are many customers."""
    at_most = None if done.customers <= FEW_ENOUGH else MONTHS_A_RUN
    fill_series(duck, snapshot=snapshot, now=now, months=months, at_most=at_most, progress=progress)


def mirror_file() -> Path:
    """Where the mirror of this installation lies."""
    folder: Path = settings.DATA_DIR / "analytics"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "mirror.duckdb"


@contextmanager
def open_mirror(file: Path | str) -> Iterator[tuple[duckdb.DuckDBPyConnection, Mirror]]:
    """The mirror's file, opened for writing: DuckDB lets one process do so at a time."""
    with duckdb.connect(str(file)) as duck:
        yield duck, Mirror(duck, mirror_tables(TABLES, SUBJECTS), VIEWS)


def refresh_customers(
    customer_ids: Sequence[int],
    *,
    now: dt.datetime,
    causes: Mapping[int, str] | None = None,
    chain: Chain | None = None,
) -> Refreshed:
    """Compute some customers and keep them; at once after a fact.

    They are placed in the values of the population of the last bulk run. In a transaction of the caller's they are
    computed over PostgreSQL however many they are: nobody else sees what was recorded in it.

    Parameters
    ----------
    causes
        Customer -> why, for the events of stages that change; a fact where nothing is said.
    """
    chain = chain or the_chain()
    models = models_in_use()
    if not models:
        publish_models(chain, now=now)
        models = models_in_use()
    numbers, days = settings_of(chain), days_at(now, chain)
    causes = causes or {}
    customers = written = changed = snapshot = 0
    wanted = sorted(set(customer_ids))
    if len(wanted) >= SEVERAL and not connection.in_atomic_block:
        return _refresh_several(wanted, models, numbers, days, causes, now)
    while some := wanted[:SOME]:
        wanted = wanted[SOME:]
        for day, ids in days.group(some).items():
            with transaction.atomic():
                version = held_version(settings=numbers, today=days.chain, now=now)
                snapshot = current_snapshot()
                rows = compute_some(ids, models, values_for(numbers, today=day, version=version))
                prepare()
                default = models[0].column
                fill_rows(
                    (
                        row["customer_id"],
                        day,
                        snapshot,
                        row[default],
                        *(row[name] for name in COLUMNS),
                        [row[model.column] for model in models],
                        causes.get(row["customer_id"], FACT),
                    )
                    for row in rows
                )
                written += merge()
                changed += record_changes(models, causes={model.key: FACT for model in models}, now=now)
                if gone := set(ids) - {row["customer_id"] for row in rows}:
                    drop(sorted(gone))
                    drop_standings(sorted(gone))
                customers += len(rows)
    return Refreshed(customers, written, changed, snapshot, days.chain)


def _refresh_several(
    wanted: list[int],
    models: Sequence[LifecycleModel],
    numbers: Mapping[str, int],
    days: Days,
    causes: Mapping[int, str],
    now: dt.datetime,
) -> Refreshed:
    told = {customer: cause for customer, cause in causes.items() if cause != FACT}
    customers = written = changed = below = 0
    for start in range(0, len(wanted), AT_ONCE):
        some = wanted[start : start + AT_ONCE]
        with facts_of(some) as (duck, snapshot):
            below = snapshot
            for day in days.in_turn:
                slices: Iterator[list[bytes]] = iter(())
                version, count = None, 0
                while True:
                    with transaction.atomic():
                        held = held_version(settings=numbers, today=days.chain, now=now)
                        if held == version:
                            if (lines := next(slices, None)) is None:
                                break
                            wrote, moved = _write_slice(lines, models, {model.key: FACT for model in models}, told, now)
                            written, changed = written + wrote, changed + moved
                            continue
                        load_population(duck, held)
                    # The first turn, or a night ended meanwhile, and whoever was computed by the one before is again.
                    version = held
                    registry = composer_for(models).registry
                    with shared_tables(duck, settings=numbers, today=day, registry=registry) as composer:
                        values = values_for(numbers, today=day, version=version)
                        cases = {model.column: model.cases for model in models}
                        compute_everybody(duck, composer, "fresh", COLUMNS, cases, values)
                    alive = {customer for (customer,) in duck.execute("SELECT customer_id FROM fresh").fetchall()}
                    count = _leave_those_of(duck, day, days)
                    slices = _lines_of_fresh(duck, day, snapshot, models)
                customers += count
        if gone := sorted(set(some) - alive):
            with transaction.atomic():
                drop(gone)
                drop_standings(gone)
    return Refreshed(customers, written, changed, below, days.chain)


def compute_some(
    customer_ids: Sequence[int], models: Sequence[LifecycleModel], values: Mapping[str, object]
) -> list[dict[str, Any]]:
    """Attributes and stages of some customers over PostgreSQL, unwritten. Unknown and inactive ones are left out."""
    scope = Scope(customer_ids[0] if len(customer_ids) == 1 else list(customer_ids))
    statement, bound = statement_for(models, engine="postgres", scope=scope)
    connection.ensure_connection()
    with rows_seen.aloud():
        rows = on_postgres.run(connection.connection, statement, {**values, **bound, **scope.values}, known=_KNOWN)
    return [dict(zip(statement.columns, row, strict=True)) for row in rows]


_KNOWN: set[tuple[str, object]] = set()
"""Versions of population tables that were found filled: each is looked up once per process."""


def statement_for(
    models: Sequence[LifecycleModel], *, engine: str, scope: Scope | None = None
) -> tuple[Statement, dict[str, object]]:
    """The one statement of all attributes, of what else the models ask, and of the stage in each model; and what the
    models want bound."""
    cases, columns = {model.column: model.cases for model in models}, (*COLUMNS, *own_asked(models))
    return composer_for(models).statement(columns, engine=engine, scope=scope, cases=cases), values_of(cases=cases)


def current_snapshot() -> int:
    """Everything of transactions below this id is visible to statements from now on."""
    with connection.cursor() as sql:
        sql.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        return int(sql.fetchone()[0])


def _place_anew(snapshot: int, now: dt.datetime) -> None:
    """Whoever had a fact while we were at it was placed in the values of the run before, and her row is the newer."""
    overtaken = list(Profile.objects.filter(snapshot__gt=snapshot).values_list("pk", flat=True))
    if overtaken:
        refresh_customers(overtaken, now=now)


def _start_counting_anew(snapshot: int) -> None:
    """After a restore transaction ids are smaller than those that rows remember: nothing would ever be newer.

    Everybody is about to be computed, so whatever was remembered is as old as can be.
    """
    Profile.objects.update(snapshot=0)
    SeriesFill.objects.update(snapshot=0)
    Cursor.objects.filter(name__in=[CURSOR, CHARTS]).update(read_below=snapshot)


def _cause(model: LifecycleModel, before: BulkRun | None) -> str:
    if before is None or model.key not in before.rules:
        return FIRST_RUN
    return TIME if before.rules[model.key] == model.version else RULE


def _leave_those_of(duck: duckdb.DuckDBPyConnection, day: dt.date, days: Days) -> int:
    """Keep only those in `fresh` for whose home store it is that day. Returns how many they are."""
    if days.stores:
        here = [store for store, local in days.stores.items() if local == day]
        elsewhere = [store for store, local in days.stores.items() if local != day]
        if day == days.chain:
            duck.execute("DELETE FROM fresh WHERE list_contains($1, home_store_id)", [elsewhere])
        else:
            duck.execute(
                "DELETE FROM fresh WHERE home_store_id IS NULL OR NOT list_contains($1, home_store_id)", [here]
            )
    return int(duck.execute("SELECT COUNT(*) FROM fresh").fetchall()[0][0])


def _slices(
    duck: duckdb.DuckDBPyConnection,
    day: dt.date,
    snapshot: int,
    models: Sequence[LifecycleModel],
    without: Sequence[int],
) -> Iterator[list[bytes]]:
    """The rows of `fresh` that are to be written in full, those without a row among them, in the order of their ids."""
    duck.execute("INSERT INTO temp.in_full SELECT unnest($1::BIGINT[])", [list(without)])
    only = " WHERE customer_id IN (SELECT customer_id FROM temp.in_full)"
    return _lines_of_fresh(duck, day, snapshot, models, only)


def _lines_of_fresh(
    duck: duckdb.DuckDBPyConnection, day: dt.date, snapshot: int, models: Sequence[LifecycleModel], only: str = ""
) -> Iterator[list[bytes]]:
    stages = " || ',' || ".join(model.column for model in models)
    head = f"customer_id, DATE '{day:%Y-%m-%d}', {int(snapshot)}, {models[0].column}"
    return written.lines_of(
        duck,
        f"SELECT {head}, {', '.join(COLUMNS)}, '{{' || {stages} || '}}', NULL FROM fresh{only} ORDER BY customer_id",  # noqa: S608
        SLICE,
    )


def _write_slice(
    lines: list[bytes],
    models: Sequence[LifecycleModel],
    causes: Mapping[str, str],
    hurried: Mapping[int, str],
    now: dt.datetime,
) -> tuple[int, int]:
    with transaction.atomic():
        prepare()
        fill_csv(lines)
        if hurried:
            _give_causes(lines, hurried)
        written = merge()
        return written, record_changes(models, causes=causes, now=now)


def _give_causes(lines: Sequence[bytes], hurried: Mapping[int, str]) -> None:
    """Whoever has new facts did not change by time alone."""
    ids = [customer for line in lines if (customer := int(line[: line.index(b",")])) in hurried]
    if ids:
        with connection.cursor() as sql:
            sql.execute(
                "UPDATE fresh SET cause = given.cause"
                " FROM unnest(%s::bigint[], %s::text[]) AS given(customer_id, cause)"
                " WHERE fresh.customer_id = given.customer_id",
                [ids, [hurried[customer] for customer in ids]],
            )


def _drop_the_gone() -> None:
    """Forget whoever is no longer among the living: known only by a batch that was withdrawn."""
    with connection.cursor() as sql:
        sql.execute(
            "SELECT profile.customer_id FROM profiles_profile AS profile"
            " WHERE NOT EXISTS (SELECT 1 FROM live.customers AS alive WHERE alive.customer_id = profile.customer_id)"
        )
        gone = [customer for (customer,) in sql.fetchall()]
    while some := gone[:SLICE]:
        gone = gone[SLICE:]
        with transaction.atomic():
            drop(some)
            drop_standings(some)


def _remember(night: Night, version: PopulationVersion) -> BulkRun:
    run, _ = BulkRun.objects.update_or_create(
        only=True,
        defaults={
            "as_of": night.days.chain,
            "snapshot": night.snapshot,
            "version": version,
            "rules": {model.key: model.version for model in night.models},
            "finished_at": night.now,
            "customers": night.customers,
            "written": night.written,
            "changed": night.changed,
        },
    )
    return run
