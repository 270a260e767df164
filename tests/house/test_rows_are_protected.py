"""A table that carries a store or a customer without a policy would show one store's rows to another."""

import pytest
from django.apps import apps
from django.db import connection

from changke.foundation.database.row_security import EXEMPT, POLICY, protected_tables


def carries(columns: set[str], targets: set[str]) -> bool:
    return bool(
        columns & {"store_id", "home_store_id", "customer_id"} or targets & {"facts_customer", "foundation_store"}
    )


def test_every_table_with_a_store_or_a_customer_is_protected_or_says_why_not() -> None:
    """Asked of the models directly: the inference of `row_security` must not have overlooked one."""
    known = {one.table for one in protected_tables()} | set(EXEMPT)
    for model in apps.get_models(include_auto_created=True):
        if not model.__module__.startswith("changke."):
            continue
        fields = model._meta.concrete_fields
        columns = {str(field.column) for field in fields}
        targets = {field.related_model._meta.db_table for field in fields if isinstance(field.related_model, type)}
        table = model._meta.db_table
        if carries(columns, targets):
            assert table in known, f"{table}: give the model ROWS_OF, or say in EXEMPT why everybody may see its rows"


def test_the_parts_of_a_receipt_are_protected_with_it() -> None:
    """They name neither store nor customer."""
    known = {one.table: one.condition for one in protected_tables()}
    for part in ("facts_line", "facts_tender"):
        assert "facts_receipt" in known[part]


def test_no_exemption_outlives_its_table() -> None:
    existing = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    assert set(EXEMPT) <= existing
    assert all(EXEMPT.values())


@pytest.mark.django_db
def test_the_policies_stand_in_the_database_forced() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_policies JOIN pg_class ON relname = tablename"
            " WHERE policyname = %s AND relrowsecurity AND relforcerowsecurity",
            [POLICY],
        )
        assert {name for (name,) in cursor.fetchall()} == {one.table for one in protected_tables()}
