"""Rows that were judged good go to the rooms of the facts, kind by kind; what became of each is counted."""

import datetime as dt
from collections.abc import Sequence

from django.db import connection as database
from django.db import transaction

from changke.facts.customers.services.intake_notes import take_in_notes
from changke.facts.customers.services.keep import keep
from changke.facts.events.services import record_notes
from changke.facts.purchases.services.intake_openings import take_in_openings
from changke.facts.visits.services.intake import take_in_visits
from changke.foundation.batches.models import Batch
from changke.interfaces.importers import findings
from changke.interfaces.importers.cards import Cards
from changke.interfaces.importers.customers import Customers
from changke.interfaces.importers.folding import folded
from changke.interfaces.importers.kinds import WAITING, Work
from changke.interfaces.importers.notes import Notes
from changke.interfaces.importers.openings import Openings
from changke.interfaces.importers.persons import take_in_persons
from changke.interfaces.importers.purchases import Purchases
from changke.interfaces.importers.receipt_files import CHUNK
from changke.interfaces.importers.reporting import Reporter
from changke.interfaces.importers.scratch import Scratch
from changke.interfaces.importers.understanding import Load
from changke.interfaces.importers.visits import Visits
from changke.interfaces.importers.writing import writing


def take_in(
    work: Work, load: Load, report: Reporter, counts: dict[str, int], batch: Batch, *, now: dt.datetime
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
            work.take_in_own()
            work.take_in_consents(load.place_of)
            work.take_in_referrals()
            for outcome, rows in work.outcomes().items():
                counts[outcome] += rows
        case Visits() | Openings() | Notes() | Cards():
            _write_rows(work, scratch, report, counts, now=now)


def _write_purchases(work: Purchases, scratch: Scratch, report: Reporter, counts: dict[str, int], batch: Batch) -> None:
    work.take_in_persons()
    work.receipts.assemble(_known_ordinals(work, scratch))
    found = scratch.connection.execute("SELECT count(*) FROM again").fetchone()
    counts["skipped"] += int(found[0]) if found else 0
    for taken in writing(work.files, scratch.folder, batch_id=batch.pk, again=batch.started_at is not None):
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
    report: Reporter,
    counts: dict[str, int],
    *,
    now: dt.datetime,
) -> None:
    work.take_in_persons()
    good, written, before = work.good_rows(), 0, sum(counts.values())
    for rows in work.chunks():
        outcomes = _rows_of_a_room(work, rows, now=now)
        for number, outcome in outcomes.items():
            if outcome == "differs":
                code = "card_differs" if isinstance(work, Cards) else "opening_differs"
                findings.refuse(scratch.connection, table="good", code=code, field="", when=f"rn = {int(number)}")
            else:
                counts[outcome] += 1
        written += len(outcomes)
        report(before + written, scratch.total, "writing")
    counts["skipped"] += good - written  # equal rows of overlapping files: the first one stands


def _rows_of_a_room(
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
