"""Make, change and drop the rules that read tags from purchases."""

import datetime as dt

from django.db import IntegrityError, transaction

from changke.facts.catalog.models import Category, Item
from changke.facts.customers.services.tags import clean
from changke.foundation.audit.rules import HOUSE, By, Values
from changke.foundation.audit.services import record
from changke.foundation.errors import DomainError, Invalid
from changke.profiles.affinity.models import Occasion, TagRule


class TagRuleNameTaken(DomainError):
    code, status = "tag_rule_name_taken", 409
    message = "There is already a rule with the name %(name)s."


@transaction.atomic
def save_rule(
    rule: TagRule | None,
    *,
    name: str,
    occasion: str,
    item: Item | None,
    category: Category | None,
    tag: str,
    is_active: bool = True,
    by: By = HOUSE,
    now: dt.datetime,
) -> TagRule:
    """A new rule, or the old one changed. It looks at one item or one category; tags that stand stay on."""
    plain = " ".join(name.split())
    if not plain or len(plain) > 60:
        raise Invalid(field="name", reason="a name has 1 to 60 characters")
    if occasion not in Occasion.values:
        raise Invalid(field="occasion", reason="choose one of %(choices)s", choices=", ".join(Occasion.values))
    if (item is None) == (category is None):
        raise Invalid(field="item", reason="choose an item or a category, one of them")
    before = as_audited(rule) if rule else None
    one = rule or TagRule()
    one.name, one.occasion, one.item, one.category = plain, occasion, item, category
    one.tag, one.is_active = clean(tag), is_active
    try:
        with transaction.atomic():
            one.save()
    except IntegrityError:
        raise TagRuleNameTaken(name=plain) from None
    record(
        by=by, action="tag_rule.changed", subject=f"tag_rule:{one.pk}", before=before, after=as_audited(one), now=now
    )
    return one


@transaction.atomic
def drop_rule(rule: TagRule, *, by: By = HOUSE, now: dt.datetime) -> None:
    """The rule is gone; what it put on stays, with its name as evidence."""
    record(by=by, action="tag_rule.removed", subject=f"tag_rule:{rule.pk}", before=as_audited(rule), now=now)
    rule.delete()


def as_audited(rule: TagRule) -> Values:
    """What an audit line keeps of it."""
    plain: Values = {name: getattr(rule, name) for name in ("name", "occasion", "tag", "is_active")}
    return {**plain, "item": rule.item_id, "category": rule.category_id}
