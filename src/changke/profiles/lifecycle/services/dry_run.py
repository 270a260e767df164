"""What a model would do before it is published: who would stand elsewhere, and why. Nothing is written.

Today is asked of the stored profiles: the same attributes for the rules of now and for the new ones, so that only the
rules differ. The past is asked by past.py.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Max
from sqlglot import exp

from changke.engine.definitions import TODAY, Cases, Composer, Scope
from changke.engine.engines import postgres as on_postgres
from changke.foundation.organisation.models import Chain
from changke.foundation.organisation.queries import the_chain
from changke.profiles.attributes.catalogue import REGISTRY
from changke.profiles.attributes.made import is_made
from changke.profiles.attributes.models import Profile
from changke.profiles.attributes.own import own_column
from changke.profiles.attributes.queries import settings_of
from changke.profiles.lifecycle.models import StageModel
from changke.profiles.lifecycle.queries import composer_for, may_be_asked, own_asked, read_stored
from changke.profiles.lifecycle.rules import LifecycleModel, read_model, token_of

EXAMPLES = 3
"""Customers named for each move, the most valuable first."""

DEEDS = "deeds"

NEW = "will"
"""What the new rules' column is called: a word that no key of a model can make with `stage_`."""


@dataclass(frozen=True)
class Move:
    """Customers who stand in `was` by the rules of now and would in `will`. `was` is "" for a model that is new."""

    was: str
    will: str
    customers: int
    value_minor: int
    """Their value at risk, in minor units of the chain's currency."""
    examples: tuple[int, ...]
    """Ids of a few of them."""


@dataclass(frozen=True)
class DryRun:
    """Everybody counted once: those who move, and how many would stand where."""

    model: LifecycleModel
    customers: int
    moves: tuple[Move, ...]
    """The largest first."""
    before: Mapping[str, int]
    """Stage -> customers by the rules of now."""
    after: Mapping[str, int]
    token: str = ""
    """What was looked at, as a word that publishing asks for: see `token_of`."""
    statement: str = ""
    """What was asked, and what was bound to it."""
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def moving(self) -> int:
        return sum(move.customers for move in self.moves)


def dry_run(definition: Mapping[str, Any], *, chain: Chain | None = None) -> DryRun:
    """How today's stages would change if this model were published.

    Raises
    ------
    ModelError
        If it could not be asked or told, with the path to the spot.
    """
    chain = chain or the_chain()
    new = draft(definition, chain)
    token = token_now(definition, chain)
    statement, bound = asked_of_everybody(new, standing_rules(new.key))
    with connection.cursor() as sql:
        sql.execute(statement, bound)
        rows = sql.fetchall()
    before: dict[str, int] = {}
    after: dict[str, int] = {}
    moves = []
    for old_stage, new_stage, customers, value, examples in rows:
        before[old_stage] = before.get(old_stage, 0) + customers
        after[new_stage] = after.get(new_stage, 0) + customers
        if old_stage != new_stage:
            moves.append(Move(old_stage, new_stage, customers, int(value or 0), tuple(examples)))
    moves.sort(key=lambda move: -move.customers)
    return DryRun(new, sum(after.values()), tuple(moves), before, after, token, statement, bound)


def asked_of_everybody(new: LifecycleModel, old: LifecycleModel | None) -> tuple[str, dict[str, Any]]:
    """Where everybody stands by the rules of now and where by the new ones, and what is bound to it."""
    models = [new, old] if old else [new]
    composer = composer_for(models)
    done, bound = _deeds(models, composer)
    was = _expression("was", old.cases, composer) if old else exp.Literal.string("")
    will = _expression(NEW, new.cases, composer)
    bound |= new.cases.values(NEW) | (old.cases.values("was") if old else {})
    return _statement(was, will, done), bound


def _deeds(models: Sequence[LifecycleModel], composer: Composer) -> tuple[str, dict[str, Any]]:
    """What the models count in windows, of everybody as of the day of the stored profiles; and what is bound to it."""
    names = [name for name in own_asked(models) if is_made(name)]
    if not names:
        return "", {}
    day = Profile.objects.aggregate(day=Max("as_of"))["day"]
    statement = composer.statement(names, engine="postgres")
    values = {**settings_of(the_chain()), TODAY: day}
    named = statement.sql.replace("%", "%%")  # the whole is said in psycopg's words, where a bare % begins a value
    told = re.sub(r"\$(\d+)", lambda found: f"%({statement.parameters[int(found[1]) - 1]})s", named)
    joined = f"LEFT JOIN ({told}) AS {DEEDS} ON {DEEDS}.customer_id = one.customer_id"
    return joined, {name: values[name] for name in statement.parameters}


def known_of(customer_ids: Sequence[int], model: LifecycleModel) -> dict[int, dict[str, Any]]:
    """What the rules of the model ask and tell of these customers, as it stands today."""
    own = own_asked([model])
    house = [name for name in model.attributes if name not in own]
    rows = Profile.objects.filter(pk__in=customer_ids).values("customer_id", *house)
    found: dict[int, dict[str, Any]] = {row["customer_id"]: {**row, **dict.fromkeys(own)} for row in rows}
    with connection.cursor() as sql:
        for name in (one for one in own if not is_made(one)):
            said = own_column(name, composer_for([model])).subquery("own").sql(dialect="postgres")
            only = f"SELECT customer_id, {name} FROM {said} WHERE customer_id = ANY(%s)"  # noqa: S608 -- our definitions
            sql.execute(only, [list(customer_ids)])
            for customer, value in sql.fetchall():
                if customer in found:
                    found[customer][name] = value
    if deeds := [name for name in own if is_made(name)]:
        scope, day = Scope(list(customer_ids)), Profile.objects.aggregate(day=Max("as_of"))["day"]
        statement = composer_for([model]).statement(deeds, engine="postgres", scope=scope)
        connection.ensure_connection()
        told = on_postgres.run(
            connection.connection, statement, {**settings_of(the_chain()), **scope.values, TODAY: day}
        )
        for customer, *values in told:
            if customer in found:
                found[customer].update(zip(deeds, values, strict=True))
    return found


def draft(definition: Mapping[str, Any], chain: Chain) -> LifecycleModel:
    return read_model(definition, attributes=may_be_asked(), settings=settings_of(chain))


def standing_rules(key: str) -> LifecycleModel | None:
    """The rules of now: the published ones, None for a model that is new."""
    stored = StageModel.objects.filter(key=key).first()
    return read_stored(stored) if stored else None


def token_now(definition: Mapping[str, Any], chain: Chain) -> str:
    """The word of a dry run of this definition that is made now."""
    stored = StageModel.objects.filter(key=definition["key"]).first()
    return token_of(
        definition,
        settings=settings_of(chain),
        standing=stored.version if stored else 0,
        is_in_use=bool(stored and stored.is_in_use),
    )


def _expression(name: str, cases: Cases, composer: Composer) -> exp.Expr:
    return cases.sql(name, lambda column: _stands(column, composer))


def _stands(column: str, composer: Composer) -> exp.Expr:
    """Where an attribute stands: in the wide row, or among what the chain's own scores say of her."""
    if is_made(column):
        return exp.column(column, table=DEEDS)
    if column in REGISTRY.attributes:
        return exp.column(column, table="one", quoted=True)
    own = exp.select(exp.column(column, table="own")).from_(own_column(column, composer).subquery("own"))
    hers = exp.column("customer_id", table="own").eq(exp.column("customer_id", table="one", quoted=True))
    return own.where(hers).subquery()


def _statement(was: exp.Expr, will: exp.Expr, done: str) -> str:
    """Counted and summed, with a few ids of each move. Columns are the profile's, values are bound."""
    cases = [expression.sql(dialect="postgres") for expression in (was, will)]
    return f"""
        SELECT was, will, COUNT(*), SUM(value_at_risk)::bigint,
          COALESCE((ARRAY_AGG(customer_id ORDER BY place) FILTER (WHERE place <= {EXAMPLES} AND was <> will)), '{{}}')
        FROM (
          SELECT was, will, value_at_risk, customer_id,
            CASE WHEN was <> will
              THEN ROW_NUMBER() OVER (PARTITION BY was, will ORDER BY value_at_risk DESC NULLS LAST, customer_id)
            END AS place
          FROM (
            SELECT {cases[0]} AS was, {cases[1]} AS will, one.value_at_risk, one.customer_id
            FROM {Profile._meta.db_table} AS one {done}
          ) AS asked
        ) AS placed
        GROUP BY was, will
        """  # noqa: S608 -- our own names and placeholders
