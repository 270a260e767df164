"""A night over a small chain without the mirror, inside the transaction of a test."""

import datetime as dt
import json
from dataclasses import replace

from changke.engine.prediction.margins import Margins
from changke.engine.prediction.models import Blend
from changke.engine.prediction.scores import COLUMNS
from changke.engine.prediction.stores import Own, Stores
from changke.facts.customers.models import Customer
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.queries import the_chain
from changke.profiles.attributes.queries import days_at
from changke.profiles.lifecycle.services import refresh_customers
from changke.profiles.value.models import Prediction, ValueFit
from changke.profiles.value.queries import fitted, value_rules
from changke.profiles.value.services.learn import learn
from changke.profiles.value.services.predict import days_of, predict_customers
from tests.cast import NOW, TODAY
from tests.kept import keeping


def expect(one: Customer, value: int) -> Prediction:
    """Expect the same number of everything from her, in whatever unit."""
    numbers = [name for name in COLUMNS if name != "customer_id"]
    return Prediction.objects.create(
        customer=one, fit_id=1, as_of=TODAY, snapshot=1, horizon_days=90, **dict.fromkeys(numbers, value)
    )


def told_apart(fit: ValueFit) -> ValueFit:
    """The same fit, in which every second store has models of its own: its customers come so much faster, or slower."""
    learned, own = fitted(fit), []
    for turn, store in enumerate(Store.objects.order_by("pk").values_list("pk", flat=True)[::2]):
        models = [
            type(one)(**{**one.values(), "alpha": one.values()["alpha"] * (0.6 + 0.5 * turn)})
            for one in learned.models.models
        ]
        own.append(Own(store, 50 + turn, Blend(tuple(models))))
    fit.parameters = json.loads(replace(learned, stores=Stores(100.0, tuple(own))).to_json())
    fit.save()
    return fit


@keeping
def a_night_over_the_cast() -> ValueFit:
    """Over a chain just assembled, whose models nobody published."""
    return a_night(NOW)


def a_night(now: dt.datetime) -> ValueFit:
    ids = list(Customer.objects.values_list("pk", flat=True))
    refresh_customers(ids, now=now)
    days, bought = days_of(ids, today=days_at(now, the_chain()).chain)
    fit = learn(days, horizon_days=value_rules().horizon_days, now=now, margins=Margins.of(bought))
    predict_customers(ids, now=now)
    return fit
