"""Do the stored rows, the bulk over the mirror and the single path over PostgreSQL agree? Asked by `changke doctor`."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from changke.engine.definitions import Scope
from changke.engine.engines import duckdb as on_duckdb
from changke.foundation.database.connections import conninfo
from changke.foundation.organisation.queries import the_chain
from changke.profiles.attributes.catalogue import COLUMNS
from changke.profiles.attributes.models import Profile
from changke.profiles.attributes.queries import days_at, last_bulk_run, settings_of, values_for
from changke.profiles.attributes.services.populations import load_population
from changke.profiles.lifecycle.models import Standing
from changke.profiles.lifecycle.queries import models_in_use
from changke.profiles.lifecycle.rules import LifecycleModel
from changke.profiles.lifecycle.services.fold import fold
from changke.profiles.lifecycle.services.mirror import mirror_file, open_mirror
from changke.profiles.lifecycle.services.some import compute_some, statement_for

SAMPLE = 500
"""Customers compared unless told otherwise; a second of work."""


@dataclass(frozen=True)
class Difference:
    """One value that is not the same everywhere."""

    customer_id: int
    column: str
    stored: object
    single: object
    bulk: object


@dataclass(frozen=True)
class Comparison:
    """How many customers were compared, and what differed."""

    customers: int
    differences: Sequence[Difference]

    @property
    def agrees(self) -> bool:
        return not self.differences


def compare(*, now: dt.datetime, sample: int = SAMPLE, mirror: Path | None = None) -> Comparison:
    """Follow the facts, then compute a sample on both engines as of today and hold it against the stored rows."""
    fold(now)
    bulk = last_bulk_run()
    if bulk is None:
        return Comparison(0, [])
    with open_mirror(mirror or mirror_file()) as (duck, copy):
        copy.sync(conninfo("reader"))
        load_population(duck, bulk.version_id)
        return compare_over(duck, now=now, sample=sample)


def compare_over(duck: duckdb.DuckDBPyConnection, *, now: dt.datetime, sample: int = SAMPLE) -> Comparison:
    """The same over an open mirror that is up to date and knows the values of the last bulk run."""
    bulk, chain, models = last_bulk_run(), the_chain(), models_in_use()
    if bulk is None:
        return Comparison(0, [])
    ids = _sample(sample)
    differences: list[Difference] = []
    compared = 0
    for day, some in days_at(now, chain).group(ids).items():
        values = values_for(settings_of(chain), today=day, version=bulk.version_id)
        stored = _stored(some, day, models)
        single = {row["customer_id"]: row for row in compute_some(some, models, values)} if some else {}
        together = _bulk(duck, some, models, values)
        # A row of another day is not wrong, only older: the night has not reached it yet.
        for customer in sorted(stored):
            compared += 1
            differences += _differences(
                customer, stored[customer], single.get(customer, {}), together.get(customer, {})
            )
    return Comparison(compared, differences)


def _sample(size: int) -> list[int]:
    """Spread evenly over all ids, the same at every call."""
    count = Profile.objects.count()
    step = max(count // size, 1)
    ids = list(Profile.objects.order_by("pk").values_list("pk", flat=True).iterator())
    return ids[::step][:size]


def _stored(ids: Sequence[int], day: dt.date, models: Sequence[LifecycleModel]) -> dict[int, dict[str, Any]]:
    rows = Profile.objects.filter(pk__in=ids, as_of=day).values("pk", *COLUMNS)
    found = {row.pop("pk"): dict(row) for row in rows}
    keys = {model.key: model.column for model in models}
    for customer, model, stage in Standing.objects.filter(customer__in=found).values_list("customer", "model", "stage"):
        if model in keys:
            found[customer][keys[model]] = stage
    return found


def _bulk(
    duck: duckdb.DuckDBPyConnection,
    ids: Sequence[int],
    models: Sequence[LifecycleModel],
    values: Mapping[str, object],
) -> dict[int, dict[str, Any]]:
    scope = Scope(list(ids))
    statement, bound = statement_for(models, engine="duckdb", scope=scope)
    rows = on_duckdb.run(duck, statement, {**values, **bound, **scope.values}).fetchall()
    return {row[0]: dict(zip(statement.columns, row, strict=True)) for row in rows}


def _differences(
    customer: int, stored: Mapping[str, Any], single: Mapping[str, Any], bulk: Mapping[str, Any]
) -> list[Difference]:
    return [
        Difference(customer, name, value, single.get(name), bulk.get(name))
        for name, value in stored.items()
        if not value == single.get(name) == bulk.get(name)
    ]
