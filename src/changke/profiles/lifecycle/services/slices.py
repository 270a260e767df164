"""Rows of a run, from the table `fresh` of DuckDB into PostgreSQL, in slices that hold nobody up for a second."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb
from django.db import connection, transaction

from changke.profiles.attributes.catalogue import COLUMNS
from changke.profiles.attributes.queries import Days
from changke.profiles.attributes.services.write import fill_csv, merge, prepare
from changke.profiles.lifecycle.rules import LifecycleModel
from changke.profiles.lifecycle.services import written
from changke.profiles.lifecycle.services.standings import record_changes

SLICE = 2_000
"""Rows of one transaction by night: some 0.2 s on two quiet cores, so that no cursor waits a second for it."""


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did: rows computed, rows that were new or had changed, stages that changed."""

    customers: int
    written: int
    changed: int
    snapshot: int
    as_of: dt.date


def leave_those_of(duck: duckdb.DuckDBPyConnection, day: dt.date, days: Days) -> int:
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


def lines_of_fresh(
    duck: duckdb.DuckDBPyConnection, day: dt.date, snapshot: int, models: Sequence[LifecycleModel], only: str = ""
) -> Iterator[list[bytes]]:
    stages = " || ',' || ".join(model.column for model in models)
    head = f"customer_id, DATE '{day:%Y-%m-%d}', {int(snapshot)}, {models[0].column}"
    return written.lines_of(
        duck,
        f"SELECT {head}, {', '.join(COLUMNS)}, '{{' || {stages} || '}}', NULL FROM fresh{only} ORDER BY customer_id",  # noqa: S608
        SLICE,
    )


def write_slice(
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
