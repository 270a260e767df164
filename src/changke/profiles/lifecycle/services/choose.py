"""Which models are in use, and by which one the lists and the day's work go."""

import datetime as dt
from collections.abc import Mapping
from hmac import compare_digest
from typing import Any

from django.db import transaction

from changke.foundation.audit.rules import HOUSE, By
from changke.foundation.audit.services import record
from changke.foundation.errors import DomainError, NotFound
from changke.foundation.organisation.models import Chain
from changke.profiles.attributes.queries import settings_of
from changke.profiles.lifecycle.models import StageModel
from changke.profiles.lifecycle.services.dry_run import draft, token_now
from changke.profiles.lifecycle.services.publish import publish_models, shipped_models


class DefaultModelStays(DomainError):
    code, status = "default_model_stays", 409
    message = "Lists and the day's work go by this model: choose another one for them first."


class NotTriedFirst(DomainError):
    code, status = "stage_model_not_previewed", 409
    message = (
        "Publishing needs the preview of exactly these rules: try them first, or once more because the rules or the "
        "numbers of the chain have changed since."
    )


@transaction.atomic
def publish_previewed(
    definition: Mapping[str, Any], *, token: str, chain: Chain, by: By = HOUSE, now: dt.datetime
) -> bool:
    """The same as `bring_into_use`, for people who have looked at what it does; whether anything of it changed.

    Parameters
    ----------
    token
        `DryRun.token` of a dry run of this definition.

    Raises
    ------
    ModelError
        If it could not be asked or told.
    NotTriedFirst
        If the dry run was of another definition, or the rules or numbers of now are others since. What is published
        already needs none: sending it again changes nothing.
    """
    draft(definition, chain)
    # Whoever publishes meanwhile is through before we look, and our preview was of the rules before.
    stored = StageModel.objects.select_for_update().filter(key=definition["key"]).first()
    if not _stands_already(stored, definition, chain) and not compare_digest(
        token.encode(), token_now(definition, chain).encode()
    ):
        raise NotTriedFirst
    return bring_into_use(definition, chain=chain, by=by, now=now)


def _stands_already(stored: StageModel | None, definition: Mapping[str, Any], chain: Chain) -> bool:
    return bool(
        stored and stored.is_in_use and stored.definition == definition and stored.settings == settings_of(chain)
    )


@transaction.atomic
def bring_into_use(definition: Mapping[str, Any], *, chain: Chain, by: By = HOUSE, now: dt.datetime) -> bool:
    """Publish the model and compute it from the next refresh on; whether anything of it changed.

    Raises
    ------
    ModelError
        If it could not be asked or told; then nothing is published.
    """
    changed = publish_models(chain, definitions=[dict(definition)], by=by, now=now)
    stored = _stored(str(definition["key"]))
    if not stored.is_in_use:
        _switch(stored, is_in_use=True, by=by, now=now)
    return bool(changed)


@transaction.atomic
def switch_on(key: str, *, chain: Chain, by: By = HOUSE, now: dt.datetime) -> StageModel:
    """Compute this model from the next refresh on: one that comes with the product, or one switched off before.

    Raises
    ------
    NotFound
        If there is no such model.
    """
    stored = StageModel.objects.select_for_update().filter(key=key).first()
    if stored is None:
        shipped = next((one for one in shipped_models() if one["key"] == key), None)
        if shipped is None:
            raise NotFound
        bring_into_use(shipped, chain=chain, by=by, now=now)
    elif not stored.is_in_use:
        # Its numbers may have changed while nobody looked.
        bring_into_use(stored.definition, chain=chain, by=by, now=now)
    return StageModel.objects.get(key=key)


@transaction.atomic
def switch_off(key: str, *, by: By = HOUSE, now: dt.datetime) -> StageModel:
    """Compute it no more. Its definition stays, and so do the transitions that it saw.

    Raises
    ------
    NotFound
        If there is no such model.
    DefaultModelStays
        If lists go by it.
    """
    stored = _stored(key)
    if stored.is_default:
        raise DefaultModelStays
    if stored.is_in_use:
        _switch(stored, is_in_use=False, by=by, now=now)
    return stored


@transaction.atomic
def make_default(key: str, *, chain: Chain, by: By = HOUSE, now: dt.datetime) -> StageModel:
    """Lists and the day's work go by this model, once everybody is computed anew.

    Raises
    ------
    NotFound
        If there is no such model.
    """
    chosen = switch_on(key, chain=chain, by=by, now=now)
    if not chosen.is_default:
        before = StageModel.objects.select_for_update().filter(is_default=True).first()
        StageModel.objects.filter(is_default=True).update(is_default=False)
        StageModel.objects.filter(pk=chosen.pk).update(is_default=True)
        chosen.is_default = True
        record(
            by=by, action="stages.default_chosen", subject=f"stages:{key}",
            before={"default": before.key if before else ""}, after={"default": key}, now=now,
        )  # fmt: skip
    return chosen


def _stored(key: str) -> StageModel:
    stored = StageModel.objects.select_for_update().filter(key=key).first()
    if stored is None:
        raise NotFound
    return stored


def _switch(model: StageModel, *, is_in_use: bool, by: By, now: dt.datetime) -> None:
    model.is_in_use = is_in_use
    model.save(update_fields=["is_in_use"])
    record(
        by=by, action="stages.switched", subject=f"stages:{model.key}",
        before={"in_use": not is_in_use}, after={"in_use": is_in_use}, now=now,
    )  # fmt: skip
