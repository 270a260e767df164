"""Say what a tag asks for: an item, or anything of a category."""

import datetime as dt

from django.db import IntegrityError, transaction

from changke.facts.catalog.models import Category, Item
from changke.facts.customers.services.tags import clean
from changke.foundation.audit.rules import HOUSE, By, Values
from changke.foundation.audit.services import record
from changke.foundation.errors import DomainError, Invalid
from changke.profiles.affinity.models import Need


class NeedIsThere(DomainError):
    code, status = "need_is_there", 409
    message = "The tag %(tag)s asks for this already."


@transaction.atomic
def save_need(
    need: Need | None, *, tag: str, item: Item | None, category: Category | None, by: By = HOUSE, now: dt.datetime
) -> Need:
    """A new one, or the old one changed. It holds at once, for everybody who wears the tag."""
    if (item is None) == (category is None):
        raise Invalid(field="item", reason="choose an item or a category, one of them")
    before = as_audited(need) if need else None
    one = need or Need()
    one.tag, one.item, one.category = clean(tag), item, category
    try:
        with transaction.atomic():
            one.save()
    except IntegrityError:
        raise NeedIsThere(tag=one.tag) from None
    record(by=by, action="need.changed", subject=f"need:{one.pk}", before=before, after=as_audited(one), now=now)
    return one


@transaction.atomic
def drop_need(need: Need, *, by: By = HOUSE, now: dt.datetime) -> None:
    record(by=by, action="need.removed", subject=f"need:{need.pk}", before=as_audited(need), now=now)
    need.delete()


def as_audited(need: Need) -> Values:
    """What an audit line keeps of it."""
    return {"tag": need.tag, "item": need.item_id, "category": need.category_id}
