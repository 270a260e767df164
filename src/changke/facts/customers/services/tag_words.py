"""What the chain decides about its tags: groups, and how long a tag is believed."""

import datetime as dt

from django.db import IntegrityError, transaction

from changke.facts.customers.models import TagGroup, TagWord
from changke.facts.customers.services.tags import clean
from changke.foundation.audit.rules import HOUSE, By, Values
from changke.foundation.audit.services import record
from changke.foundation.errors import DomainError, Invalid

LONGEST_DAYS = 3650


class TagNameTaken(DomainError):
    code, status = "tag_name_taken", 409
    message = "There is already one with the name %(name)s."


@transaction.atomic
def save_group(group: TagGroup | None, *, name: str, only_one: bool, by: By = HOUSE, now: dt.datetime) -> TagGroup:
    """A new group, or the old one changed. Tags that stand already stay on; the rule holds from the next one on."""
    plain = clean(name)
    before = as_audited(group) if group else None
    one = group or TagGroup(position=TagGroup.objects.count())
    one.name, one.only_one = plain, only_one
    try:
        with transaction.atomic():
            one.save()
    except IntegrityError:
        raise TagNameTaken(name=plain) from None
    record(
        by=by, action="tag_group.changed", subject=f"tag_group:{one.pk}", before=before, after=as_audited(one), now=now
    )
    return one


@transaction.atomic
def remove_group(group: TagGroup, *, by: By = HOUSE, now: dt.datetime) -> None:
    """Its tags stay, in no group."""
    record(by=by, action="tag_group.removed", subject=f"tag_group:{group.pk}", before=as_audited(group), now=now)
    group.delete()


@transaction.atomic
def save_word(
    name: str, *, group: TagGroup | None, stale_after_days: int | None, by: By = HOUSE, now: dt.datetime
) -> TagWord:
    """Decide about a tag. Raises Invalid for a time nobody can mean."""
    if stale_after_days is not None and not 1 <= stale_after_days <= LONGEST_DAYS:
        raise Invalid(field="stale_after_days", reason="must lie between 1 and %(most)s", most=LONGEST_DAYS)
    plain = clean(name)
    known = TagWord.objects.filter(name=plain).first()
    before = as_audited(known) if known else None
    word = known or TagWord(name=plain)
    word.group, word.stale_after_days = group, stale_after_days
    word.save()
    record(
        by=by, action="tag_word.changed", subject=f"tag_word:{word.pk}", before=before, after=as_audited(word), now=now
    )
    return word


@transaction.atomic
def forget_word(word: TagWord, *, by: By = HOUSE, now: dt.datetime) -> None:
    """The tag is in no group any more and does not age; who wears it keeps it."""
    record(by=by, action="tag_word.removed", subject=f"tag_word:{word.pk}", before=as_audited(word), now=now)
    word.delete()


def as_audited(one: TagGroup | TagWord) -> Values:
    """What an audit line keeps of it."""
    if isinstance(one, TagGroup):
        return {"name": one.name, "only_one": one.only_one}
    return {"name": one.name, "group": one.group_id, "stale_after_days": one.stale_after_days}
