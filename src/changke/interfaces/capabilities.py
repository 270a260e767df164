"""What each capability means, in one sentence of the reader's language."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from changke.foundation.access.capabilities import Capability

MEANINGS: dict[Capability, str | Promise] = {
    Capability.CUSTOMER_VIEW: _("See customers and what happened with them, phones masked."),
    Capability.CUSTOMER_VIEW_PHONE: _("See a whole phone number; each look is recorded."),
    Capability.CUSTOMER_EDIT: _("Write customers down and change what is known of them, tags too."),
    Capability.CUSTOMER_MERGE: _("Join two records of one person, and separate them again."),
    Capability.CUSTOMER_EXPORT: _("Take customers and their facts out as a file."),
    Capability.CUSTOMER_ERASE: _("Erase a person for good, at her wish."),
    Capability.CUSTOMER_BULK_EDIT: _("Change or tag many customers at once."),
    Capability.FACTS_RECORD: _("Record purchases, returns, visits, notes and follow-ups."),
    Capability.CONSENT_RECORD: _("Record what a customer consents to, and what she withdraws."),
    Capability.DUPLICATES_REVIEW: _("Decide whether two records are the same person."),
    Capability.HANDOVER_RUN: _("Hand a colleague's customers over to others."),
    Capability.ANALYTICS_VIEW: _("See counts and charts of one's stores."),
    Capability.TAGS_MANAGE: _("Order the tags of the chain: names, groups, rules."),
    Capability.FIELDS_MANAGE: _("Add fields of one's own to the customers of the chain."),
    Capability.CATALOG_MANAGE: _("Say what items are: kind, category, price, cost, margin."),
    Capability.SEGMENTS_MANAGE: _("Save and drop the segments of the chain."),
    Capability.IMPORT_RUN: _("Load files into the chain."),
    Capability.IMPORT_UNDO: _("Take a load or another batch back."),
    Capability.SETTINGS_EDIT: _("Change the settings and rules of the chain."),
    Capability.ORGANISATION_MANAGE: _("Add, change and move regions and stores."),
    Capability.STAFF_MANAGE: _("Add, change and dismiss staff."),
    Capability.ROLES_MANAGE: _("Make roles and grant them to staff and keys."),
    Capability.KEYS_MANAGE: _("Make and revoke the keys of machines."),
    Capability.DEVICES_BIND: _("Bind phones and tablets to one's store, and take them back."),
    Capability.WEBHOOKS_MANAGE: _("Connect web shops and other systems that call us."),
    Capability.AUDIT_VIEW: _("Read who changed what, and when."),
    Capability.AUDIT_RESTORE: _("Bring an earlier value back from the audit."),
    Capability.BACKUP_RUN: _("Back up the chain and restore it."),
}
