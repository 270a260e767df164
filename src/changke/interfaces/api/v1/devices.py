"""Devices of the stores: which are bound, and taking one back. Binding is done on the device itself, on its page."""

import datetime as dt

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import NotFound
from changke.foundation.login.models import Device
from changke.foundation.login.queries import devices_in
from changke.foundation.login.services import devices
from changke.interfaces.api.actors import actor, by

router = Router(tags=["devices"])


class DeviceOut(Schema):
    """A till or a tablet that colleagues log in on by a PIN."""

    id: int
    name: str
    store: str = Field(..., description="Code of its store.")
    bound_at: dt.datetime
    expires_at: dt.datetime
    used_at: dt.datetime | None = Field(None, description="To the minute.")


@router.get("", response=list[DeviceOut], operation_id="get_devices", summary="Bound devices")
def get_devices(request: HttpRequest) -> list[DeviceOut]:
    """The living devices of your stores, the newest first."""
    scope = actor(request).scope_for(Capability.DEVICES_BIND)
    return [
        DeviceOut(
            id=one.pk, name=one.name, store=one.store.code, bound_at=one.bound_at, expires_at=one.expires_at,
            used_at=one.used_at,
        )
        for one in devices_in(scope, now=dt.datetime.now(dt.UTC))
    ]  # fmt: skip


@router.delete("/{int:device_id}", response={204: None}, operation_id="delete_device", summary="Take a device back")
def delete_device(request: HttpRequest, device_id: int) -> tuple[int, None]:
    """It opens nothing any more: whoever is logged in on it is out at the next request. 404 for a device of a store
    that is not yours."""
    scope = actor(request).scope_for(Capability.DEVICES_BIND)
    device = Device.objects.for_scope(scope).filter(pk=device_id).first()
    if device is None:
        raise NotFound
    devices.revoke(device, by=by(request), now=dt.datetime.now(dt.UTC))
    return 204, None
