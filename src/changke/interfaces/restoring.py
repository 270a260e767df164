"""Putting earlier values back, for pages and machines: who may see which of them, and what follows."""

import datetime as dt
from collections.abc import Collection

from changke.facts.customers.queries import customer_in
from changke.facts.fields.queries import fields_for
from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import ApiKey, Staff
from changke.foundation.access.queries import require, scope_of
from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.queries import Preview, preview
from changke.foundation.audit.rules import By
from changke.foundation.audit.services import NotRestorable, restore
from changke.interfaces import jobs

RECOMPUTED = {"chain", "store", "stages"}
"""Kinds whose change moves everybody's stage."""


def shown_to(who: Staff | ApiKey, line: AuditLine) -> Preview:
    """What of this line may be put back by whoever asks. Raises NotRestorable, or what hides it from her."""
    found = preview(line)
    if found is None or not found.fields:
        raise NotRestorable
    require(who, Capability(found.kind.needs))
    if found.kind.key == "profile":  # of the chain's own fields only those that this role sees
        mine = {one.key for one in fields_for(who.role)}
        found = Preview(found.kind, found.key, [one for one in found.fields if one.name in mine])
        if not found.fields:
            raise NotRestorable
    if line.customer_id is not None:  # somebody who restores settings need not see every customer
        require(who, Capability.CUSTOMER_EDIT)
        customer_in(scope_of(who, Capability.CUSTOMER_EDIT), line.customer_id)
    return found


def put_back(line: AuditLine, found: Preview, fields: Collection[str], *, by: By, now: dt.datetime) -> list[str]:
    """Write the earlier values of these fields; which were written. Without fields all of the line's, and refused where
    one of them was changed since."""
    written = restore(line, fields=fields, by=by, now=now)
    if found.kind.key in RECOMPUTED:
        jobs.ask_for_refresh()
    return written
