"""Reads for pages, commands and the services of this room."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.db.models import Sum

from changke.engine.definitions import Column, Composer
from changke.facts.fields.models import Field
from changke.facts.fields.queries import fields_for
from changke.facts.scores.queries import scores_for
from changke.facts.tables import FURTHER
from changke.foundation.organisation.scope import Scope, in_places
from changke.profiles.attributes.catalogue import COMPOSER, REGISTRY
from changke.profiles.attributes.made import definitions_of, is_made
from changke.profiles.attributes.own import PREFIX, SCORED, attributes_of, composer_with
from changke.profiles.lifecycle.models import SeriesFill, StageCount, StageFlow, StageModel, StageProfit
from changke.profiles.lifecycle.rules import LANGUAGES, LifecycleModel, held_as, own_names, read_model
from changke.profiles.value.profit import Profit

LISTED = ("-is_default", "position", "key")


def models_in_use() -> list[LifecycleModel]:
    """Every model in use in its latest version, the default one first."""
    return [read_stored(one) for one in StageModel.objects.filter(is_in_use=True).order_by(*LISTED)]


def stored_models() -> list[StageModel]:
    """Every published model, those switched off too, the default one first."""
    return list(StageModel.objects.order_by(*LISTED))


def read_stored(one: StageModel) -> LifecycleModel:
    """A stored model, read with the chain's numbers that it was published with."""
    return _read(one.key, one.version, one.published_at, one.is_default, tuple(sorted(one.settings.items())))


def default_model() -> LifecycleModel:
    """The model that lists and the day's work go by."""
    return models_in_use()[0]


def may_be_asked(*, retired: bool = False, language: str = "en") -> Mapping[str, Column]:
    """What the rules of stages may ask: the house's attributes, what stands in the chain's own fields (`custom.skin`),
    and what its scores say (`score.churn`).

    Everybody sees stages and why, so what only some roles see is not asked for. `retired`: also what a rule asks that
    was published in earlier days. `language`: of the names of what is the chain's own.
    """
    scores = [one for one in scores_for(retired=retired) if retired or not one.roles]
    fields = [one for one in fields_for(retired=retired) if retired or not one.roles]
    if not (scores or fields):
        return REGISTRY.attributes
    own = attributes_of(composer_with(fields, scores, language=language))
    return {
        **REGISTRY.attributes,
        **{name: column for name, column in own.items() if name.startswith((PREFIX, SCORED))},
    }


def own_asked(models: Iterable[LifecycleModel]) -> tuple[str, ...]:
    """The columns beyond the house's that these models ask or tell."""
    named = dict.fromkeys(name for model in models for name in model.attributes)
    return tuple(name for name in named if name not in REGISTRY.attributes)


def composer_for(models: Iterable[LifecycleModel]) -> Composer:
    """Who answers what these models ask: with the chain's own fields and scores where one of them asks for one."""
    asked = own_asked(models)
    return own_composer("en", deeds=filter(is_made, asked)) if asked else COMPOSER


def further_of(models: Iterable[LifecycleModel]) -> frozenset[str]:
    """The facts that these models ask for beyond those that everybody's are copied of."""
    named = {name for definition in definitions_of(own_asked(models)) for name in definition.inputs}
    return frozenset(named & FURTHER.keys())


def own_composer(language: str, *, deeds: Iterable[str] = ()) -> Composer:
    """Who knows every field and score of the chain's own, retired ones too; and these deeds in a window."""
    return composer_with(fields_for(retired=True), scores_for(retired=True), language=language, deeds=deeds)


def asking_for(score: str) -> list[str]:
    """The names of the models that ask for this score or tell it, those switched off too."""
    return [_called(one) for one in _naming({f"score_{score}", f"score_{score}_on"})]


def asking_for_field(field: Field) -> list[tuple[str, frozenset[str]]]:
    """The models that ask for this field or tell it, those switched off too: name, and the texts each compares it
    with."""
    names = {f"custom_{field.key}", *(f"custom_{field.key}_{n + 1}" for n in range(len(field.choices)))}
    texts = {one.pk: read_stored(one).texts(f"custom_{field.key}") for one in _naming(names) if field.kind == "choice"}
    return [(_called(one), texts.get(one.pk, frozenset())) for one in _naming(names)]


def _naming(names: set[str]) -> list[StageModel]:
    return [one for one in stored_models() if names & set(map(held_as, own_names(one.definition)))]


def _called(model: StageModel) -> str:
    return str(model.definition["words"][LANGUAGES[0]])


@lru_cache(maxsize=50)
def _read(
    key: str, version: int, published_at: dt.datetime, is_default: bool, settings: tuple[tuple[str, int], ...]
) -> LifecycleModel:
    # Moment and numbers are part of the key: a database may be restored under a running process.
    model = StageModel.objects.get(key=key)
    definition = {**model.definition, "default": is_default}
    return read_model(definition, attributes=may_be_asked(retired=True), settings=dict(settings), version=version)


@dataclass(frozen=True)
class Count:
    """Customers and their value at risk in a stage at the end of a day."""

    day: dt.date
    stage: str
    customers: int
    value_minor: int


@dataclass(frozen=True)
class Flow:
    """Customers who stood in a stage on one day and in a stage on the next day of the charts."""

    before: dt.date
    day: dt.date
    from_stage: str
    to_stage: str
    customers: int
    value_minor: int


def counts(model: str, scope: Scope, *, since: dt.date | None = None) -> list[Count]:
    """Counts and value per stage over time, summed over the stores in scope, days in order."""
    rows = _seen(StageCount.objects.filter(model=model), scope, since)
    rows = rows.values("day", "stage").annotate(people=Sum("customers"), value=Sum("value_minor")).order_by("day")
    return [Count(row["day"], row["stage"], row["people"], row["value"]) for row in rows]


def profits(model: str, scope: Scope, *, since: dt.date | None = None) -> dict[dt.date, dict[str, Profit]]:
    """Day of the charts -> stage -> what those who stood there brought since the day before, over the stores in scope.

    A stage without a receipt is not among them.
    """
    rows = _seen(StageProfit.objects.filter(model=model), scope, since)
    rows = rows.values("day", "stage").annotate(
        margin=Sum("margin_minor"), revenue=Sum("revenue_minor"), known=Sum("known_minor")
    )
    table: dict[dt.date, dict[str, Profit]] = defaultdict(dict)
    for row in rows.order_by("day", "stage"):
        table[row["day"]][row["stage"]] = Profit(row["margin"], row["revenue"], row["known"])
    return dict(table)


def before_days() -> dict[dt.date, dt.date | None]:
    """Day of the charts -> the day of the charts before it."""
    return dict(SeriesFill.objects.order_by("day").values_list("day", "before"))


def flows(model: str, scope: Scope, *, days: Collection[dt.date] | None = None) -> list[Flow]:
    """Flows between consecutive days of the charts, summed over the stores in scope. `days` are the later days."""
    fills = SeriesFill.objects.filter(before__isnull=False).values_list("day", "before")
    before = {day: earlier for day, earlier in fills if earlier}
    rows = _seen(StageFlow.objects.filter(model=model), scope, None)
    rows = rows.filter(day__in=days) if days is not None else rows
    rows = rows.values("day", "from_stage", "to_stage").annotate(people=Sum("customers"), value=Sum("value_minor"))
    return [
        Flow(before[row["day"]], row["day"], row["from_stage"], row["to_stage"], row["people"], row["value"])
        for row in rows.order_by("day", "from_stage", "to_stage")
        if row["day"] in before
    ]


def chart_days() -> list[dt.date]:
    """The days that the charts know, in order."""
    return list(SeriesFill.objects.order_by("day").values_list("day", flat=True))


def by_day(found: list[Count]) -> dict[dt.date, dict[str, Count]]:
    """Counts as a table: day -> stage -> count."""
    table: dict[dt.date, dict[str, Count]] = defaultdict(dict)
    for count in found:
        table[count.day][count.stage] = count
    return dict(table)


def _seen(rows, scope: Scope, since: dt.date | None):  # type: ignore[no-untyped-def]  # querysets of two models
    if scope.store_ids is not None:  # numbers of a store are no persons: of wherever one works
        rows = rows.filter(in_places(scope))
    return rows.filter(day__gte=since) if since else rows
