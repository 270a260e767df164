"""Tags put on and taken off one by one. Nothing that was once believed is lost: what comes off is kept with its end."""

import datetime as dt

from django.db import transaction

from changke.facts.customers.models import Customer, FormerTag, Tag, TagEnd, TagWord
from changke.facts.customers.services.renew import renew
from changke.foundation.audit.rules import HOUSE, By, Values
from changke.foundation.audit.services import record
from changke.foundation.errors import Invalid
from changke.foundation.organisation.queries import the_chain
from changke.foundation.periods import business_date

KEPT = ("customer_id", "name", "source", "given_by_id", "rule", "fact", "recorded_at")
"""What a former tag keeps of the tag it was."""

LONGEST_TAG = 60


def clean(name: str) -> str:
    """The name as it is kept. Raises Invalid where it cannot be one."""
    plain = " ".join(name.split()).replace("\0", "")
    if not plain or len(plain) > LONGEST_TAG:
        raise Invalid(field="tag", reason="a tag has 1 to 60 characters")
    return plain


@transaction.atomic
def add_tag(
    customer: Customer,
    name: str,
    *,
    source: str = "staff",
    by: By = HOUSE,
    rule: str = "",
    fact: str = "",
    now: dt.datetime,
) -> Tag:
    """Put a tag on her; a second time confirms it: it ages anew, and the first evidence stays.

    Of a group that allows one answer, the former answer comes off.
    """
    plain = clean(name)
    word = TagWord.objects.select_related("group").filter(name=plain).first()
    stale_on = None
    if word and word.stale_after_days:
        stale_on = business_date(now, the_chain().time_zone) + dt.timedelta(days=word.stale_after_days)
    evidence = {"source": source, "given_by_id": _staff(by), "rule": rule, "fact": fact, "recorded_at": now}
    tag, is_new = Tag.objects.get_or_create(customer=customer, name=plain, defaults={**evidence, "stale_on": stale_on})
    if is_new:
        renew([customer.pk])
        _record("tag.added", customer, None, {"tag": plain}, by, now)
    elif tag.stale_on != stale_on:
        tag.stale_on = stale_on
        tag.save(update_fields=["stale_on"])
    if word and word.group and word.group.only_one:
        others = TagWord.objects.filter(group=word.group).exclude(name=plain).values("name")
        for other in Tag.objects.filter(customer=customer, name__in=others):
            _end(other, customer, by=by, because=TagEnd.REPLACED, now=now)
    return tag


@transaction.atomic
def remove_tag(
    customer: Customer, name: str, *, by: By = HOUSE, because: str = TagEnd.REMOVED, now: dt.datetime
) -> bool:
    """Take a tag off; False where she does not wear it. Disputed, no rule puts it on again."""
    tag = Tag.objects.select_for_update().filter(customer=customer, name=name).first()
    if tag is None:
        return False
    _end(tag, customer, by=by, because=because, now=now)
    return True


def take_stale_off(*, today: dt.date, now: dt.datetime, most: int = 5_000) -> int:
    """Take off what nobody confirmed in time; how many. The caller asks again until it is none."""
    with transaction.atomic():
        old = list(Tag.objects.select_for_update(skip_locked=True).filter(stale_on__lte=today).order_by("pk")[:most])
        FormerTag.objects.bulk_create(former(tag, ended_by=None, because=TagEnd.STALE, now=now) for tag in old)
        Tag.objects.filter(pk__in=[tag.pk for tag in old]).delete()
        renew({tag.customer_id for tag in old})
    return len(old)


def _end(tag: Tag, customer: Customer, *, by: By, because: str, now: dt.datetime) -> None:
    former(tag, ended_by=_staff(by), because=because, now=now).save(force_insert=True)
    tag.delete()
    renew([customer.pk])
    _record("tag.removed", customer, {"tag": tag.name}, None, by, now)


def former(tag: Tag, *, ended_by: int | None, because: str, now: dt.datetime) -> FormerTag:
    kept = {field: getattr(tag, field) for field in KEPT}
    return FormerTag(**kept, ended_at=now, ended_by_id=ended_by, ended_because=because)


def _staff(by: By) -> int | None:
    return by.id if by.kind == "staff" else None


def _record(
    action: str, customer: Customer, before: Values | None, after: Values | None, by: By, now: dt.datetime
) -> None:
    subject = f"customer:{customer.pk}"
    record(by=by, action=action, subject=subject, before=before, after=after, customer_id=customer.pk, now=now)
