"""Beginning an installation, and confirming one that was restored or copied."""

import datetime as dt
import uuid

from django.conf import settings
from django.db import transaction

from changke.foundation.audit.rules import By
from changke.foundation.audit.services import record
from changke.foundation.instance import file
from changke.foundation.instance.queries import sending_paused, this_database
from changke.foundation.instance.rules import Confirmed
from changke.foundation.organisation.models import Chain


def settle(*, now: dt.datetime) -> None:
    """A new installation needs nobody's word: while there is no chain, there is nobody to write to."""
    if not Chain.objects.exists():
        _write(now)


def confirm(*, by: By, now: dt.datetime) -> bool:
    """This is the one that writes to customers, from now on; whether it was not so before."""
    if sending_paused() is None:
        return False
    with transaction.atomic():
        record(by=by, action="sending.confirmed", subject="chain:1", now=now)
        _write(now)
    return True


def _write(now: dt.datetime) -> Confirmed:
    known, _ = file.read(settings.DATA_DIR)
    return file.write(
        settings.DATA_DIR,
        instance=known.instance if known else str(uuid.uuid4()),
        epoch=known.epoch + 1 if known else 1,
        database=this_database(),
        since=now.isoformat(),
    )
