"""The database itself keeps facts: no UPDATE, no DELETE, one exception. Asked of every table, twice: of the role under
which the site and the worker run, whose grants refuse before a row is looked at, and of the owner of the tables, whom
only the trigger stops.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, models, transaction
from psycopg import errors

from changke.facts.consents.models import Consent
from changke.facts.customers.models import MergeLink
from changke.facts.events.models import Event
from changke.facts.purchases.models import Line, Opening, Receipt, Tender
from changke.facts.referrals.models import Referral
from changke.facts.visits.models import Visit
from changke.foundation.audit.models import AuditLine, AuditSeal
from changke.foundation.batches.models import Batch
from changke.foundation.database import rows_seen
from changke.foundation.database.append_only import AppendOnly, Fact
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.interfaces import health
from changke.interfaces.cli.commands import COMMANDS
from tests.cast import NOW, Cast
from tests.rows import APP, become, roles

__all__ = ["roles"]

pytestmark = pytest.mark.django_db

FACTS: list[type[Fact]] = [Receipt, Opening, Visit, Event, Consent, Referral, MergeLink]
PARTS: list[type[AppendOnly]] = [Line, Tender]
TRAIL: list[type[AppendOnly]] = [AuditLine, AuditSeal]
EVERY: list[type[AppendOnly]] = [*FACTS, *PARTS, *TRAIL]
WITHDRAW = "UPDATE {table} SET withdrawn_by_id = {batch}, txid = pg_current_xact_id()"


@pytest.fixture
def one_of_each(cast: Cast) -> None:
    """A row in every table; receipts, lines, tenders and the audit trail have those of the cast."""
    fact: dict[str, Any] = {"happened_at": NOW, "business_date": NOW.date(), "recorded_at": NOW, "source_key": "one"}
    days = {"first_on": NOW.date(), "last_on": NOW.date()}
    Opening.objects.create(**fact, **days, customer=cast.mo, purchases=3, cash_minor=100)
    Visit.objects.create(**fact, customer=cast.mo, store=cast.jing_an)
    Event.objects.create(**fact, kind="note.written")
    Consent.objects.create(**fact, customer=cast.mo, purpose="service", given=True, how="spoken")
    Referral.objects.create(**fact, customer=cast.mo, referrer=cast.vera, how="by_hand")
    MergeLink.objects.create(**fact, merged=cast.bai, into=cast.vera, why="by_hand")
    AuditSeal.objects.create(previous=b"0", digest=b"1", proofs=b"2", rows=1, total=1, sealed_at=NOW)
    assert all(model._default_manager.exists() for model in EVERY)


def table(model: type[models.Model]) -> str:
    return model._meta.db_table


def batch() -> Batch:
    return Batch.objects.create(kind="undo", title="undo", created_at=NOW)


def run(statement: str) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.rowcount)


@contextmanager
def as_the_site() -> Iterator[None]:
    """The role of the site and of the worker, seeing the whole chain."""
    become(APP)
    with rows_seen.seeing(CHAIN_WIDE):
        yield
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


ANOTHER = {
    "CharField": "{} || 'x'",
    "TextField": "{} || 'x'",
    "DateField": "{} + 1",
    "DateTimeField": "{} + interval '1 day'",
    "BooleanField": "NOT {}",
    "JSONField": """'{{"another": 1}}'""",
    "BinaryField": "'another'",
    "Xid8Field": "'3'",
}
"""Another value of the column, by its kind; of numbers and references the next one."""


def edits(model: type[models.Model]) -> dict[str, str]:
    """A statement that edits each column, by its name; the withdrawal has tests of its own."""
    fields = [field for field in model._meta.concrete_fields if field.name not in ("id", "withdrawn_by")]
    value = {field.column: ANOTHER.get(field.get_internal_type(), "coalesce({}, 0) + 1") for field in fields}
    return {column: f"UPDATE {table(model)} SET {column} = {value[column].format(column)}" for column in value}


def test_every_table_of_facts_stands_in_this_file() -> None:
    assert set(EVERY) == {model for model in apps.get_models() if issubclass(model, AppendOnly)}


def test_the_site_and_the_worker_run_as_the_role_that_may_only_add() -> None:
    assert settings.DATABASE_ROLE == "app"
    assert COMMANDS["worker"].role == "app"


@pytest.mark.parametrize("model", EVERY, ids=table)
def test_the_site_and_the_worker_may_neither_edit_nor_delete(
    roles: None, one_of_each: None, model: type[AppendOnly]
) -> None:
    of_the_exceptions = {
        "txid",
        "referrer_id",
        "before",
        "after",
        "reason",
        "sealed",
        "salt",
    }  # those the trigger looks at
    refused_before_a_row_is_read = {name: edit for name, edit in edits(model).items() if name not in of_the_exceptions}
    with as_the_site():
        for statement in (*refused_before_a_row_is_read.values(), f"DELETE FROM {table(model)}"):
            with pytest.raises(DatabaseError) as refused:
                run(statement)
            assert isinstance(refused.value.__cause__, errors.InsufficientPrivilege), statement


@pytest.mark.parametrize("model", EVERY, ids=table)
def test_not_even_the_owner_of_the_tables_may(one_of_each: None, model: type[AppendOnly]) -> None:
    for statement in (*edits(model).values(), f"DELETE FROM {table(model)}"):
        with pytest.raises(IntegrityError, match="never edited"):
            run(statement)


@pytest.mark.parametrize("model", FACTS, ids=table)
@pytest.mark.parametrize("by", ["site", "owner"])
def test_a_fact_is_withdrawn_once_by_a_batch(roles: None, one_of_each: None, model: type[Fact], by: str) -> None:
    first, second = batch().pk, batch().pk
    rows = model._default_manager.count()
    if by == "site":
        with as_the_site():
            _withdrawn_once(table(model), first, second, rows)
    else:
        _withdrawn_once(table(model), first, second, rows)
    assert set(model._default_manager.values_list("withdrawn_by", flat=True)) == {first}


def _withdrawn_once(name: str, first: int, second: int, rows: int) -> None:
    with pytest.raises(IntegrityError, match="never edited"):  # readers past that transaction would never see it
        run(f"UPDATE {name} SET withdrawn_by_id = {first}, txid = '3'")
    assert run(WITHDRAW.format(table=name, batch=first)) == rows
    for another in (second, "NULL"):
        with pytest.raises(IntegrityError, match="never edited"):
            run(WITHDRAW.format(table=name, batch=another))


@pytest.mark.parametrize("model", FACTS, ids=table)
def test_nothing_else_changes_with_the_withdrawal(one_of_each: None, model: type[Fact]) -> None:
    withdraw = WITHDRAW.format(table=table(model), batch=batch().pk)
    with pytest.raises(IntegrityError, match="never edited"):
        run(f"{withdraw}, business_date = '2020-01-01'")


def test_a_withdrawn_fact_makes_room_for_its_mended_successor(one_of_each: None) -> None:
    run(WITHDRAW.format(table="facts_event", batch=batch().pk))
    Event.objects.create(
        kind="note.written", happened_at=NOW, business_date=NOW.date(), recorded_at=NOW, source_key="one"
    )
    assert Event.objects.filter(source_key="one").count() == 2


@pytest.mark.parametrize("model", EVERY, ids=table)
def test_doctor_names_the_table_that_lost_its_trigger(db: None, model: type[AppendOnly]) -> None:
    run(f"ALTER TABLE {table(model)} DISABLE TRIGGER {table(model)}_append_only")
    finding = next(iter(health.net(NOW)))
    assert (finding.status, finding.found) == (health.FAILED, f"no trigger on {table(model)}")


def test_doctor_counts_the_tables_whose_net_is_there(db: None) -> None:
    finding = next(iter(health.net(NOW)))
    assert finding.status == health.OK
    assert finding.found.startswith(f"{len(EVERY)} tables ")
