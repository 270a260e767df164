"""What an undo takes back, what stays and why, in the reader's words."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from changke.foundation.batches.registry import Example, Undo
from changke.interfaces.bulk import shown

GOES: dict[str, str | Promise] = {
    "merges": _("Records that are two again"),
    "receipts": _("Receipts"),
    "visits": _("Visits"),
    "openings": _("Opening totals"),
    "notes": _("Notes"),
    "kept": _("Cards that wait for their balances"),
    "customers": _("Customers nobody else knows"),
    "fields": _("Profile fields that take their former value"),
    "consents": _("Consents and refusals it told: what she said before holds again"),
    "referrals": _("Who brought whom, as it told: what was said before holds again"),
    "tags": _("Tags that come off"),
    "names": _("Cards and union ids that come off"),
    "tags_back": _("Tags that are put on again"),
    "scores": _("Scores: what stood before stands again"),
}
STAYS: dict[str, tuple[str | Promise, str | Promise]] = {
    "fields_changed": (
        _("Profile fields"),
        _("somebody, or a later import or change, wrote something else there since"),
    ),
    "customers_known": (_("Customers it made"), _("something else is known of them by now")),
    "identifiers": (
        _("Phones, e-mails and numbers it added"),
        _("they may have found a customer since; take a wrong one off on her page"),
    ),
}


@dataclass(frozen=True)
class Line:
    words: str
    count: int
    reason: str = ""
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Said:
    goes: tuple[Line, ...]
    stays: tuple[Line, ...]


def said(undo: Undo) -> Said:
    return Said(
        tuple(Line(str(GOES[part.code]), part.count) for part in undo.goes),
        tuple(
            Line(str(STAYS[part.code][0]), part.count, str(STAYS[part.code][1]), tuple(map(_example, part.examples)))
            for part in undo.stays
        ),
    )


def _example(one: Example) -> str:
    return gettext("%(name)s: %(field)s stays %(holds)s (it was %(held)s before)") % {
        "name": one.name or f"#{one.customer_id}",
        "field": shown.field(one.field),
        "holds": shown.value(one.field, one.holds),
        "held": shown.value(one.field, one.held),
    }
