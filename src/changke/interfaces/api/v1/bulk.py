"""Batches: one change to many customers, how far it is, and the way back, said before it is gone."""

import datetime as dt
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import get_language
from ninja import Router, Schema
from pydantic import Field

from changke.foundation.access.capabilities import Capability
from changke.foundation.batches.models import Batch, BatchStatus
from changke.foundation.batches.registry import Part, kind_of
from changke.foundation.batches.services import NotUndoable
from changke.foundation.errors import Invalid, NotFound
from changke.interfaces.api.actors import Actor, actor, by
from changke.interfaces.api.fields import Id, Input, Storable, text
from changke.interfaces.bulk import undo_words, work
from changke.interfaces.bulk.change import MOST_TAGS, Wish
from changke.interfaces.bulk.whom import MOST_TICKED, Whom
from changke.interfaces.web.bulk.sending import send_off, take_back

router = Router(tags=["batches"])

Tag = Annotated[str, text(60, empty=False), Storable]


class FilterIn(Input):
    """The customers of the list with these filters; an empty one is everybody you may change."""

    q: Annotated[str, text(60), Storable] = Field("", description="Name, initials, phone or number.")
    stage: Annotated[list[Annotated[str, text(60), Storable]], Field(max_length=40)] = []
    store: Id | None = Field(None, description="Id of a store.")
    group: Literal["high", "middle", "low", ""] = ""
    tag: Annotated[str, text(60), Storable] = ""
    adviser: Id | None = None

    def query(self) -> str:
        pairs: list[tuple[str, object]] = [("stage", stage) for stage in self.stage]
        pairs += [(name, value) for name in ("q", "store", "group", "tag", "adviser") if (value := getattr(self, name))]
        return urlencode(pairs)


class BulkEditIn(Input):
    """Whom, and what. Give `filter` or `customers`; adviser and home store are ids, an empty value clears the field."""

    filter: FilterIn | None = None
    customers: Annotated[list[Id], Field(max_length=MOST_TICKED)] = []
    set: dict[
        Literal[
            "adviser", "home_store", "gender", "occupation", "income_band", "city", "interests", "living", "source"
        ],
        Annotated[str, text(400), Storable],
    ] = Field({}, description="Field to its new value, as text.")
    add_tags: Annotated[list[Tag], Field(max_length=MOST_TAGS)] = []
    remove_tags: Annotated[list[Tag], Field(max_length=MOST_TAGS)] = []
    dry_run: bool = Field(False, description="Only say what would happen.")

    model_config = {
        "json_schema_extra": {"examples": [{"filter": {"stage": ["lost"]}, "add_tags": ["唤醒"], "dry_run": True}]}
    }


class DifferenceOut(Schema):
    field: str
    before: str
    after: str


class SampleOut(Schema):
    customer_id: int
    differences: list[DifferenceOut] = Field(..., description="Empty where she has it already.")


class BatchOut(Schema):
    """A batch and how far it is. Without an `id` nothing was done: it is a preview."""

    id: int | None = None
    kind: str
    title: str = ""
    status: BatchStatus | None = None
    customers: int | None = Field(None, description="Whom a bulk change means.")
    done: int = 0
    total: int | None = None
    created: int = 0
    updated: int = 0
    skipped: int = 0
    refused: int = 0
    kept: int = 0
    samples: list[SampleOut] = []


class UndoPartOut(Schema):
    code: str
    count: int
    words: str
    reason: str = Field("", description="Of what stays: why.")


class UndoOut(Schema):
    """What an undo would take back, and what it cannot."""

    goes: list[UndoPartOut]
    stays: list[UndoPartOut]


@router.post(
    "/bulk-edits",
    response={201: BatchOut},
    operation_id="post_bulk_edit",
    summary="Change many customers alike",
)
def post_bulk_edit(request: HttpRequest, body: BulkEditIn) -> BatchOut:
    """Set or clear fields, adviser, store and tags of many. It runs in the background: ask for the batch by its id."""
    who = actor(request)
    scope = who.scope_for(Capability.CUSTOMER_BULK_EDIT)
    if (body.filter is None) == (not body.customers):
        raise Invalid(field="filter", reason="give either a filter or customers")
    whom = Whom.asked(body.filter.query() if body.filter else "", body.customers, scope)
    wish = Wish({str(name): value for name, value in body.set.items()}, body.add_tags, body.remove_tags)
    preview = work.preview(whom, wish)
    samples = [
        SampleOut(
            customer_id=one.customer.pk,
            differences=[
                DifferenceOut(field=each.field, before=each.before, after=each.after) for each in one.differences
            ],
        )
        for one in preview.samples
    ]
    if body.dry_run:
        return BatchOut(kind=work.KIND, customers=preview.count, samples=samples)
    with transaction.atomic():
        batch = work.start(
            whom, wish, by=by(request), created_by=who.staff, language=get_language() or "zh-hans",
            now=dt.datetime.now(dt.UTC),
        )  # fmt: skip
        send_off(batch)
    return _shown(batch, samples=samples)


@router.get("/{int:batch_id}", response=BatchOut, operation_id="get_batch", summary="How far a batch is")
def get_batch(request: HttpRequest, batch_id: int) -> BatchOut:
    """One batch: an import, or a change to many customers."""
    return _shown(yours(actor(request), batch_id, undoing=False))


@router.get("/{int:batch_id}/undo", response=UndoOut, operation_id="get_batch_undo", summary="What an undo would do")
def get_batch_undo(request: HttpRequest, batch_id: int) -> UndoOut:
    """What would be taken back, and what cannot be, with the reason. Nothing is done."""
    batch = yours(actor(request), batch_id, undoing=True)
    found = kind_of(batch.kind).before_undo(batch.pk)
    said = undo_words.said(found)
    return UndoOut(
        goes=[_part(part, line) for part, line in zip(found.goes, said.goes, strict=True)],
        stays=[_part(part, line) for part, line in zip(found.stays, said.stays, strict=True)],
    )


@router.post(
    "/{int:batch_id}/undo",
    response={202: BatchOut},
    operation_id="post_batch_undo",
    summary="Take a batch back",
)
def post_batch_undo(request: HttpRequest, batch_id: int) -> BatchOut:
    """Take back what can be. It runs in the background."""
    batch = yours(actor(request), batch_id, undoing=True)
    if not take_back(batch, by=by(request)):
        raise NotUndoable(status=batch.status)
    batch.refresh_from_db()
    return _shown(batch)


def _part(part: Part, line: undo_words.Line) -> UndoPartOut:
    return UndoPartOut(code=part.code, count=part.count, words=line.words, reason=line.reason)


def yours(who: Actor, batch_id: int, *, undoing: bool) -> Batch:
    """A batch the caller may see or take back; what is not hers does not exist."""
    batch = Batch.objects.filter(pk=batch_id).first()
    if batch is None:
        raise NotFound
    kind = kind_of(batch.kind)
    scope = who.scope_for(kind.undo_needs if undoing else kind.needs)
    mine = who.staff is not None and batch.created_by_id == who.staff.pk
    if not (scope.whole_chain or mine):
        raise NotFound
    return batch


def _shown(batch: Batch, samples: list[SampleOut] | None = None) -> BatchOut:
    options: dict[str, Any] = batch.options
    return BatchOut(
        id=batch.pk,
        kind=batch.kind,
        title=batch.title,
        status=BatchStatus(batch.status),
        customers=options.get("expected"),
        done=batch.done,
        total=batch.total,
        created=batch.created_count,
        updated=batch.updated_count,
        skipped=batch.skipped_count,
        refused=batch.refused_count,
        kept=batch.kept_count,
        samples=samples or [],
    )
