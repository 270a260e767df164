"""Several customers whose facts changed are computed over their facts alone, and stand as if each had been alone."""

import datetime as dt
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.db import transaction

from changke.engine.mirror import MARK
from changke.facts.customers.models import Customer
from changke.facts.purchases.models import Receipt
from changke.facts.tables import FACTS
from changke.foundation.batches.models import Batch
from changke.foundation.database.append_only import current_xid
from changke.foundation.organisation.models import Store
from changke.profiles.attributes.catalogue import COLUMNS
from changke.profiles.attributes.models import BulkRun, Profile
from changke.profiles.attributes.services import populations
from changke.profiles.attributes.services.mirrored import facts_in
from changke.profiles.attributes.services.several import facts_of
from changke.profiles.lifecycle.models import Standing
from changke.profiles.lifecycle.services import fold, refresh_all, refresh_customers, slices
from changke.profiles.lifecycle.services import some as some_of_them
from changke.profiles.lifecycle.services.mirror import caught_up, mirror_file, open_mirror
from tests.profiles.world import NOW, TODAY, Book, build

pytestmark = pytest.mark.django_db(transaction=True)

DAY = dt.timedelta(days=1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The mirror after a night over an invented chain, one of whose stores is behind the date line."""
    build(customers=300)
    Store.objects.filter(code="S2").update(time_zone="Pacific/Honolulu")
    path = tmp_path / "mirror.duckdb"
    refresh_all(now=NOW, mirror=path, months=0)
    return path


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which way customers were computed, from now on. Twenty are several."""
    found: list[str] = []
    for name in ("facts_in", "facts_of", "compute_some"):
        was = getattr(some_of_them, name)

        def told(*args: Any, name: str = name, was: Any = was, **named: Any) -> Any:
            found.append(name)
            return was(*args, **named)

        monkeypatch.setattr(some_of_them, name, told)
    monkeypatch.setattr(some_of_them, "SEVERAL", 20)
    monkeypatch.setattr(some_of_them, "MANY", 40)
    return found


def stood() -> tuple[list[dict[str, Any]], list[tuple[int, str, str]]]:
    rows = Profile.objects.order_by("pk").values("customer_id", "as_of", "stage", *COLUMNS)
    return list(rows), list(Standing.objects.order_by("customer_id", "model").values_list("customer", "model", "stage"))


def change_many() -> list[int]:
    """Facts of every kind that come or go: purchases, returns with and without a name, visits, what is withdrawn,
    two records that are one person, somebody new, somebody who is no longer there."""
    book, stores = Book(), list(Store.objects.all())
    people = list(Customer.objects.filter(is_active=True).order_by("pk")[:60])
    for place, person in enumerate(people[:40]):
        store = stores[place % len(stores)]
        book.receipt(person, store, TODAY - place * DAY, number=f"N{place}", items=place % 3).save(force_insert=True)
        if place % 4 == 0:
            named = f"N{place}" if place % 8 else ""
            book.receipt(person, store, TODAY, "return", original_number=named, items=place % 3).save(force_insert=True)
        book.visit(person, stores[0], TODAY - 2 * place * DAY).save(force_insert=True)
    gone = Batch.objects.create(kind="load", created_at=NOW)
    some = Receipt.objects.filter(customer__in=people[40:50], withdrawn_by=None).values_list("pk", flat=True)[:20]
    Receipt.objects.filter(pk__in=list(some)).update(withdrawn_by=gone, txid=current_xid())
    Customer.objects.filter(pk=people[50].pk).update(merged_into=people[0], txid=current_xid())
    Customer.objects.filter(pk=people[0].pk).update(txid=current_xid())
    Customer.objects.filter(pk=people[51].pk).update(is_active=False, txid=current_xid())
    Customer.objects.filter(pk=people[52].pk).update(home_store=stores[1], txid=current_xid())
    new = book.customer(stores[1], TODAY)
    book.brought(new, people[1], TODAY).save(force_insert=True)
    book.brought(people[30], people[53], TODAY).save(force_insert=True)
    return [*(person.pk for person in people), new.pk]


def test_they_stand_as_if_each_had_been_alone_and_as_by_night(file: Path, ways: list[str], tmp_path: Path) -> None:
    before = stood()
    ids = change_many()
    early = dt.datetime(2026, 4, 1, 1, tzinfo=dt.UTC)  # the 1st in Shanghai, still the 31st in Honolulu
    with transaction.atomic():  # in a transaction each is computed over PostgreSQL
        for pk in ids:
            refresh_customers([pk], now=early)
        alone = stood()
        transaction.set_rollback(True)
    assert set(ways) == {"compute_some"}
    assert stood() == before
    ways.clear()
    done = refresh_customers(ids, now=early, mirror=file)
    assert set(ways) == {"facts_in"}
    assert done.customers == len(ids) - 2, "one is another's record now, one is gone"
    assert stood() == alone != before
    ways.clear()
    again = refresh_customers(ids, now=early, mirror=tmp_path / "none.duckdb")
    assert set(ways) == {"facts_of"}
    assert (again.written, again.changed) == (0, 0)
    refresh_all(now=early, mirror=file, months=0)
    everybody = list(Profile.objects.values_list("pk", flat=True))
    again = refresh_customers(everybody, now=early)
    assert (again.customers, again.written, again.changed) == (len(everybody), 0, 0), (
        "they stand as the night wrote them"
    )


def seen(duck: duckdb.DuckDBPyConnection) -> dict[str, list[Any]]:
    """What the views show, as texts in order: the two ways may hand out columns in types that are equal."""
    names = {fact.name: ", ".join(fact.columns) for fact in FACTS}
    return {
        name: sorted(map(str, duck.execute(f"SELECT {columns} FROM live.{name}").fetchall()))
        for name, columns in names.items()
    }


def test_the_mirror_tells_the_same_facts_unless_it_cannot_be_asked(file: Path, ways: list[str]) -> None:
    ids, last = change_many(), Customer.objects.order_by("-pk")[0]
    Book().brought(last, Customer.objects.get(pk=ids[0]), TODAY).save(force_insert=True)
    with caught_up(file) as below, facts_of(ids) as (read, below_read):
        assert below == below_read
        with closing(facts_in(file, ids)) as mirrored:
            told = seen(mirrored)
            assert told == seen(read)
            assert all(told[name] for name in ("purchases", "returns", "visits", "referrals", "referred_spend"))
        ways.clear()
        refresh_customers(ids, now=NOW, mirror=file)
        assert set(ways) == {"facts_of"}, "somebody is at the mirror: nobody waits"
    ways.clear()
    with open_mirror(file) as (duck, _):
        duck.execute(f"UPDATE {MARK} SET read_below = read_below + 1000000")
    again = refresh_customers(ids, now=NOW, mirror=file)
    assert (set(ways), again.written) == ({"facts_of"}, 0), "the server was put back to an earlier day"
    ways.clear()
    with open_mirror(file) as (duck, _):
        duck.execute(f"UPDATE {MARK} SET identity = 'another server'")
    again = refresh_customers(ids, now=NOW, mirror=file)
    assert (set(ways), again.written) == ({"facts_of"}, 0), "what it knows is another server's"


def test_following_tells_why_and_counts_whom_it_wrote(file: Path, ways: list[str]) -> None:
    mirror_file().unlink(missing_ok=True)  # another test's
    fold(NOW)
    ids = change_many()
    folded = fold(NOW)
    assert ways[-1:] == ["facts_of"]
    assert len(ids) >= folded.customers > 40
    assert fold(NOW).customers == 0


def test_a_transaction_of_the_callers_sees_its_own_facts(file: Path, ways: list[str]) -> None:
    people = list(Customer.objects.filter(is_active=True).order_by("pk")[:30])
    before = {row.pk: row.visits for row in Profile.objects.filter(pk__in=[one.pk for one in people])}
    with transaction.atomic():
        for person in people:
            Book().visit(person, Store.objects.all()[0], TODAY - 1300 * DAY).save(force_insert=True)
        refresh_customers([person.pk for person in people], now=NOW)
        seen = {row.pk: row.visits for row in Profile.objects.filter(pk__in=list(before))}
    assert ways == ["compute_some"]
    assert seen == {pk: visits + 1 for pk, visits in before.items()}


def test_a_night_that_ends_between_two_slices_has_them_computed_anew(
    file: Path, ways: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []

    def held_while_a_night_ends(**asked: Any) -> int:
        if len(held) == 2:
            refresh_all(now=NOW, mirror=file, months=0)
        held.append(populations.held_version(**asked))
        return held[-1]

    ids = change_many()
    monkeypatch.setattr(slices, "SLICE", 10)
    monkeypatch.setattr(some_of_them, "BESIDE", 1)  # which of two would see the night end is anybody's guess
    monkeypatch.setattr(some_of_them, "held_version", held_while_a_night_ends)
    refresh_customers(ids, now=NOW)
    assert held[0] == held[1] != held[2] == BulkRun.objects.get().version_id
    after = stood()
    monkeypatch.undo()
    with transaction.atomic():
        for pk in ids:
            refresh_customers([pk], now=NOW)
        assert stood() == after
