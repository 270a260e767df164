"""No migration keeps a shop waiting: what reads a table of millions from end to end does so beside whoever writes.

Looks at every migration after those that installations of 21 November stand at. One that is refused here and does no
harm is named in `HARMLESS` with the reason.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from changke.foundation.database.online import AddIndexOnline, AddUniqueOnline

RELEASED = {"foundation": "0002", "facts": "0006", "profiles": "0005", "interfaces": "0001"}
BIG = {
    "facts_customer",
    "facts_identifier",
    "facts_tag",
    "facts_note",
    "facts_replaced",
    "facts_opening",
    "facts_receipt",
    "facts_line",
    "facts_tender",
    "facts_visit",
    "facts_event",
    "profiles_profile",
    "profiles_standing",
}
"""What grows with the customers and what they do."""

HARMLESS = {
    "facts.0007_returns_that_name_no_receipt": "puts another view in the place of one; no table is touched",
    "facts.0011_seal_identifiers": "seals 2,000 values in each transaction, and goes on where it was killed",
    "facts.0019_read_through_merges": "puts other views in the place of some, and a trigger on a table that is empty",
    "facts.0020_found_by_person": "after the indexes it counts customers anew, from a sample, beside whoever writes",
    "facts.0027_who_came_to_which_store": "triggers on tables that stand, for which it waits no longer than the others",
    "facts.0028_who_came_until_now": "5,000 customers in each transaction, into a table of its own",
    "facts.0026_scores_of_the_chains_own": "a view and a trigger over a table that is made with it",
    "facts.0034_who_brought_whom": "views and triggers over a table that is made with it",
    "facts.0036_those_brought_found_by_index": "puts other views in the place of two; no table is touched",
    "facts.0037_that_she_was_brought": "makes one more view; no table is touched",
    "facts.0038_from_when_to_when_tags_were_worn": "triggers on tables that stand, for which it waits no longer"
    " than the others; a view over a table that is made with it",
    "facts.0039_which_tags_were_worn_until_now": "20,000 tags in each transaction, into a table of its own",
    "facts.0040_what_happened_and_what_she_agreed_to": "makes two more views; no table is touched",
    "facts.0041_what_stands_on_receipts": "makes two views; no table is touched",
    "facts.0029_named_rows_are_checked_by_the_set": "makes triggers and takes foreign keys away: no row is read",
    "facts.0031_who_came_found_by_customer_and_store": "one unique index, built beside whoever writes",
    "facts.0032_what_a_batch_names_looked_up_at_once": "puts other functions in the place of some, and an index that"
    " stands in the place of a key; no row is read",
    "facts.0035_written_by_the_set": "puts another function in the place of one, and says how an index is written from"
    " here on: no row is read",
    "facts.0016_tags_with_evidence_and_advisers_over_time": "one index of a column that is empty yet: it reads all tags"
    " once and holds nothing, a fifth of a second for a million",
}
"""Migrations with Python, or SQL on large tables, that somebody read with millions of rows in mind; why they may."""

RESTARTABLE = (AddIndexOnline, AddUniqueOnline, ValidateConstraint, migrations.RunPython)
"""What may run outside a transaction: killed half-way, the migration begins again."""


def newer() -> Iterator[tuple[migrations.Migration, ProjectState]]:
    """Every migration that an installation has before it, with the tables as they are when its turn comes."""
    loader = MigrationLoader(None)
    state = ProjectState(real_apps=loader.unmigrated_apps)
    seen = set()
    for leaf in sorted(loader.graph.leaf_nodes()):
        for key in loader.graph.forwards_plan(leaf):
            if key in seen:
                continue
            seen.add(key)
            migration = loader.graph.nodes[key]
            app, name = key
            if app in RELEASED and name[:4] > RELEASED[app]:
                yield migration, state.clone()
            state = migration.mutate_state(state, preserve=False)


def objections(migration: migrations.Migration, state: ProjectState) -> Iterator[str]:
    """What somebody would wait for, in words that say what to write instead."""
    app = migration.app_label
    born = {f"{app}_{one.name.lower()}" for one in migration.operations if isinstance(one, migrations.CreateModel)}
    for operation in migration.operations:
        if not migration.atomic and not isinstance(operation, RESTARTABLE):
            yield f"{said(operation)}: outside a transaction a kill leaves half of it; give it a migration of its own"
        table = f"{app}_{getattr(operation, 'model_name', '').lower()}"
        if table not in born:
            yield from of_operation(operation, table, migration, state)
        operation.state_forwards(app, state)


def of_operation(
    operation: Operation, table: str, migration: migrations.Migration, state: ProjectState
) -> Iterator[str]:
    if isinstance(operation, migrations.RunPython) or (isinstance(operation, migrations.RunSQL) and touched(operation)):
        yield f"{said(operation)}: read it with a million rows in mind, and name it in HARMLESS with the reason"
    elif isinstance(operation, migrations.AddField):
        yield from of_new_column(operation, table)
    elif table not in BIG:
        return
    elif isinstance(operation, migrations.AlterField):
        yield from of_changed_column(operation, table, state, migration.app_label)
    elif isinstance(operation, ValidateConstraint):
        if migration.atomic:
            yield f"{said(operation)}: the lock of this transaction lasts as long as it; put it where atomic = False"
    elif isinstance(operation, migrations.AddIndex) and not isinstance(operation, AddIndexOnline):
        yield f"{said(operation)}: {table} cannot be written meanwhile; AddIndexOnline where atomic = False"
    elif isinstance(operation, migrations.AddConstraint) and not isinstance(
        operation, AddUniqueOnline | AddConstraintNotValid
    ):
        yield (
            f"{said(operation)}: {table} cannot be used meanwhile; AddUniqueOnline, or AddConstraintNotValid and later "
            f"ValidateConstraint, both where atomic = False"
        )


def of_new_column(operation: migrations.AddField, table: str) -> Iterator[str]:
    field = operation.field
    if field.many_to_many:
        return
    if table in BIG and not field.null and not field.has_db_default():
        yield f"{said(operation)}: NOT NULL; with db_default= it is instant, and older code can go on adding rows"
    if table in BIG and (field.unique or indexed(field)):
        yield f"{said(operation)}: its index stops writers; db_index=False, and AddIndexOnline where atomic = False"
    if table in BIG and field.get_internal_type().startswith("Positive"):
        yield f"{said(operation)}: its check reads all of {table}; a field without one, not Positive..."
    if table in BIG and field.has_db_default() and not isinstance(field.db_default, str | int | bool):
        yield f"{said(operation)}: a computed default may write every row anew; nullable, then fill it in parts"


def of_changed_column(operation: migrations.AlterField, table: str, state: ProjectState, app: str) -> Iterator[str]:
    before = state.models[app, operation.model_name.lower()].fields[operation.name]
    after = operation.field
    if (
        not (before.is_relation or after.is_relation)
        and before.db_parameters(connection)["type"] != after.db_parameters(connection)["type"]
    ):
        yield f"{said(operation)}: another type writes {table} anew; a new column, filled in parts"
    if before.null and not after.null:
        yield f"{said(operation)}: NOT NULL reads all of {table}; a CHECK by AddConstraintNotValid does the same"
    if (after.unique and not before.unique) or (indexed(after) and not indexed(before)):
        yield f"{said(operation)}: its index stops writers; AddIndexOnline where atomic = False"


def indexed(field: "models.Field[Any, Any]") -> bool:
    return bool(getattr(field, "db_index", False))


def touched(operation: migrations.RunSQL) -> set[str]:
    """The large tables that its SQL names."""
    return BIG & set(re.findall(r"\w+", str(operation.sql)))


def said(operation: Operation) -> str:
    return operation.describe()


def test_no_migration_keeps_anybody_waiting() -> None:
    found = {
        f"{migration.app_label}.{migration.name}": list(objections(migration, state)) for migration, state in newer()
    }
    assert "facts.0011_seal_identifiers" in found
    refused = {name: words for name, words in found.items() if words and name not in HARMLESS}
    assert not refused, "\n".join(f"{name}: {word}" for name, words in refused.items() for word in words)


class Given(migrations.Migration):
    pass


def a_migration(*operations: Operation, atomic: bool = True) -> migrations.Migration:
    made = Given("0099_given", "facts")
    made.operations, made.atomic = list(operations), atomic  # type: ignore[misc]
    return made


BY_STORE = models.Index(fields=["store"], name="by_store")
ONCE = models.UniqueConstraint(fields=["number"], name="once", condition=models.Q(number__gt=""))


@pytest.mark.parametrize(
    ("migration", "word"),
    [
        (a_migration(migrations.AddIndex("receipt", BY_STORE)), "cannot be written"),
        (a_migration(AddIndexOnline("receipt", BY_STORE), atomic=False), ""),
        (a_migration(migrations.AddIndex("category", models.Index(fields=["name"], name="by_name"))), ""),
        (a_migration(migrations.AddConstraint("receipt", ONCE)), "cannot be used"),
        (a_migration(AddUniqueOnline("receipt", ONCE), atomic=False), ""),
        (a_migration(migrations.AddField("visit", "mood", models.TextField(default=""))), "db_default"),
        (a_migration(migrations.AddField("visit", "mood", models.TextField(default="", db_default=""))), ""),
        (a_migration(migrations.AddField("visit", "mood", models.TextField(null=True, db_index=True))), "its index"),
        (a_migration(migrations.AddField("visit", "pages", models.PositiveIntegerField(null=True))), "its check"),
        (a_migration(migrations.AlterField("receipt", "number", models.BigIntegerField())), "another type"),
        (a_migration(migrations.AlterField("receipt", "customer", models.BigIntegerField())), "NOT NULL"),
        (a_migration(ValidateConstraint("receipt", "once")), "as long as it"),
        (a_migration(ValidateConstraint("receipt", "once"), atomic=False), ""),
        (a_migration(migrations.RunSQL("UPDATE facts_receipt SET items = 1")), "HARMLESS"),
        (a_migration(migrations.RemoveField("receipt", "items"), atomic=False), "leaves half of it"),
    ],
    ids=lambda one: one.operations[0].describe() if isinstance(one, migrations.Migration) else one,
)
def test_what_would_lock_is_named_with_what_to_write_instead(migration: migrations.Migration, word: str) -> None:
    _, state = next(one for one in newer() if one[0].name.startswith("0014_returns"))
    found = list(objections(migration, state))
    assert any(word in one for one in found) if word else found == []
