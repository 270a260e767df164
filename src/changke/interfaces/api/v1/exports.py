"""Files of everything the caller may see."""

import datetime as dt
from typing import Annotated, Any, Literal

from django.http import FileResponse, HttpRequest
from django.utils.translation import get_language
from ninja import Query, Router, Schema
from pydantic import Field

from changke.foundation.access.capabilities import Capability
from changke.foundation.access.queries import allows
from changke.foundation.errors import Invalid
from changke.interfaces import jobs
from changke.interfaces.api import actors
from changke.interfaces.api.actors import actor
from changke.interfaces.api.fields import Id, Input, Storable, text
from changke.interfaces.api.paging import Page, PageQuery, page, position
from changke.interfaces.exporters import FORMATS
from changke.interfaces.exporters.models import Export
from changke.interfaces.exporters.queries import file_of, mine, one_of
from changke.interfaces.exporters.services import ask
from changke.interfaces.exporters.shape import DATASETS

router = Router(tags=["exports"])


class ExportIn(Input):
    """What to put into a file."""

    dataset: Annotated[str, text(40)] = Field(
        ..., description="One of " + ", ".join(f"`{key}`" for key in DATASETS) + "."
    )
    format: Annotated[str, text(20)] = Field(
        "csv", description="One of " + ", ".join(f"`{key}`" for key in FORMATS) + "."
    )
    filters: Annotated[str, text(1000), Storable] = Field(
        "", description="For `customers`: the query of the customer list, such as `stage=silent&tag=VIP`."
    )
    reason: Annotated[str, text(400), Storable] = Field("", description="Needed above 1,000 rows.")

    model_config = {"json_schema_extra": {"examples": [{"dataset": "customers", "format": "csv"}]}}


class ExportOut(Schema):
    id: int
    dataset: str
    format: str
    state: Literal["waiting", "running", "done", "failed", "gone"]
    rows: int
    rows_done: int
    size_bytes: int
    created_at: dt.datetime
    expires_at: dt.datetime = Field(..., description="The file is kept until then, for whoever asked for it.")


@router.post(
    "",
    response={201: ExportOut},
    operation_id="post_export",
    summary="Ask for a file",
)
def post_export(request: HttpRequest, body: ExportIn) -> ExportOut:
    """Ask for a file. A small one is ready with the answer; ask for a large one until its state is `done`."""
    who = actor(request)
    who.scope_for(Capability.CUSTOMER_EXPORT)
    if body.dataset not in DATASETS:
        raise Invalid(field="dataset", reason="choose one of %(choices)s", choices=", ".join(DATASETS))
    made = ask(
        **body.model_dump(),
        scope=who.scope_for(DATASETS[body.dataset].needs),
        shows_phones=allows(who.who, Capability.CUSTOMER_VIEW_PHONE),
        role=who.who.role,
        maker=who.name,
        by=actors.by(request),
        language=get_language() or "zh-hans",
        now=dt.datetime.now(dt.UTC),
    )
    jobs.make_export(made)
    return _shown(made)


@router.get("", response=Page[ExportOut], operation_id="get_exports", summary="One's own exports")
def get_exports(request: HttpRequest, part: Query[PageQuery]) -> dict[str, Any]:
    """The exports that this key or person asked for, the latest first."""
    who = actor(request)
    who.scope_for(Capability.CUSTOMER_EXPORT)
    rows = mine(who.name)
    if (after := position(part.cursor, int)) is not None:
        rows = rows.filter(pk__lt=after[0])
    return page(list(rows[: part.limit + 1]), part.limit, ends=lambda one: [one.pk], show=_shown)


@router.get("/{export_id}", response=ExportOut, operation_id="get_export", summary="How far an export is")
def get_export(request: HttpRequest, export_id: Id) -> ExportOut:
    """Its state and how many rows are written so far; 404 for an export that somebody else asked for."""
    who = actor(request)
    who.scope_for(Capability.CUSTOMER_EXPORT)
    return _shown(one_of(who.name, export_id))


@router.get("/{export_id}/file", operation_id="get_export_file", summary="Fetch the file")
def get_export_file(request: HttpRequest, export_id: Id) -> FileResponse:
    """The file, for 24 hours and for whoever asked for it; then 404."""
    who = actor(request)
    who.scope_for(Capability.CUSTOMER_EXPORT)
    made = one_of(who.name, export_id)
    who.scope_for(DATASETS[made.dataset].needs)
    return answered(made)


def answered(made: Export) -> FileResponse:
    """The file as an attachment that nobody keeps on the way."""
    path = file_of(made, now=dt.datetime.now(dt.UTC))
    name = f"changke-{made.dataset}-{made.created_at:%Y%m%d}-{made.pk}{FORMATS[made.format].SUFFIX}"
    response = FileResponse(
        path.open("rb"), as_attachment=True, filename=name, content_type=FORMATS[made.format].CONTENT_TYPE
    )
    response["Cache-Control"] = "no-store"
    return response


def _shown(one: Export) -> ExportOut:
    return ExportOut(
        id=one.pk,
        dataset=one.dataset,
        format=one.format,
        state=one.state,  # type: ignore[arg-type]  # the choices of the column
        rows=one.total,
        rows_done=one.done,
        size_bytes=one.size_bytes,
        created_at=one.created_at,
        expires_at=one.expires_at,
    )
