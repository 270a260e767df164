"""The chain that comes back from memory is the one that was written, and what tests commit is taken away."""

import pytest
from django.apps import apps
from django.db import connection, transaction

from changke.facts.customers.queries import phone_of
from changke.facts.models import Customer, Receipt
from changke.foundation.persons.models import PersonKey
from tests.cast import Cast, assemble
from tests.kept import OF_THE_MIGRATIONS, clear, keeping


def rows() -> dict[str, int]:
    tables = [model._meta.db_table for model in apps.get_models() if model._meta.managed]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in tables))
        return {table: count for table, count in cursor.fetchall() if count and table not in OF_THE_MIGRATIONS}


@pytest.mark.django_db
def test_what_comes_back_is_what_was_written() -> None:
    def told(people: Cast) -> tuple[object, ...]:
        receipts = list(Receipt.objects.order_by("pk").values("pk", "customer_id", "number", "cash_minor"))
        return people.mo.pk, people.mo.name, phone_of(people.mo), rows(), receipts

    with transaction.atomic():
        first = told(assemble())
        transaction.set_rollback(True)
    assert rows() == {}
    assert told(assemble()) == first
    assert (
        Customer.objects.create(known_on="2026-03-04", recorded_at="2026-03-04T00:00Z").pk > Customer.objects.first().pk
    )  # type: ignore[union-attr]


@pytest.mark.django_db
def test_what_comes_back_is_as_new_as_the_transaction_it_comes_back_in() -> None:
    people = assemble()
    [[current]] = connection.cursor().execute("SELECT pg_current_xact_id()::text").fetchall()
    assert str(Customer.objects.get(pk=people.mo.pk).txid) == current


@pytest.mark.django_db
def test_a_builder_upon_another_replaces_its_rows() -> None:
    @keeping
    def renamed() -> str:
        people = assemble()
        PersonKey.objects.filter(person_id=people.lan.pk).delete()
        return "once"

    told = []
    for _ in range(2):
        with transaction.atomic():
            renamed()
            told.append(rows())
            transaction.set_rollback(True)
    assert told[0] == told[1]


@pytest.mark.django_db(transaction=True)
def test_what_was_committed_is_taken_away() -> None:
    assemble()
    assert rows()["facts_receipt"] > 20
    clear()
    assert rows() == {}
