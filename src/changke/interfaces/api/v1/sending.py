"""May this installation write to customers? One that was restored or copied waits until somebody says so."""

import datetime as dt

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from changke.foundation.access.capabilities import Capability
from changke.foundation.instance.queries import sending_paused
from changke.foundation.instance.services import confirm
from changke.interfaces.api.actors import actor, by

router = Router(tags=["chain"])


class SendingOut(Schema):
    paused: bool
    because: str = Field(..., description="Why nothing leaves this installation; empty where it may.")


@router.get("", response=SendingOut, operation_id="get_sending", summary="Whether this installation sends")
def get_sending(request: HttpRequest) -> SendingOut:
    """Whether messages may leave; after a restore or a copy they may not until somebody confirms."""
    actor(request).scope_for(Capability.BACKUP_RUN)
    return _shown()


@router.post("/confirm", response=SendingOut, operation_id="confirm_sending", summary="This installation sends")
def confirm_sending(request: HttpRequest) -> SendingOut:
    """Say that this restored or copied installation is the one in use. Recorded; a second time it changes nothing."""
    actor(request).scope_for(Capability.BACKUP_RUN)
    confirm(by=by(request), now=dt.datetime.now(dt.UTC))
    return _shown()


def _shown() -> SendingOut:
    because = sending_paused()
    return SendingOut(paused=because is not None, because=because.name.lower() if because else "")
