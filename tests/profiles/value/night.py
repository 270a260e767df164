"""A night over a small chain without the mirror, inside the transaction of a test."""

import datetime as dt

from changke.engine.prediction.margins import Margins
from changke.engine.prediction.scores import COLUMNS
from changke.facts.customers.models import Customer
from changke.foundation.organisation.queries import the_chain
from changke.profiles.attributes.queries import days_at
from changke.profiles.lifecycle.services import refresh_customers
from changke.profiles.value.models import Prediction, ValueFit
from changke.profiles.value.queries import value_rules
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
