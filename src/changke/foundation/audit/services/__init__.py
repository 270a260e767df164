"""Verbs that write the audit trail, one per file."""

from changke.foundation.audit.services.blank import blank_values
from changke.foundation.audit.services.check import keep
from changke.foundation.audit.services.record import record
from changke.foundation.audit.services.restate import restate
from changke.foundation.audit.services.restore import ChangedSince, NotRestorable, restore
from changke.foundation.audit.services.seal import seal

__all__ = ["ChangedSince", "NotRestorable", "blank_values", "keep", "record", "restate", "restore", "seal"]
