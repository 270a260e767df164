"""Compute some customers, at once after a fact, and keep them.

A few: PostgreSQL. Several: DuckDB over their facts alone, which many are read of the mirror, if nobody is at it. All
hand the same rows to the same writer; which of two computations is newer is decided there, by day and snapshot.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
from django.db import connection, transaction

from changke.engine.definitions import Scope, Statement, values_of
from changke.engine.engines import postgres as on_postgres
from changke.foundation.database import rows_seen
from changke.foundation.database.threads import side_by_side
from changke.foundation.organisation.models import Chain
from changke.foundation.organisation.queries import the_chain
from changke.profiles.attributes.catalogue import COLUMNS
from changke.profiles.attributes.queries import Days, days_at, settings_of, values_for
from changke.profiles.attributes.services.everybody import compute_everybody, shared_tables
from changke.profiles.attributes.services.mirrored import facts_in
from changke.profiles.attributes.services.populations import (
    held_version,
    load_population,
)
from changke.profiles.attributes.services.several import facts_of
from changke.profiles.attributes.services.write import drop, fill_rows, merge, prepare
from changke.profiles.lifecycle.queries import composer_for, further_of, models_in_use, own_asked
from changke.profiles.lifecycle.rules import LifecycleModel
from changke.profiles.lifecycle.services.mirror import caught_up, mirror_file
from changke.profiles.lifecycle.services.publish import publish_models
from changke.profiles.lifecycle.services.slices import Refreshed, leave_those_of, lines_of_fresh, write_slice
from changke.profiles.lifecycle.services.standings import FACT, drop_standings, record_changes

SOME = 1_000
"""Customers of one list statement: a third of a second of computing."""


SEVERAL = 2_000
"""Customers from which on their facts are read out and computed by DuckDB: opening one takes what these take here."""


MANY = 4_000
"""Customers from which on the mirror is brought up to date and read through, which takes as long for one."""


AT_ONCE = 10_000
"""Customers of one such database at most: some 100,000 receipts."""


BESIDE = 2
"""Such databases at a time: while one computes, PostgreSQL reads or writes for the other. What is read of the mirror is
computed at once, and written by so many."""


def refresh_customers(
    customer_ids: Sequence[int],
    *,
    now: dt.datetime,
    causes: Mapping[int, str] | None = None,
    chain: Chain | None = None,
    mirror: Path | None = None,
) -> Refreshed:
    """Compute some customers and keep them; at once after a fact.

    They are placed in the values of the population of the last bulk run. In a transaction of the caller's they are
    computed over PostgreSQL however many they are: nobody else sees what was recorded in it.

    Parameters
    ----------
    causes
        Customer -> why, for the events of stages that change; a fact where nothing is said.
    mirror
        The DuckDB file that the facts of many are read of; `mirror_file()` unless given.
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
        return _refresh_several(wanted, models, numbers, days, causes, now, mirror or mirror_file())
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
    mirror: Path,
) -> Refreshed:
    told = {customer: cause for customer, cause in causes.items() if cause != FACT}

    further = further_of(models)

    def refresh(part: list[int]) -> Refreshed:
        with facts_of(part, further=further) as (duck, below):
            return _refresh_by_column(duck, below, part, models, numbers, days, told, now)

    done: list[Refreshed] = []
    if len(wanted) >= MANY:
        for part, duck, below in _mirrored(_parts(wanted, 1), mirror, further):
            with closing(duck):
                done.append(_refresh_by_column(duck, below, part, models, numbers, days, told, now, writers=BESIDE))
    if not done:
        done = list(side_by_side(refresh, _parts(wanted, BESIDE), workers=BESIDE))
    return Refreshed(
        customers=sum(one.customers for one in done),
        written=sum(one.written for one in done),
        changed=sum(one.changed for one in done),
        snapshot=min(one.snapshot for one in done),
        as_of=days.chain,
    )


def _parts(wanted: list[int], at_least: int) -> list[list[int]]:
    size = -(-len(wanted) // max(at_least, -(-len(wanted) // AT_ONCE)))
    return [wanted[start : start + size] for start in range(0, len(wanted), size)]


def _mirrored(
    parts: list[list[int]], mirror: Path, further: frozenset[str]
) -> Iterator[tuple[list[int], duckdb.DuckDBPyConnection, int]]:
    """The parts with what the mirror has of them, and the transaction id below which it knows everything. None of them
    if it cannot be asked. Others may have it again before the last is computed."""
    with ExitStack() as held:
        below = held.enter_context(caught_up(mirror))
        for part in parts if below is not None else []:
            duck = facts_in(mirror, part, further=further)
            if part is parts[-1]:
                held.close()
            assert below is not None
            yield part, duck, below


def _refresh_by_column(
    duck: duckdb.DuckDBPyConnection,
    snapshot: int,
    some: list[int],
    models: Sequence[LifecycleModel],
    numbers: Mapping[str, int],
    days: Days,
    told: Mapping[int, str],
    now: dt.datetime,
    *,
    writers: int = 1,
) -> Refreshed:
    customers = written = changed = 0
    causes = {model.key: FACT for model in models}
    alive: set[int] = set()

    def write(lines: list[bytes], version: int) -> tuple[int, int] | None:
        """None, and nothing was written, if a night ended meanwhile."""
        with transaction.atomic():
            if held_version(settings=numbers, today=days.chain, now=now) != version:
                return None
            return write_slice(lines, models, causes, told, now)

    for day in days.in_turn:
        done: list[tuple[int, int] | None] = [None]
        # A night that ended meanwhile has them computed anew, whoever was computed by the one before among them.
        while None in done:
            with transaction.atomic():
                version = held_version(settings=numbers, today=days.chain, now=now)
                load_population(duck, version)
            registry = composer_for(models).registry
            with shared_tables(duck, settings=numbers, today=day, registry=registry) as composer:
                values = values_for(numbers, today=day, version=version)
                cases = {model.column: model.cases for model in models}
                compute_everybody(duck, composer, "fresh", COLUMNS, cases, values)
            alive = {customer for (customer,) in duck.execute("SELECT customer_id FROM fresh").fetchall()}
            count = leave_those_of(duck, day, days)
            slices = lines_of_fresh(duck, day, snapshot, models)
            keep = partial(write, version=version)
            done = list(side_by_side(keep, slices, alone=writers == 1, workers=writers))
            written += sum(one[0] for one in done if one)
            changed += sum(one[1] for one in done if one)
        customers += count
    if gone := sorted(set(some) - alive):
        with transaction.atomic():
            drop(gone)
            drop_standings(gone)
    return Refreshed(customers, written, changed, snapshot, days.chain)


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
