"""What may be done here, as a closed list, and which of it the built-in roles may do.

A capability is a verb on a resource. Pages, API routes and jobs ask for one, never for a role. What each means in the
reader's language stands in `interfaces/capabilities.py`.
"""

from enum import StrEnum


class Capability(StrEnum):
    CUSTOMER_VIEW = "customer.view"
    CUSTOMER_VIEW_PHONE = "customer.view_phone"
    CUSTOMER_EDIT = "customer.edit"
    CUSTOMER_MERGE = "customer.merge"
    CUSTOMER_EXPORT = "customer.export"
    CUSTOMER_ERASE = "customer.erase"
    CUSTOMER_BULK_EDIT = "customer.bulk_edit"
    FACTS_RECORD = "facts.record"
    CONSENT_RECORD = "consent.record"
    DUPLICATES_REVIEW = "duplicates.review"
    HANDOVER_RUN = "handover.run"
    ANALYTICS_VIEW = "analytics.view"
    TAGS_MANAGE = "tags.manage"
    FIELDS_MANAGE = "fields.manage"
    CATALOG_MANAGE = "catalog.manage"
    SEGMENTS_MANAGE = "segments.manage"
    IMPORT_RUN = "import.run"
    IMPORT_UNDO = "import.undo"
    SETTINGS_EDIT = "settings.edit"
    ORGANISATION_MANAGE = "organisation.manage"
    STAFF_MANAGE = "staff.manage"
    ROLES_MANAGE = "roles.manage"
    KEYS_MANAGE = "keys.manage"
    DEVICES_BIND = "devices.bind"
    WEBHOOKS_MANAGE = "webhooks.manage"
    AUDIT_VIEW = "audit.view"
    AUDIT_RESTORE = "audit.restore"
    BACKUP_RUN = "backup.run"


OF_THE_CHAIN = frozenset(
    {
        Capability.TAGS_MANAGE,
        Capability.FIELDS_MANAGE,
        Capability.CATALOG_MANAGE,
        Capability.SEGMENTS_MANAGE,
        Capability.IMPORT_RUN,
        Capability.IMPORT_UNDO,
        Capability.SETTINGS_EDIT,
        Capability.ORGANISATION_MANAGE,
        Capability.STAFF_MANAGE,
        Capability.ROLES_MANAGE,
        Capability.KEYS_MANAGE,
        Capability.WEBHOOKS_MANAGE,
        Capability.AUDIT_VIEW,
        Capability.AUDIT_RESTORE,
        Capability.BACKUP_RUN,
    }
)
"""What they change belongs to the whole chain: whoever has one of these for some stores only, does not have it."""

OF_HER_HOME = frozenset(
    {
        Capability.CUSTOMER_MERGE,
        Capability.CUSTOMER_ERASE,
        Capability.CUSTOMER_BULK_EDIT,
        Capability.DUPLICATES_REVIEW,
        Capability.HANDOVER_RUN,
    }
)
"""What decides who she is and whose: her home store's. Having been served somewhere else opens her page there, not
this."""

_AT_WORK = frozenset(
    {
        Capability.CUSTOMER_VIEW,
        Capability.CUSTOMER_VIEW_PHONE,
        Capability.CUSTOMER_EDIT,
        Capability.FACTS_RECORD,
        Capability.CONSENT_RECORD,
        Capability.ANALYTICS_VIEW,
    }
)
_OF_A_STORE = _AT_WORK | {
    Capability.CUSTOMER_MERGE,
    Capability.CUSTOMER_EXPORT,
    Capability.CUSTOMER_BULK_EDIT,
    Capability.DUPLICATES_REVIEW,
    Capability.HANDOVER_RUN,
    Capability.DEVICES_BIND,
}
BUILT_IN: dict[str, frozenset[Capability]] = {
    "owner": frozenset(Capability),
    "hq": frozenset(Capability) - {Capability.ROLES_MANAGE, Capability.BACKUP_RUN},
    "manager": _OF_A_STORE,
    "staff": _AT_WORK,
    "analyst": frozenset({Capability.CUSTOMER_VIEW, Capability.ANALYTICS_VIEW}),
}
"""The roles every chain has. They cannot be changed, so that a manual can name them."""
