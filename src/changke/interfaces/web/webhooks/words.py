"""What became of a delivery, and what to do about it, in words."""

from django.utils.translation import gettext_lazy as _

STATES = {
    "received": _("Kept, read in a moment"),
    "done": _("Taken in"),
    "ignored": _("Nothing to do"),
    "waiting": _("Waits"),
    "failed": _("Not taken in"),
}
TONES = {"received": "info", "done": "good", "ignored": "", "waiting": "warn", "failed": "bad"}
REASONS = {
    "other_topic": _("A topic that tells us nothing. Switch it off at the shop."),
    "test": _("A test of the shop."),
    "not_paid": _("The order is not paid. It comes again when it is."),
    "older": _("A later version of the same order is in."),
    "no_money_back": _("No money went back to her."),
    "place": _("Say above which store this place is."),
    "order": _("The refund came before its order and goes in with it."),
    "return_waits": _("The refund came before its order and goes in with it."),
    "unreadable": _("The letter is not what this source sends."),
    "cannot_open": _("It was sealed under another key of this installation."),
    "crashed": _("We failed to read it. The log of the server says why."),
}
"""Other codes are refusals of the facts themselves: their own words stand in the detail."""

REFUSALS = {
    "wrong_signature": _("wrong signature: compare the secret"),
    "clock_off": _("clock more than five minutes off"),
    "address_not_allowed": _("from a network that is not allowed"),
    "body_too_large": _("larger than 2 MB"),
    "unreadable": _("not what this source sends"),
}
WISHES = {
    "erase": _("Forget her"),
    "export": _("Her data are asked for"),
    "erase_shop": _("Forget the whole shop"),
}
