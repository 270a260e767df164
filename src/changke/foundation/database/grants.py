"""What each role may do, applied after every migration by the owner.

Facts are append-only twice over: by trigger, which holds against everybody, and by grant, which holds before a
statement even runs. Which tables those are is read from the triggers themselves, so that the two nets cannot disagree.
"""

from dataclasses import dataclass

from psycopg import Connection, sql

from changke.foundation.database.config import ROLES

# Of a fact only its withdrawal is ever written, together with the transaction id that makes readers see it again.
WITHDRAWAL = ("withdrawn_by_id", "txid")
# Of a line of the audit trail only its values are ever blanked, with the person they are about.
ERASURE = ("before", "after", "reason", "sealed", "salt")
# Of who brought whom the name is emptied, with either of the two.
FORGOTTEN = ("referrer_id", *WITHDRAWAL)
LEAKPROOF = ("pg_catalog.arraycontains(anyarray, anyarray)", "pg_catalog.textlike(text, text)")
"""Comparisons by which names are searched. PostgreSQL asks a policy of row-level security before any comparison that
might tell of a row it hides, and then no index serves the search: seconds instead of milliseconds at a million
customers. These two say nothing of a row but whether it fits; marking them is the superuser's."""

GUARDS = {"changke_append_only": WITHDRAWAL, "changke_frozen": (), "changke_audit_guard": ERASURE,
          "changke_referral_guard": FORGOTTEN}  # fmt: skip


@dataclass(frozen=True)
class Guarded:
    """A table that a trigger keeps append-only, and the columns that may still change."""

    schema: str
    table: str
    changeable: tuple[str, ...]


def guarded_tables(connection: Connection) -> list[Guarded]:
    """Every table whose rows a trigger protects."""
    found = connection.execute(
        """
        SELECT schemas.nspname, tables.relname, functions.proname
        FROM pg_trigger AS triggers
        JOIN pg_proc AS functions ON functions.oid = triggers.tgfoid
        JOIN pg_class AS tables ON tables.oid = triggers.tgrelid
        JOIN pg_namespace AS schemas ON schemas.oid = tables.relnamespace
        WHERE functions.proname = ANY(%s) AND triggers.tgenabled IN ('O', 'A')
        ORDER BY 1, 2
        """,
        [list(GUARDS)],
    )
    return [Guarded(schema, table, tuple(GUARDS[function])) for schema, table, function in found]


def apply(connection: Connection, *, app: str, reader: str) -> None:
    """Give `app` and `reader` their rights on everything the owner (who runs this) has made. Safe to repeat."""
    for statement in statements(connection, app=app, reader=reader):
        connection.execute(statement)


def statements(connection: Connection, *, app: str, reader: str) -> list[sql.Composed]:
    """The same as text, for an administrator who runs it on a server of the chain's own."""
    return [
        *(statement for schema in _schemas(connection) for statement in _on_schema(schema, app=app, reader=reader)),
        *(statement for schema in _schemas(connection) for statement in _maintenance(connection, schema, app=app)),
        *(statement for guarded in guarded_tables(connection) for statement in _on_guarded(guarded, app=app)),
    ]


def administrator_script(connection: Connection, *, database: str) -> str:
    """What an administrator runs once, as superuser, where the server is not ours: two more users and their rights."""
    app, reader = (sql.Identifier(ROLES[role]) for role in ("app", "reader"))
    roles = [
        sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'choose-one'").format(app),
        sql.SQL("CREATE ROLE {} LOGIN BYPASSRLS PASSWORD 'choose-another'").format(reader),
        sql.SQL("GRANT pg_read_all_data TO {}").format(reader),
        sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}, {}").format(sql.Identifier(database), app, reader),
    ]
    searched = [sql.SQL("ALTER FUNCTION {} LEAKPROOF").format(sql.SQL(function)) for function in LEAKPROOF]
    rights = statements(connection, app=ROLES["app"], reader=ROLES["reader"])
    text = [statement.as_string(connection) + ";" for statement in (*roles, *searched, *rights)]
    return "\n".join(
        [
            "-- Run as superuser in the database of Changke, with passwords of your own, then set DATABASE_APP_URL and",
            "-- DATABASE_READER_URL beside DATABASE_URL. `changke prepare` renews the rights after every upgrade.",
            *text,
        ]
    )


def _maintenance(connection: Connection, schema: str, *, app: str) -> list[sql.Composed]:
    """The right to count tables anew after a load (see `statistics`). Before PostgreSQL 17 only owners have it."""
    if connection.info.server_version < 170000:
        return []
    grant = sql.SQL("GRANT MAINTAIN ON ALL TABLES IN SCHEMA {schema} TO {app}")
    return [grant.format(schema=sql.Identifier(schema), app=sql.Identifier(app))]


def _schemas(connection: Connection) -> list[str]:
    found = connection.execute(
        "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1"
    )
    return [name for (name,) in found]


def _on_schema(schema: str, *, app: str, reader: str) -> list[sql.Composed]:
    names = {"schema": sql.Identifier(schema), "app": sql.Identifier(app), "reader": sql.Identifier(reader)}
    return [
        sql.SQL(statement).format(**names)
        for statement in (
            "GRANT USAGE ON SCHEMA {schema} TO {app}, {reader}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {app}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {app}",
            "GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {reader}",
            "GRANT SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {reader}",
        )
    ]


def _on_guarded(guarded: Guarded, *, app: str) -> list[sql.Composed]:
    names = {"table": sql.Identifier(guarded.schema, guarded.table), "app": sql.Identifier(app)}
    revoke = sql.SQL("REVOKE UPDATE, DELETE ON {table} FROM {app}").format(**names)
    if not guarded.changeable:
        return [revoke]
    columns = sql.SQL(", ").join(map(sql.Identifier, guarded.changeable))
    return [revoke, sql.SQL("GRANT UPDATE ({columns}) ON {table} TO {app}").format(columns=columns, **names)]
