"""Lifecycle models: those in use and those that wait, what other rules would do, and bringing them into use."""

import datetime as dt
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Router, Schema
from pydantic import StrictBool

from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import Invalid, NotFound
from changke.foundation.organisation.queries import the_chain
from changke.interfaces import jobs
from changke.interfaces.api.actors import actor, by
from changke.interfaces.api.fields import Input
from changke.interfaces.api.v1.profiles import spoken
from changke.interfaces.statements import filled
from changke.profiles.lifecycle.catalogue import ModelEntry, model_entries, model_entry
from changke.profiles.lifecycle.models import StageReplay
from changke.profiles.lifecycle.rules import TOKEN_LENGTH, ModelError
from changke.profiles.lifecycle.services import (
    DryRun,
    ask_past,
    dry_run,
    make_default,
    publish_previewed,
    switch_off,
    switch_on,
)
from changke.profiles.lifecycle.services.past import MOST_DAYS, MOST_MONTHS

router = Router(tags=["stages"])
LARGEST = 400
"""Rules of one model, and stages."""


class StageModelOut(Schema):
    """A lifecycle model; one that comes with the product and was never switched on has version 0."""

    model: str
    words: str
    version: int
    in_use: bool
    is_default: bool = Field(..., description="Lists and the day's work go by it.")
    definition: dict[str, Any] = Field(
        ..., description="Stages in the order of life and, in `ask`, rules in the order in which they are asked."
    )


Definition = Annotated[
    dict[str, Any],
    Field(description="As `definition` of GET /stage-models; docs/howto/add-a-stage-model.md explains it."),
]


class DefinitionIn(Input):
    definition: Definition

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "definition": {
                        "key": "mine",
                        "words": {"zh-hans": "我们的阶段", "en": "Ours", "zh-hant": "我們的階段"},
                        "stages": [
                            {"key": "bought", "words": {"zh-hans": "买过", "en": "Bought", "zh-hant": "買過"}},
                            {"key": "rest", "words": {"zh-hans": "其他", "en": "Others", "zh-hant": "其他"}},
                        ],
                        "ask": [
                            {
                                "stage": "bought",
                                "when": {"attribute": "purchases", "op": ">=", "value": 1},
                                "reason": {
                                    "zh-hans": "消费过 {purchases} 次",
                                    "en": "Bought {purchases} times",
                                    "zh-hant": "消費過 {purchases} 次",
                                },
                            },
                            {"stage": "rest", "reason": {"zh-hans": "没买过", "en": "Never", "zh-hant": "沒買過"}},
                        ],
                    }
                }
            ]
        }
    }


class PublishIn(DefinitionIn):
    preview: str = Field(
        "",
        max_length=TOKEN_LENGTH,
        description="`token` of POST /stage-models/preview of this very definition; 409 without it.",
    )


class ModelUse(Input):
    in_use: StrictBool | None = Field(None, description="Compute it for everybody, or no more.")
    is_default: StrictBool | None = Field(None, description="`true`: lists and the day's work go by it.")

    model_config = {"json_schema_extra": {"examples": [{"in_use": True}]}}


class MoveOut(Schema):
    was: str = Field(..., description="Stage by the rules of now; empty for a model that is new.")
    will: str
    customers: int
    value_minor: int = Field(..., description="Their value at risk, in minor units.")
    examples: list[int] = Field(..., description="Ids of a few of them, the most valuable first.")


class DryRunOut(Schema):
    """What publishing would do today. Nothing was written."""

    customers: int
    moving: int
    moves: list[MoveOut]
    before: dict[str, int]
    after: dict[str, int]
    token: str = Field(..., description="Send it back as `preview` to publish exactly these rules.")
    sql: str = Field(..., description="What was asked of PostgreSQL: it runs as it stands.")


class PastIn(DefinitionIn):
    days: list[dt.date] = Field([], max_length=MOST_DAYS, description="Any days up to today.")
    months: int = Field(0, ge=0, le=MOST_MONTHS, description="Also so many month ends, and today.")

    model_config = {
        "json_schema_extra": {
            "examples": [
                {**DefinitionIn.model_config["json_schema_extra"]["examples"][0], "days": ["2026-02-14"], "months": 12}  # type: ignore[index, dict-item]
            ]
        }
    }


class PastMoveOut(Schema):
    was: str = Field(..., description="Stage by the rules of now; empty for a model that is new.")
    will: str
    customers: int
    value_minor: int = Field(..., description="Their value at risk on that day, in minor units.")


class PastDayOut(Schema):
    day: dt.date
    before: dict[str, int] = Field(..., description="Stage -> customers by the rules of now.")
    after: dict[str, int]
    differing: int
    moves: list[PastMoveOut]


class PastOut(Schema):
    """Rules asked of past days beside those of now. `rows` is filled when `state` is `done`."""

    id: int
    state: str = Field(..., description="waiting, running, done or failed.")
    done: int
    total: int = Field(..., description="Days computed so far, and in all.")
    asked_by: str
    asked_at: dt.datetime
    finished_at: dt.datetime | None
    rows: list[PastDayOut]


@router.get("", response=list[StageModelOut], operation_id="get_stage_models", summary="Lifecycle models")
def get_stage_models(request: HttpRequest) -> list[StageModelOut]:
    """Every model: in use, switched off, and those that come with the product and wait."""
    actor(request).scope_for(Capability.ANALYTICS_VIEW)
    return [_shown(one) for one in model_entries()]


@router.post("/preview", response=DryRunOut, operation_id="preview_stage_model", summary="What other rules would do")
def preview_stage_model(request: HttpRequest, body: DefinitionIn) -> DryRunOut:
    """Who would stand elsewhere if this model were published. 422 names the spot of a rule that cannot be asked."""
    actor(request).scope_for(Capability.SETTINGS_EDIT)
    try:
        return _foretold(dry_run(_checked(body.definition)))
    except ModelError as error:
        raise refused(error) from None


@router.post("/past", response={201: PastOut}, operation_id="post_stage_past", summary="Ask rules of past days")
def post_stage_past(request: HttpRequest, body: PastIn) -> PastOut:
    """How many would have stood where on past days by these rules, and by those of now. 422 names the spot of a rule
    that cannot be asked, and days to come; 409 while others wait. A large chain is answered in the background."""
    actor(request).scope_for(Capability.SETTINGS_EDIT)
    now = dt.datetime.now(dt.UTC)
    try:
        asked = ask_past(
            _checked(body.definition), months=body.months, days=body.days, by_name=by(request).name, now=now
        )
    except ModelError as error:
        raise refused(error) from None
    jobs.ask_past(asked)
    return PastOut.from_orm(asked)


@router.get("/past/{replay_id}", response=PastOut, operation_id="get_stage_past", summary="Rules of past days")
def get_stage_past(request: HttpRequest, replay_id: int) -> StageReplay:
    """One answer, or how far it is. Kept for thirty days."""
    actor(request).scope_for(Capability.SETTINGS_EDIT)
    found = StageReplay.objects.filter(pk=replay_id).first() if replay_id < 2**63 else None
    if found is None:
        raise NotFound
    return found


@router.put("/{key}", response=StageModelOut, operation_id="put_stage_model", summary="Publish a model")
def put_stage_model(request: HttpRequest, key: str, body: PublishIn) -> StageModelOut:
    """Bring the model into use, in a new version if anything changed. Everybody is computed anew in the background.

    What it does is looked at first: `preview` is the token of a preview of this definition. 409 without it, and when
    the published rules or the numbers of the chain have changed since. What is published already needs none.
    """
    actor(request).scope_for(Capability.SETTINGS_EDIT)
    definition = _checked(body.definition)
    if definition.get("key") != key:
        raise Invalid(field="definition.key", reason="must be the key of the address")
    now = dt.datetime.now(dt.UTC)
    try:
        changed = publish_previewed(definition, token=body.preview, chain=the_chain(), by=by(request), now=now)
    except ModelError as error:
        raise refused(error) from None
    if changed:
        jobs.ask_for_refresh()
    return _shown(model_entry(key))


@router.patch("/{key}", response=StageModelOut, operation_id="patch_stage_model", summary="Switch a model on or off")
def patch_stage_model(request: HttpRequest, key: str, body: ModelUse) -> StageModelOut:
    """Compute a model or stop computing it; or let the lists go by it. 409 for switching off the one they go by."""
    actor(request).scope_for(Capability.SETTINGS_EDIT)
    if body.in_use is None and body.is_default is None:
        raise Invalid(field="body", reason="send at least one field to change")
    if body.is_default is False:
        raise Invalid(field="is_default", reason="choose another model instead")
    chain, now, who = the_chain(), dt.datetime.now(dt.UTC), by(request)
    if body.is_default:
        make_default(key, chain=chain, by=who, now=now)
    if body.in_use is True:
        switch_on(key, chain=chain, by=who, now=now)
    elif body.in_use is False:
        _there(key)
        switch_off(key, by=who, now=now)
    jobs.ask_for_refresh()
    return _shown(model_entry(key))


def _foretold(run: DryRun) -> DryRunOut:
    return DryRunOut(
        customers=run.customers,
        moving=run.moving,
        moves=[MoveOut.from_orm(one) for one in run.moves],
        before=dict(run.before),
        after=dict(run.after),
        token=run.token,
        sql=filled(run.statement, run.values),
    )


def refused(error: ModelError) -> Invalid:
    return Invalid(field=f"definition.{error.path}", reason=error.reason, **error.places)


def _checked(definition: dict[str, Any]) -> dict[str, Any]:
    """Not larger than anybody reads; the rest `read_model` refuses with the spot."""
    for name in ("stages", "ask"):
        listed = definition.get(name)
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            raise Invalid(field=f"definition.{name}", reason="is a list of objects")
        if len(listed) > LARGEST:
            raise Invalid(field=f"definition.{name}", reason="at most %(most)s", most=LARGEST)
    return definition


def _there(key: str) -> None:
    if not model_entry(key).version:
        raise NotFound


def _shown(one: ModelEntry) -> StageModelOut:
    return StageModelOut(
        model=one.key,
        words=one.words[spoken()],
        version=one.version,
        in_use=one.is_in_use,
        is_default=one.is_default,
        definition=dict(one.definition),
    )
