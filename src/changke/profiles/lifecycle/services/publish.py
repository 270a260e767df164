"""Lifecycle models into use."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from django.db import transaction

from changke.facts.catalog.services.keep import register_askers
from changke.facts.fields.models import Field
from changke.facts.fields.services import User
from changke.facts.fields.services import register_users as register_users_of_fields
from changke.facts.scores.models import Score
from changke.facts.scores.services import register_users
from changke.foundation.audit.rules import HOUSE, By
from changke.foundation.audit.services import record
from changke.foundation.organisation.models import Chain
from changke.profiles.attributes.queries import settings_of
from changke.profiles.lifecycle.models import StageModel
from changke.profiles.lifecycle.queries import asking_for, asking_for_field, may_be_asked, stored_models
from changke.profiles.lifecycle.rules import LANGUAGES, own_names, read_model

register_users(asking_for)


@register_users_of_fields
def users_of_field(field: Field) -> list[User]:
    return [User(name, choices) for name, choices in asking_for_field(field)]


@register_askers
def stages_asking_for_category(name: str) -> list[str]:
    """The models that ask for what was bought of this category: called otherwise they would ask in vain."""
    return [one.definition["words"][LANGUAGES[0]] for one in stored_models() if _names_category(one.definition, name)]


def _names_category(tree: Any, name: str) -> bool:
    if isinstance(tree, Mapping):
        of_deed = "kind" in tree and tree.get("category") == name
        return of_deed or any(_names_category(part, name) for part in tree.values())
    return isinstance(tree, list) and any(_names_category(part, name) for part in tree)


SHIPPED = Path(__file__).parent.parent / "shipped"


def shipped_models() -> list[dict[str, Any]]:
    """The models that come with the product, as they stand in their files."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(SHIPPED.glob("*.json"))]


def publish_models(
    chain: Chain, *, by: By = HOUSE, now: dt.datetime, definitions: list[dict[str, Any]] | None = None
) -> list[str]:
    """Bring models into use: the shipped ones that are not there yet, and any in `definitions`.

    A shipped model that says `"in_use": false` waits until somebody switches it on.

    A model gets a new version when its definition changed, or a number of the chain that definitions or models may
    name; safe to repeat. A shipped model whose questions nobody changed gets the words of this version of the product.
    Returns the keys of the models that are new or changed.

    Raises
    ------
    ModelError
        If a model could not be asked or told; then none is published.
    """
    settings = settings_of(chain)
    changed = []
    with transaction.atomic():
        stored = {model.key: model for model in StageModel.objects.select_for_update()}
        wanted = {key: model.definition for key, model in stored.items()}
        wanted |= {one["key"]: one for one in shipped_models() if _comes_by_itself(stored.get(one["key"]), one)}
        wanted |= {one["key"]: one for one in definitions or []}
        _hold_what_is_asked(wanted.values())
        attributes = may_be_asked()
        for key, definition in wanted.items():
            read_model(definition, attributes=attributes, settings=settings)
            if _publish(stored.get(key), definition, settings, by, now):
                changed.append(key)
    return sorted(changed)


def _hold_what_is_asked(definitions: Iterable[Mapping[str, Any]]) -> None:
    """Whoever retires a field or a score that is asked, or shows it to some roles only, is through before it is looked
    at, or waits and finds it in use. What customers have in it is written meanwhile."""
    asked = {name.partition(".")[::2] for one in definitions for name in own_names(one)}
    for kind, held in (("custom", Field.objects.all()), ("score", Score.objects.all())):
        # `custom.likes_3` is a choice of `likes`, `score.churn_on` the day of `churn`.
        keys = {key for prefix, name in asked if prefix == kind for key in (name, name.rpartition("_")[0])}
        if keys:
            list(held.filter(key__in=keys).order_by("pk").select_for_update(no_key=True))


def _comes_by_itself(stored: StageModel | None, shipped: Mapping[str, Any]) -> bool:
    """One that is not there yet and does not wait to be switched on; or one whose questions nobody changed."""
    if stored is None:
        return bool(shipped.get("in_use", True))
    return _asks(stored.definition) == _asks(shipped)


def _asks(definition: Mapping[str, Any]) -> list[tuple[object, object]]:
    """The questions of a model, without its words."""
    return [(one.get("stage"), one.get("when")) for one in definition.get("ask", ())]


def _publish(
    model: StageModel | None, definition: Mapping[str, Any], settings: Mapping[str, int], by: By, now: dt.datetime
) -> bool:
    if model and model.definition == definition and model.settings == settings:
        return False
    before = as_audited(model) if model else None
    if model is None:
        model = StageModel(
            key=definition["key"],
            version=0,
            position=definition.get("position", 100),
            is_default=bool(definition.get("default")) and not StageModel.objects.filter(is_default=True).exists(),
        )
    model.definition, model.settings, model.published_at = dict(definition), dict(settings), now
    model.version += 1
    model.save()
    after = as_audited(model)
    record(by=by, action="stages.published", subject=f"stages:{model.key}", before=before, after=after, now=now)
    return True


def as_audited(model: StageModel) -> dict[str, object]:
    return {"version": model.version, "definition": model.definition, "settings": model.settings}
