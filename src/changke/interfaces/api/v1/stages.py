"""The lifecycle models in use: their stages, and how many customers stand in each."""

import datetime as dt
from typing import Annotated

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from changke.foundation.access.capabilities import Capability
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import Scope
from changke.interfaces.api.actors import actor
from changke.interfaces.api.fields import Storable, text
from changke.interfaces.api.v1.places import UnknownStore
from changke.interfaces.api.v1.profiles import spoken
from changke.profiles.lifecycle.models import StageCount
from changke.profiles.lifecycle.queries import counts, models_in_use
from changke.profiles.lifecycle.rules import LifecycleModel

router = Router(tags=["stages"])


class StageOut(Schema):
    stage: str
    words: str
    customers: int
    value_minor: int = Field(..., description="Their value at risk, in minor units.")


class ModelOut(Schema):
    """A lifecycle model with the counts of its last day."""

    model: str
    words: str
    version: int
    is_default: bool
    day: dt.date | None = Field(None, description="The day of the counts; null before the first night.")
    currency: str
    stages: list[StageOut]


class StoreQuery(Schema):
    store: Annotated[str, text(60), Storable] = Field("", description="Code of one store; all of yours if left out.")


@router.get("", response=list[ModelOut], operation_id="get_stages", summary="Models, stages and counts")
def get_stages(request: HttpRequest, query: Query[StoreQuery]) -> list[ModelOut]:
    """Every model in use, the default one first, with the customers of your stores in each stage."""
    scope = narrowed(actor(request).scope_for(Capability.ANALYTICS_VIEW), query.store)
    currency = the_chain().currency
    return [_model(one, scope, currency) for one in models_in_use()]


def narrowed(scope: Scope, store: str) -> Scope:
    """The scope, looking at one store if its code is given."""
    if not store:
        return scope
    found = Store.objects.for_scope(scope).filter(code=store).first()
    if found is None:
        raise UnknownStore(value=store)
    return scope.narrowed(found.pk)


def _model(one: LifecycleModel, scope: Scope, currency: str) -> ModelOut:
    day = StageCount.objects.filter(model=one.key).order_by("-day").values_list("day", flat=True).first()
    found = {count.stage: count for count in counts(one.key, scope, since=day) if count.day == day} if day else {}
    language = spoken()
    return ModelOut(
        model=one.key,
        words=one.words[language],
        version=one.version,
        is_default=one.is_default,
        day=day,
        currency=currency,
        stages=[
            StageOut(
                stage=stage.key,
                words=stage.words[language],
                customers=found[stage.key].customers if stage.key in found else 0,
                value_minor=found[stage.key].value_minor if stage.key in found else 0,
            )
            for stage in one.stages
        ],
    )
