"""Windows of deeds counted from columns: what no random condition over few customers would come across."""

import datetime as dt
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from changke.facts.catalog.models import Category, Item
from changke.facts.customers.models import Customer
from changke.facts.purchases.models import Line, Receipt
from changke.foundation.database.rows_seen import seeing
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.profiles.conditions.deeds import Counted, Deed
from changke.profiles.lifecycle.services import fold
from changke.profiles.segments import columns, copies, queries
from changke.profiles.segments.asking import words_of_the_chain
from changke.profiles.segments.windows import kept, numbers, renewal
from changke.profiles.segments.windows.answers import Answers
from changke.profiles.segments.windows.follows import follows
from changke.profiles.value.services.follow import follow as follow_values
from tests.profiles.segments.test_columns import computed
from tests.profiles.world import NOW, TODAY, Book, make_chain, make_stores

DAY = dt.date(2026, 3, 1)


class Source:
    """Facts as a database would hand them out."""

    def __init__(self, deeds: list[tuple[int, int, int, int]], lines: list[tuple[int, int, int]] | None = None) -> None:
        self.duck = duckdb.connect()
        self.duck.execute("CREATE SCHEMA live")
        columns_of = "(customer_id BIGINT, business_date DATE, receipt_id BIGINT, cash_minor BIGINT, visit_id BIGINT,"
        for table in ("purchases", "uses", "returns", "visits"):
            self.duck.execute(
                f"CREATE TABLE live.{table} {columns_of} consumed_minor BIGINT, return_id BIGINT, store_id BIGINT)"
            )
        self.duck.execute(
            "CREATE TABLE live.openings (customer_id BIGINT, first_on DATE, last_on DATE, store_id BIGINT)"
        )
        self.duck.execute("CREATE TABLE facts_line (receipt_id BIGINT, item_id BIGINT, amount_minor BIGINT)")
        for customer, day, position, amount in deeds:
            self.duck.execute(
                "INSERT INTO live.purchases VALUES (?, ?, ?, ?, 0, 0, 0, 1)",
                [customer, DAY + dt.timedelta(days=day), position, amount],
            )
        for line in lines or ():
            self.duck.execute("INSERT INTO facts_line VALUES (?, ?, ?)", line)

    def execute(self, query: str) -> None:
        self.query = query

    def fetch_arrow(self) -> Any:
        return self.duck.sql(self.query).to_arrow_table()


def written(folder: Path, *given: Any) -> kept.Rows | None:
    with duckdb.connect() as duck:
        return (
            kept.opened(folder / "x").kinds["purchase"]
            if kept.write(folder / "x", Source(*given), duck, today=DAY)
            else None
        )


def counted(rows: kept.Rows, measure: Any, *items: int, since: int = -9999) -> list[int]:
    day = (DAY - dt.date(1970, 1, 1)).days
    meant = rows.between(day + since, day)
    return numbers.numbers(rows, meant, measure, items=items or None, size=4).tolist()


def test_amounts_beyond_what_floating_point_holds_are_summed_to_the_last_fen(tmp_path: Path) -> None:
    rows = written(tmp_path, [(1, 0, 1, 2**53), (1, 0, 2, 1), (2, 0, 3, -5), (2, -1, 4, 2**40)])
    assert rows is not None
    assert counted(rows, "sum") == [0, 2**53 + 1, 2**40 - 5, 0]
    assert counted(rows, "sum", since=0) == [0, 2**53 + 1, -5, 0]


def test_a_receipt_counts_once_however_many_lines_are_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbers, "SLICE", 1)  # every receipt a slice of its own
    deeds = [(1, -2, 11, 0), (3, -1, 12, 0), (1, 0, 13, 0), (2, 1, 14, 0)]
    lines = [(11, 7, 100), (11, 8, 10), (11, 7, 1), (12, 9, 5), (13, 8, 40), (14, 7, 1), (99, 7, 1)]
    rows = written(tmp_path, deeds, lines)
    assert rows is not None
    assert counted(rows, "count", 7, 8) == [0, 2, 0, 0]
    assert counted(rows, "sum", 7, 8) == [0, 151, 0, 0]
    assert counted(rows, "sum", 8, since=-1) == [0, 40, 0, 0]
    assert counted(rows, "count", 9, 1_000) == [0, 0, 0, 1], "an item that nobody has yet"


def test_nothing_at_all_is_written_and_read(tmp_path: Path) -> None:
    rows = written(tmp_path, [])
    assert rows is not None
    assert counted(rows, "count") == counted(rows, "sum", 3) == [0, 0, 0, 0]
    assert not len(follows((rows, range(0), None), (rows, range(0), None), within=5, comparable=True, size=1))


@pytest.mark.parametrize(
    ("customer", "position"), [(20_000_001, 1), (1, 1 << kept.POSITION_BITS)], ids=["a customer", "a receipt"]
)
def test_ids_that_no_array_has_room_for_are_left_to_postgresql(tmp_path: Path, customer: int, position: int) -> None:
    assert written(tmp_path, [(customer, 0, position, 1)]) is None
    assert not list(tmp_path.iterdir())


DONE = st.lists(st.tuples(st.integers(1, 4), st.integers(-9, 0), st.integers(0, 3)), max_size=30)
"""Customer, day, item (0: a receipt without a line)."""


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    done=DONE,
    within=st.integers(0, 5),
    wanted=st.tuples(st.sampled_from([(), (1,), (2, 3)]), st.sampled_from([(), (1,), (2, 3)])),
    comparable=st.booleans(),
    since=st.sampled_from([-99, -6, -2]),
    piece=st.sampled_from([1, 4, 1 << 20]),
)
def test_one_after_another_is_what_trying_all_pairs_finds(
    done: list[tuple[int, int, int]],
    within: int,
    wanted: tuple[tuple[int, ...], tuple[int, ...]],
    comparable: bool,
    since: int,
    piece: int,
) -> None:
    rows = in_order(done)
    meant = rows.between(since, 0)

    def fits(one: tuple[int, tuple[int, int, int]], items: tuple[int, ...]) -> bool:
        return one[1][1] >= since and (not items or one[1][2] in items)

    numbered = list(enumerate(sorted(done, key=lambda one: one[1])))
    expected = {
        customer
        for place, (customer, day, item) in numbered
        for later, (other, then, also) in numbered
        if other == customer
        and fits((place, (customer, day, item)), wanted[0])
        and fits((later, (other, then, also)), wanted[1])
        and (0 < then - day <= within or (comparable and then == day and later > place))
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("changke.profiles.segments.windows.follows.SLICE", piece)
        found = follows(
            (rows, meant, wanted[0] or None), (rows, meant, wanted[1] or None),
            within=within, comparable=comparable, size=5,
        )  # fmt: skip
    assert found.tolist() == sorted(expected)


def in_order(done: list[tuple[int, int, int]]) -> kept.Rows:
    """Deeds as they are kept."""
    done = sorted(done, key=lambda one: one[1])
    days, starts = np.unique(np.array([day for _, day, _ in done], np.int32), return_index=True)
    lines = [(place, item) for place, (_, _, item) in enumerate(done) if item]
    customers, rows, items = (
        np.array(found, np.int32)
        for found in ([one for one, _, _ in done], [row for row, _ in lines], [item for _, item in lines])
    )
    places, starts = np.arange(len(done), dtype=np.int32), np.append(starts, len(done)).astype(np.int32)
    return kept.Rows(customers, places, places, days, starts, rows, items, items, highest_item=3)


def many(deeds: int, customers: int) -> kept.Rows:
    """Everybody does something every so many days, one after another."""
    none, every = np.zeros(0, np.int32), np.arange(deeds, dtype=np.int32)
    days = np.arange(-(-deeds // customers), dtype=np.int32)
    starts = np.append(days * customers, deeds)
    return kept.Rows(every % customers, every, every, days, starts, none, none, none)


def test_what_is_held_while_looking_who_followed_grows_with_customers_not_with_deeds() -> None:
    def peak(deeds: int) -> int:
        rows = many(deeds, 100_000)
        every = (rows, range(len(rows.customer)), None)
        tracemalloc.start()
        try:
            assert follows(every, every, within=1, comparable=True, size=100_000).tolist() == list(range(100_000))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(2_000_000) < 1.1 * peak(400_000)


class Watched(dict[str, kept.Rows]):
    """How many read it at once, at most, and how often."""

    inside = most = times = 0

    def __getitem__(self, kind: str) -> kept.Rows:
        self.inside, self.times = self.inside + 1, self.times + 1
        self.most = max(self.most, self.inside)
        time.sleep(0.05)
        self.inside -= 1
        return super().__getitem__(kind)


def test_a_process_counts_one_question_at_a_time_and_the_same_one_once() -> None:
    rows = many(10, 5)
    watched = Watched(purchase=rows, visit=rows)
    one = Answers(kept.Kept(watched, 4), kept.Kept(watched, 4), np.zeros(0, np.int64))
    asked = [Counted("count", Deed("purchase"), days, False, ">=", 1, "x") for days in (1, 2, 3, 1, 2, 3)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda leaf: one.of(leaf, DAY), asked))
    assert (watched.most, watched.times) == (1, 3)


@pytest.fixture
def shop(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> Iterator[Book]:
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(copies, "WORTH_IT", 0)
    make_chain()
    book, [store] = Book(), make_stores(1)
    face = Category.objects.create(name="面部")
    Item.objects.create(code="facial", name="Facial", category=face)
    for number in range(6):
        one = book.customer(store, TODAY - dt.timedelta(days=200), name=f"C{number}")
        for place in range(number):
            facial(book, one, TODAY - dt.timedelta(days=20 * place))
    with seeing(CHAIN_WIDE):
        fold(NOW)
        follow_values(NOW)
        computed(NOW)
        yield book
        copies._open.clear()


def facial(book: Book, one: Customer, day: dt.date) -> Receipt:
    receipt = book.receipt(one, Store.objects.get(), day)
    receipt.save(force_insert=True)
    Line.objects.create(receipt=receipt, position=1, item=Item.objects.get(), amount_minor=100)
    return receipt


ASKED = 'count(purchase of category "面部" in 90 days) >= 2'


def how_many(text: str = ASKED) -> int:
    words = words_of_the_chain()
    quick = columns.count(words.read(text)[1], words, now=NOW, scope=CHAIN_WIDE)
    assert quick is not None
    return quick


def test_a_facial_more_counts_at_once_and_after_every_copy(shop: Book) -> None:
    copies.copy_columns()
    assert how_many() == 4
    [first, *_] = Customer.objects.order_by("pk")
    for _ in range(2):
        facial(shop, first, TODAY)
    assert how_many() == 5, "PostgreSQL is asked about her"
    fold(NOW)
    copies.copy_columns()
    copy = copies.latest()
    assert copy
    assert copy.deeds
    assert copy.deeds.renewed.tolist() == [first.pk]
    assert how_many() == 5, "her deeds were written again"
    computed(NOW + dt.timedelta(days=1))
    copies.copy_columns()
    later = copies.latest()
    assert later
    assert later.deeds
    assert not len(later.deeds.renewed), "everybody's were, by night"
    assert how_many() == 5
    assert {one.name for one in copies.folder().glob("[da]*-*")} == {later.told.base, later.told.again}


def test_an_item_that_moves_to_another_category_moves_its_receipts(shop: Book) -> None:
    copies.copy_columns()
    assert how_many() == 4
    Item.objects.update(category=Category.objects.create(name="身体"))
    assert how_many() == 0
    assert how_many('count(purchase of category "身体" in 90 days) >= 2') == 4


def test_where_too_many_had_facts_everybodys_deeds_are_written_again(
    shop: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies.copy_columns()
    before = copies.latest()
    monkeypatch.setattr(renewal, "MOST_AGAIN", 0)
    facial(shop, Customer.objects.order_by("pk")[0], TODAY)
    fold(NOW)
    copies.copy_columns()
    copy = copies.latest()
    assert before
    assert copy
    assert copy.deeds
    assert copy.told.base != before.told.base
    assert not len(copy.deeds.renewed)
    assert how_many('count(purchase of item "facial") >= 1') == 6


def test_without_columns_of_deeds_the_set_is_made_by_postgresql(shop: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "HIGHEST_ID", 0)
    copies.copy_columns()
    copy = copies.latest()
    assert copy is not None
    assert copy.deeds is None
    assert how_many() == 4


def test_what_is_counted_of_is_remembered_not_what_it_is_compared_with(shop: Book) -> None:
    copies.copy_columns()
    assert how_many() == 4
    copy = copies.latest()
    assert copy
    assert copy.deeds
    known = list(copy.deeds._remembered)
    assert [how_many(ASKED.replace("2", str(limit))) for limit in (1, 3, 5)] == [5, 3, 1]
    assert how_many(f"{ASKED} and purchases >= 4") == 2
    assert list(copy.deeds._remembered) == known
    words = words_of_the_chain()
    later = NOW + dt.timedelta(days=30)
    assert queries.count(words.read(ASKED)[1], words, now=later, scope=CHAIN_WIDE) == 4
    assert len(copy.deeds._remembered) == 2, "of another day"
