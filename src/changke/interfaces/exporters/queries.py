"""Finding one's own exports."""

import datetime as dt
from pathlib import Path

from django.db.models import QuerySet

from changke.foundation.errors import NotFound
from changke.interfaces.exporters.models import Export, ExportState
from changke.interfaces.exporters.services import folder


def mine(maker: str) -> "QuerySet[Export]":
    return Export.objects.filter(maker=maker).order_by("-pk")


def one_of(maker: str, export_id: int) -> Export:
    """One's own export; another's does not exist."""
    found = mine(maker).filter(pk=export_id).first()
    if found is None:
        raise NotFound
    return found


def file_of(made: Export, *, now: dt.datetime) -> Path:
    """The file, while it is kept."""
    path = folder() / made.file
    if made.state != ExportState.DONE or made.expires_at <= now or not path.is_file():
        raise NotFound
    return path
