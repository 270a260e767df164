"""What this room forgets of a person: everything that says who she is. Her number and her first day stay."""

from collections.abc import Sequence
from typing import Any

from changke.facts.customers.models import (
    Advising,
    Chosen,
    Customer,
    FormerTag,
    Gender,
    Guest,
    Identifier,
    Note,
    Replaced,
    Tag,
)
from changke.facts.customers.services.names import take_off
from changke.foundation.database.append_only import current_xid

BLANK: dict[str, Any] = {
    **dict.fromkeys(
        (
            "name",
            "pinyin",
            "initials",
            "occupation",
            "income_band",
            "city",
            "interests",
            "living",
            "allergies",
            "source",
        ),
        "",
    ),
    "name_grams": [],
    "gender": Gender.UNKNOWN,
    "birth_year": None,
    "birth_month": None,
    "birth_day": None,
    "adviser": None,
}


def erase_profile(customer_ids: Sequence[int]) -> int:
    """Blank the profile and show her nowhere. The row stays: purchases point at it."""
    people = Customer.objects.filter(pk__in=customer_ids)
    return people.update(**BLANK, is_active=False, is_erased=True, txid=current_xid())


def erase_identifiers(customer_ids: Sequence[int]) -> int:
    """A phone that found her and that others share finds the first of them from now on."""
    return take_off(Identifier.objects.filter(customer_id__in=customer_ids))


def erase_tags(customer_ids: Sequence[int]) -> int:
    return Tag.objects.filter(customer_id__in=customer_ids).delete()[0]


def erase_former_tags(customer_ids: Sequence[int]) -> int:
    return FormerTag.objects.filter(customer_id__in=customer_ids).delete()[0]


def erase_guests(customer_ids: Sequence[int]) -> int:
    """Where she was, as whom somebody may look for. Her receipts keep their store."""
    return Guest.objects.filter(customer_id__in=customer_ids).delete()[0]


def erase_advisers(customer_ids: Sequence[int]) -> int:
    """Who looked after her tells where she went."""
    return Advising.objects.filter(customer_id__in=customer_ids).delete()[0]


def erase_replaced(customer_ids: Sequence[int]) -> int:
    """What loads wrote over in her profile. Undoing such a load then gives her nothing back."""
    return Replaced.objects.filter(customer_id__in=customer_ids).delete()[0]


def erase_chosen(customer_ids: Sequence[int]) -> int:
    """That bulk changes meant her, and which tags they took off."""
    return Chosen.objects.filter(customer_id__in=customer_ids).delete()[0]


def erase_notes(customer_ids: Sequence[int]) -> int:
    """Blank the texts and take the photos off the disk. The photo goes first: interrupted, erasing again finds the row
    that still names it."""
    written = Note.objects.filter(customer_id__in=customer_ids).exclude(text="", photo="")
    for note in written.exclude(photo=""):
        note.photo.delete(save=False)
    return written.update(text="", photo="")
