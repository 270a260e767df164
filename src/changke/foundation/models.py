"""The tables of this floor; each is written in its room."""

from changke.foundation.access.models import ApiKey, Grant, OwnRole, RateBucket, Staff
from changke.foundation.audit.models import AuditCheck, AuditLine, AuditSeal, AuditUnsealed
from changke.foundation.batches.models import Batch, RememberedMapping
from changke.foundation.cursors import Cursor
from changke.foundation.login.models import Attempt, Device, Pin, RecoveryCode, ResetLink, SecondFactor, SignIn
from changke.foundation.organisation.models import Chain, Region, Store
from changke.foundation.persons.models import KeyVersion, PersonKey, Suppression

__all__ = [
    "ApiKey",
    "Attempt",
    "AuditCheck",
    "AuditLine",
    "AuditSeal",
    "AuditUnsealed",
    "Batch",
    "Chain",
    "Cursor",
    "Device",
    "Grant",
    "KeyVersion",
    "OwnRole",
    "PersonKey",
    "Pin",
    "RateBucket",
    "RecoveryCode",
    "Region",
    "RememberedMapping",
    "ResetLink",
    "SecondFactor",
    "SignIn",
    "Staff",
    "Store",
    "Suppression",
]
