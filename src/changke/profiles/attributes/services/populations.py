"""Values relative to the population: computed for everybody, kept by version, read by both engines."""

import datetime as dt
from collections.abc import Mapping, Sequence

import duckdb
from django.db import connection, transaction

from changke.engine.definitions import TYPES, Composer, Definition
from changke.engine.engines import duckdb as on_duckdb
from changke.engine.engines import postgres as on_postgres
from changke.facts.customers.models import Customer
from changke.foundation.database import rows_seen
from changke.profiles.attributes.catalogue import COMPOSER, POPULATION_TABLE, REGISTRY
from changke.profiles.attributes.models import POPULATIONS, BulkRun, PopulationVersion
from changke.profiles.attributes.queries import Settings, values_for

FEW = 2_000
"""Customers up to which the very first values are computed by PostgreSQL on the spot, in well under a second."""


def compute_populations(
    duck: duckdb.DuckDBPyConnection,
    composer: Composer,
    *,
    settings: Settings,
    today: dt.date,
    snapshot: int,
    now: dt.datetime,
    nightly: bool = True,
) -> PopulationVersion:
    """Compute the population's values as of a day over the mirror, and keep them as a new version on both engines.

    `composer` reads the mirror: COMPOSER, or the one that `shared_tables` hands out.
    """
    version = PopulationVersion.objects.create(as_of=today, snapshot=snapshot, computed_at=now, nightly=nightly)
    values = values_for(settings, today=today, version=version.pk)
    for definition in REGISTRY.populations:
        _table(duck, definition)
        statement = composer.population(definition.name, engine="duckdb")
        rows = on_duckdb.run(duck, statement, values).fetchall()
        _add(duck, definition, version.pk, rows)
        _keep(definition.name, version, rows)
    return version


def keep_populations(
    values: Mapping[str, Sequence[Sequence[object]]], *, today: dt.date, snapshot: int, now: dt.datetime
) -> PopulationVersion:
    """Keep values that were computed elsewhere as a new version: definition -> its rows."""
    with transaction.atomic():
        version = PopulationVersion.objects.create(as_of=today, snapshot=snapshot, computed_at=now)
        for definition in REGISTRY.populations:
            _keep(definition.name, version, values[definition.name])
    return version


def first_version(*, settings: Settings, today: dt.date, now: dt.datetime) -> PopulationVersion:
    """Values for the time before the first bulk run: of the few customers there are, or unknown if there are many."""
    with transaction.atomic():
        connection.ensure_connection()
        with connection.cursor() as sql:
            sql.execute("SELECT pg_advisory_xact_lock(hashtext('profiles.first_version'))")
        if existing := PopulationVersion.objects.filter(nightly=True).order_by("-pk").first():
            return existing
        version = PopulationVersion.objects.create(as_of=today, snapshot=0, computed_at=now)
        few = Customer.objects.all()[: FEW + 1].count() <= FEW
        values = values_for(settings, today=today, version=version.pk)
        for definition in REGISTRY.populations:
            unknown: list[tuple[object, ...]] = [tuple(None for _ in definition.columns)]
            statement = COMPOSER.population(definition.name, engine="postgres")
            with rows_seen.aloud():
                rows = on_postgres.run(connection.connection, statement, values) if few else unknown
            _keep(definition.name, version, rows)
    return version


def load_population(duck: duckdb.DuckDBPyConnection, version: int) -> None:
    """Bring stored values of a version to a mirror that does not have them."""
    for definition in REGISTRY.populations:
        table = POPULATION_TABLE.format(name=definition.name)
        names = [column.name for column in definition.columns]
        _table(duck, definition)
        rows = list(POPULATIONS[definition.name]._default_manager.filter(version=version).values_list(*names))
        duck.execute(f"DELETE FROM {table} WHERE version = ?", [version])  # noqa: S608 -- a name of the registry
        _add(duck, definition, version, rows)


def held_version(*, settings: Settings, today: dt.date, now: dt.datetime) -> int:
    """The version of the last bulk run, or the first of all, which nobody forgets before this transaction ends.

    Whoever computes somebody by a version that was only looked up computes her by nothing when a night ends meanwhile.
    """
    with connection.cursor() as sql:
        while True:
            last = BulkRun.objects.values_list("version_id", flat=True).first()
            version = int(last or first_version(settings=settings, today=today, now=now).pk)
            # Any number of readers hold it at once, and deleting waits for them.
            sql.execute("SELECT FROM profiles_populationversion WHERE id = %s FOR KEY SHARE", [version])
            if sql.fetchone() is not None:
                return version
            # Forgotten since it was looked up: then another night has ended, and its version counts.


def forget_outdated(version: PopulationVersion) -> None:
    """Drop the values of earlier nights, as soon as nobody computes by them. Those of month ends stay for the past."""
    PopulationVersion.objects.filter(nightly=True).exclude(pk=version.pk).delete()


def forget_month_end(day: dt.date) -> None:
    """Drop the values of a month end, before they are computed again."""
    PopulationVersion.objects.filter(nightly=False, as_of=day).delete()


def _table(duck: duckdb.DuckDBPyConnection, definition: Definition) -> None:
    columns = ", ".join(f"{column.name} {TYPES[column.type]}" for column in definition.columns)
    table = POPULATION_TABLE.format(name=definition.name)
    duck.execute(f"CREATE TABLE IF NOT EXISTS {table} (version BIGINT, {columns})")


def _add(
    duck: duckdb.DuckDBPyConnection, definition: Definition, version: int, rows: Sequence[Sequence[object]]
) -> None:
    marks = ", ".join("?" for _ in range(1 + len(definition.columns)))
    for row in rows:
        table = POPULATION_TABLE.format(name=definition.name)
        duck.execute(f"INSERT INTO {table} VALUES ({marks})", [version, *row])  # noqa: S608 -- a name of the registry


def _keep(name: str, version: PopulationVersion, rows: Sequence[Sequence[object]]) -> None:
    names = [column.name for column in REGISTRY.definitions[name].columns]
    model = POPULATIONS[name]
    for row in rows:
        model._default_manager.create(version=version, **dict(zip(names, row, strict=True)))
