"""What a customer allows, and what is hers by law: her data as a file, and to be forgotten."""

import datetime as dt
from typing import Annotated, Any

from django.http import HttpRequest
from django.urls import reverse
from ninja import Router, Schema
from pydantic import Field

from changke.facts.consents.queries import personalised, verdicts
from changke.facts.consents.rules import Channel, Purpose
from changke.facts.consents.services.links import GOOD_FOR, make_link, revoke_links
from changke.facts.consents.services.state import Proof, state
from changke.facts.customers.models import Customer
from changke.facts.customers.queries import customer_in
from changke.foundation.access.capabilities import Capability
from changke.foundation.audit.services import record
from changke.foundation.organisation.queries import the_chain
from changke.foundation.periods import business_date
from changke.foundation.persons.registry import family_of
from changke.foundation.persons.services.erase import erase, preview
from changke.interfaces import person_file
from changke.interfaces.api.actors import actor, by
from changke.interfaces.api.fields import ClientId, Input, Moment, Storable, text

router = Router(tags=["privacy"])


class VerdictOut(Schema):
    """Whether she may be reached for a purpose over a channel, and why."""

    purpose: Purpose
    channel: Channel = Field(..., description="Empty for purposes that reach out to nobody: profiling, health.")
    allowed: bool
    reason: str = Field(
        ...,
        description="given; or not_asked, withdrawn, suppressed, guardian_missing, not_separate, not_personalised,"
        " erased",
    )
    since: dt.datetime | None = Field(..., description="The statement that decides.")


class ConsentsOut(Schema):
    verdicts: list[VerdictOut]
    personalised: bool = Field(..., description="False where she asked not to be treated by her profile.")


class Topic(Input):
    purpose: Purpose
    channel: Channel = Channel.NONE


class StatementIn(Input):
    """She said yes or no. The same `id` is the same statement."""

    id: ClientId
    topics: Annotated[list[Topic], Field(min_length=1, max_length=30)]
    given: bool
    text_version: Annotated[str, text(40), Storable] = Field("", description="In which words she was asked.")
    evidence: Annotated[str, text(1000), Storable] = Field("", description="Kept sealed: number of a form, an address.")
    guardian: bool = Field(False, description="A guardian said it for her: below 14 nothing else counts.")
    separate: bool = Field(False, description="Asked for on its own, as health data need it.")
    happened_at: Moment

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "id": "form-2201",
                    "topics": [{"purpose": "marketing", "channel": "sms"}],
                    "given": True,
                    "text_version": "2026-03",
                    "happened_at": "2026-03-02T10:00:00+08:00",
                }
            ]
        }
    }


class EraseIn(Input):
    reason: Annotated[str, text(400, empty=False), Storable] = Field(..., description="It stays in the audit trail.")


class ExportIn(Input):
    reason: Annotated[str, text(400, empty=False), Storable] = Field(..., description="It stays in the audit trail.")


class GoingOut(Schema):
    key: str
    rows: int
    goes: bool
    because: str = Field(..., description="Code of the reason why rows stay; empty where they go.")


class ErasedOut(Schema):
    customer_id: int
    changed: dict[str, int] = Field(..., description="Rows blanked or deleted, by subject.")


class MemberLinkOut(Schema):
    """The way to her own page. Whoever has it sees what she allows: give it to her alone."""

    address: str = Field(..., description="Told this once. The same Idempotency-Key tells it again.")
    ends_at: dt.datetime


@router.get("/{int:customer_id}/consents", response=ConsentsOut, operation_id="get_consents", summary="What she allows")
def get_consents(request: HttpRequest, customer_id: int) -> ConsentsOut:
    """Every purpose and channel with the verdict of this moment. Ask again before you send."""
    customer = customer_in(actor(request).scope_for(Capability.CUSTOMER_VIEW), customer_id)
    return _consents(customer)


@router.post(
    "/{int:customer_id}/consents",
    response=ConsentsOut,
    operation_id="post_consent",
    summary="Record a consent or a withdrawal",
)
def post_consent(request: HttpRequest, customer_id: int, body: StatementIn) -> ConsentsOut:
    """What she said in your shop or till. It is a fact: a later statement takes it back, nothing edits it."""
    who = actor(request)
    customer = customer_in(who.scope_for(Capability.CONSENT_RECORD), customer_id)
    state(
        family_of(customer.pk),
        [(one.purpose, one.channel) for one in body.topics],
        given=body.given,
        proof=Proof(
            how="machine",
            text_version=body.text_version,
            evidence=body.evidence,
            guardian=body.guardian,
            separate=body.separate,
            staff=who.staff,
            store=customer.home_store,
        ),
        source_key=f"{who.name}:consent:{body.id}",
        happened_at=body.happened_at,
        time_zone=the_chain().time_zone,
        now=dt.datetime.now(dt.UTC),
    )
    return _consents(customer)


@router.post(
    "/{int:customer_id}/member-link",
    response={201: MemberLinkOut},
    operation_id="post_member_link",
    summary="Open her own page",
)
def post_member_link(request: HttpRequest, customer_id: int) -> MemberLinkOut:
    """A new address of her own page, for a QR code or a message: what she allows, her data, being forgotten. It is told
    this once; addresses from before end."""
    customer = customer_in(actor(request).scope_for(Capability.CONSENT_RECORD), customer_id)
    now = dt.datetime.now(dt.UTC)
    token = make_link(customer, by=actor(request).staff, now=now)
    address = request.build_absolute_uri(reverse("member", args=[token]))
    return MemberLinkOut(address=address, ends_at=now + GOOD_FOR)


@router.delete(
    "/{int:customer_id}/member-link",
    response={204: None},
    operation_id="delete_member_link",
    summary="Close her own page",
)
def delete_member_link(request: HttpRequest, customer_id: int) -> tuple[int, None]:
    """Every address of her page ends at once."""
    customer = customer_in(actor(request).scope_for(Capability.CONSENT_RECORD), customer_id)
    revoke_links(customer.pk, now=dt.datetime.now(dt.UTC))
    return 204, None


@router.post("/{int:customer_id}/export", response=dict[str, Any], operation_id="export_person", summary="Her data")
def export_person(request: HttpRequest, customer_id: int, body: ExportIn) -> dict[str, Any]:
    """Everything that is kept about her, by subject, addresses in clear. Recorded, with your reason."""
    customer = customer_in(actor(request).scope_for(Capability.CUSTOMER_EXPORT), customer_id)
    record(
        by=by(request),
        action="customer.exported",
        subject=f"customer:{customer.pk}",
        reason=body.reason,
        customer_id=customer.pk,
        now=dt.datetime.now(dt.UTC),
    )
    return person_file.everything(family_of(customer.pk))


@router.get(
    "/{int:customer_id}/erasure", response=list[GoingOut], operation_id="preview_erasure", summary="What would go"
)
def preview_erasure(request: HttpRequest, customer_id: int) -> list[GoingOut]:
    """What erasing her would take, and what would stay under her bare number."""
    customer = customer_in(actor(request).scope_for(Capability.CUSTOMER_ERASE), customer_id)
    return [GoingOut(key=one.key, rows=one.rows, goes=not one.stays, because=one.stays) for one in preview(customer.pk)]


@router.post("/{int:customer_id}/erasure", response=ErasedOut, operation_id="erase_person", summary="Erase her")
def erase_person(request: HttpRequest, customer_id: int, body: EraseIn) -> ErasedOut:
    """For good: her names, addresses, notes and photos go, her key is destroyed. Purchases stay under her number."""
    customer = customer_in(actor(request).scope_for(Capability.CUSTOMER_ERASE), customer_id)
    changed = erase(customer.pk, reason=body.reason, by=by(request), now=dt.datetime.now(dt.UTC))
    return ErasedOut(customer_id=customer.pk, changed=changed)


def _consents(customer: Customer) -> ConsentsOut:
    now = dt.datetime.now(dt.UTC)
    zone = customer.home_store.time_zone if customer.home_store else the_chain().time_zone
    family = family_of(customer.pk)
    found = verdicts(family, at=now, on=business_date(now, zone))
    return ConsentsOut(
        verdicts=[
            VerdictOut(purpose=purpose, channel=channel, allowed=one.allowed, reason=one.reason, since=one.since)
            for (purpose, channel), one in found.items()
        ],
        personalised=personalised(family, at=now),
    )
