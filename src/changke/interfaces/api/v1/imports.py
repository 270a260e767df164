"""Loads from files, for machines: the steps of the wizard, one address each, and the same batches."""

import datetime as dt
from typing import Annotated, Any

from django.db import transaction
from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.utils.translation import get_language
from ninja import File, Query, Router
from ninja.files import UploadedFile
from ninja.params.functions import Form as Said

from changke.foundation.access.capabilities import Capability
from changke.foundation.batches.models import Batch, BatchStatus
from changke.foundation.errors import Invalid, NotFound
from changke.interfaces.api.actors import Actor, actor, by
from changke.interfaces.api.errors import ApiError
from changke.interfaces.api.fields import Storable, text
from changke.interfaces.api.paging import Page, PageQuery, page, position
from changke.interfaces.api.v1 import imports_told as told
from changke.interfaces.api.v1.bulk import yours
from changke.interfaces.api.v1.imports_told import CheckOut, ColumnsIn, ImportOut, Kind, LoadIn, LookIn
from changke.interfaces.importers.presets import all_presets
from changke.interfaces.importers.sources import SOURCES
from changke.interfaces.web.imports import drafts, mapping, matching, words
from changke.interfaces.web.imports.lists import FILES
from changke.interfaces.web.imports.result import error_path, kept_lines
from changke.interfaces.web.imports.steps import ask_for_check, send_off

router = Router(tags=["imports"])

Preset = Annotated[str, text(60), Storable]


class FilesUnusable(ApiError):
    code, status = "files_unusable", 422
    message = "None of the files can be used. %(problems)s"


class ColumnsUnclear(ApiError):
    code, status = "columns_unclear", 422
    message = "The columns are not clear yet. %(problems)s"


class NotADraft(ApiError):
    code, status = "import_not_a_draft", 409
    message = "This import is %(status)s: what it means cannot be changed any more."


class NotChecked(ApiError):
    code, status = "import_not_checked", 409
    message = "This import has not been checked, or its check did not come to its end."


class NotLoadable(ApiError):
    code, status = "import_not_loadable", 409
    message = "This import is %(status)s; only a draft or one that failed can be loaded."


@router.get("", response=Page[ImportOut], operation_id="get_imports", url_name="imports", summary="Imports")
def get_imports(request: HttpRequest, part: Query[PageQuery]) -> dict[str, Any]:
    """Loads from files, the newest first."""
    actor(request).scope_for(Capability.IMPORT_RUN)
    rows = Batch.objects.filter(kind__in=FILES).select_related("created_by").order_by("-id")
    if (behind := position(part.cursor, int)) is not None:
        rows = rows.filter(pk__lt=behind[0])
    found = list(rows[: part.limit + 1])
    return page(found, part.limit, ends=lambda one: [one.pk], show=lambda one: told.shown(one, whole=False))


@router.post("", response={201: ImportOut}, operation_id="post_import", url_name="imports", summary="Bring files")
def post_import(
    request: HttpRequest, files: File[list[UploadedFile]], kind: Kind = Said(""), preset: Preset = Said("")
) -> ImportOut:
    """Bring files as `multipart/form-data`, up to 50 of them. Without `kind` it is found out what their rows are;
    `preset` is the key of a preset or of an old system. The answer says how each sheet is understood; its first rows
    are shown by `GET /imports/{id}`. Nothing is loaded. A draft left alone is deleted after 14 days."""
    who = actor(request)
    who.scope_for(Capability.IMPORT_RUN)
    if len(files) > drafts.MOST_FILES:
        raise Invalid(field="files", reason="at most %(most)s of them", most=drafts.MOST_FILES)
    if preset and preset not in all_presets() and preset not in SOURCES:
        choices = "、".join([*SOURCES.all, *all_presets()])
        raise Invalid(field="preset", reason="choose one of %(choices)s", choices=choices)
    batch, refused = drafts.begin(
        drafts.uploaded(files), kind=kind, preset=preset, language=get_language() or "zh-hans",
        created_by=who.staff, role=who.key.role if who.key else "", now=dt.datetime.now(dt.UTC),
    )  # fmt: skip
    if batch is None:
        raise FilesUnusable(problems=" ".join(f"{one.name}: {one.words}" for one in refused))
    return told.shown(batch, rows=False)


@router.get("/{int:import_id}", response=ImportOut, operation_id="get_import", summary="One import")
def get_import(request: HttpRequest, import_id: int) -> ImportOut:
    """Of a draft how its sheets are understood; of a load how far it is and what came of it."""
    return told.shown(_mine(actor(request), import_id))


@router.delete("/{int:import_id}", response={204: None}, operation_id="delete_import", summary="Throw a draft away")
def delete_import(request: HttpRequest, import_id: int) -> tuple[int, None]:
    """The draft and its files are deleted. What was loaded is taken back by `POST /batches/{id}/undo`."""
    drafts.forget(_draft(actor(request), import_id))
    return 204, None


@router.post("/{int:import_id}/look", response=ImportOut, operation_id="look_at_import", summary="Read it otherwise")
def look_at_import(request: HttpRequest, import_id: int, body: LookIn) -> ImportOut:
    """Read the first rows again, as rows of another kind or in another encoding. What was said of columns is undone."""
    batch = _draft(actor(request), import_id)
    refused = drafts.look_again(batch, kind=batch.kind if body.kind is None else body.kind, encoding=body.encoding)
    if refused is not None:
        raise FilesUnusable(problems=f"{refused.name}: {refused.words}")
    return told.shown(_mine(actor(request), import_id), rows=False)


@router.put(
    "/{int:import_id}/columns",
    response={202: ImportOut},
    operation_id="put_import_columns",
    summary="Say what the columns mean",
)
def put_import_columns(request: HttpRequest, import_id: int, body: ColumnsIn) -> ImportOut:
    """What each column means, and where rows go that name no store; an empty body takes it as it was understood. Then
    every row is read in the background: ask for the check until it is done. Nothing is loaded."""
    batch = _draft(actor(request), import_id)
    form, used = told.form_of(body, mapping.layouts_of(batch))
    with transaction.atomic():
        _layouts, problems = mapping.decide(batch, form, used=used)
        if problems:
            raise ColumnsUnclear(problems=" ".join(problems))  # and the draft stays as it was
        ask_for_check(batch)
    return told.shown(_mine(actor(request), import_id), rows=False)


@router.get("/{int:import_id}/check", response=CheckOut, operation_id="get_import_check", summary="What its rows hold")
def get_import_check(request: HttpRequest, import_id: int) -> CheckOut:
    """How many rows can go in; the others, by what would mend them; names nobody knows yet; known customers whom rows
    met, with what would change of some of them."""
    batch = _mine(actor(request), import_id)
    if batch.status == BatchStatus.DRAFT and told.is_lost(batch):
        ask_for_check(batch)  # what it found is gone from beside the files: look again
        batch.refresh_from_db()
    return told.checked(batch)


@router.post("/{int:import_id}/load", response={202: ImportOut}, operation_id="load_import", summary="Load it")
def load_import(request: HttpRequest, import_id: int, body: LoadIn) -> ImportOut:
    """Load what was checked, in the background; a load that failed is tried again, and nothing of it comes twice.
    What no match is given for is made new."""
    batch = _mine(actor(request), import_id)
    if batch.status == BatchStatus.FAILED:
        send_off(batch, by=by(request))
    elif batch.status == BatchStatus.DRAFT:
        _send(request, batch, body)
    else:
        raise NotLoadable(status=batch.status)
    return told.shown(_mine(actor(request), import_id), rows=False)


@router.get("/{int:import_id}/errors", operation_id="get_import_errors", summary="The rows that did not go in")
def get_import_errors(request: HttpRequest, import_id: int) -> FileResponse:
    """The refused rows as CSV, each with its reason, to be mended and brought again; 404 where there are none."""
    path = error_path(_mine(actor(request), import_id))
    if path is None:
        raise NotFound
    response = FileResponse(path.open("rb"), as_attachment=True, filename=path.name, content_type="text/csv")
    response["Cache-Control"] = "no-store"
    return response


@router.get("/{int:import_id}/kept", operation_id="get_import_kept", summary="The rows that wait")
def get_import_kept(request: HttpRequest, import_id: int) -> StreamingHttpResponse:
    """The rows that wait in the batch, as CSV: cards of an old system and what is left on them. 404 where none do."""
    batch = _mine(actor(request), import_id)
    if not batch.kept_count:
        raise NotFound
    response = StreamingHttpResponse(kept_lines(batch.pk), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="kept-{batch.pk}.csv"'
    response["Cache-Control"] = "no-store"
    return response


def _mine(who: Actor, import_id: int) -> Batch:
    """An import the caller may see; a change to many customers is none."""
    who.scope_for(Capability.IMPORT_RUN)
    batch = yours(who, import_id, undoing=False)
    if batch.kind not in FILES:
        raise NotFound
    return batch


def _draft(who: Actor, import_id: int) -> Batch:
    who.scope_for(Capability.IMPORT_RUN)
    batch = _mine(who, import_id)
    if batch.status != BatchStatus.DRAFT:
        raise NotADraft(status=batch.status)
    return batch


def _send(request: HttpRequest, batch: Batch, body: LoadIn) -> None:
    noted = batch.options.get("analysis") or {}
    analysis = matching.found_of(batch, noted) if noted else None
    if analysis is None or analysis["error"]:
        raise NotChecked
    unknown = {(one["what"], one["word"]) for one in analysis["unknown"]}
    for what, matches in body.matches.items():
        for word, wanted in matches.items():
            if (what, word) not in unknown:
                raise Invalid(field=f"matches.{what}", reason="%(word)s is not among the unknown names", word=word)
            if not matching.exists(what, wanted):
                raise Invalid(field=f"matches.{what}", reason="there is no %(word)s", word=wanted)
    for word in body.kinds:
        if ("item", word) not in unknown:
            raise Invalid(field="kinds", reason="%(word)s is not among the unknown names", word=word)
    for group, decision in body.decisions.items():
        if decision not in words.decisions(group):
            choices = ", ".join(words.decisions(group))
            raise Invalid(field=f"decisions.{group}", reason="choose one of %(choices)s", choices=choices)
    decisions = {"" if group == "all" else group: decision for group, decision in body.decisions.items()}
    matches_given: dict[str, dict[str, str]] = {what: dict(given) for what, given in body.matches.items()}
    if not matching.send(batch, matches=matches_given, kinds=body.kinds, decisions=decisions, by=by(request)):
        raise NotADraft(status=batch.status)
