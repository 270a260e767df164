"""How long customers stay in a stage: the pasts of a few of each stage, recomputed from the facts to the day.

What `explain` says of one customer is asked of a sample, spread evenly over those who stand in each stage; everybody
in a small shop. Each spell is kept without whose it is, with how many customers it stands for.
"""

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db import transaction

from changke.foundation.database.rows_seen import seeing
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.profiles.attributes.models import Profile
from changke.profiles.attributes.queries import days_at
from changke.profiles.lifecycle.models import StageSpell, Standing
from changke.profiles.lifecycle.queries import models_in_use
from changke.profiles.lifecycle.rules import LifecycleModel
from changke.profiles.lifecycle.services.explain import NoSuchCustomer, explain

SAMPLED = 40
"""Customers of each stage: a median of 40 lies within about a sixth of the spread of the true one. A past takes some
tenths of a second, so five stages take about a minute in the background, at any size of the chain."""


def sample_spells(*, now: dt.datetime, most: int = SAMPLED) -> int:
    """Write the spells of every model in use anew, as of today; how many customers were asked. Safe to repeat."""
    today = days_at(now, the_chain()).chain
    asked = 0
    with seeing(CHAIN_WIDE):
        for model in models_in_use():
            found: list[StageSpell] = []
            for stage, ids, size in _sampled(model, most):
                told = list(_spells(ids, model, stage, today, weight=size / len(ids), now=now))
                asked, found = asked + len(ids), found + told
            with transaction.atomic():
                StageSpell.objects.filter(model=model.key).delete()
                StageSpell.objects.bulk_create(found)
        StageSpell.objects.exclude(model__in=[one.key for one in models_in_use()]).delete()
    return asked


def _sampled(model: LifecycleModel, most: int) -> Iterable[tuple[str, Sequence[int], int]]:
    """Stage -> some of those who stand there, spread over their ids, and how many there are."""
    for stage in model.stages:
        ids = Standing.objects.filter(model=model.key, stage=stage.key).order_by("customer_id")
        size = ids.count()
        if size:
            step = -(-size // most)
            yield stage.key, list(ids.values_list("customer_id", flat=True))[::step], size


def _spells(
    ids: Sequence[int], model: LifecycleModel, stage: str, today: dt.date, *, weight: float, now: dt.datetime
) -> Iterable[StageSpell]:
    homes = dict(Profile.objects.filter(pk__in=ids).values_list("customer_id", "home_store_id"))
    for customer in ids:
        try:
            bands = explain(customer, today, now=now, model=model.key).bands
        except NoSuchCustomer:  # erased since, or known only from tomorrow on where it is tomorrow already
            continue
        for place, band in enumerate(bands):
            is_last = place == len(bands) - 1
            yield StageSpell(
                model=model.key,
                stage=band.stage,
                store_id=homes.get(customer),
                first_on=band.first,
                last_on=None if is_last else band.last,
                weight_milli=round(1_000 * weight),
                as_of=today,
            )
