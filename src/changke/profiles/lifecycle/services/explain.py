"""One customer as of any day, recomputed from her facts: where she stands, why, and the bands of her past."""

import datetime as dt
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from changke.engine.definitions import Column, Scope, values_of
from changke.engine.engines import postgres as on_postgres
from changke.facts.customers.models import Customer
from changke.foundation.database import rows_seen
from changke.foundation.errors import DomainError
from changke.foundation.organisation.models import Chain
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.profiles.attributes.catalogue import REGISTRY
from changke.profiles.attributes.deeds import names_something, tree_of
from changke.profiles.attributes.queries import Versions, settings_of, values_for, versions
from changke.profiles.attributes.services.populations import first_version
from changke.profiles.attributes.worn import is_worn
from changke.profiles.conditions import Compare, print_tree
from changke.profiles.lifecycle.queries import composer_for, models_in_use, own_asked
from changke.profiles.lifecycle.rules import LifecycleModel, Rule
from changke.profiles.lifecycle.services.changes import own_that_counts
from changke.profiles.lifecycle.services.publish import publish_models
from changke.profiles.lifecycle.services.some import compute_some

MOST_DAYS = 600
"""Days of the past that are asked for the bands, the latest: one costs a millisecond or two."""

DAILY = frozenset({"overdue_days", "silence_percent_of_gap", "referred_customers", "referral_value",
                   "referral_value_365d"})  # fmt: skip
"""Attributes that may move on any day: a model that asks for them has every day asked."""

YEARLY = frozenset({"value_group", "loyalty_group", "new_or_old", "frequency_score", "money_score", "member_stratum",
                    "is_high_net_worth", "need_group_id", "need_days_bp", "service_preference_id"})  # fmt: skip
"""Attributes over the last 365 days that do not say so in their name."""

PLACED = frozenset({"value_group", "member_stratum", "is_high_net_worth", "recency_score", "frequency_score",
                    "money_score", "usual_gap_days",
                    "overdue_days", "silence_percent_of_gap"})  # fmt: skip
"""Attributes that move with the values of the population."""

FACT_DAYS = """
SELECT business_date, 'purchase' FROM live.purchases WHERE customer_id = %(id)s AND business_date <= %(as_of)s
UNION SELECT business_date, 'use' FROM live.uses WHERE customer_id = %(id)s AND business_date <= %(as_of)s
UNION SELECT business_date, 'return' FROM live.returns WHERE customer_id = %(id)s AND business_date <= %(as_of)s
UNION SELECT business_date, 'visit' FROM live.visits WHERE customer_id = %(id)s AND business_date <= %(as_of)s
UNION SELECT first_on, 'opening' FROM live.openings WHERE customer_id = %(id)s AND first_on <= %(as_of)s
UNION SELECT last_on, 'opening' FROM live.openings WHERE customer_id = %(id)s AND last_on <= %(as_of)s
UNION SELECT business_date, 'origin' FROM live.origins WHERE customer_id = %(id)s AND business_date <= %(as_of)s
UNION SELECT scored_on, 'score' FROM live.scores WHERE customer_id = %(id)s AND scored_on <= %(as_of)s
UNION SELECT first_on, 'tag' FROM live.worn WHERE %(tags)s AND customer_id = %(id)s AND first_on <= %(as_of)s
UNION SELECT ended_on, 'tag' FROM live.worn WHERE %(tags)s AND customer_id = %(id)s AND ended_on <= %(as_of)s
UNION SELECT business_date, 'event' FROM live.happened
  WHERE kind = ANY(%(events)s) AND customer_id = %(id)s AND business_date <= %(as_of)s
UNION SELECT business_date, 'consent' FROM live.agreed
  WHERE %(consents)s AND customer_id = %(id)s AND business_date <= %(as_of)s
UNION SELECT known_on, 'known' FROM live.customers WHERE customer_id = %(id)s AND known_on <= %(as_of)s
"""


class NoSuchCustomer(DomainError):
    code, status = "no_such_customer", 404
    message = "There is no such customer, or nothing was known of her on that day."


@dataclass(frozen=True)
class Line:
    """One comparison that was asked: what is known, what was asked, whether it held. `asked` is None for "is known"."""

    attribute: str
    op: str
    asked: object
    known: object
    holds: bool
    text: str = ""
    """What the text form calls it, where the name of the column does not say it: of a tag, an item, a category."""


@dataclass(frozen=True)
class Asked:
    """One rule in the order in which it was asked; the last one is hers."""

    stage: str
    fits: bool
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Band:
    """A stretch of days, both included, in one stage."""

    stage: str
    first: dt.date
    last: dt.date


@dataclass(frozen=True)
class Explanation:
    """Where a customer stood on a day and why, from the facts of that day as known today."""

    customer_id: int
    as_of: dt.date
    model: LifecycleModel
    stage: str
    rule: Rule
    asked: tuple[Asked, ...]
    attributes: Mapping[str, Any]
    stages: Mapping[str, str]
    """Her stage in every model in use."""
    bands: tuple[Band, ...]
    """Her past in this model, oldest first; it ends on the day."""

    @property
    def since(self) -> dt.date:
        """The day on which she came into the stage."""
        return self.bands[-1].first

    def reason(self, language: str, *, show: Callable[[str, Any], str] = lambda _, value: str(value)) -> str:
        """Why, as a sentence in one of the languages. `show` writes a value in the reader's way."""
        return self.rule.because(self.attributes, language, show=show)


def explain(
    customer_id: int,
    as_of: dt.date,
    *,
    now: dt.datetime,
    model: str | None = None,
    history: bool = True,
    chain: Chain | None = None,
    models: Sequence[LifecycleModel] = (),
) -> Explanation:
    """Recompute a customer as of a day.

    Parameters
    ----------
    now
        Only to compute what is missing where nothing was ever refreshed.
    model
        Key of a model in use; the default one unless given.
    history
        Whether the bands of the past are wanted; without them there is one band, the day itself.
    chain, models
        The chain and the models in use, where the caller has just read them.

    Raises
    ------
    NoSuchCustomer
        If nothing was known of her on that day.
    """
    chain = chain or the_chain()
    models = models or models_in_use()
    if not models:
        publish_models(chain, now=now)
        models = models_in_use()
    settings = settings_of(chain)
    known = versions()
    version = known.on(as_of) or first_version(settings=settings, today=as_of, now=now).pk
    chosen = next((one for one in models if one.key == model), models[0])
    # Whom one may see is asked first; what is then told of her is the same whoever looks, though facts of others, whom
    # one may not see, are in what they spent whom she brought.
    if not rows_seen.now_seen().whole_chain and not Customer.objects.filter(pk=customer_id).exists():
        raise NoSuchCustomer
    with rows_seen.seeing(CHAIN_WIDE):
        rows = compute_some([customer_id], models, values_for(settings, today=as_of, version=version))
        if not rows:
            raise NoSuchCustomer
        row = rows[0]
        bands = _bands(customer_id, as_of, chosen, settings, known, version) if history else []
    rule = chosen.rule_for(row)
    return Explanation(
        customer_id=customer_id,
        as_of=as_of,
        model=chosen,
        stage=rule.stage,
        rule=rule,
        asked=tuple(_asked(chosen, row)),
        attributes={name: row[name] for name in (*REGISTRY.attributes, *own_asked([chosen]))},
        stages={one.key: row[one.column] for one in models},
        bands=tuple(bands) or (Band(rule.stage, as_of, as_of),),
    )


def _asked(model: LifecycleModel, row: Mapping[str, Any]) -> Iterable[Asked]:
    for rule in model.rules:
        leaves = rule.condition.leaves() if rule.condition else ()
        lines = tuple(
            Line(leaf.column.name, leaf.op, leaf.value, row[leaf.column.name], leaf.holds(row), _text(leaf.column))
            if isinstance(leaf, Compare)
            else Line(leaf.column.name, "known", None, row[leaf.column.name], leaf.holds(row))
            for leaf in leaves
        )
        yield Asked(rule.stage, rule.fits(row), lines)
        if rule.fits(row):
            return


def _text(column: Column) -> str:
    if names_something(column.name):
        return print_tree(tree_of(column.name, column.words.split("\n")), {}, currency="").removesuffix(" > 0")
    return print_tree({"tag": column.words}, {}, currency="") if is_worn(column.name) else ""


def _bands(
    customer_id: int,
    as_of: dt.date,
    model: LifecycleModel,
    settings: Mapping[str, int],
    known: Versions,
    default: int,
) -> list[Band]:
    facts = _facts(customer_id, as_of, model)
    days = turning_days(facts, as_of, model, settings, [end for end, _ in known.ends])
    cases, scope = {model.column: model.cases}, Scope(customer_id)
    statement = composer_for([model]).statement([], engine="postgres", scope=scope, cases=cases)
    fixed = {**values_of(cases=cases), **scope.values}
    connection.ensure_connection()
    filled: set[tuple[str, object]] = set()
    bands: list[Band] = []
    for day in days:
        values = {**values_for(settings, today=day, version=known.on(day) or default), **fixed}
        with rows_seen.aloud():
            rows = on_postgres.run(connection.connection, statement, values, known=filled)
        if not rows:
            continue
        stage = str(rows[0][1])
        if bands and bands[-1].stage == stage:
            continue
        if bands:
            bands[-1] = Band(bands[-1].stage, bands[-1].first, day - dt.timedelta(days=1))
        bands.append(Band(stage, day, as_of))
    return bands


def turning_days(
    facts: Mapping[dt.date, bool],
    as_of: dt.date,
    model: LifecycleModel,
    settings: Mapping[str, int],
    population_days: Iterable[dt.date],
) -> list[dt.date]:
    """The days on which the stage may be another than the day before, and the day asked for; in order, the latest.

    Parameters
    ----------
    facts
        Day with facts -> whether she was certainly active on it.
    """
    if not facts:
        return [as_of]
    first = min(facts)
    asked = {name for rule in model.rules if rule.condition for name in rule.condition.attributes}
    if asked & DAILY:
        return _latest({first + dt.timedelta(days=n) for n in range((as_of - first).days + 1)}, as_of)
    leaves = {int(found[1]) for name in asked if (found := re.search(r"_(\d+)d$", name))}
    leaves |= {365} if asked & YEARLY else set()
    silences = set(model.thresholds("silent_days"))
    if asked & {"loyalty_group", "member_stratum"}:
        silences |= {settings["silent_after_days"], settings["lost_after_days"]}
    days = set(facts) | {day + dt.timedelta(days=n) for day in facts for n in leaves}
    days |= _silences(facts, silences)
    if asked & PLACED:
        days |= {day for day in population_days if day >= first}
    return _latest(days, as_of)


def _silences(facts: Mapping[dt.date, bool], lengths: Iterable[int]) -> set[dt.date]:
    """The days on which a silence reaches one of the lengths: none where she was active again before."""
    active = sorted(day for day, certainly in facts.items() if certainly)
    found = set()
    for day in facts:
        place = bisect_right(active, day)
        again = active[place] if place < len(active) else dt.date.max
        found |= {reached for n in lengths if (reached := day + dt.timedelta(days=n)) < again}
    return found


def _latest(days: set[dt.date], as_of: dt.date) -> list[dt.date]:
    return sorted(day for day in days | {as_of} if day <= as_of)[-MOST_DAYS:]


def _facts(customer_id: int, as_of: dt.date, model: LifecycleModel) -> dict[dt.date, bool]:
    """The days of her facts, those of tags, events and consents where the model asks for any, and whether she was
    certainly active on them: a visit always is where visits count; a receipt may have been given back since."""
    with connection.cursor() as sql:
        sql.execute(FACT_DAYS, {"id": customer_id, "as_of": as_of, **own_that_counts([model])})
        rows = sql.fetchall()
    returns = any(kind == "return" for _, kind in rows)
    counts = set(the_chain().activity_kinds)
    certain = {kind for kind in ("visit", "purchase", "use") if kind in counts and (kind == "visit" or not returns)}
    found: dict[dt.date, bool] = {}
    for day, kind in rows:
        found[day] = found.get(day, False) or kind in certain
    return found
