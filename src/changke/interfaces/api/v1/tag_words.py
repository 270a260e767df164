"""What the chain decides about its tags: groups, how long a tag is believed, rules that read tags from purchases."""

import datetime as dt
from typing import Annotated, Any, Literal

from django.db import transaction
from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field, StrictBool

from changke.facts.catalog.models import Category
from changke.facts.customers.models import TagGroup, TagWord
from changke.facts.customers.services import tag_words
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import Invalid, NotFound
from changke.foundation.organisation.queries import the_chain
from changke.interfaces import jobs
from changke.interfaces.api.actors import actor, by
from changke.interfaces.api.fields import Code, Id, Input, Storable, text
from changke.interfaces.api.v1.places import Named
from changke.profiles.affinity.models import Occasion, TagRule
from changke.profiles.affinity.services.follow import preview
from changke.profiles.affinity.services.tag_rules import drop_rule, save_rule

router = Router(tags=["tags"])

Name = Annotated[str, text(60, empty=False), Storable]


class GroupOut(Schema):
    """Tags that answer one question."""

    id: int
    name: str
    only_one: bool = Field(..., description="A new answer takes the place of the old.")
    tags: list[str]


class GroupIn(Input):
    name: Name
    only_one: StrictBool = False

    model_config = {"json_schema_extra": {"examples": [{"name": "肤质", "only_one": True}]}}


class WordOut(Schema):
    """What was decided about one tag. A tag may be used without."""

    name: str
    group: int | None
    stale_after_days: int | None


class WordIn(Input):
    name: Name
    group: Id | None = Field(None, description="Id of a group.")
    stale_after_days: Annotated[int, Field(ge=1, le=tag_words.LONGEST_DAYS)] | None = Field(
        None, description="Days after which it comes off where nobody confirmed it; null: never."
    )

    model_config = {"json_schema_extra": {"examples": [{"name": "敏感肌", "group": 1, "stale_after_days": 365}]}}


class WordName(Input):
    name: Name


class TagRuleOut(Schema):
    """Whoever buys the item, or anything of the category, wears the tag."""

    id: int
    name: str
    occasion: Occasion
    item: str | None = Field(..., description="Code of the item.")
    category: int | None = Field(..., description="Id of the category.")
    tag: str
    is_active: bool
    customers: int | None = Field(None, description="Of a dry run: how many would wear the tag.")


class TagRuleIn(Input):
    """It looks at one item or at one category."""

    name: Name
    occasion: Literal["first_order", "any"] = Field("any", description="Which purchases it looks at.")
    item: Code | None = None
    category: Id | None = None
    tag: Name
    is_active: StrictBool = True
    past: StrictBool = Field(False, description="Look through every purchase there is too, in the background.")
    dry_run: StrictBool = Field(False, description="Only say how many would wear the tag; `id` is then 0 if it is new.")

    model_config = {"json_schema_extra": {"examples": [{"name": "面部", "item": "F1", "tag": "做过面部"}]}}


@router.get("/tag-groups", response=list[GroupOut], operation_id="get_tag_groups", summary="Groups of tags")
def get_tag_groups(request: HttpRequest) -> list[GroupOut]:
    """Every group with its tags, in their order."""
    actor(request).scope_for(Capability.TAGS_MANAGE)
    return [_group(one) for one in TagGroup.objects.prefetch_related("words")]


@router.post("/tag-groups", response={201: GroupOut}, operation_id="post_tag_group", summary="Make a group of tags")
def post_tag_group(request: HttpRequest, body: GroupIn) -> GroupOut:
    """A new group; 409 where there is one of this name."""
    actor(request).scope_for(Capability.TAGS_MANAGE)
    return _group(tag_words.save_group(None, **body.model_dump(), by=by(request), now=_now()))


@router.put("/tag-groups/{int:group_id}", response=GroupOut, operation_id="put_tag_group", summary="Change a group")
def put_tag_group(request: HttpRequest, group_id: int, body: GroupIn) -> GroupOut:
    """Tags that stand already stay on; `only_one` holds from the next one on."""
    actor(request).scope_for(Capability.TAGS_MANAGE)
    known = _found(TagGroup, group_id)
    return _group(tag_words.save_group(known, **body.model_dump(), by=by(request), now=_now()))


@router.delete("/tag-groups/{int:group_id}", response={204: None}, operation_id="delete_tag_group", summary="Drop it")
def delete_tag_group(request: HttpRequest, group_id: int) -> tuple[int, None]:
    """The group is gone; its tags stay, in no group."""
    actor(request).scope_for(Capability.TAGS_MANAGE)
    tag_words.remove_group(_found(TagGroup, group_id), by=by(request), now=_now())
    return 204, None


@router.get("/tag-words", response=list[WordOut], operation_id="get_tag_words", summary="Tags that were decided about")
def get_tag_words(request: HttpRequest) -> list[WordOut]:
    """Every tag that is in a group or ages, by name."""
    actor(request).scope_for(Capability.TAGS_MANAGE)
    return [_word(one) for one in TagWord.objects.order_by("name")]


@router.put("/tag-words", response=WordOut, operation_id="put_tag_word", summary="Decide about a tag")
def put_tag_word(request: HttpRequest, body: WordIn) -> WordOut:
    """Which question it answers and how long it is believed, in place of what was decided before."""
    actor(request).scope_for(Capability.TAGS_MANAGE)
    group = TagGroup.objects.filter(pk=body.group).first() if body.group else None
    if body.group and group is None:
        raise Invalid(field="group", reason="there is no such group")
    days = body.stale_after_days
    return _word(tag_words.save_word(body.name, group=group, stale_after_days=days, by=by(request), now=_now()))


@router.post("/tag-words/forget", response={204: None}, operation_id="forget_tag_word", summary="Take it back")
def forget_tag_word(request: HttpRequest, body: WordName) -> tuple[int, None]:
    """The tag is in no group any more and does not age; who wears it keeps it. 404 where nothing was decided."""
    actor(request).scope_for(Capability.TAGS_MANAGE)
    word = TagWord.objects.filter(name=body.name).first()
    if word is None:
        raise NotFound
    tag_words.forget_word(word, by=by(request), now=_now())
    return 204, None


@router.get("/tag-rules", response=list[TagRuleOut], operation_id="get_tag_rules", summary="Rules that put tags on")
def get_tag_rules(request: HttpRequest) -> list[TagRuleOut]:
    """Every rule that reads tags from purchases, by name."""
    actor(request).scope_for(Capability.TAGS_MANAGE)
    return [_rule(one) for one in TagRule.objects.select_related("item")]


@router.post("/tag-rules", response={201: TagRuleOut}, operation_id="post_tag_rule", summary="Make a rule")
def post_tag_rule(request: HttpRequest, body: TagRuleIn) -> TagRuleOut:
    """From now on it puts its tag on whoever buys so, with the receipt as evidence. With `dry_run` nothing is kept."""
    actor(request).scope_for(Capability.TAGS_MANAGE)
    return _save(request, None, body)


@router.put("/tag-rules/{int:rule_id}", response=TagRuleOut, operation_id="put_tag_rule", summary="Change a rule")
def put_tag_rule(request: HttpRequest, rule_id: int, body: TagRuleIn) -> TagRuleOut:
    """Tags that it put on stay on. With `dry_run` nothing is kept."""
    actor(request).scope_for(Capability.TAGS_MANAGE)
    return _save(request, _found(TagRule, rule_id), body)


@router.delete("/tag-rules/{int:rule_id}", response={204: None}, operation_id="delete_tag_rule", summary="Drop a rule")
def delete_tag_rule(request: HttpRequest, rule_id: int) -> tuple[int, None]:
    """The rule is gone; what it put on stays, with its name as evidence."""
    actor(request).scope_for(Capability.TAGS_MANAGE)
    drop_rule(_found(TagRule, rule_id), by=by(request), now=_now())
    return 204, None


@transaction.atomic
def _save(request: HttpRequest, known: TagRule | None, body: TagRuleIn) -> TagRuleOut:
    category = Category.objects.filter(pk=body.category).first() if body.category else None
    if body.category and category is None:
        raise Invalid(field="category", reason="there is no such category")
    named = Named(the_chain(), actor(request).scope_for(Capability.TAGS_MANAGE), items=[body.item])
    told: dict[str, Any] = {
        "name": body.name, "occasion": body.occasion, "item": named.item(body.item), "category": category,
        "tag": body.tag, "is_active": body.is_active, "by": by(request), "now": _now(),
    }  # fmt: skip
    if not body.dry_run:
        saved = save_rule(known, **told)
        if body.past:
            jobs.apply_tag_rule.defer(rule_id=saved.pk)
        return _rule(saved)
    number, savepoint = known.pk if known else 0, transaction.savepoint()
    try:
        tried = save_rule(known, **told)
        shown = _rule(tried, customers=preview(tried).customers)
    finally:
        transaction.savepoint_rollback(savepoint)
    return shown.model_copy(update={"id": number})


def _found(model: Any, number: int) -> Any:
    one = model.objects.filter(pk=number).first()
    if one is None:
        raise NotFound
    return one


def _group(one: TagGroup) -> GroupOut:
    return GroupOut(id=one.pk, name=one.name, only_one=one.only_one, tags=sorted(word.name for word in one.words.all()))


def _word(one: TagWord) -> WordOut:
    return WordOut(name=one.name, group=one.group_id, stale_after_days=one.stale_after_days)


def _rule(one: TagRule, *, customers: int | None = None) -> TagRuleOut:
    return TagRuleOut(
        id=one.pk, name=one.name, occasion=Occasion(one.occasion), item=one.item.code if one.item else None,
        category=one.category_id, tag=one.tag, is_active=one.is_active, customers=customers,
    )  # fmt: skip


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
