"""Who changed what, for machines: no erasure reaches where they keep it, so what is said of a customer is masked."""

import datetime as dt
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from changke.foundation.access.capabilities import Capability
from changke.foundation.access.queries import require
from changke.foundation.audit.models import AuditCheck, AuditLine
from changke.foundation.audit.queries import Preview, Wanted, lines_of
from changke.foundation.audit.rules import MASK
from changke.foundation.audit.services import ChangedSince
from changke.foundation.errors import Invalid, NotFound
from changke.interfaces import audited_words as said
from changke.interfaces import jobs, restoring
from changke.interfaces.api.actors import actor, by
from changke.interfaces.api.fields import Code, Input, text
from changke.interfaces.api.paging import Page, PageQuery, page, position

router = Router(tags=["audit"])


class AuditLineOut(Schema):
    """One line of the trail."""

    id: int
    at: dt.datetime
    actor_kind: str = Field(..., description="staff, key or system")
    actor_id: int | None
    actor_name: str
    address: str
    request_id: str = Field(..., description="`X-Request-ID` of the answer to whoever did it.")
    action: str
    words: str = Field(..., description="The action in the language asked for.")
    subject: str
    customer_id: int | None
    before: dict[str, Any] | None = Field(
        ..., description="Only the fields that differ; null where it was made. What it says of a customer is masked."
    )
    after: dict[str, Any] | None = Field(
        ..., description="Only the fields that differ; null where it was deleted. What it says of a customer is masked."
    )
    reason: str = Field(..., description="Masked where the line is about a customer.")
    erased: bool = Field(..., description="The values went with the person they were about.")


class AuditQuery(PageQuery):
    """Which lines."""

    action: Annotated[str, text(60)] = Field("", description="For example `chain.changed`.")
    subject: Annotated[str, text(80)] = Field("", description="For example `store:3`.")
    customer_id: int | None = Field(None, ge=1, lt=2**63)
    since: dt.datetime | None = Field(None, description="From this moment on.")
    until: dt.datetime | None = Field(None, description="Before this moment.")


class RestorableOut(Schema):
    name: str
    words: str
    now: Any = Field(..., description="What stands there now; masked of a customer and in the answer to a write.")
    then: Any = Field(..., description="What would; masked in the same way.")
    changed_since: bool = Field(..., description="Somebody changed it after this line.")


class RestoreOut(Schema):
    """What a line says stood there before."""

    line: int
    subject: str
    fields: list[RestorableOut]


class RestoreIn(Input):
    """Which fields. Named ones are put back whether they were changed since or not."""

    fields: Annotated[list[Code], Field(max_length=100)] = Field([], description="None: all of the line's.")
    seen: Annotated[dict[Code, Any], Field(max_length=100)] = Field(
        {}, description="What stood in a field when you looked; 409 `changed_since` where it is something else by now."
    )

    model_config = {"json_schema_extra": {"examples": [{"fields": ["name"], "seen": {"name": "花漾"}}]}}


class BrokenOut(Schema):
    kind: str
    words: str
    line: int | None
    seal: int | None


class AuditCheckOut(Schema):
    """What a walk through the whole trail found."""

    checked_at: dt.datetime
    seconds: float
    lines: int
    unsealed: int
    broken_count: int
    broken: list[BrokenOut] = Field(..., description="The first of them.")


@router.get("", response=Page[AuditLineOut], operation_id="list_audit_lines", summary="Who changed what")
def list_audit_lines(request: HttpRequest, query: Query[AuditQuery]) -> Any:
    """Lines of the audit trail, the newest first. Needs the right to see it."""
    require(actor(request).who, Capability.AUDIT_VIEW)
    role = actor(request).who.role
    behind = position(query.cursor, int)
    wanted = Wanted(
        action=query.action, subject=query.subject, customer_id=query.customer_id, since=query.since, until=query.until
    )
    rows = lines_of(wanted, before=behind[0] if behind else None, most=query.limit + 1)
    return page(rows, query.limit, ends=lambda line: [line.pk], show=lambda line: _shown(line, role))


@router.get("/{int:line_id}/restore", response=RestoreOut, operation_id="get_restore", summary="What could be put back")
def get_restore(request: HttpRequest, line_id: int) -> RestoreOut:
    """The values before this line beside what stands there now. 409 `not_restorable` where there is nothing to put
    back. Needs, beside the right to restore, the one that changing the thing itself asks for."""
    require(actor(request).who, Capability.AUDIT_RESTORE)
    line = _line(line_id)
    return _restorable(line, restoring.shown_to(actor(request).who, line))


@router.post("/{int:line_id}/restore", response=RestoreOut, operation_id="post_restore", summary="Put values back")
def post_restore(request: HttpRequest, line_id: int, body: RestoreIn) -> RestoreOut:
    """Write the earlier values through the verb of the thing itself, as a line of its own. 409 `changed_since` where
    somebody changed one of them meanwhile: name it in `fields` after you have looked."""
    require(actor(request).who, Capability.AUDIT_RESTORE)
    line = _line(line_id)
    found = restoring.shown_to(actor(request).who, line)
    now = {one.name: one.now for one in found.fields}
    if unknown := sorted({*body.fields, *body.seen} - now.keys()):
        raise Invalid(field="fields", reason="there is no %(name)s in this line", name=unknown[0])
    if changed := sorted(name for name, seen in body.seen.items() if seen != now[name]):
        raise ChangedSince(fields=changed)
    # Of the chain's own fields a role may see some only: those are all it puts back, and only unchanged ones unasked.
    if not body.fields and (changed := [one.name for one in found.fields if one.changed_since]):
        raise ChangedSince(fields=changed)
    restoring.put_back(line, found, body.fields or sorted(now), by=by(request), now=dt.datetime.now(dt.UTC))
    return _restorable(line, restoring.shown_to(actor(request).who, line), told=False)


@router.get("/check", response=AuditCheckOut | None, operation_id="get_audit_check", summary="Is the trail whole")
def get_audit_check(request: HttpRequest) -> AuditCheckOut | None:
    """What the last verification found; null where there was none yet. One runs every night."""
    require(actor(request).who, Capability.AUDIT_VIEW)
    return _checked(AuditCheck.objects.first())


@router.post("/check", response={202: AuditCheckOut | None}, operation_id="post_audit_check", summary="Verify it")
def post_audit_check(request: HttpRequest) -> AuditCheckOut | None:
    """Walk every line and every seal in the background, against the heads kept outside the database. Answers with what
    was found the last time; ask again until `checked_at` is later."""
    require(actor(request).who, Capability.AUDIT_VIEW)
    jobs.ask_for_verification(now=dt.datetime.now(dt.UTC))
    return _checked(AuditCheck.objects.first())


def _line(line_id: int) -> AuditLine:
    line = AuditLine.objects.filter(pk=line_id).first()
    if line is None:
        raise NotFound
    return line


def _restorable(line: AuditLine, found: Preview, *, told: bool = True) -> RestoreOut:
    told = told and line.customer_id is None  # answers to writes are kept
    return RestoreOut(
        line=line.pk,
        subject=line.subject,
        fields=[
            RestorableOut(
                name=one.name, words=said.label(one.name), changed_since=one.changed_since,
                now=one.now if told else MASK, then=one.before if told else MASK,
            )
            for one in found.fields
        ],
    )  # fmt: skip


def _checked(last: AuditCheck | None) -> AuditCheckOut | None:
    if last is None:
        return None
    return AuditCheckOut(
        checked_at=last.checked_at,
        seconds=last.seconds,
        lines=last.lines,
        unsealed=last.unsealed,
        broken_count=last.broken_count,
        broken=[
            BrokenOut(
                kind=one["kind"], words=str(said.BREACHES.get(one["kind"], "")), line=one["line"], seal=one["seal"]
            )
            for one in last.broken
        ],
    )


def _shown(line: AuditLine, role: str) -> AuditLineOut:
    return AuditLineOut(
        id=line.pk,
        at=line.at,
        actor_kind=line.actor_kind,
        actor_id=line.actor_id,
        actor_name=line.actor_name,
        address=line.address,
        request_id=line.request_id,
        action=line.action,
        words=said.action(line.action),
        subject=line.subject,
        customer_id=line.customer_id,
        before=said.seen(line.before, line, role),
        after=said.seen(line.after, line, role),
        reason=line.reason,
        erased=line.salt is None,
    )
