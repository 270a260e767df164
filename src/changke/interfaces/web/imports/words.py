"""What kinds of file, columns and encodings are called on the pages."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from changke.interfaces.importers.own import TOPICS, OwnFields
from changke.interfaces.importers.sources import SOURCES
from changke.interfaces.words import topic

KINDS: dict[str, str | Promise] = {
    "purchases": _("Purchases"),
    "customers": _("Customers"),
    "visits": _("Visits"),
    "openings": _("Opening totals"),
    "notes": _("Notes and follow-ups"),
    "cards": _("Cards with sessions left"),
}


def kind(key: str) -> str:
    """What the rows of a batch are; `mixed` where its sheets are of several kinds."""
    return str(KINDS[key]) if key in KINDS else gettext("Several kinds")


def source(sheet: Mapping[str, Any]) -> str:
    """The old system that wrote the sheet, in words."""
    found = sheet.get("source") or ""
    if found not in SOURCES:
        return ""
    said = SOURCES[found].WORDS
    return said.get(get_language() or "zh-hans", said["en"])


KIND_HINTS: dict[str, str | Promise] = {
    "": _("We look at the columns and tell you."),
    "purchases": _("Receipts, orders, card use, refunds."),
    "customers": _("Members with phone, birthday, tags."),
    "visits": _("Who came when, without money."),
    "openings": _("One line per customer: first day, last day, count, total."),
    "notes": _("What was said or agreed, with its day."),
    "cards": _("Cards of an old system and what is left on them."),
}

ENCODINGS = (("utf-8", "UTF-8"), ("gb18030", "GBK / GB18030"), ("big5", "Big5"), ("utf-16", "UTF-16"))
ENCODING_NAMES = {**dict(ENCODINGS), "utf-8-sig": "UTF-8 (BOM)"}

DELIMITERS: dict[str, str | Promise] = {
    ",": _("comma"),
    "，": _("full-width comma"),
    "\t": _("tab"),
    ";": _("semicolon"),
    "|": _("bar"),
}

UNKNOWN: dict[str, str | Promise] = {"store": _("Stores"), "staff": _("Staff"), "item": _("Services, products, cards")}

FIELDS: dict[str, str | Promise] = {
    "customer_id": _("Customer number"),
    "phone": _("Phone"),
    "email": _("E-mail"),
    "wecom_id": _("WeCom id"),
    "member_card": _("Card number"),
    "union_id": _("WeChat union id"),
    "name": pgettext_lazy("person", "Name"),
    "number": _("Receipt number"),
    "original_number": _("Number of the original receipt"),
    "type": _("Type (sale, use, return)"),
    "happened": _("Date and time"),
    "clock": _("Time of day"),
    "store": _("Store"),
    "staff": _("Staff"),
    "item_code": _("Item code"),
    "item": _("Service or product"),
    "item_kind": _("Kind of item"),
    "category": _("Category"),
    "quantity": _("Quantity"),
    "unit_price": _("Unit price"),
    "amount": _("Amount"),
    "discount": _("Discount"),
    "cost": _("Cost"),
    "tender": _("Paid by"),
    "tender_cash": _("Paid in cash"),
    "tender_card": _("Paid by bank card"),
    "tender_wechat": _("Paid by WeChat"),
    "tender_alipay": _("Paid by Alipay"),
    "tender_stored_value": _("Paid by stored value"),
    "tender_session": _("Paid by card session"),
    "tender_points": _("Paid by points"),
    "gender": _("Gender"),
    "birthday": _("Birthday"),
    "birth_year": _("Year of birth"),
    "occupation": _("Occupation"),
    "income_band": _("Income"),
    "city": _("City or address"),
    "interests": _("Interests"),
    "living": _("Household"),
    "allergies": _("Allergies"),
    "source": _("Source"),
    "adviser": _("Adviser"),
    "referrer": _("Brought by (phone or number)"),
    "known_on": _("Customer since"),
    "tags": _("Tags"),
    "purpose": _("Purpose of the visit"),
    "first_on": _("First purchase on"),
    "last_on": _("Last purchase on"),
    "purchases": _("Number of purchases"),
    "cash": _("Total spent"),
    "text": _("What was said or done"),
    "card": _("Name of the card"),
    "card_number": _("Number of the card"),
    "sessions": _("Sessions in all"),
    "remaining": _("Sessions left"),
    "value": _("Value left"),
    "bought_on": _("Bought on"),
    "expires_on": _("Valid until"),
    "consent_on": _("Agreed on"),
}


def own(fields: OwnFields, column: str) -> str:
    """A field of the chain's own as the chain calls it."""
    return fields.by_column[column].label(get_language() or "zh-hans")


def consent(column: str) -> str:
    """A purpose and its channel."""
    return topic(*TOPICS[column])


WHOEVER = _("Customer number, phone or e-mail")
MONEY = _("Amount, or unit price and quantity")
GROUPS: dict[str, str | Promise] = {"customer_id": WHOEVER, "amount": MONEY}
"""Needed columns of which one is enough, by the first of the group."""

DECISIONS: dict[str, str | Promise] = {
    "update": _("Update: what the file says replaces what is there"),
    "merge": _("Fill in: only what is empty"),
    "skip": _("Skip: leave them as they are"),
    "refuse": _("Refuse: name them in the error file"),
}
"""What rows of known customers do."""
ANOTHER: str | Promise = _("Another person: write her down, both use the phone")
"""What rows with the phone of a known customer under another name may do besides."""


def decisions(group: str) -> dict[str, str | Promise]:
    return {**DECISIONS, "another": ANOTHER} if group == "phone_other_name" else DECISIONS


MET: dict[str, tuple[str | Promise, str | Promise]] = {
    "number": (_("Same customer number, card or WeChat id"), ""),
    "phone": (_("Same phone, same name"), ""),
    "phone_other_name": (
        _("Same phone, another name"),
        _("Perhaps a family shares the phone. If these are other persons, choose “another person” for these rows."),
    ),
    "email": (_("Same e-mail"), ""),
    "conflict": (
        _("The number is one customer's, the phone or e-mail another's"),
        _("The phone goes on finding whom it finds now and is kept as shared. If both are one person, merge them."),
    ),
}
"""How rows met known customers, and what to mind."""
