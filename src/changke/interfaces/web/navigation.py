"""The places of the product: side navigation on a desktop, tabs on a phone.

An entry whose page is not built yet has no URL and is left out, so the order is written down once, ahead of time.
"""

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import Staff
from changke.foundation.access.queries import allows


@dataclass(frozen=True)
class Place:
    key: str
    """Name of the URL and value of `nav` in the page's context."""
    words: str | Promise
    icon: str
    needs: Capability | None = None
    """What one has to be allowed to see it; None is nothing."""


GROUPS: tuple[tuple[str | Promise, tuple[Place, ...]], ...] = (
    (pgettext_lazy("navigation", "Work"), (
        Place("today", _("Today"), "today"),
        Place("record", pgettext_lazy("navigation", "Record"), "plus", Capability.FACTS_RECORD),
    )),
    (_("Customers"), (
        Place("customers", _("Customers"), "customers"),
        Place("segments", _("Segments"), "filter", Capability.ANALYTICS_VIEW),
        Place("risk", _("Churn risk"), "alert", Capability.CUSTOMER_VIEW),
        Place("advisers", _("Advisers"), "heart", Capability.HANDOVER_RUN),
        Place("duplicates", _("Duplicates"), "copy", Capability.DUPLICATES_REVIEW),
    )),
    (_("Analysis"), (
        Place("lifecycle", _("Lifecycle"), "lifecycle", Capability.ANALYTICS_VIEW),
        Place("value", _("Value"), "coin", Capability.ANALYTICS_VIEW),
        Place("together", pgettext_lazy("navigation", "Bought together"), "bag", Capability.ANALYTICS_VIEW),
    )),
    (pgettext_lazy("navigation", "Data"), (
        Place("imports", _("Import"), "import", Capability.IMPORT_RUN),
        Place("exports", _("Export"), "download", Capability.CUSTOMER_EXPORT),
        Place("audit", _("Who changed what"), "clock", Capability.AUDIT_VIEW),
        Place("settings", _("Settings"), "settings", Capability.SETTINGS_EDIT),
    )),
)  # fmt: skip

PHONE_TABS = (
    Place("today", _("Today"), "today"),
    Place("customers", _("Customers"), "customers"),
    Place("record", pgettext_lazy("navigation", "Record"), "plus", Capability.FACTS_RECORD),
    Place("lifecycle", _("Lifecycle"), "lifecycle", Capability.ANALYTICS_VIEW),
    Place("me", pgettext_lazy("navigation", "Me"), "user"),
)


@dataclass(frozen=True)
class Link:
    key: str
    words: str | Promise
    icon: str
    url: str


def side(staff: Staff) -> list[tuple[str | Promise, list[Link]]]:
    groups = [(words, links(places, staff)) for words, places in GROUPS]
    return [(words, found) for words, found in groups if found]


def phone(staff: Staff) -> list[Link]:
    return links(PHONE_TABS, staff)


def links(places: tuple[Place, ...], staff: Staff) -> list[Link]:
    """The places this person may open and that exist."""
    found = []
    for place in places:
        if place.needs is not None and not allows(staff, place.needs):
            continue
        try:
            found.append(Link(place.key, place.words, place.icon, reverse(place.key)))
        except NoReverseMatch:
            continue
    return found
