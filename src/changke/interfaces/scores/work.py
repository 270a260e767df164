"""A load of scores as a batch: checked as a whole, then row by row; killed, it may be run again; undone, what stood
before stands again.

batch = work.start(path, "churn.parquet", scored_on=day, by=by, created_by=staff, now=now)
work.run(batch.pk, now)                           # by the worker, or at once by the command
work.before_undo(batch.pk), work.undo(batch.pk, now)
"""

import csv
import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import get_language, gettext, gettext_noop

from changke.facts.scores import rules
from changke.facts.scores.models import Score
from changke.facts.scores.queries import brought
from changke.facts.scores.services.take_in import Wanted, take_in_scores, withdraw_scores
from changke.foundation.access.models import Staff
from changke.foundation.audit.rules import By
from changke.foundation.batches.models import Batch
from changke.foundation.batches.registry import Part, Undo
from changke.foundation.batches.services import (
    begin,
    begin_withdrawal,
    change_draft,
    draft,
    fail,
    finish,
    finish_withdrawal,
    hand_over,
    keep_problems,
    report_progress,
)
from changke.foundation.errors import DomainError, Invalid
from changke.foundation.money import exponent
from changke.foundation.organisation.queries import the_chain
from changke.foundation.periods import business_date
from changke.interfaces.importers import problems
from changke.interfaces.importers.error_file import safe
from changke.interfaces.importers.folders import forget_uploads, uploads_of
from changke.interfaces.scores import reading
from changke.interfaces.scores.pseudonyms import Numbers, Pseudonyms

KIND = "scores"
VALUES_AT_ONCE = 10_000
MOST_NAMED = 100_000
"""Refused cells in the file of a load; what is beyond is counted."""

UNKNOWN = gettext_noop("is no customer here, or was erased")
AGAIN = gettext_noop("speaks of the same customer and day as an earlier row: that one counts")


@transaction.atomic
def start(
    path: Path, name: str, *, scored_on: dt.date | None, role: str | None, by: By, created_by: Staff | None,
    language: str, now: dt.datetime, moves: bool = False,
) -> Batch:  # fmt: skip
    """A batch that waits to be run; a file that cannot be loaded at all is refused here. Its audit line is written
    when it ran. `moves`: the file came through the page and moves into the folder of the batch."""
    day = checked_day(scored_on, now=now)
    layout = reading.look(path, name, role=role)
    options = {"scored_on": day.isoformat(), "role": role or "", "language": language}
    title = f"{name}: {', '.join(layout.scores)}"
    batch = draft(kind=KIND, title=title, options=options, created_by=created_by, now=now)
    if moves:
        target = uploads_of(batch.pk) / "scores"
        target.parent.mkdir(parents=True, exist_ok=True)
        path = path.replace(target)
    change_draft(batch.pk, files=[{"path": str(path), "name": name}])
    hand_over(batch.pk, by=by)
    return batch


def checked_day(scored_on: dt.date | None, *, now: dt.datetime) -> dt.date:
    """The day of rows that name none: today unless another one is given."""
    today = business_date(now, the_chain().time_zone)
    if scored_on is None:
        return today
    try:
        return rules.day(scored_on, today=today)
    except rules.Unfit as unfit:
        raise Invalid(field="scored_on", reason=unfit.reason) from None


@dataclass
class Refused:
    """Cells that did not go in: the first of them by row, all of them counted."""

    rows: list[tuple[int, str, str, str, str, Mapping[str, object]]] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    places: dict[str, Mapping[str, object]] = field(default_factory=dict)
    lines: set[int] = field(default_factory=set)

    def add(self, line: reading.Line, column: str, value: object, unfit: rules.Unfit) -> None:
        self.counts[column, unfit.reason] += 1
        self.places[unfit.reason] = unfit.places
        self.lines.add(line.number)
        if len(self.rows) < MOST_NAMED:
            said = "" if value is None else str(value)[:200]
            self.rows.append((line.number, str(line.whose or ""), column, said, unfit.reason, unfit.places))


def run(batch_id: int, now: dt.datetime) -> None:
    batch = Batch.objects.get(pk=batch_id)
    begin(batch_id, now=now)
    with translation.override(str(batch.options.get("language") or "zh-hans")):
        try:
            _load(batch, now=now)
        except DomainError as refused:  # a score was retired meanwhile, or the file ends too early; the batch says it
            fail(batch_id, message=gettext(refused.message) % refused.places, now=now)
            return
    forget_uploads(batch_id)


def _load(batch: Batch, *, now: dt.datetime) -> None:
    chain, file = the_chain(), batch.files[0]
    path, name = Path(file["path"]), str(file["name"])
    layout = reading.look(path, name, role=batch.options.get("role") or None)
    keys = reading.keys(path, name, layout)
    today, digits = business_date(now, chain.time_zone), exponent(chain.currency)
    default = dt.date.fromisoformat(str(batch.options["scored_on"]))
    number_of = who_is(layout.whose)
    refused, said, done = Refused(), 0, 0
    scores = list(layout.scores.items())
    for some in reading.lines(path, name, layout, keys, at_once=max(1, VALUES_AT_ONCE // len(scores))):
        wanted: list[Wanted] = []
        for line in some:
            wanted += _understood(line, scores, layout.whose, number_of, default, today, digits, refused)
        take_in_scores(wanted, batch_id=batch.pk)
        said, done = said + len(wanted), done + len(some)
        report_progress(batch.pk, done=done, total=keys.rows)
    created = brought(batch.pk)  # those of a run that was killed among them
    error_file = _write_refused(batch.pk, refused)
    keep_problems(
        batch.pk,
        [
            {"column": column, "reason": reason, "places": dict(refused.places[reason]), "count": count}
            for (column, reason), count in refused.counts.most_common(50)
        ],
    )
    finish(
        batch.pk, total=keys.rows, created=created, updated=0, skipped=max(0, said - created),
        refused=len(refused.lines), error_file=str(error_file or ""), now=now,
    )  # fmt: skip


def who_is(whose: str) -> Callable[[str], int | None]:
    """Reads what stands in a file's column of customers; None for whoever is not there."""
    if whose == reading.PSEUDONYM:
        known = Pseudonyms()
        return known.number
    there = Numbers()

    def number(said: str) -> int | None:
        text = said.removesuffix(".0")  # a column of numbers with a gap in it
        found = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
        return found if there.known(found) else None

    return number


def _understood(
    line: reading.Line, scores: Sequence[tuple[str, Score]], whose: str, number_of: Callable[[str], int | None],
    default: dt.date, today: dt.date, digits: int, refused: Refused,
) -> list[Wanted]:  # fmt: skip
    """What a row says, without the cells that are refused."""
    if line.problem:
        refused.add(line, "", "", rules.Unfit(reason=line.problem))
        return []
    customer = number_of(line.whose)
    if customer is None:
        refused.add(line, whose, line.whose, rules.Unfit(reason=UNKNOWN))
        return []
    if line.again:
        refused.add(line, whose, line.whose, rules.Unfit(reason=AGAIN))
        return []
    try:
        day = rules.day(line.day or default, today=today)
    except rules.Unfit as unfit:
        refused.add(line, reading.DAY, line.day, unfit)
        return []
    found = []
    for (column, score), value in zip(scores, line.values, strict=True):
        try:
            kept = rules.fit(score.kind, value, digits=digits)
        except rules.Unfit as unfit:
            refused.add(line, column, value, unfit)
            continue
        if kept is not None:
            found.append(Wanted(customer, score.pk, kept[0], kept[1], day))
    return found


def before_undo(batch_id: int) -> Undo:
    return Undo(goes=(Part("scores", brought(batch_id)),)).filled


def undo(batch_id: int, now: dt.datetime) -> int:
    begin_withdrawal(batch_id)
    gone = withdraw_scores(batch_id)
    finish_withdrawal(batch_id, now=now)
    return gone


def said_why(reason: str, places: Mapping[str, Any]) -> str:
    """Why a cell was refused, in the reader's language; or a row that the importers could not read, by its code."""
    words = problems.words(reason, get_language() or "zh-hans") if reason in problems.all_words() else gettext(reason)
    return words % places if places else words


def refused_file(batch_id: int) -> Path:
    return Path(settings.DATA_DIR) / "imports" / str(batch_id) / f"refused-{batch_id}.csv"


def _write_refused(batch_id: int, refused: Refused) -> Path | None:
    if not refused.rows:
        return None
    target = refused_file(batch_id)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([gettext("Row"), gettext("Customer"), gettext("Column"), gettext("Value"), gettext("Why")])
        for number, whose, column, value, reason, places in refused.rows:
            writer.writerow([number, safe(whose), column, safe(value), said_why(reason, places)])
    return target
