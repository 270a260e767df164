"""What was predicted, by which fit."""

import json
from functools import lru_cache

from django.db import models

from changke.engine.prediction.fitted import Fitted
from changke.engine.prediction.margins import Margins
from changke.facts.customers.models import whom
from changke.foundation.organisation.scope import Scope
from changke.profiles.value.models import Prediction, ValueFit, ValueRules


def value_rules() -> ValueRules:
    """The chain's numbers, or the defaults where nobody has chosen any."""
    return ValueRules.objects.first() or ValueRules()


def current_fit() -> ValueFit | None:
    """The latest fit: the one that predictions stand on."""
    return ValueFit.objects.order_by("-pk").first()


def margin_of_chain() -> float | None:
    """The share that stays, as the chain says it or as receipts say it of nearly all revenue; None: unknown, and every
    value is revenue."""
    fit = current_fit()
    return Margins.from_json(fit.margins if fit else {}).of_chain(value_rules().margin_percent)


def fits(most: int = 50) -> list[ValueFit]:
    """The history, newest first."""
    return list(ValueFit.objects.order_by("-pk")[:most])


def fitted(fit: ValueFit) -> Fitted:
    """What the engine can be asked."""
    return _read(fit.pk, json.dumps(fit.parameters))


@lru_cache(maxsize=4)
def _read(pk: int, text: str) -> Fitted:
    return Fitted.from_json(text)


def predictions(scope: Scope | None = None) -> "models.QuerySet[Prediction]":
    """Of everybody, or of those whose home store the scope holds. Nobody who never bought is among them."""
    found = Prediction.objects.all()
    if scope is not None and scope.store_ids is not None:
        found = found.filter(whom(scope))
    return found


def prediction_of(customer_id: int) -> Prediction | None:
    """Hers, or None before the first night and for somebody who never bought."""
    return Prediction.objects.select_related("fit").filter(pk=customer_id).first()
