"""The load, from files to facts. Three calls, used alike by the command line, the wizard and the worker:

    batch = pipeline.start([SourceFile(path, name), ...], kind="purchases", preset=None, create=False, store="",
                           mapping=None, matches=None, source="", encoding=None, numbers_restart="",
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
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb
from django.conf import settings
from django.db import connection as database
from django.db import transaction

from changke.facts.customers.services.intake_notes import take_in_notes
from changke.facts.customers.services.keep import keep
from changke.facts.events.services import record_notes
from changke.facts.purchases.services.intake_openings import take_in_openings
from changke.facts.visits.services.intake import take_in_visits
from changke.foundation.access.models import Staff
from changke.foundation.batches.models import Batch
from changke.foundation.batches.services import (
    begin,
    fail,
    finish,
    keep_problems,
    open_batch,
    remember_mapping,
    remembered_mapping,
    report_progress,
)
from changke.foundation.database.statistics import analyze
from changke.foundation.organisation.queries import the_chain
from changke.interfaces.importers import (
    cards,
    clean,
    columns,
    customers,
    findings,
    notes,
    openings,
    purchases,
    sources,
    visits,
)
from changke.interfaces.importers.cards import Cards
from changke.interfaces.importers.customers import Customers
from changke.interfaces.importers.error_file import write_error_file
from changke.interfaces.importers.folding import folded
from changke.interfaces.importers.known import MOST_LISTED, Unknown
from changke.interfaces.importers.notes import Notes
from changke.interfaces.importers.openings import Openings
from changke.interfaces.importers.parts import Ground, Turned
from changke.interfaces.importers.persons import MetGroup, meet_persons, take_in_persons
from changke.interfaces.importers.presets import preset as preset_named
from changke.interfaces.importers.problems import Problem, UnreadableFile
from changke.interfaces.importers.purchases import CHUNK, Purchases
from changke.interfaces.importers.scratch import Scratch, SourceFile
from changke.interfaces.importers.setting import Setting
from changke.interfaces.importers.undo import undo
from changke.interfaces.importers.visits import Visits
from changke.interfaces.importers.writing import writing

__all__ = ["Analysis", "Outcome", "SourceFile", "analyse", "run", "start", "undo"]

Progress = Callable[[int, int, str], None]

NEEDED = {
    "purchases": purchases.NEEDED, "customers": customers.NEEDED, "visits": visits.NEEDED, "openings": openings.NEEDED,
    "notes": notes.NEEDED, "cards": cards.NEEDED,
}  # fmt: skip
ORDER = ("customers", "cards", "openings", "purchases", "visits", "notes")
"""Of a batch with several kinds: who they are comes before what they did."""
WAITING = {"cards": cards.KIND}
"""Kinds whose room is not built yet: their rows are kept."""

Work = Purchases | Customers | Visits | Openings | Notes | Cards
REPORT_SECONDS = 0.4
WRITTEN = ("facts_customer", "facts_identifier", "facts_receipt", "facts_line", "facts_visit", "facts_opening")
"""Tables that a load fills; counted anew at its end."""


@dataclass(frozen=True)
class Outcome:
    """What became of the rows: the five counts add up to `total`. `error_file` is a path, or "" where nothing was
    refused."""

    batch: int
    total: int
    created: int
    updated: int
    skipped: int
    refused: int
    error_file: str
    kept: int = 0
    """Rows that wait in the batch for a room which is not built yet."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Example:
    """One refused row of a group: where a person finds it, and what stands there."""

    file: str
    sheet: str
    line: int
    column: str
    value: str


@dataclass(frozen=True)
class ProblemGroup:
    """Refused rows that the same repair mends. `places` fill the words of the code in whichever language is read."""

    code: str
    words: str
    rows: int
    example_line: int
    example_value: str
    places: Mapping[str, str] = field(default_factory=dict)
    examples: Sequence[Example] = ()


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
        "decisions": dict(decisions or {}),
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
    with Scratch(folder_of(batch)) as scratch:
        load = _read(batch, scratch, now=now, progress=progress or _silent)
        missing = load.missing()
        unknown: dict[tuple[str, str], int] = {}
        met: list[MetGroup] = []
        findings.gather(scratch.connection)
        for kind in [] if missing else load.kinds:
            mapped = load.build(kind)
            trial = _work(load, kind, mapped, replace(load.setting, create=False))
            for each in trial.resolve():
                # A row that names no store has nothing that could be matched: it has the store of the load, or is
                # refused.
                if each.word:
                    unknown[each.what, each.word] = unknown.get((each.what, each.word), 0) + each.rows
            # A store that will be created or matched in the next step refuses no row.
            _pretend_stores(scratch.connection, load.setting)
            trial.judge()
            if isinstance(trial, Customers):
                met = meet_persons(scratch.connection, load.setting, rows="good")
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
            unknown=[Unknown(what, word, rows) for (what, word), rows in unknown.items()][: 3 * MOST_LISTED],
            problems=_grouped(scratch, load.language),
            total=scratch.total,
            refused=findings.refused_count(scratch.connection),
            remembered=load.remembered,
            met=met,
        )


def run(batch_id: int, *, now: dt.datetime, progress: Progress | None = None) -> Outcome:
    """Load the batch, or finish a load that was killed."""
    batch = Batch.objects.get(pk=batch_id)
    report = _Reporter(batch, progress or _silent)
    language = str(batch.options.get("language", "zh-hans"))
    begin(batch_id, now=now)
    try:
        with Scratch(folder_of(batch)) as scratch:
            outcome = _load(batch, scratch, report, now=now)
    except UnreadableFile as error:
        fail(batch_id, message=error.words(language), now=now)
        raise
    except (OSError, duckdb.Error, csv.Error) as error:
        full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        fail(batch_id, message=Problem("disk_full").words(language) if full else str(error), now=now)
        raise
    finish(
        batch_id, total=outcome.total, created=outcome.created, updated=outcome.updated, skipped=outcome.skipped,
        refused=outcome.refused, kept=outcome.kept, error_file=outcome.error_file, now=now,
    )  # fmt: skip
    analyze(WRITTEN)
    return outcome


def folder_of(batch: Batch) -> Path:
    """Where the batch keeps its scratch database and its error file."""
    return Path(settings.DATA_DIR) / "imports" / str(batch.pk)


def uploads_of(batch_id: int) -> Path:
    """Where files that came through the page lie until they are loaded."""
    return Path(settings.DATA_DIR) / "uploads" / str(batch_id)


@dataclass
class Load:
    """One batch being read: what was decided before, and what its sheets turned out to be."""

    setting: Setting
    scratch: Scratch
    language: str
    remembered: bool
    stores: Mapping[tuple[str, str], str]

    @property
    def kinds(self) -> list[str]:
        here = {sheet.kind for sheet in self.scratch.sheets}
        return [kind for kind in ORDER if kind in here]

    @property
    def kind(self) -> str:
        return self.kinds[0] if len(self.kinds) == 1 else sources.MIXED

    @property
    def fields(self) -> list[str]:
        return list(dict.fromkeys(field for kind in self.kinds for field in columns.fields_of(kind)))

    def build(self, kind: str) -> list[str]:
        """Make `rows` and `typed` of the sheets of this kind; the mapped fields."""
        mapped = self.scratch.canonical_rows(kind, self.stores)
        clean.build_typed(self.scratch.connection, EVERY_FIELD, mapped, self.setting.reading)
        return mapped

    def missing(self) -> list[str]:
        """Needed columns that no mapping names, each group by its first field."""
        found = []
        for kind in self.kinds:
            mapped = {field for sheet in self.scratch.sheets if sheet.kind == kind for field in sheet.mapping}
            found += [group[0] for group in NEEDED[kind] if not set(group) & mapped]
        return list(dict.fromkeys(found))


EVERY_FIELD = tuple(dict.fromkeys(field for kind in columns.KINDS for field in columns.fields_of(kind)))
"""Every kind's rows have every column, NULL where they have none, so that the statements need no cases."""


def _read(batch: Batch, scratch: Scratch, *, now: dt.datetime, progress: Progress) -> Load:
    chain = the_chain()
    options = batch.options
    currency = options.get("currency") or chain.currency
    if currency != chain.currency and not options.get("accept_currency"):
        raise UnreadableFile("currency_other", file=batch.title, currency=currency, chain=chain.currency)
    files = [SourceFile(Path(each["path"]), each["name"]) for each in batch.files]
    given: Mapping[str, str] = options.get("mapping") or {}
    chosen: Mapping[str, Mapping[str, str]] = options.get("mappings") or {}
    """Per header signature, as a person decided in the wizard."""
    asked = str(options.get("asked", batch.kind))
    """The kind that the person chose; a batch that runs again after a crash carries the one that was found."""
    state = {"kind": asked, "remembered": ""}
    name = str(options.get("source") or "")

    def find(names: Sequence[str]) -> Turned | None:
        return None if given else sources.understood(names, kind=asked, only=str(options.get("only") or ""))

    def choose(header: columns.Header, found: Turned | None) -> tuple[str, Mapping[str, str]]:
        kind = found.part.kind if found else generic_kind(header)
        if header.signature in chosen:
            return kind, chosen[header.signature]
        if given:
            return kind, given
        remembered = remembered_mapping(
            kind=kind, source=found.source if found else name, signature=header.signature
        )  # fmt: skip
        if remembered is not None:
            state["remembered"] = "yes"
            return kind, remembered
        return kind, found.part.mapping if found else columns.recognise(header.names, kind)

    def generic_kind(header: columns.Header) -> str:
        recognised_kind = columns.guess_kind(header.names)
        if asked == sources.MIXED:
            return recognised_kind
        if not state["kind"] or (
            state["kind"] == "purchases" and recognised_kind == "openings" and not (given or chosen)
        ):
            state["kind"] = recognised_kind
        return state["kind"]

    scratch.read(
        files,
        kind=asked if asked in columns.KINDS else "purchases",
        choose=choose,
        wanted=given or None,
        find=find,
        ground=Ground("" if options.get("accept_currency") else chain.currency),
        encoding=options.get("encoding"),
        leave_out={(file, sheet) for file, sheet in options.get("leave_out") or ()},
        progress=lambda rows: progress(0, rows, "reading"),
    )
    by_source = {sheet.source for sheet in scratch.sheets if sheet.source}
    setting = Setting.from_options(
        {**options, "source": name or (by_source.pop() if len(by_source) == 1 else "")},
        kind=state["kind"], batch_id=batch.pk, now=now, currency=chain.currency, time_zone=chain.time_zone,
    )  # fmt: skip
    stores = {(file, sheet): word for file, sheet, word in options.get("sheet_stores") or ()}
    language = str(options.get("language", "zh-hans"))
    return Load(setting, scratch, language, bool(state["remembered"]), stores)


WORKS: Mapping[str, type[Work]] = {
    "purchases": Purchases, "customers": Customers, "visits": Visits, "openings": Openings, "notes": Notes,
    "cards": Cards,
}  # fmt: skip


def _work(load: Load, kind: str, mapped: list[str], setting: Setting) -> Work:
    return WORKS[kind](load.scratch.connection, setting, mapped)


def _load(batch: Batch, scratch: Scratch, report: "_Reporter", *, now: dt.datetime) -> Outcome:
    load = _read(batch, scratch, now=now, progress=report)
    if missing := load.missing():
        raise UnreadableFile("columns_missing", file=batch.title, columns=", ".join(missing))
    report_progress(batch.pk, done=0, total=scratch.total, kind=load.kind)
    counts = dict.fromkeys(("created", "updated", "skipped", "kept"), 0)
    findings.gather(scratch.connection)
    for kind in load.kinds:
        report(sum(counts.values()), scratch.total, "understanding")
        work = _work(load, kind, load.build(kind), load.setting)
        work.resolve()
        work.judge()
        report(sum(counts.values()), scratch.total, "writing")
        _write(work, load, report, counts, batch, now=now)
        findings.gather(scratch.connection)
    findings.gathered(scratch.connection)
    refused = findings.refused_count(scratch.connection)
    target = folder_of(batch) / f"errors-{batch.pk}.csv"
    keep_problems(batch.pk, [asdict(group) for group in _grouped(scratch, load.language)])
    if refused:
        write_error_file(scratch, target, language=load.language, batches=str(batch.pk))
    if not batch.options.get("preset"):
        _remember(load, now)
    return Outcome(
        batch.pk,
        scratch.total,
        counts["created"],
        counts["updated"],
        counts["skipped"],
        refused,
        str(target) if refused else "",
        counts["kept"],
    )


def _write(
    work: Work, load: Load, report: "_Reporter", counts: dict[str, int], batch: Batch, *, now: dt.datetime
) -> None:
    scratch, before = load.scratch, sum(counts.values())
    match work:
        case Purchases():
            _write_purchases(work, scratch, report, counts, batch)
        case Customers():
            take_in_persons(scratch.connection, load.setting, rows="good", update=True,
                            progress=lambda rows: report(before + rows, scratch.total, "writing"))  # fmt: skip
            work.refuse_known()
            work.take_in_tags()
            for outcome, rows in work.outcomes().items():
                counts[outcome] += rows
        case Visits() | Openings() | Notes() | Cards():
            _write_rows(work, scratch, report, counts, now=now)


def _write_purchases(
    work: Purchases, scratch: Scratch, report: "_Reporter", counts: dict[str, int], batch: Batch
) -> None:
    work.take_in_persons()
    work.assemble(_known_ordinals(work, scratch))
    found = scratch.connection.execute("SELECT count(*) FROM again").fetchone()
    counts["skipped"] += int(found[0]) if found else 0
    for taken in writing(work, scratch.folder, batch_id=batch.pk, again=batch.started_at is not None):
        counts["created"] += taken.created
        counts["skipped"] += taken.skipped
        work.differing.extend(taken.differing)
        work.exceeding.extend(taken.exceeding)
        report(sum(counts.values()), scratch.total, "writing")
    for place in range(0, len(work.differing), CHUNK):
        work.refuse_receipts(tuple(work.differing[place : place + CHUNK]))
    for place in range(0, len(work.exceeding), CHUNK):
        work.refuse_exceeding(work.exceeding[place : place + CHUNK])


def _write_rows(
    work: Visits | Openings | Notes | Cards,
    scratch: Scratch,
    report: "_Reporter",
    counts: dict[str, int],
    *,
    now: dt.datetime,
) -> None:
    work.take_in_persons()
    good, written, before = work.good_rows(), 0, sum(counts.values())
    for rows in work.chunks():
        outcomes = _take_in(work, rows, now=now)
        for number, outcome in outcomes.items():
            if outcome == "differs":
                code = "card_differs" if isinstance(work, Cards) else "opening_differs"
                findings.refuse(scratch.connection, table="good", code=code, field="", when=f"rn = {int(number)}")
            else:
                counts[outcome] += 1
        written += len(outcomes)
        report(before + written, scratch.total, "writing")
    counts["skipped"] += good - written  # equal rows of overlapping files: the first one stands


def _take_in(
    work: Visits | Openings | Notes | Cards, rows: Sequence[Sequence[object]], *, now: dt.datetime
) -> dict[int, str]:
    batch_id = work.setting.batch_id
    match work:
        case Visits():
            return take_in_visits(rows, batch_id=batch_id, now=now)
        case Openings():
            return take_in_openings(rows, batch_id=batch_id, now=now)
        case Cards():
            return keep(rows, kind=WAITING["cards"], batch_id=batch_id)
        case Notes():
            with transaction.atomic():
                outcomes = take_in_notes(rows, batch_id=batch_id)
                record_notes(batch_id=batch_id, now=now)
                return outcomes


def _known_ordinals(work: Purchases, scratch: Scratch) -> dict[str, int]:
    """For rows of an error file that are known by content: how many equal rows the refusing batches brought in."""
    batches: set[int] = set()
    for sheet in scratch.sheets:
        for index, name in enumerate(sheet.header.names):
            if folded(name) in {"changke批次", "changkebatch"}:
                rows = scratch.connection.execute(f"SELECT DISTINCT c{index} FROM raw_{sheet.index}").fetchall()  # noqa: S608
                batches |= {int(part) for (cell,) in rows for part in str(cell or "").split("+") if part.isdigit()}
    if not batches:
        return {}
    digests = work.digests_without_number()
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT split_part(right(source_key, -3 - %(skip)s), ':', 1) AS digest, count(*) FROM facts_receipt "
            "WHERE batch_id = ANY(%(batches)s) AND source_key LIKE 'c:%%' AND withdrawn_by_id IS NULL GROUP BY 1 "
            "HAVING split_part(right(source_key, -3 - %(skip)s), ':', 1) = ANY(%(digests)s)",
            {"skip": len(work.setting.source), "batches": sorted(batches), "digests": digests},
        )
        return {str(digest): int(count) for digest, count in cursor.fetchall()}


def _pretend_stores(connection: duckdb.DuckDBPyConnection, setting: Setting) -> None:
    zone = setting.time_zone.replace("'", "''")
    connection.execute(
        f"INSERT INTO store_of SELECT DISTINCT coalesce(store, ''), -1, '{zone}' FROM typed "  # noqa: S608
        "WHERE coalesce(store, '') NOT IN (SELECT word FROM store_of) AND store IS NOT NULL"
    )
    if setting.store:  # a preset's store, made when the load begins
        connection.execute(f"INSERT INTO store_of SELECT '', -1, '{zone}' WHERE '' NOT IN (SELECT word FROM store_of)")  # noqa: S608


EXAMPLES = 3
"""Enough to recognise the mistake; the error file has all of them."""


def _grouped(scratch: Scratch, language: str) -> list[ProblemGroup]:
    """Problems by the repair they need, the most frequent first."""
    raws = " UNION ALL ".join(
        f"SELECT rn, line, {sheet.index} AS sheet FROM raw_{sheet.index}"  # noqa: S608 our own names
        for sheet in scratch.sheets
    )
    rows = scratch.connection.execute(
        f"SELECT code, count(DISTINCT rn), arg_min(places, rn), "  # noqa: S608
        f"arg_min({{'sheet': sheet, 'line': line, 'field': field, 'value': value}}, rn, {EXAMPLES}) "
        f"FROM problems JOIN ({raws}) USING (rn) GROUP BY code ORDER BY 2 DESC, 1"
    ).fetchall()
    groups = []
    for code, count, packed, found in rows:
        places = findings.places_of(packed)
        examples = [_example(scratch, each) for each in found]
        first = examples[0]
        words = Problem(code, places).words(language)
        groups.append(ProblemGroup(code, words, count, first.line, first.value, places, examples))
    return groups


def _example(scratch: Scratch, each: Mapping[str, Any]) -> Example:
    sheet = scratch.sheets[each["sheet"]]
    field_name = each["field"] or ""
    return Example(sheet.file, sheet.name, each["line"], sheet.mapping.get(field_name, field_name), each["value"] or "")


def _remember(load: Load, now: dt.datetime) -> None:
    for sheet in load.scratch.sheets:
        if sheet.mapping:
            source = sheet.source or load.setting.source
            remember_mapping(
                kind=sheet.kind, source=source, signature=sheet.header.signature, mapping=sheet.mapping, now=now
            )


def _silent(done: int, total: int, words: str) -> None:
    return None


class _Reporter:
    """Progress for whoever waits, and into the batch for whoever looks; not more often than a person can read."""

    def __init__(self, batch: Batch, progress: Progress) -> None:
        self.batch = batch
        self.progress = progress
        self.last = 0.0

    def __call__(self, done: int, total: int, words: str) -> None:
        if time.monotonic() - self.last < REPORT_SECONDS and done < total:
            return
        self.last = time.monotonic()
        report_progress(self.batch.pk, done=done, total=total)
        self.progress(done, total, words)


def forget_files(batch: Batch) -> None:
    """Free the disk of a finished batch: scratch and error file."""
    shutil.rmtree(folder_of(batch), ignore_errors=True)


def forget_uploads(batch_id: int) -> None:
    """Delete the files that came through the page; files named on the command line stay where they are."""
    shutil.rmtree(uploads_of(batch_id), ignore_errors=True)
