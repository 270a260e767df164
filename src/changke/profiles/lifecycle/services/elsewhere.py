"""Everybody computed elsewhere: facts and what to compute go out as a folder, answers come back and are written as the
night's own are. How the folder looks stands in `engine/plan.py`.

What comes back must fit what is here: the same database, rules, numbers and attributes as when it went out, and nothing
newer computed since. Whoever had a fact meanwhile keeps her newer row and is placed anew, as after every night.
"""

import datetime as dt
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
from django.db import connection

from changke.engine.definitions import values_of
from changke.engine.definitions.staged import Staged, Step
from changke.engine.plan import DONE, EVERYBODY, FILE, SCORES, VERSION, NotAPlan, Plan, read_plan
from changke.engine.prediction.scores import COLUMNS as SCORED
from changke.engine.prediction.scores import DAYS_KNOWN
from changke.facts.tables import FURTHER, TABLES, VIEWS
from changke.foundation.database.connections import conninfo
from changke.foundation.errors import DomainError
from changke.profiles.attributes.catalogue import COLUMNS, POPULATION_TABLE, REGISTRY
from changke.profiles.attributes.queries import last_bulk_run
from changke.profiles.attributes.services.populations import keep_populations
from changke.profiles.lifecycle.queries import composer_for, further_of
from changke.profiles.lifecycle.services.mirror import mirror_file, open_mirror
from changke.profiles.lifecycle.services.night import Night, begin, fill_charts
from changke.profiles.lifecycle.services.series import MONTHS, Progress, silent
from changke.profiles.lifecycle.services.slices import Refreshed
from changke.profiles.value.services.elsewhere import keep_said, scores_for
from changke.profiles.value.services.predict import Predicted

ENGINE = "spark"
FILE_BYTES = "256MB"
"""Of one Parquet file: some 8 million receipts, a comfortable piece of work."""

SAID = ", ".join((*SCORED, DAYS_KNOWN))


class FolderNotEmpty(DomainError):
    code, status = "folder_not_empty", 409
    message = "%(folder)s holds other things: name an empty folder, or one that was exported into before."


class NothingToLoad(DomainError):
    code, status = "nothing_to_load", 422
    message = "%(folder)s holds no finished answers: %(problem)s"


class AnotherDatabase(DomainError):
    code, status = "another_database", 409
    message = "%(folder)s was exported from another database, or from this one before it was restored."


class AnswersOutdated(DomainError):
    code, status = "answers_outdated", 409
    message = (
        "Since %(folder)s was exported, rules, settings or days have changed, or a newer refresh was written."
        " Export again."
    )


def hand_out(folder: Path, *, now: dt.datetime, mirror: Path | None = None, progress: Progress = silent) -> Plan:
    """Write the facts of a moment and what to compute of them into a folder, for `engine/engines/spark.py`.

    Raises
    ------
    FolderNotEmpty
    """
    _clear(folder)
    with open_mirror(mirror or mirror_file()) as (duck, copy):
        progress("copying facts", 0, 1)
        snapshot = copy.sync(conninfo("reader")).read_below
        plan = plan_of(begin(snapshot=snapshot, now=now))
        facts = {**TABLES, **{one.table: one.columns for one in FURTHER.values() if one.table in plan.tables}}
        for place, (table, columns) in enumerate(facts.items()):
            progress("writing facts", place, len(facts))
            duck.execute(
                f"COPY (SELECT {', '.join(columns)} FROM {table}) TO '{_quoted(folder / 'facts' / table)}'"  # noqa: S608
                f" (FORMAT parquet, FILE_SIZE_BYTES '{FILE_BYTES}', OVERWRITE)"
            )
    plan.write(folder)
    return plan


def plan_of(night: Night, *, engine: str = ENGINE) -> Plan:
    """What a night computes, in the words of an engine."""
    staged = Staged(composer_for(night.models).registry, engine=engine)
    statement = staged.composer.statement(COLUMNS, engine=engine, cases=night.cases)
    populations = (
        Step(POPULATION_TABLE.format(name=one.name), staged.composer.population(one.name, engine=engine))
        for one in REGISTRY.populations
    )
    further = {name: FURTHER[name] for name in sorted(further_of(night.models))}
    return Plan(
        tables=(*TABLES, *(one.table for one in further.values())),
        views={**VIEWS, **{name: one.view for name, one in further.items()}},
        steps=staged.steps,
        populations=tuple(populations),
        everybody=statement,
        days=tuple(day.isoformat() for day in night.days.in_turn),
        values={**night.numbers, **values_of(cases=night.cases)},
        about=_about(night),
        scores=scores_for(staged.composer, engine=engine, today=night.days.chain),
    )


def take_back(
    folder: Path, *, now: dt.datetime, mirror: Path | None = None, months: int = MONTHS, progress: Progress = silent
) -> Refreshed:
    """Write the answers of a folder as if they had been computed here, and fill the charts from the mirror.

    Raises
    ------
    NothingToLoad, AnotherDatabase, AnswersOutdated
    """
    try:
        plan = read_plan(folder)
    except NotAPlan as problem:
        raise NothingToLoad(folder=folder, problem=problem) from None
    with open_mirror(mirror or mirror_file()) as (duck, copy):
        with duckdb.connect() as found:  # a database of its own: nothing of the answers stays in the mirror
            done = _write_answers(found, folder, plan, progress)
        progress("copying facts", 0, 1)
        snapshot = copy.sync(conninfo("reader")).read_below
        fill_charts(duck, done, snapshot=snapshot, now=now, months=months, progress=progress)
    return done


def take_scores(folder: Path) -> Predicted | None:
    """Write what is to be expected of everybody, of a folder that was taken back before. None where it does not say
    that, or by a fit or numbers that hold no more: then it is for the caller to ask here.

    Raises
    ------
    NothingToLoad
    """
    try:
        plan = read_plan(folder)
    except NotAPlan as problem:
        raise NothingToLoad(folder=folder, problem=problem) from None
    with duckdb.connect() as duck:
        if plan.scores is None or _rows_promised(duck, folder, plan)[SCORES] is None:
            return None
        lies = _parquet(folder, plan.days[0], SCORES)
        found = duck.execute(f"SELECT {SAID} FROM {lies} ORDER BY customer_id").fetchnumpy()  # noqa: S608
    return keep_said(found, plan.scores.asked, snapshot=int(plan.about["snapshot"]))


def _write_answers(duck: duckdb.DuckDBPyConnection, folder: Path, plan: Plan, progress: Progress) -> Refreshed:
    rows = _rows_promised(duck, folder, plan)
    moment, snapshot = dt.datetime.fromisoformat(plan.about["moment"]), int(plan.about["snapshot"])
    if plan.about["database"] != _database():
        raise AnotherDatabase(folder=folder)
    bulk = last_bulk_run()
    if bulk and bulk.snapshot > snapshot:
        raise AnswersOutdated(folder=folder)
    night = begin(snapshot=snapshot, now=moment)
    if _about(night) != plan.about or tuple(day.isoformat() for day in night.days.in_turn) != plan.days:
        raise AnswersOutdated(folder=folder)
    for told in plan.days:  # all of them before the first row is written
        _check(duck, folder, (told, EVERYBODY), _names(night), promised=rows[told])
    if rows[SCORES] is not None:
        _check(duck, folder, (plan.days[0], SCORES), SAID, promised=rows[SCORES])
    first = plan.days[0]
    values = {one.name: _population(duck, folder, first, one.name) for one in REGISTRY.populations}
    version = keep_populations(values, today=night.days.chain, snapshot=snapshot, now=moment)
    for day in night.days.in_turn:
        lies = _parquet(folder, day.isoformat(), EVERYBODY)
        duck.execute(f"CREATE OR REPLACE TABLE fresh AS SELECT {_names(night)} FROM {lies}")  # noqa: S608
        night.write(duck, day, progress)
    return night.end(duck, version)


def _rows_promised(duck: duckdb.DuckDBPyConnection, folder: Path, plan: Plan) -> dict[str, Any]:
    """How many customers each day and the scores have, written when all were there; None: there are no scores."""
    try:
        told = duck.execute(f"SELECT day, customers, scored FROM {_parquet(folder, DONE)}").fetchall()  # noqa: S608
    except duckdb.Error as problem:
        raise NothingToLoad(folder=folder, problem=_first_line(problem)) from None
    if {day for day, _, _ in told} != set(plan.days):
        raise NothingToLoad(folder=folder, problem=f"{DONE}: {told}")
    [scored] = [one for day, _, one in told if day == plan.days[0]]
    return {**{day: customers for day, customers, _ in told}, SCORES: scored}


def _check(duck: duckdb.DuckDBPyConnection, folder: Path, lies: tuple[str, str], names: str, *, promised: int) -> None:
    """Every column is there, and every customer once."""
    rows = f"(SELECT {names} FROM {_parquet(folder, *lies)})"  # noqa: S608
    count = f"SELECT COUNT(*), COUNT(DISTINCT customer_id) FROM {rows}"  # noqa: S608
    try:
        [(counted, people)] = duck.execute(count).fetchall()
    except duckdb.Error as problem:
        raise NothingToLoad(folder=folder, problem=_first_line(problem)) from None
    if (counted, people) != (promised, promised):
        raise NothingToLoad(folder=folder, problem=f"{'/'.join(lies)}: {people} / {counted} / {promised}")


def _names(night: Night) -> str:
    return ", ".join(("customer_id", *COLUMNS, *night.cases))


def _population(duck: duckdb.DuckDBPyConnection, folder: Path, day: str, name: str) -> list[tuple[Any, ...]]:
    names = ", ".join(column.name for column in REGISTRY.definitions[name].columns)
    lies = _parquet(folder, day, POPULATION_TABLE.format(name=name))
    try:
        return duck.execute(f"SELECT {names} FROM {lies} WHERE version = {VERSION}").fetchall()  # noqa: S608
    except duckdb.Error as problem:
        raise NothingToLoad(folder=folder, problem=_first_line(problem)) from None


def _about(night: Night) -> dict[str, Any]:
    """By what the answers were computed, and of which moment."""
    attributes = json.dumps([[one.name, one.query.sql(dialect="duckdb")] for one in REGISTRY.order])
    return {
        "database": _database(),
        "snapshot": night.snapshot,
        "moment": night.now.isoformat(),
        "rules": {model.key: model.version for model in night.models},
        "numbers": night.numbers,
        "attributes": hashlib.sha256(attributes.encode()).hexdigest(),
    }


def _database() -> str:
    """Whose transaction ids these are."""
    with connection.cursor() as sql:
        sql.execute(
            "SELECT (SELECT system_identifier FROM pg_control_system())::text || ' ' || oid::text"
            " FROM pg_database WHERE datname = current_database()"
        )
        return str(sql.fetchone()[0])


def _clear(folder: Path) -> None:
    """An empty folder, readable by us alone where we made it. Old answers must not be taken for those to come."""
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / FILE).exists())):
        raise FolderNotEmpty(folder=folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / FILE).unlink(missing_ok=True)
    for part in ("facts", "answers", "scratch"):
        shutil.rmtree(folder / part, ignore_errors=True)
    (folder / "facts").mkdir()


def _parquet(folder: Path, *parts: str) -> str:
    return f"read_parquet('{_quoted(folder.joinpath('answers', *parts))}/*.parquet')"


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _first_line(problem: Exception) -> str:
    return str(problem).splitlines()[0]
