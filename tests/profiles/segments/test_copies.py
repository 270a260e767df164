"""The copy that segments are counted from has one writer at a time, and knows how old it is."""

import fcntl
import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier

import duckdb
import pytest
from django.db import connection

from changke.facts.customers.models import Customer
from changke.foundation.cursors import Cursor
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.profiles.lifecycle.services import fold
from changke.profiles.segments import copies, ordered
from changke.profiles.value.services import marks
from changke.profiles.value.services.follow import follow as follow_values
from tests.profiles.segments.test_columns import agrees, shop
from tests.profiles.world import NOW, TODAY, Book

__all__ = ["shop"]

pytestmark = pytest.mark.django_db(transaction=True)


def in_order() -> ordered.Ordered | None:
    return ordered.in_order("p_active_bp", ordered.Narrowed(), scope=CHAIN_WIDE, behind=None, back=False, size=99)


def names() -> set[str]:
    return {one.name for one in copies.folder().iterdir()}


def copied_elsewhere(gate: Barrier | None = None) -> int:
    """In a thread, whose connection is its own."""
    try:
        if gate is not None:
            gate.wait()
        return copies.copy_columns()
    finally:
        connection.close()


def test_who_writes_at_the_same_time_takes_turns(shop: Book) -> None:
    gate = Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(copied_elsewhere, [gate] * 4)) == [40] * 4
    copy = copies.latest()
    assert copy
    assert copy.deeds
    assert names() == {copy.file.name, copy.told.base, copy.told.again, "columns.lock"}
    agrees()


def test_another_process_is_waited_for_and_what_it_wrote_is_not_written_again(shop: Book) -> None:
    copies.copy_columns()
    there = names()
    other = os.open(copies.folder() / "columns.lock", os.O_RDWR)
    fcntl.flock(other, fcntl.LOCK_EX)
    with ThreadPoolExecutor(1) as pool:
        waits: Future[int] = pool.submit(copied_elsewhere)
        time.sleep(0.5)
        assert not waits.done()
        assert names() == there
        os.close(other)
        assert waits.result() == 40
    assert copies.renew_if_due() == 0


def test_what_a_killed_writer_left_behind_is_taken_away(shop: Book) -> None:
    left = [".columns-17.duckdb", ".columns-17-ab.duckdb.wal", ".sorting-01.duckdb", ".sorting-01.duckdb.tmp/spilled"]
    for name in (*left, "deeds-00000000000000000001/visit-days", "again-00000000000000000001/renewed"):
        file = copies.folder() / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    copies.copy_columns()
    copy = copies.latest()
    assert copy
    assert names() == {copy.file.name, copy.told.base, copy.told.again, "columns.lock"}


def test_the_new_copy_stays_where_transactions_are_counted_anew(shop: Book) -> None:
    copies.copy_columns()
    copy = copies.latest()
    assert copy
    before = copy.file.rename(copies.folder() / f"columns-{2**40:020}.duckdb")  # as of a database that was restored
    copies.copy_columns()
    [file] = copies.folder().glob("columns-*.duckdb")
    assert file.name > before.name


def test_a_copy_of_the_same_moment_is_another_one_for_whoever_has_the_first_open(shop: Book) -> None:
    copies.copy_columns()
    first = copies.latest()
    copies.copy_columns()  # nothing was written in between: transactions have come no further
    second = copies.latest()
    assert first
    assert second
    assert first.file != second.file
    assert first.told.again != second.told.again
    agrees()


def test_segments_are_counted_from_a_copy_whose_predictions_are_far_behind(
    shop: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("changke.profiles.segments.columns.MOST_CHANGED", 5)
    monkeypatch.setattr(copies, "RENEWED_FROM", 5)
    Cursor.objects.filter(name=marks.CURSOR).delete()
    copies.copy_columns()
    agrees()
    assert in_order() is None, "whose prediction is another one nobody knows"
    assert copies.renew_if_due() == 0, "it would be as far behind"
    follow_values(NOW)
    assert copies.renew_if_due() == 40
    assert in_order() is not None


def test_whoever_was_not_predicted_anew_yet_is_asked_of_postgresql_by_the_lists_alone(shop: Book) -> None:
    one = Customer.objects.order_by("pk")[3]
    shop.receipt(one, Store.objects.order_by("pk")[0], TODAY).save(force_insert=True)
    fold(NOW)
    copies.copy_columns()
    copy, found = copies.latest(), in_order()
    assert copy
    assert copies.changed_since(copy, 99) == []
    assert found
    assert found.changed == [one.pk]


def test_lists_do_not_go_by_the_predictions_of_another_run(shop: Book) -> None:
    copies.copy_columns()
    assert in_order() is not None
    marks.begin_everybody()
    assert in_order() is None
    agrees()
    assert copies.renew_if_due() == 0, "half of it would be of the run before"
    copies.copy_columns()
    assert in_order() is None
    marks.end_everybody(None)
    assert in_order() is None, "it was copied while they were written"
    assert copies.renew_if_due() == 40
    assert in_order() is not None


@pytest.mark.parametrize("column", ["expected_since", "predicted"])
def test_a_copy_that_does_not_say_how_old_it_is_is_none(shop: Book, column: str) -> None:
    copies.copy_columns()
    copies._open.clear()
    with duckdb.connect(str(next(copies.folder().glob("columns-*.duckdb")))) as duck:
        duck.execute(f"ALTER TABLE about DROP COLUMN {column}")
    assert copies.latest() is None
    assert in_order() is None
    assert copies.renew_if_due() == 40
    agrees()
