"""A bulk change as a batch: preview, run in the background, result file, undo. docs/algorithms/bulk-change.md.

wish, whom = Wish(set={"adviser": "7"}), Whom.asked("stage=lost&store=3", [], scope)
work.preview(whom, wish)                          # how many, and for some what stands there and what would
batch = work.start(whom, wish, by=by, created_by=staff, now=now)
work.run(batch.pk, now)                           # by the worker; again after a kill
work.before_undo(batch.pk), work.undo(batch.pk, now)
"""

import csv
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext

from changke.facts.customers.models import Chosen, Customer, Replaced, Tag
from changke.facts.customers.queries import changed_since
from changke.facts.customers.services.bulk import BulkChange, change_next, choose, put_tags_back
from changke.facts.customers.services.intake_tags import source_of
from changke.facts.customers.services.put_back import put_back, take_tags_off
from changke.foundation.access.models import Staff
from changke.foundation.audit.rules import By
from changke.foundation.audit.services import record
from changke.foundation.batches.models import Batch
from changke.foundation.batches.registry import Example, Part, Undo
from changke.foundation.batches.services import (
    begin,
    begin_withdrawal,
    finish,
    finish_withdrawal,
    note_option,
    open_batch,
    report_progress,
)
from changke.foundation.errors import Invalid
from changke.interfaces.bulk import shown
from changke.interfaces.bulk.change import Wish, understood
from changke.interfaces.bulk.whom import Whom
from changke.interfaces.exporters import searched
from changke.interfaces.importers.error_file import safe

KIND = "bulk_edit"
SAMPLE = 8
EXAMPLES = 5


@dataclass(frozen=True)
class Difference:
    """What a customer holds of one field and what she would hold, in words."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class Sample:
    customer: Customer
    differences: tuple[Difference, ...]
    """Empty where she has it already."""


@dataclass(frozen=True)
class Preview:
    count: int
    samples: tuple[Sample, ...]


def preview(whom: Whom, wish: Wish) -> Preview:
    """How many it means, and what would change for the first of them. Refused where it cannot be done."""
    change = understood(wish, scope=whom.scope)
    ids = whom.some(SAMPLE)
    people = Customer.objects.select_related("home_store", "adviser").in_bulk(ids)
    tags: dict[int, set[str]] = {}
    for customer, name in Tag.objects.filter(customer_id__in=ids).values_list("customer_id", "name"):
        tags.setdefault(customer, set()).add(name)
    samples = [Sample(people[one], tuple(_differences(people[one], tags.get(one, set()), change))) for one in ids]
    return Preview(whom.count(), tuple(samples))


def _differences(customer: Customer, tags: set[str], change: BulkChange) -> Iterator[Difference]:
    for column, value in change.fields.items():
        holds = getattr(customer, column)
        if holds != value:
            yield Difference(shown.field(column), shown.value(column, holds), shown.value(column, value))
    on, off = [tag for tag in change.add_tags if tag not in tags], [tag for tag in change.remove_tags if tag in tags]
    if on or off:
        after = sorted((tags | set(on)) - set(off))
        yield Difference(gettext("Tags"), "、".join(sorted(tags)), "、".join(after))


def start(whom: Whom, wish: Wish, *, by: By, created_by: Staff | None, language: str, now: dt.datetime) -> Batch:
    """A batch that waits to be run; refused where it cannot be done or means nobody. One audit line says what and how
    many."""
    understood(wish, scope=whom.scope)
    count = whom.count()
    if not count:
        raise Invalid(field="customers", reason="this means nobody")
    with transaction.atomic():
        batch = open_batch(
            kind=KIND,
            title=shown.title(wish, count),
            files=[],
            options={"wish": wish.as_json(), "whom": whom.as_json(), "language": language, "expected": count},
            created_by=created_by,
            now=now,
        )
        record(
            by=by, action="customers.bulk_edited", subject=f"batch:{batch.pk}",
            after={
                **wish.as_json(), "filter": searched.masked(whom.query), "ticked": len(whom.ids), "customers": count,
            }, now=now,
        )  # fmt: skip
    return batch


def run(batch_id: int, now: dt.datetime) -> None:
    """Choose, then change what is left to change. After a kill it goes on behind the last chunk."""
    batch = Batch.objects.get(pk=batch_id)
    wish, chosen = Wish.from_json(batch.options["wish"]), bool(batch.options.get("chosen"))
    kept = Whom.without_search(batch.options["whom"]) if chosen else batch.options["whom"]
    whom = Whom.from_json(kept)
    change = understood(wish, scope=whom.scope)
    begin(batch_id, now=now)
    if not chosen:
        choose(batch_id, whom.customers())
        note_option(batch_id, "chosen", True)
    note_option(batch_id, "whom", Whom.without_search(kept))
    mine = Chosen.objects.filter(batch_id=batch_id)
    total, done = mine.count(), mine.exclude(outcome="").count()
    while looked_at := change_next(batch_id, change, now=now):
        done += looked_at
        report_progress(batch_id, done=done, total=total)
    with translation.override(str(batch.options.get("language") or "zh-hans")):
        write_result(batch)
    count = {key: mine.filter(outcome=key).count() for key in ("changed", "same", "gone")}
    finish(
        batch_id, total=total, created=0, updated=count["changed"], skipped=count["same"], refused=count["gone"],
        error_file="", now=now,
    )  # fmt: skip


def before_undo(batch_id: int) -> Undo:
    back, changed, some = changed_since(batch_id, most=EXAMPLES)
    removed = Chosen.objects.filter(batch_id=batch_id).exclude(removed=[]).values_list("removed", flat=True)
    return Undo(
        goes=(
            Part("fields", back),
            Part("tags", Tag.objects.filter(source=source_of(batch_id)).count()),
            Part("tags_back", sum(len(tags) for tags in removed)),
        ),
        stays=(
            Part(
                "fields_changed",
                changed,
                tuple(Example(one.customer_id, one.name, one.field, one.holds, one.held) for one in some),
            ),
        ),
    ).filled


def undo(batch_id: int, now: dt.datetime) -> int:
    """Give every field back that still holds what the batch wrote, take its tags off, put the removed ones on; how many
    customers. Safe to repeat."""
    begin_withdrawal(batch_id)
    off = take_tags_off(batch_id)
    back = put_tags_back(batch_id) + put_back(batch_id)
    finish_withdrawal(batch_id, now=now)
    return max(off, back)


def result_file(batch_id: int) -> Path:
    return Path(settings.DATA_DIR) / "imports" / str(batch_id) / f"result-{batch_id}.csv"


def write_result(batch: Batch) -> None:
    """Whom it meant, what became of each, and per field what stood there before: one row per customer and change."""
    target = result_file(batch.pk)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([gettext("Customer"), gettext("Name"), gettext("Result"), gettext("Field"), gettext("Before"),
                         gettext("After")])  # fmt: skip
        for row in _result_rows(batch.pk):
            writer.writerow([safe(str(cell)) for cell in row])


def _result_rows(batch_id: int) -> Iterator[tuple[object, ...]]:
    said = cache(shown.value)
    chosen = Chosen.objects.filter(batch_id=batch_id).select_related("customer").order_by("customer_id")
    last = 0
    while some := list(chosen.filter(customer_id__gt=last)[:2_000]):
        last = some[-1].customer_id
        ids = [one.customer_id for one in some]
        kept = Replaced.objects.filter(batch_id=batch_id, customer_id__in=ids)
        before, after = (dict(kept.values_list("customer_id", side)) for side in ("before", "after"))
        put_on: dict[int, list[str]] = {}
        for customer, name in Tag.objects.filter(source=source_of(batch_id), customer_id__in=ids).values_list(
            "customer_id", "name"
        ):
            put_on.setdefault(customer, []).append(name)
        for one in some:
            who = (one.customer_id, one.customer.name, shown.outcome(one.outcome))
            rows = [
                (*who, shown.field(column), said(column, held),
                 said(column, after[one.customer_id].get(column)))
                for column, held in sorted(before.get(one.customer_id, {}).items())
            ]  # fmt: skip
            rows += [(*who, gettext("Tag"), "", name) for name in sorted(put_on.get(one.customer_id, ()))]
            rows += [(*who, gettext("Tag"), tag["name"], "") for tag in one.removed]
            yield from rows or [(*who, "", "", "")]
