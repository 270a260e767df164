"""The tables of this floor; each is written in its room."""

from changke.facts.catalog.models import Category, Item
from changke.facts.consents.models import Consent, MemberLink
from changke.facts.customers.models import (
    Advising,
    Chosen,
    Customer,
    FormerTag,
    Guest,
    Identifier,
    Kept,
    MergeLink,
    Note,
    Replaced,
    Tag,
    TagGroup,
    TagWord,
)
from changke.facts.duplicates.models import Duplicate
from changke.facts.events.models import Event
from changke.facts.fields.models import Field, FieldReplaced, FieldValue
from changke.facts.purchases.models import Line, Opening, Receipt, Tender, WaitingReturn
from changke.facts.referrals.models import Referral
from changke.facts.scores.models import Score, ScoreValue
from changke.facts.visits.models import Visit

__all__ = [
    "Advising",
    "Category",
    "Chosen",
    "Consent",
    "Customer",
    "Duplicate",
    "Event",
    "Field",
    "FieldReplaced",
    "FieldValue",
    "FormerTag",
    "Guest",
    "Identifier",
    "Item",
    "Kept",
    "Line",
    "MemberLink",
    "MergeLink",
    "Note",
    "Opening",
    "Receipt",
    "Referral",
    "Replaced",
    "Score",
    "ScoreValue",
    "Tag",
    "TagGroup",
    "TagWord",
    "Tender",
    "Visit",
    "WaitingReturn",
]
