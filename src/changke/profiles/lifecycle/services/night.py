"""Compute everybody over the mirror, by one statement, and keep them; by night, and whenever somebody asks for it."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
from django.db import connection, transaction

from changke.engine.definitions import Cases
from changke.foundation.cursors import Cursor, Window, close_window
from changke.foundation.database.connections import conninfo
from changke.foundation.organisation.queries import the_chain
from changke.profiles.attributes.catalogue import COLUMNS
from changke.profiles.attributes.models import BulkRun, PopulationVersion, Profile
from changke.profiles.attributes.queries import Days, days_at, last_bulk_run, settings_of, values_for
from changke.profiles.attributes.services.everybody import compute_everybody
from changke.profiles.attributes.services.lasting import kept_up
from changke.profiles.attributes.services.populations import (
    compute_populations,
    forget_outdated,
)
from changke.profiles.attributes.services.write import drop
from changke.profiles.lifecycle.models import SeriesFill
from changke.profiles.lifecycle.queries import composer_for, models_in_use, own_asked
from changke.profiles.lifecycle.rules import LifecycleModel
from changke.profiles.lifecycle.services import written
from changke.profiles.lifecycle.services.changes import CURSOR, read_from, said_since, touched
from changke.profiles.lifecycle.services.mirror import mirror_file, open_mirror
from changke.profiles.lifecycle.services.publish import publish_models
from changke.profiles.lifecycle.services.series import CURSOR as CHARTS
from changke.profiles.lifecycle.services.series import MONTHS, Progress, fill_series, silent
from changke.profiles.lifecycle.services.slices import SLICE, Refreshed, leave_those_of, lines_of_fresh, write_slice
from changke.profiles.lifecycle.services.some import current_snapshot, refresh_customers
from changke.profiles.lifecycle.services.standings import FIRST_RUN, RULE, TIME, drop_standings

FEW_ENOUGH = 50_000
"""Customers up to which every month of the charts is filled in one run."""


MONTHS_A_RUN = 6
"""Months of the charts that a run over more customers fills; the rest follows by night."""


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
                written.note(duck, said_since(self.before.snapshot))
        count, done = leave_those_of(duck, day, self.days), 0
        written.split(duck, [model.column for model in self.models], known=self.known)
        without: list[int] = []
        for lines in written.passing(duck):
            taken, missing = written.update(lines, day=day, snapshot=self.snapshot)
            self.written, done = self.written + taken, done + len(lines)
            without += missing
            progress("writing profiles", done, count)
        for lines in _slices(duck, day, self.snapshot, self.models, without):
            wrote, changed = write_slice(lines, self.models, self.causes, self.hurried, self.now)
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
    return lines_of_fresh(duck, day, snapshot, models, only)


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
