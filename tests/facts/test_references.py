"""What a fact names exists, also where foreign keys are checked by the set (docs/decisions/0089)."""

from collections.abc import Iterator

import psycopg
import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from psycopg import sql

from changke.facts.models import Customer, Receipt, Visit
from changke.foundation.database.connections import conninfo
from changke.foundation.database.rows_seen import seeing
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import Scope
from changke.foundation.organisation.services import add_store
from tests.cast import NOW, Cast

NOBODY = 987_654_321
BY_THE_SET = {"facts_receipt", "facts_line", "facts_tender", "facts_visit"}


def ways() -> Iterator[tuple[str, str, str]]:
    """Each column without a constraint of its own in these tables: table, column, table it names."""
    for model in apps.get_app_config("facts").get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, models.ForeignKey) and not field.db_constraint:
                assert isinstance(field.related_model, type)
                yield model._meta.db_table, field.column, field.related_model._meta.db_table


DERIVED = {"facts_guest", "facts_tagspell"}
"""Written by triggers from facts, which name what is there."""
WAYS = [way for way in ways() if way[1] != "merged_into_id" and way[0] not in DERIVED]


def test_no_other_table_goes_without_its_foreign_keys() -> None:
    assert {table for table, _, _ in WAYS} == BY_THE_SET
    assert len(WAYS) == 11


@pytest.mark.parametrize(("table", "column", "parent"), WAYS, ids=lambda word: word)
def test_a_row_that_names_nobody_is_refused(cast: Cast, table: str, column: str, parent: str) -> None:
    with pytest.raises(IntegrityError, match=f"{table}.{column} names a row that is not in {parent}") as refused:
        _again(table, {column: NOBODY})
    assert isinstance(refused.value.__cause__, psycopg.errors.ForeignKeyViolation)


@pytest.mark.parametrize("table", sorted(BY_THE_SET))
def test_the_same_rows_go_in_when_they_name_what_is_there(cast: Cast, table: str) -> None:
    assert _again(table, {}) >= 1


def test_one_wrong_row_among_many_refuses_them_all(cast: Cast) -> None:
    before = Receipt.objects.count()
    rows = [_receipt(cast, f"many-{number}") for number in range(300)]
    rows[171].customer_id = NOBODY
    with pytest.raises(IntegrityError, match="customer_id"), transaction.atomic():
        Receipt.objects.bulk_create(rows)
    assert Receipt.objects.count() == before


def test_lines_may_come_in_one_statement_with_their_receipt(cast: Cast) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH fresh AS (INSERT INTO facts_receipt (happened_at, business_date, recorded_at, source_key, kind,"
            " number, source, store_id, original_number, cash_minor, consumed_minor, margin_basis, items)"
            " VALUES (now(), '2026-03-01', now(), 'one', 'sale', '', '', %s, '', 1, 1, 'unknown', 1) RETURNING id)"
            " INSERT INTO facts_tender (receipt_id, kind, amount_minor) SELECT id, 'cash', 1 FROM fresh",
            [Store.objects.earliest("pk").pk],
        )


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("DELETE FROM foundation_store WHERE id = (SELECT min(store_id) FROM facts_receipt)", "still named"),
        ("DELETE FROM facts_item WHERE id = (SELECT min(item_id) FROM facts_line)", "still named"),
        ("DELETE FROM facts_customer WHERE id = (SELECT min(customer_id) FROM facts_receipt)", "stays"),
        ("DELETE FROM facts_customer", "stays"),
        ("DELETE FROM facts_receipt", "never edited"),
        ("UPDATE foundation_store SET id = id + 1000000", "keeps its number"),
        ("UPDATE facts_customer SET id = id + 1000000", "under its number"),
        ("UPDATE facts_receipt SET id = id + 1000000", "never edited"),
    ],
)
def test_what_a_fact_names_stays(cast: Cast, statement: str, word: str) -> None:
    with pytest.raises(IntegrityError, match=word), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_batch_or_a_member_of_staff_that_facts_name_stays(cast: Cast) -> None:
    from changke.foundation.access.models import Staff  # noqa: PLC0415
    from changke.foundation.batches.models import Batch  # noqa: PLC0415

    batch = Batch.objects.create(kind="import", title="t", created_at=NOW)
    staff = Staff.objects.create(username="seller", name="seller")
    sold = _receipt(cast, "of a batch")
    sold.batch, sold.staff = batch, staff
    sold.save()
    for table, pk in (("foundation_batch", batch.pk), ("foundation_staff", staff.pk)):
        with pytest.raises(IntegrityError, match="still named"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table} WHERE id = %s", [pk])


def test_a_store_that_no_fact_names_goes(cast: Cast) -> None:
    store = add_store(code="NEW", name="new", now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM foundation_store WHERE id = %s", [store.pk])
        assert cursor.rowcount == 1


def test_who_sees_one_store_may_name_a_customer_of_another(cast: Cast) -> None:
    """As with a foreign key, the check looks past what the writer may see, and leaves no more to be seen behind it."""
    guest = Customer.objects.exclude(home_store=None).earliest("pk")
    elsewhere = Store.objects.exclude(pk=guest.home_store_id).earliest("pk")
    with connection.cursor() as cursor, seeing(Scope(frozenset({elsewhere.pk}))):
        cursor.execute("SELECT current_setting('changke.stores')")
        before = cursor.fetchone()
        sold = _receipt(cast, "elsewhere")
        sold.customer_id, sold.store_id = guest.pk, elsewhere.pk
        sold.save()
        # The setting itself, without a statement of ours that carries it anew.
        server = connection.connection
        assert server.execute("SELECT current_setting('changke.stores')").fetchone() == before
        assert server.execute("SELECT current_setting('enable_seqscan')").fetchone() == ("on",)


def test_a_few_facts_do_not_read_whole_tables_however_their_checks_were_planned(cast: Cast) -> None:
    """The plan is kept for the session. One that was made while there was little, and was a join, read all customers
    and all who ever came for every batch of a till."""
    _again("facts_visit", {})  # planned
    home = Store.objects.earliest("pk").pk
    many = Customer.objects.bulk_create(_customer(cast, number) for number in range(2_000))
    Visit.objects.bulk_create(_visit(one.pk, home, "first") for one in many)
    tables = ("facts_guest", "facts_guest_pkey", "facts_customer", "facts_customer_pkey")
    before = _read(*tables)
    Visit.objects.bulk_create(_visit(one.pk, home, "second") for one in many[:10])
    assert _read(*tables) - before <= 60


def _read(*tables: str) -> int:
    """Rows that this transaction has read of tables and indexes so far."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_stat_get_xact_tuples_returned(name::regclass)) FROM unnest(%s::text[]) AS name", [[*tables]]
        )
        return int(cursor.fetchone()[0])


def _customer(cast: Cast, number: int) -> Customer:
    one = Customer.objects.earliest("pk")
    one.pk, one.name, one._state.adding = None, f"Guest {number}", True
    return one


def _visit(customer_id: int, store_id: int, key: str) -> Visit:
    return Visit(
        customer_id=customer_id, store_id=store_id, happened_at=NOW, business_date=NOW.date(), recorded_at=NOW,
        source_key=f"{key}-{customer_id}",
    )  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_who_deletes_a_store_waits_for_a_sale_that_is_being_written() -> None:
    from tests.cast import assemble  # noqa: PLC0415

    cast = assemble()
    store = add_store(code="NEW", name="new", now=NOW)
    with psycopg.connect(conninfo("owner"), options="-c lock_timeout=200ms") as other:
        with transaction.atomic():
            sold = _receipt(cast, "now")
            sold.store = store
            sold.save()
            with pytest.raises(psycopg.errors.LockNotAvailable):
                other.execute("DELETE FROM foundation_store WHERE id = %s", [store.pk])
            other.rollback()
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            other.execute("DELETE FROM foundation_store WHERE id = %s", [store.pk])
        other.rollback()


def _receipt(cast: Cast, key: str) -> Receipt:
    sold = Receipt.objects.earliest("pk")
    sold.pk, sold.source_key, sold._state.adding = None, key, True
    return sold


def _again(table: str, changed: dict[str, int]) -> int:
    """Put in one row of the table once more, with other values in some columns; how many rows that were."""
    if table == "facts_visit" and not Visit.objects.exists():
        sold = Receipt.objects.exclude(customer=None).earliest("pk")
        assert sold.customer_id is not None
        _visit(sold.customer_id, sold.store_id, "visit").save()
    own = {"facts_line": {"position": 99}}.get(table, {})
    model = next(model for model in apps.get_models() if model._meta.db_table == table)
    names = [field.column for field in model._meta.concrete_fields if field.column not in ("id", "txid")]
    values = {
        **{name: sql.Identifier(name) for name in names},
        **({"source_key": sql.SQL("source_key || 'again'")} if "source_key" in names else {}),
        **{name: sql.Literal(value) for name, value in {**own, **changed}.items()},
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} ORDER BY {} LIMIT 1").format(
                sql.Identifier(table),
                sql.SQL(", ").join(map(sql.Identifier, names)),
                sql.SQL(", ").join(values[name] for name in names),
                sql.Identifier(table),
                sql.Identifier("id"),
            )
        )
        return int(cursor.rowcount)
