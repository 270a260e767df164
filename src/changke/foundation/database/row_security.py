"""The net under the scopes: PostgreSQL itself shows no row of a store to whoever has not said that it is his.

Every table that carries a store or a customer has row-level security, forced, with one policy. Which it is follows from
the columns of the model, so that a new table is protected by having them; one whose way to a store cannot be seen from
its columns says it (`ROWS_OF`) or is refused by a test. docs/decisions/0022.

The policies are written after every migration by whoever migrates, and only where they changed.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, models

from changke.foundation.database.grants import LEAKPROOF

POLICY = "changke_rows"

EXEMPT = {
    "foundation_store": "the directory of stores: everybody knows their names",
    "foundation_staff_stores": "read to find out who asks",
    "foundation_apikey_stores": "read to find out who asks",
    "foundation_device": "the cookie of a bound device is read before anybody is known",
    "foundation_signin": "read to find out who asks",
    "foundation_grant": "read to find out who asks",
    "foundation_auditline": "nothing may fail for want of its line, not even a log-in; reading needs a capability",
}
"""Tables with a store or a customer in them that need no policy, and why."""

# Called once per statement: as sub-selects they are no functions of the row. What the setting says: `rows_seen`. They
# name their schema: a backup reads with an empty search path.
STORES_FUNCTION = """
CREATE OR REPLACE FUNCTION changke_stores() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN current_setting('changke.stores', true) LIKE '{%} * %' THEN (SELECT array_agg(id) FROM public.foundation_store)
    WHEN current_setting('changke.stores', true) LIKE '{%'
    THEN split_part(current_setting('changke.stores', true), ' ', 1)::bigint[]
      || coalesce(nullif(split_part(current_setting('changke.stores', true), ' ', 3), ''), '{}')::bigint[]
    ELSE '{}'::bigint[] END
$$;
CREATE OR REPLACE FUNCTION changke_homes() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN current_setting('changke.stores', true) LIKE '{%'
              THEN split_part(current_setting('changke.stores', true), ' ', 1)::bigint[] ELSE '{}'::bigint[] END
$$;
CREATE OR REPLACE FUNCTION changke_visited() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT coalesce(nullif(split_part(current_setting('changke.stores', true), ' ', 2), ''), '{}')::bigint[]
$$;
CREATE OR REPLACE FUNCTION changke_figures() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN cardinality(public.changke_visited()) > 0 THEN (SELECT array_agg(id) FROM public.foundation_store)
    ELSE public.changke_stores() END
$$;
CREATE OR REPLACE FUNCTION changke_own() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT CASE split_part(current_setting('changke.stores', true), ' ', 3) WHEN '' THEN '{}'::bigint[]
    WHEN '*' THEN (SELECT array_agg(id) FROM public.foundation_store)
    ELSE split_part(current_setting('changke.stores', true), ' ', 3)::bigint[] END
$$;
CREATE OR REPLACE FUNCTION changke_adviser() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT coalesce(nullif(split_part(current_setting('changke.stores', true), ' ', 4), ''), '0')::bigint
$$;
-- Its cost is said to be small because hardly anybody asks: as a sub-select it was reckoned with for every customer of
-- everybody's lists, and PostgreSQL sorted thousands where it could have walked along an index.
CREATE OR REPLACE FUNCTION changke_visitor(person bigint) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1
AS $$
BEGIN
  RETURN EXISTS (SELECT FROM public.facts_guest AS guest
                 WHERE guest.person_id = person AND guest.store_id = ANY (public.changke_visited()));
END
$$
"""
WHOLE = "(SELECT current_setting('changke.stores', true)) = '*'"
MINE = "ANY ((SELECT changke_stores())::bigint[])"
"""Stores in which somebody works."""
HOMES = "ANY ((SELECT changke_homes())::bigint[])"
"""Stores whose customers somebody sees because it is their home."""
FIGURES = "ANY ((SELECT changke_figures())::bigint[])"
"""Homes of those whose figures somebody is let through to."""
OWN = "ANY ((SELECT changke_own())::bigint[])"
ANYWHERE = "(SELECT split_part(current_setting('changke.stores', true), ' ', 3)) = '*'"
# Asked before what costs a look into another table. As a comparison of numbers, which the planner takes to be rare:
# what nobody is given must not make the plans of all others look worse.
BY_VISIT = "(SELECT cardinality(changke_visited()))"
BY_ADVISER = "(SELECT changke_adviser())"


@dataclass(frozen=True)
class Protected:
    """A table and the condition under which a row of it is seen."""

    table: str
    condition: str

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(f"{STORES_FUNCTION}{self.condition}".encode()).hexdigest()[:16]


def protected_tables() -> list[Protected]:
    """Every table whose rows belong to a store or a customer, by name."""
    found = []
    for model in models_of_rows():
        ways = list(_ways(model))
        if ways:
            found.append(Protected(model._meta.db_table, " OR ".join((WHOLE, *ways))))
    return sorted(found, key=lambda one: one.table)


def models_of_rows() -> Iterator[type[models.Model]]:
    """Our models that have a table of their own, those of many-to-many relations too."""
    for model in apps.get_models(include_auto_created=True):
        if model.__module__.startswith("changke.") and model._meta.managed and model._meta.db_table not in EXEMPT:
            yield model


def _ways(model: type[models.Model]) -> Iterator[str]:
    """How a row is found to be somebody's: by its store, by its customer, or by the row it is a part of."""
    if declared := getattr(model, "ROWS_OF", ""):
        yield declared
        return
    table = _quoted(model._meta.db_table)
    stores: list[str] = []
    customers: list[str] = []
    parts: list[str] = []
    for field in model._meta.concrete_fields:
        column = f"{table}.{_quoted(field.column)}"
        target = field.related_model._meta.label_lower if isinstance(field.related_model, type) else ""
        if field.column == "home_store_id":
            stores += _at_home(column)
        elif target == "foundation.store" or field.column == "store_id":
            stores.append(f"{column} = {MINE}")
        elif target == "facts.customer" or field.column == "customer_id":
            customers.append(_through("facts_customer", column))
        elif field.many_to_one and isinstance(field.related_model, type) and _is_of_rows(field.related_model):
            parts.append(_through(field.related_model._meta.db_table, column))
    yield from stores  # first: it costs a comparison, the others a look into another table
    if not any(field.column == "home_store_id" for field in model._meta.concrete_fields):
        yield from customers  # where her home is written beside her, that says it
    if not stores and not customers:
        yield from parts


def _at_home(column: str) -> Iterator[str]:
    """Figures of a customer that carry her home and no name. Asked by their home alone, so that an index of it can
    answer by itself: whoever sees visitors of a store is let through to everybody's figures, and narrowed by queries
    (docs/decisions/0092)."""
    yield f"{column} = {FIGURES}"
    yield f"({column} IS NULL AND {BY_VISIT} > 0)"


def was_here(person: str) -> str:
    """The person of this number bought or was served in a store whose visitors are seen."""
    return f"CASE WHEN {BY_VISIT} > 0 THEN changke_visitor({person}) ELSE false END"


def _has_own(model: type[models.Model]) -> bool:
    """Whether it names a store or a customer itself."""
    return any(
        field.column in {"store_id", "home_store_id", "customer_id"}
        or (
            isinstance(field.related_model, type)
            and field.related_model._meta.label_lower in {"foundation.store", "facts.customer"}
        )
        for field in model._meta.concrete_fields
    )


def _is_of_rows(model: type[models.Model]) -> bool:
    return model._meta.db_table not in EXEMPT and (_has_own(model) or bool(getattr(model, "ROWS_OF", "")))


def _through(table: str, column: str) -> str:
    """The row is seen with the one it belongs to: its own policy is asked."""
    return f"EXISTS (SELECT 1 FROM {_quoted(table)} AS whose WHERE whose.id = {column})"  # noqa: S608 names of models


def _quoted(name: str | None) -> str:
    return connection.ops.quote_name(str(name))


def apply(**_: object) -> None:
    """Write the policies as the models are now. Safe to repeat; what is as it should be is not touched or locked."""
    with connection.cursor() as cursor:
        _see_through(cursor)
        known = _standing(cursor)
        there = _as_the_models_say(cursor)
        protected = {one.table: one for one in protected_tables()}
        wanted = {table: one for table, one in protected.items() if table in there}
        if {table: one.fingerprint for table, one in wanted.items()} == known:
            return
        cursor.execute(STORES_FUNCTION)
        for table in known.keys() - protected.keys():
            cursor.execute(f"DROP POLICY {POLICY} ON {_quoted(table)}")
            cursor.execute(f"ALTER TABLE {_quoted(table)} NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY")
        for table, one in wanted.items():
            if known.get(table) != one.fingerprint:
                for statement in statements(one):
                    cursor.execute(statement)


def _as_the_models_say(cursor: Any) -> set[str]:
    """Tables that have every column of their model. Of one that has not, half of the migrations are still to come: its
    policy may speak of what is not there yet, and is written with the last of them."""
    cursor.execute("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'")
    columns = set(cursor.fetchall())
    return {
        model._meta.db_table
        for model in models_of_rows()
        if all((model._meta.db_table, field.column) in columns for field in model._meta.concrete_fields)
    }


def statements(one: Protected) -> Iterator[str]:
    """The policy of one table. Forced: the owner is bound too, and so is a chain that has one user for everything."""
    table = _quoted(one.table)
    yield f"DROP POLICY IF EXISTS {POLICY} ON {table}"
    yield f"CREATE POLICY {POLICY} ON {table} USING ({one.condition})"
    yield f"COMMENT ON POLICY {POLICY} ON {table} IS '{one.fingerprint}'"
    yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"


@dataclass(frozen=True)
class Lacking:
    """What keeps the net from holding, or from being fast."""

    tables: tuple[str, ...]
    bypassed: bool
    marks: bool


def lacking() -> Lacking:
    """What is missing in the database as it stands, for the user we are."""
    with connection.cursor() as cursor:
        known = _standing(cursor)
        tables = tuple(one.table for one in protected_tables() if known.get(one.table) != one.fingerprint)
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        bypassed = bool(cursor.fetchone()[0])
        cursor.execute("SELECT bool_and(proleakproof) FROM pg_proc WHERE oid = ANY(%s::regprocedure[])", [[*LEAKPROOF]])
        marks = not cursor.fetchone()[0]
    return Lacking(tables, bypassed, marks)


def _standing(cursor: object) -> dict[str, str]:
    """Table -> fingerprint of the policy that stands on it, where security is on and forced."""
    cursor.execute(  # type: ignore[attr-defined]
        """
        SELECT tables.relname, COALESCE(obj_description(policies.oid, 'pg_policy'), '')
        FROM pg_policy AS policies JOIN pg_class AS tables ON tables.oid = policies.polrelid
        WHERE policies.polname = %s AND tables.relrowsecurity AND tables.relforcerowsecurity
          AND tables.relnamespace = 'public'::regnamespace
        """,
        [POLICY],
    )
    return dict(cursor.fetchall())  # type: ignore[attr-defined]


def _see_through(cursor: object) -> None:
    """Views ask the policies for whoever reads them, not for their owner, who sees nothing."""
    cursor.execute(  # type: ignore[attr-defined]
        """
        SELECT format('%I.%I', schemas.nspname, views.relname)
        FROM pg_class AS views JOIN pg_namespace AS schemas ON schemas.oid = views.relnamespace
        WHERE views.relkind = 'v' AND schemas.nspname = 'live'
          AND NOT COALESCE('security_invoker=true' = ANY(views.reloptions), false)
        """
    )
    for (view,) in cursor.fetchall():  # type: ignore[attr-defined]
        cursor.execute(f"ALTER VIEW {view} SET (security_invoker = true)")  # type: ignore[attr-defined]
