"""A table that knows a person and that nobody registered would be forgotten by export and erasure."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import connection, models

from changke.foundation.persons.registry import PersonTable, person_tables, register
from changke.interfaces import words
from tests.cast import Cast

PERSONAL = {"phone", "email", "mobile", "address", "birthday", "birth_day", "wecom", "openid", "unionid", "id_number"}
"""Columns that say who somebody is, also where nothing points at a customer."""

NOT_OF_CUSTOMERS = {
    "interfaces_webhookplace": "its address is the one that a web shop calls",
    "interfaces_webhookrefusal": "its address is the one that a web shop calls",
    "foundation_staff": "people who work here: their data end with their contract, by the staff page",
}


def tables_about_persons() -> Iterator[str]:
    for model in apps.get_models():
        if not model.__module__.startswith("changke."):
            continue
        fields = [field for field in model._meta.get_fields() if isinstance(field, models.Field)]
        points = any(
            field.name in {"customer", "customer_id", "person", "person_id"}
            or (field.related_model is not None and field.related_model._meta.db_table == "facts_customer")  # type: ignore[union-attr]
            for field in fields
        )
        if points or {field.name for field in fields} & PERSONAL:
            yield model._meta.db_table


@pytest.mark.parametrize("table", sorted(tables_about_persons()))
def test_a_table_about_persons_is_exported_and_erased(table: str) -> None:
    registered = {name for one in person_tables() for name in one.tables}
    assert table in registered | set(NOT_OF_CUSTOMERS), (
        f"{table} knows customers: register it in its room's persons.py, so that export and erasure see it"
    )


def test_every_registered_table_exists_once() -> None:
    named = [name for one in person_tables() for name in one.tables]
    assert len(named) == len(set(named))
    assert set(named) <= {model._meta.db_table for model in apps.get_models()}


def test_every_registered_table_has_words() -> None:
    """Add yours to `words.PERSON_TABLES`, and a new reason for staying to `words.PERSON_STAYS`."""
    assert {one.key for one in person_tables()} == set(words.PERSON_TABLES)
    assert {one.stays for one in person_tables() if one.stays} <= set(words.PERSON_STAYS)


def test_the_net_catches_a_forgotten_table() -> None:
    assert {"facts_note", "facts_receipt", "profiles_standing"} <= set(tables_about_persons())


@pytest.mark.parametrize("both", [True, False])
def test_a_table_is_either_erased_or_says_why_it_stays(both: bool) -> None:
    with pytest.raises(ValueError, match="stays"):
        register(
            PersonTable(
                "odd", ("odd",), lambda ids: iter(()), (lambda ids: 0) if both else None, "books" if both else ""
            )
        )


@pytest.mark.django_db
def test_every_table_exports_and_erases_the_cast(cast: Cast) -> None:
    """Each registered function runs against real rows, and erasing twice changes nothing the second time."""
    for one in person_tables():
        list(one.export([cast.vera.pk, cast.mo.pk]))
    for one in person_tables():
        if one.erase:
            one.erase([cast.vera.pk])
    connection.check_constraints()
    profile = next(one for one in person_tables() if one.key == "profile")
    (row,) = profile.export([cast.vera.pk])
    assert (row["name"], row["source"]) == ("", "")
    assert next(iter(profile.export([cast.mo.pk])))["name"] == "莫愁"
