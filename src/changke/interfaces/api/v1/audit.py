"""Who changed what, for machines that keep it elsewhere: no erasure reaches them, so what a line says of a customer
comes masked."""

import datetime as dt
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from changke.foundation.access.capabilities import Capability
from changke.foundation.access.queries import require
from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.queries import Wanted, lines_of
from changke.interfaces import audited_words as said
from changke.interfaces.api.actors import actor
from changke.interfaces.api.fields import text
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
