"""The net of the database: who has not said whose rows he may see, sees none, on whatever table."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import ProgrammingError, connection, transaction

from changke.facts.customers.models import Customer, Tag
from changke.facts.customers.services.tags import add_tag
from changke.facts.purchases.models import Line, Receipt
from changke.foundation.access.models import Staff
from changke.foundation.database import row_security, rows_seen
from changke.foundation.errors import DomainError
from changke.foundation.organisation.scope import CHAIN_WIDE, NOBODY, Scope
from changke.profiles.attributes.models import Profile
from changke.profiles.lifecycle.services import refresh_customers
from changke.profiles.lifecycle.services.explain import explain
from changke.profiles.value.services.lines import count_lines
from tests.cast import NOW, TODAY, Cast, ago, buys
from tests.rows import APP, READER, become, roles

__all__ = ["roles"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(roles: None, cast: Cast) -> Cast:
    """The cast with profiles, a tag each, and Lan of 徐汇 who once bought in 静安; from here on the role `app`."""
    for customer in (cast.mo, cast.lan):
        add_tag(customer, "常客", now=NOW)
    buys(cast.lan, cast.facial, 28_800, on=ago(300), store=cast.jing_an, key="lan-away")
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)
    become(APP)
    return cast


def protected() -> list[str]:
    return [one.table for one in row_security.protected_tables()]


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


def test_who_has_not_said_whose_sees_nothing_on_any_table(shop: Cast) -> None:
    """Read from pg_class, not from our own list: what carries a policy shows nothing, in every schema."""
    with rows_seen.seeing_nobody(), connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity AND relkind = 'r'")
        secured = [name for (name,) in cursor.fetchall()]
        assert {name: count(name) for name in secured} == dict.fromkeys(secured, 0)
        assert set(protected()) <= set(secured)
        cursor.execute("SELECT format('live.%I', table_name) FROM information_schema.views WHERE table_schema = 'live'")
        views = [name for (name,) in cursor.fetchall()]
        of_persons = {name: count(name) for name in views if name not in {"live.items", "live.stores", "live.settings"}}
    assert "live.customers" in of_persons
    assert {name for name, rows in of_persons.items() if rows} <= {"live.store_days", "live.chain", "live.categories"}


def test_the_whole_chain_and_the_reader_see_all(shop: Cast) -> None:
    with rows_seen.seeing(CHAIN_WIDE):
        assert count("facts_customer") == 6
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
    become(READER)
    assert (count("facts_customer"), count("live.customers")) == (6, 6)


def test_a_store_sees_its_customers_and_their_whole_story(shop: Cast) -> None:
    with rows_seen.seeing(Scope(frozenset({shop.xu_hui.pk}))):
        assert list(Customer.objects.values_list("name", flat=True)) == ["岚岚"]
        assert list(Profile.objects.values_list("pk", flat=True)) == [shop.lan.pk]
        assert Tag.objects.count() == 1
        assert Receipt.objects.filter(customer=shop.lan).count() == 2  # also what she bought elsewhere
        assert Line.objects.count() == Receipt.objects.count() == 2


def test_a_store_sees_what_was_sold_in_it_whoever_bought(shop: Cast) -> None:
    with rows_seen.seeing(Scope(frozenset({shop.jing_an.pk}))):
        assert Receipt.objects.filter(source_key="lan-away").exists()
        assert not Customer.objects.filter(pk=shop.lan.pk).exists()


def test_nobody_writes_into_a_foreign_store(shop: Cast) -> None:
    with rows_seen.seeing(Scope(frozenset({shop.xu_hui.pk}))):
        assert Customer.objects.filter(pk=shop.mo.pk).update(city="上海") == 0
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            Tag.objects.create(customer_id=shop.mo.pk, name="x", recorded_at=NOW)
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            Customer.objects.filter(pk=shop.lan.pk).update(home_store=shop.jing_an)


def test_the_setting_leaves_no_trace_on_the_connection(shop: Cast) -> None:
    with rows_seen.seeing(CHAIN_WIDE):
        assert Customer.objects.exists()
    with rows_seen.seeing(NOBODY):
        assert not Customer.objects.exists()


def test_nobody_is_nobody_also_in_a_transaction_where_somebody_looked_before(shop: Cast) -> None:
    with transaction.atomic():
        with rows_seen.seeing(CHAIN_WIDE):
            assert Customer.objects.exists()
        with rows_seen.seeing_nobody():
            assert not Customer.objects.exists()


@pytest.mark.parametrize("kind", ["TEMPORARY", "temp"])
def test_a_table_made_of_rows_has_those_that_are_seen(shop: Cast, kind: str) -> None:
    """First in its transaction as far as the setting goes: what was said before is nobody."""
    with rows_seen.seeing_nobody():
        assert not Customer.objects.exists()
    with rows_seen.seeing(CHAIN_WIDE), connection.cursor() as cursor:
        cursor.execute(f"CREATE {kind} TABLE seen ON COMMIT DROP AS SELECT id FROM facts_customer WHERE id > %s", [0])
        assert count("seen") == Customer.objects.count() > 0


def test_by_night_product_lines_are_counted_of_everybody(shop: Cast) -> None:
    with rows_seen.seeing_nobody():
        assert not Customer.objects.exists()
    with rows_seen.seeing(CHAIN_WIDE):
        assert count_lines(today=TODAY) > 0


def test_a_cursor_of_the_server_and_many_at_once_carry_it_too(shop: Cast) -> None:
    with rows_seen.seeing(Scope(frozenset({shop.xu_hui.pk}))):
        assert [one.name for one in Customer.objects.iterator(chunk_size=1)] == ["岚岚"]
        with connection.cursor() as cursor:
            cursor.executemany("UPDATE facts_customer SET city = %s WHERE id = %s", [("a", shop.lan.pk)] * 2)
    with rows_seen.seeing(CHAIN_WIDE):
        assert Customer.objects.get(city="a") == shop.lan


def test_an_answer_that_is_still_read_sees_what_the_request_saw(shop: Cast) -> None:
    def names() -> Iterator[bytes]:
        for one in Customer.objects.order_by("pk"):
            yield one.name.encode()

    with rows_seen.seeing(Scope(frozenset({shop.xu_hui.pk}))):
        stream = rows_seen.carried(names())
    with rows_seen.seeing_nobody():
        assert b"".join(stream).decode() == "岚岚"


def test_a_policy_is_written_once(shop: Cast, django_assert_num_queries: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
    with rows_seen.seeing_nobody(), django_assert_num_queries(3):  # type: ignore[operator]
        row_security.apply()


def test_staff_are_read_before_anybody_knows_who_asks(shop: Cast) -> None:
    with rows_seen.seeing_nobody():
        assert Staff.objects.get(username="clerk").stores.count() == 1
        assert apps.get_model("foundation", "Grant").objects.count() == 4


def test_the_doctor_knows_whether_the_net_holds(shop: Cast) -> None:
    found = row_security.lacking()
    assert (found.tables, found.bypassed, found.marks) == ((), False, True)  # the tests' server marks nothing
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute("ALTER TABLE facts_note DISABLE ROW LEVEL SECURITY")
    found = row_security.lacking()
    assert (found.tables, found.bypassed) == (("facts_note",), True)
    row_security.apply()
    assert row_security.lacking().tables == ()


@pytest.mark.parametrize("whose", ["nobody", "jing_an", "xu_hui", "both", "chain"])
def test_the_net_and_the_scope_agree_on_customers(shop: Cast, whose: str) -> None:
    """With the scope of the program, without it, and with both: the same people, on every table that has a scope."""
    here, there = shop.jing_an.pk, shop.xu_hui.pk
    ids: dict[str, set[int]] = {"nobody": set(), "jing_an": {here}, "xu_hui": {there}, "both": {here, there}}
    scope = CHAIN_WIDE if whose == "chain" else Scope(frozenset(ids[whose]))
    for model in (Customer, Profile):
        with rows_seen.seeing(CHAIN_WIDE):
            wanted = set(model.objects.for_scope(scope).values_list("pk", flat=True))
        with rows_seen.seeing(scope):
            assert set(model.objects.values_list("pk", flat=True)) == wanted
            assert set(model.objects.for_scope(scope).values_list("pk", flat=True)) == wanted


def test_the_statements_of_the_engine_see_what_the_request_sees(shop: Cast) -> None:
    """They go around Django's cursor. Asked after a look as nobody, which a transaction would otherwise remember."""
    for scope, seen in ((Scope(frozenset({shop.xu_hui.pk})), True), (Scope(frozenset({shop.jing_an.pk})), False)):
        with rows_seen.seeing_nobody():
            assert not Customer.objects.exists()
        with rows_seen.seeing(scope):
            if seen:
                assert explain(shop.lan.pk, TODAY, now=NOW).stage
            else:
                with pytest.raises(DomainError):
                    explain(shop.lan.pk, TODAY, now=NOW)
