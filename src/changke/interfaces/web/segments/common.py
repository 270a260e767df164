"""What the pages of this family share: the segment of an address, what may be asked, who is named."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.translation import get_language

from changke.facts.customers.models import Customer
from changke.facts.customers.queries import phones_of
from changke.foundation.errors import NotFound
from changke.interfaces.web import current
from changke.interfaces.web.conditions.editor import Language
from changke.interfaces.web.conditions.speech import Speech
from changke.profiles.attributes.models import Profile
from changke.profiles.conditions import Condition
from changke.profiles.segments.asking import Words, words_of_the_chain
from changke.profiles.segments.models import Segment

PREFIX = "ask"
"""Of the editor on these pages."""


def there(key: str) -> Segment:
    one = Segment.objects.filter(key=key).first()
    if one is None:
        raise NotFound
    return one


def words_for(request: HttpRequest) -> Words:
    """Own fields that the reader's role may not see cannot be asked."""
    return words_of_the_chain(role=current.staff(request).role, language=get_language() or "zh-hans")


def language_of(words: Words) -> Language:
    return Language(words.attributes, words.settings, words.currency, words.beyond)


@dataclass(frozen=True)
class Person:
    """Somebody of the group, and why she is in it."""

    customer: Customer
    phone: str
    stage: str
    value_at_risk: int
    reasons: tuple[str, ...]


def people(ids: Sequence[int], reasons: dict[int, list[Condition]], speech: Speech) -> list[Person]:
    """Who they are, in the order of the ids."""
    speaker = speech.speaker()
    known = Customer.objects.select_related("home_store", "adviser").in_bulk(list(ids))
    about = {pk: (stage or "", value) for pk, stage, value in
             Profile.objects.filter(pk__in=ids).values_list("customer_id", "stage", "value_at_risk")}  # fmt: skip
    phones = phones_of(list(ids))
    return [
        Person(known[pk], phones.get(pk, ""), *about[pk], tuple(speaker.say(part) for part in reasons.get(pk, ())))
        for pk in ids
        if pk in known and pk in about
    ]
