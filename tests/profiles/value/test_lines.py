"""Product lines: which ages they are for, how long customers stay with them, and who sees what."""

import datetime as dt
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.db.models.signals import post_init

from changke.facts.catalog.models import Category, Item
from changke.facts.customers.models import Customer
from changke.facts.purchases.models import Line
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import Scope
from changke.profiles.value.lines import FEWEST, Held, Lines, product_lines
from changke.profiles.value.models import LineAge
from changke.profiles.value.rules import expected_years, line_ages
from changke.profiles.value.services.lines import count_lines
from tests.profiles.test_choices_that_models_ask import waits_for_a_lock
from tests.profiles.world import TODAY, Book, make_chain, make_stores


@pytest.mark.parametrize(
    ("bought", "ages"),
    [
        ({}, None),
        ({30: 1}, (30, 30)),
        (dict.fromkeys(range(25, 39), 10) | {70: 5, 16: 5}, (25, 38)),  # the brand for 25 to 38
        ({20: 1, 30: 38, 60: 1}, (30, 30)),
        ({18: 50, 60: 50}, (18, 60)),
        ({30: 0}, None),
    ],
)
def test_the_ages_of_a_line_leave_the_youngest_and_the_oldest_twentieth_out(
    bought: dict[int, int], ages: tuple[int, int] | None
) -> None:
    assert line_ages(bought) == ages


@pytest.mark.parametrize(
    ("before", "stayed", "years"),
    [(0, 0, None), (10, 0, 1.0), (10, 5, 2.0), (10, 9, 10.0), (10, 10, None)],
)
def test_who_comes_again_says_how_long_one_stays(before: int, stayed: int, years: float | None) -> None:
    found = expected_years(before=before, stayed=stayed)
    assert found is None if years is None else found == pytest.approx(years)


@pytest.fixture
def stores(db: None) -> list[Store]:
    make_chain()
    return make_stores(2)


def bought(book: Book, one: Customer, item: Item, ago: int, amount: int = 100, kind: str = "sale") -> None:
    receipt = book.receipt(one, one.home_store, TODAY - dt.timedelta(days=ago), kind=kind)
    receipt.save(force_insert=True)
    Line.objects.create(receipt=receipt, position=1, item=item, amount_minor=amount)


@pytest.fixture
def book(stores: list[Store]) -> Book:
    """Facials: two came again, one stayed away, one is new; a body treatment of long ago."""
    face, body = Category.objects.create(name="面部"), Category.objects.create(name="身体")
    facial = Item.objects.create(code="facial", name="Facial", category=face)
    scrub = Item.objects.create(code="scrub", name="Scrub", category=body)
    book = Book()
    born = [1996, 1994, 1988, None]
    people = [
        book.customer(stores[n // 3], TODAY - dt.timedelta(days=900), name=f"C{n}", birth_year=year)
        for n, year in enumerate(born)
    ]
    for one, days in zip(people, [(400, 10), (729, 365, 364), (500, 380), (3,)], strict=True):
        for ago in days:
            bought(book, one, facial, ago)
    bought(book, people[0], facial, 5, 900, kind="use")
    bought(book, people[1], scrub, 800)
    receipt = book.receipt(people[3], stores[1], TODAY)
    receipt.save(force_insert=True)
    Line.objects.create(receipt=receipt, position=1, item=None, amount_minor=5)
    return book


def counted() -> Lines:
    count_lines(today=TODAY)
    return product_lines()


def test_who_held_a_line_and_for_how_long(book: Book) -> None:
    found = counted()
    assert found.as_of == TODAY
    face, body = found.lines
    assert (face.name, face.held) == (
        "面部", Held(customers=4, bought=3, before=3, stayed=2, held_days=395 + 365 + 120, spent_minor=1_200),
    )  # fmt: skip
    assert face.held.expected_years == pytest.approx(3)
    assert face.held.days == 220
    assert face.ages == (TODAY.year - 1996, TODAY.year - 1994)
    assert face.life_years == 2
    assert [(one.first, one.held.customers, one.held.bought, one.years_left) for one in face.bands] == [
        (30, 2, 2, 1), (35, 1, 0, 0),
    ]  # fmt: skip
    assert (body.held.bought, body.held.before, body.held.expected_years, body.ages) == (0, 0, None, None)


def test_counting_again_leaves_nothing_of_before(book: Book) -> None:
    counted()
    Item.objects.filter(code="facial").update(category=None)
    assert [one.name for one in counted().lines] == ["身体"]
    assert counted() == counted()


def test_a_store_sees_those_at_home_there(book: Book, stores: list[Store]) -> None:
    counted()
    mine = product_lines(Scope(frozenset({stores[1].pk})))
    assert [(one.name, one.held.customers, one.ages) for one in mine.lines] == [("面部", 1, None)]
    assert product_lines(Scope(frozenset())).lines == ()


def test_before_the_first_night_nothing_is_known(stores: list[Store]) -> None:
    assert product_lines() == Lines(None, ())
    assert counted() == Lines(None, ())
    assert not LineAge.objects.exists()


@pytest.fixture
def rows_made() -> Iterator[list[object]]:
    """Every row of a line that becomes an object: a chain of a thousand stores has a million of them."""
    made: list[object] = []

    def note(**one: object) -> None:
        made.append(one["instance"])

    post_init.connect(note, sender=LineAge)
    yield made
    post_init.disconnect(note, sender=LineAge)


def test_rows_are_written_and_added_up_where_they_lie(book: Book, rows_made: list[object]) -> None:
    assert count_lines(today=TODAY) == LineAge.objects.count() == 5
    [face, _body] = product_lines().lines
    assert face.held.customers == 4
    assert not rows_made


def test_stores_of_one_year_of_birth_are_added_up(book: Book, stores: list[Store]) -> None:
    Customer.objects.update(birth_year=1990)
    Customer.objects.filter(name="C0").update(home_store=stores[1])
    count_lines(today=TODAY)
    [face, _body] = product_lines().lines
    assert [(one.first, one.held.customers) for one in face.bands] == [(35, 4)]


def others(book: Book, store: Store, born: int | None, count: int) -> None:
    facial = Item.objects.get(code="facial")
    for n in range(count):
        one = book.customer(store, TODAY - dt.timedelta(days=900), name=f"O{born}-{n}", birth_year=born)
        bought(book, one, facial, 10)


@pytest.mark.parametrize(("more", "told"), [(0, []), (2, []), (3, [(30, 5)]), (4, [(30, 6)])])
def test_whoever_sees_only_her_own_customers_is_told_of_no_fewer_than_five(
    book: Book, stores: list[Store], more: int, told: list[tuple[int, int]]
) -> None:
    others(book, stores[0], 1995, more)
    others(book, stores[0], 1981, 1)
    count_lines(today=TODAY)
    hers = product_lines(Scope(frozenset(), own=frozenset({stores[0].pk}), adviser=7))
    assert hers.fewest == FEWEST == 5
    assert [(band.first, band.held.customers) for line in hers.lines for band in line.bands] == told
    assert "身体" not in [one.name for one in hers.lines], "one alone ever bought it"
    place = frozenset({stores[0].pk})
    for everybody in (Scope(place), Scope(place, visited=place), Scope(place, own=place, adviser=7)):
        theirs = product_lines(everybody)
        assert theirs.fewest == 1
        bands = [(band.first, band.held.customers) for band in theirs.lines[0].bands]
        assert bands == [(30, 2 + more), (35, 1), (45, 1)]


def test_ages_of_fewer_than_five_are_nobodys_to_see(book: Book, stores: list[Store]) -> None:
    others(book, stores[0], None, 9)
    count_lines(today=TODAY)
    for own in (frozenset({stores[0].pk}), None):
        [line] = product_lines(Scope(frozenset(), own=own, adviser=7)).lines
        assert (line.ages, line.bands) == (None, ())
        assert line.held.customers >= 12


@pytest.mark.django_db(transaction=True)
def test_a_category_that_is_deleted_meanwhile_stops_no_night(book: Book) -> None:
    counted()
    body = Category.objects.get(name="身体")

    def night() -> int:
        try:
            return count_lines(today=TODAY)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            Item.objects.filter(category=body).update(category=None)
            body.delete()
            counting = other.submit(night)
            until = time.monotonic() + 10
            while not (counting.done() or waits_for_a_lock()) and time.monotonic() < until:
                time.sleep(0.01)
        assert counting.result(timeout=10) == 4
    assert [one.name for one in product_lines().lines] == ["面部"]


@pytest.mark.django_db(transaction=True)
def test_two_nights_at_once_wait_for_each_other(book: Book) -> None:
    def night(_: int) -> int:
        try:
            return count_lines(today=TODAY)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as several:
        assert list(several.map(night, range(8))) == [5] * 8
    assert LineAge.objects.count() == 5
