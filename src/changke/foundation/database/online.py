"""Indexes and constraints on tables with millions of rows, made while the shop writes.

An ordinary CREATE INDEX stops every writer until it has read the whole table. These read it beside them. They run
outside a transaction (`atomic = False`), so a kill may leave an index half built: the next run takes it away and begins
again, and goes past one that is whole. A house test names every migration that needs them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently, NotInTransactionMixin
from django.db.migrations import AddConstraint

LOCK_TIMEOUT = "700ms"
"""How long a step of an upgrade waits for a lock. Everybody who comes after it waits as long: a lock that is wanted
stands before those wanted later, also while it is not yet given."""


@contextmanager
def short_waits(connection: Any) -> Iterator[None]:
    """A lock that is not given soon is an error, not a queue; who asked tries again."""
    with _lock_timeout(connection, LOCK_TIMEOUT):
        yield


class AddIndexOnline(AddIndexConcurrently):
    """An index built beside readers and writers; safe to begin again."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self._ensure_not_in_transaction(schema_editor)
        if not index_is_whole(schema_editor, self.index.name):
            with _lock_timeout(schema_editor.connection, "0"):
                super().database_forwards(app_label, schema_editor, from_state, to_state)


class AddUniqueOnline(NotInTransactionMixin, AddConstraint):
    """A unique constraint with a condition (or with equal NULLs), which is a unique index, built in the same way."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self._ensure_not_in_transaction(schema_editor)
        if index_is_whole(schema_editor, self.constraint.name):
            return
        statement = str(self.constraint.create_sql(to_state.apps.get_model(app_label, self.model_name), schema_editor))
        begins = "CREATE UNIQUE INDEX "
        if not statement.startswith(begins):
            raise ValueError(f"{self.constraint.name} is no index of its own: give it a condition or nulls_distinct")
        with _lock_timeout(schema_editor.connection, "0"):
            schema_editor.execute(statement.replace(begins, f"{begins}CONCURRENTLY ", 1), params=None)


def index_is_whole(schema_editor: Any, name: str) -> bool:
    """Whether the index is there already; half of one is taken away."""
    with schema_editor.connection.cursor() as sql:
        sql.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(quote_ident(%s))", [name])
        found = sql.fetchone()
        if found == (False,):
            with _lock_timeout(schema_editor.connection, "0"):
                sql.execute(f"DROP INDEX CONCURRENTLY {schema_editor.quote_name(name)}")
    return bool(found == (True,))


@contextmanager
def _lock_timeout(connection: Any, wanted: str) -> Iterator[None]:
    """Building beside others waits for those who were there before, and nobody waits for it: no limit there."""
    with connection.cursor() as sql:
        sql.execute("SHOW lock_timeout")
        (before,) = sql.fetchone()
        sql.execute("SELECT set_config('lock_timeout', %s, false)", [wanted])
    try:
        yield
    finally:
        with connection.cursor() as sql:
            sql.execute("SELECT set_config('lock_timeout', %s, false)", [before])
