"""The load, from files to facts. Three calls, used alike by the command line, the wizard and the worker:

    batch = pipeline.start([SourceFile(path, name), ...], kind="purchases", preset=None, create=False, store="",
                           mapping=None, matches=None, kinds=None, source="", encoding=None, numbers_restart="",
                           accept_currency=False, language="zh-hans", title="", created_by=None, now=now)
    analysis = pipeline.analyse(batch.pk, now=now)              # mapping, preview, unknowns, problems; writes no fact
    outcome = pipeline.run(batch.pk, now=now, progress=None)    # created, updated, skipped, refused, error_file
    pipeline.undo(batch.pk, now=now)                            # its facts leave every number; nothing is deleted

`kind` is purchases, customers, visits, openings, notes, cards, mixed (sheets of several kinds) or "" (guessed by the
columns; a purchases file with a first and a last date is read as openings). `preset` is also the key of a source.
`progress(done, total, step)` is called at most a few times a second with the steps reading, understanding, writing;
the same figures stand in `Batch.done` and `Batch.total`.
`run` may be called again after a crash: nothing comes twice, nothing is lost. A file that cannot be used at all raises
`problems.UnreadableFile` (a DomainError with `.words(language)`), and the batch is `failed` with that message.
"""

import csv
import datetime as dt
import errno
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

import duckdb

from changke.foundation.access.models import Staff
from changke.foundation.batches.models import Batch
from changke.foundation.batches.services import begin, fail, finish, keep_problems, open_batch, report_progress
from changke.foundation.database.statistics import analyze
from changke.foundation.errors import said_plainly
from changke.interfaces.importers import beside, findings, sources
from changke.interfaces.importers.customers import Customers
from changke.interfaces.importers.error_file import write_error_file
from changke.interfaces.importers.folders import folder_of, problems_of
from changke.interfaces.importers.grouping import ProblemGroup, grouped
from changke.interfaces.importers.known import MOST_LISTED, Unknown
from changke.interfaces.importers.persons import MetGroup, meet_persons
from changke.interfaces.importers.presets import preset as preset_named
from changke.interfaces.importers.problems import Problem, UnreadableFile
from changke.interfaces.importers.referrers import Foreseen, foresee
from changke.interfaces.importers.reporting import Progress, Reporter, silent
from changke.interfaces.importers.scratch import MORE_MEMORY, Scratch, SourceFile
from changke.interfaces.importers.setting import Setting
from changke.interfaces.importers.taking_in import take_in
from changke.interfaces.importers.understanding import remember, understand, work_of
from changke.interfaces.importers.undo import undo

__all__ = ["Analysis", "Outcome", "SourceFile", "analyse", "run", "start", "undo"]

Made = TypeVar("Made")

WRITTEN = ("facts_customer", "facts_identifier", "facts_receipt", "facts_line", "facts_visit", "facts_opening")
"""Tables that a load fills; counted anew at its end."""


@dataclass(frozen=True)
class Outcome:
    """What became of the rows: the five counts add up to `total`. `error_file` is a path, or "" where there is
    nothing to tell."""

    batch: int
    total: int
    created: int
    updated: int
    skipped: int
    refused: int
    error_file: str
    """Every row of which something is told: those that were refused, and those that went in but for one thing."""
    kept: int = 0
    """Rows that wait in the batch for a room which is not built yet."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class SheetPreview:
    file: str
    name: str
    header: list[str]
    mapping: Mapping[str, str]
    first_rows: list[list[str]]
    rows: int


@dataclass(frozen=True)
class Analysis:
    """What the wizard shows before anything is written."""

    kind: str
    fields: list[str]
    sheets: list[SheetPreview]
    missing: list[str]
    unknown: list[Unknown]
    problems: list[ProblemGroup]
    total: int
    refused: int
    remembered: bool
    met: Sequence[MetGroup] = ()
    """Known customers whom rows of a customer file would meet."""
    referrals: Foreseen | None = None
    """What the files say of who brought whom; None where they say nothing of it."""


def start(
    files: Sequence[SourceFile],
    *,
    kind: str = "",
    now: dt.datetime,
    preset: str | None = None,
    create: bool = False,
    store: str = "",
    mapping: Mapping[str, str] | None = None,
    matches: Mapping[str, Mapping[str, str]] | None = None,
    source: str = "",
    encoding: str | None = None,
    numbers_restart: str = "",
    accept_currency: bool = False,
    kinds: Mapping[str, str] | None = None,
    decisions: Mapping[str, str] | None = None,
    language: str = "zh-hans",
    title: str = "",
    created_by: Staff | None = None,
) -> Batch:
    """A batch for these files. Nothing is read yet; options given here win over the preset's."""
    only = preset if preset in sources.SOURCES else ""
    known = preset_named(preset) if preset and not only else None
    given = {
        "store": store, "mapping": dict(mapping or {}),
        "matches": {key: dict(words) for key, words in (matches or {}).items()},
        "source": source, "encoding": encoding, "numbers_restart": numbers_restart,
        "kinds": dict(kinds or {}), "decisions": dict(decisions or {}),
    }  # fmt: skip
    options: dict[str, Any] = {
        **(known.options if known else {}),
        **{key: value for key, value in given.items() if value},
    }
    options |= {
        "create": create,
        "language": language,
        "accept_currency": accept_currency,
        "preset": (preset or "") if known else "",
        "only": only or "",
        "asked": kind or (known.kind if known else ""),
    }
    if known and not mapping:
        options["mapping"] = dict(known.columns)
    if known:
        options["currency"] = known.currency
    return open_batch(
        kind=kind or (known.kind if known else ""),
        title=title or "、".join(file.name for file in files),
        files=[{"path": str(file.path), "name": file.name} for file in files],
        options=options,
        created_by=created_by,
        now=now,
    )


def analyse(batch_id: int, *, now: dt.datetime, progress: Progress | None = None) -> Analysis:
    """Read everything, write no fact. Unknown stores, staff and items are listed as if nothing were created."""
    batch = Batch.objects.get(pk=batch_id)
    return in_scratch(batch, lambda scratch, batch: _analyse(batch, scratch, now=now, progress=progress or silent))


def in_scratch(batch: Batch, work: Callable[[Scratch, Batch], Made]) -> Made:
    """Do the work in little memory; where something neither fits in it nor on the disk beside it, once more in more."""
    try:
        with Scratch(folder_of(batch)) as scratch:
            return work(scratch, batch)
    except duckdb.OutOfMemoryException:
        with Scratch(folder_of(batch), memory=MORE_MEMORY) as scratch:
            return work(scratch, Batch.objects.get(pk=batch.pk))  # as begun: what the first try wrote is known


def _analyse(batch: Batch, scratch: Scratch, *, now: dt.datetime, progress: Progress) -> Analysis:
    load = understand(batch, scratch, now=now, progress=progress)
    missing = load.missing()
    unknown: dict[tuple[str, str], Unknown] = {}
    met: list[MetGroup] = []
    referrals: Foreseen | None = None
    findings.gather(scratch.connection)
    for kind in [] if missing else load.kinds:
        mapped = load.build(kind)
        trial = work_of(load, kind, mapped, replace(load.setting, create=False))
        for each in trial.resolve():
            # A row that names no store has nothing that could be matched: it has the store of the load, or is
            # refused.
            if each.word:
                before = unknown.get((each.what, each.word), replace(each, rows=0))
                unknown[each.what, each.word] = replace(before, rows=before.rows + each.rows)
        # A store that will be created or matched in the next step refuses no row.
        _pretend_stores(scratch.connection, load.setting)
        trial.judge()
        if isinstance(trial, Customers):
            met = meet_persons(scratch.connection, load.setting, rows="good")
            referrals = foresee(scratch.connection, load.setting) if trial.has_referrers else None
        findings.gather(scratch.connection)
    findings.gathered(scratch.connection)
    return Analysis(
        kind=load.kind,
        fields=load.fields,
        sheets=[
            SheetPreview(each.file, each.name, list(each.header.names), each.mapping, each.first_rows, each.rows)
            for each in scratch.sheets
        ],
        missing=missing,
        unknown=list(unknown.values())[: 3 * MOST_LISTED],
        problems=grouped(scratch, load.language),
        total=scratch.total,
        refused=findings.refused_count(scratch.connection),
        remembered=load.remembered,
        met=met,
        referrals=referrals,
    )


def _pretend_stores(connection: duckdb.DuckDBPyConnection, setting: Setting) -> None:
    zone = setting.time_zone.replace("'", "''")
    connection.execute(
        f"INSERT INTO store_of SELECT DISTINCT coalesce(store, ''), -1, '{zone}' FROM typed "  # noqa: S608
        "WHERE coalesce(store, '') NOT IN (SELECT word FROM store_of) AND store IS NOT NULL"
    )
    if setting.store:  # a preset's store, made when the load begins
        connection.execute(f"INSERT INTO store_of SELECT '', -1, '{zone}' WHERE '' NOT IN (SELECT word FROM store_of)")  # noqa: S608


def run(batch_id: int, *, now: dt.datetime, progress: Progress | None = None) -> Outcome:
    """Load the batch, or finish a load that was killed."""
    batch = Batch.objects.get(pk=batch_id)
    report = Reporter(batch, progress or silent)
    language = str(batch.options.get("language", "zh-hans"))
    begin(batch_id, now=now)
    try:
        outcome = in_scratch(batch, lambda scratch, batch: _load(batch, scratch, report, now=now))
    except UnreadableFile as error:
        fail(batch_id, message=error.words(language), now=now)
        raise
    except (OSError, duckdb.Error, csv.Error) as error:
        full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        fail(batch_id, message=Problem("disk_full").words(language) if full else said_plainly(error), now=now)
        raise
    finish(
        batch_id, total=outcome.total, created=outcome.created, updated=outcome.updated, skipped=outcome.skipped,
        refused=outcome.refused, kept=outcome.kept, error_file=outcome.error_file, now=now,
    )  # fmt: skip
    analyze(WRITTEN)
    return outcome


def _load(batch: Batch, scratch: Scratch, report: Reporter, *, now: dt.datetime) -> Outcome:
    load = understand(batch, scratch, now=now, progress=report)
    if missing := load.missing():
        raise UnreadableFile("columns_missing", file=batch.title, columns=", ".join(missing))
    report_progress(batch.pk, done=0, total=scratch.total, kind=load.kind)
    counts = dict.fromkeys(("created", "updated", "skipped", "kept"), 0)
    findings.gather(scratch.connection)
    for kind in load.kinds:
        report(sum(counts.values()), scratch.total, "understanding")
        work = work_of(load, kind, load.build(kind), load.setting)
        work.resolve()
        work.judge()
        report(sum(counts.values()), scratch.total, "writing")
        take_in(work, load, report, counts, batch, now=now)
        findings.gather(scratch.connection)
    findings.gathered(scratch.connection)
    refused = findings.refused_count(scratch.connection)
    target = folder_of(batch) / f"errors-{batch.pk}.csv"
    groups = [asdict(group) for group in grouped(scratch, load.language)]
    keep_problems(batch.pk, beside.without_values(groups))
    beside.put(problems_of(batch), groups)
    told = findings.told_count(scratch.connection)
    if told:
        write_error_file(scratch, target, language=load.language, batches=str(batch.pk))
    if not batch.options.get("preset"):
        remember(load, now)
    return Outcome(
        batch.pk,
        scratch.total,
        counts["created"],
        counts["updated"],
        counts["skipped"],
        refused,
        str(target) if told else "",
        counts["kept"],
    )
