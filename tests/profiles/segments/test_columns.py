"""The copy that segments are counted from says what PostgreSQL says, at every moment, and shows no more."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from django.db import connection

from changke.facts.customers.models import Customer
from changke.facts.customers.services.tags import add_tag
from changke.foundation.database.append_only import current_xid
from changke.foundation.database.rows_seen import seeing, seeing_nobody
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import CHAIN_WIDE, Scope
from changke.interfaces.web.customers import by_prediction, narrowed
from changke.interfaces.web.customers.filters import Filters
from changke.interfaces.web.customers.reads import along
from changke.profiles.attributes.models import BulkRun, PopulationVersion, Profile
from changke.profiles.lifecycle.services import fold
from changke.profiles.segments import columns, copies, ordered, queries
from changke.profiles.segments.asking import FROM, Words, question, words_of_the_chain
from changke.profiles.segments.models import SegmentMember
from changke.profiles.segments.services.members import refresh_everybody
from changke.profiles.segments.services.save import freeze, save_segment
from changke.profiles.value.models import Prediction
from changke.profiles.value.services.follow import follow as follow_values
from tests.profiles.value.night import expect
from tests.profiles.world import NOW, TODAY, Book, make_chain, make_stores

pytestmark = pytest.mark.django_db(transaction=True)

TEXTS = (
    "purchases >= 1",
    "not silent_days >= 30",
    "silent_days is unknown or net_spend >= 100",
    "stage in (intro, growth, lost) and purchases < 3",
    "tag has 怕生 and purchases >= 1",
    "not tag has 怕生",
    "segment has frozen or purchases = 0",
    "count(purchase in 30 days) = 0 and purchases >= 1",
)


@pytest.fixture
def shop(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Book]:
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(copies, "WORTH_IT", 0)
    make_chain()
    book, stores = Book(), make_stores(2)
    for number in range(40):
        one = book.customer(stores[number % 2], TODAY - dt.timedelta(days=200), name=f"C{number}")
        for place in range(number % 4):
            book.receipt(one, stores[number % 2], TODAY - dt.timedelta(days=10 * place + number)).save(
                force_insert=True
            )
        if number % 3 == 0:
            add_tag(one, "怕生", now=NOW)
    with seeing(CHAIN_WIDE):
        fold(NOW)
        follow_values(NOW)
        computed(NOW)
        freeze(name="frozen", key="frozen", text="purchases >= 2", now=NOW)
        yield book


def computed(now: dt.datetime) -> None:
    """As after a night."""
    version = PopulationVersion.objects.order_by("pk")[0]
    told = {"as_of": TODAY, "snapshot": 1, "version": version, "finished_at": now, "customers": 40, "written": 40}
    BulkRun.objects.update_or_create(only=True, defaults=told)


def slow(text: str, words: Words, scope: Scope) -> list[int]:
    asked = question(words.read(text)[1], words, today=TODAY, scope=scope)
    with connection.cursor() as sql:
        sql.execute(f"SELECT customer_id FROM {FROM} WHERE {asked.where} ORDER BY 1", asked.values)
        return [pk for (pk,) in sql.fetchall()]


def agrees(scope: Scope = CHAIN_WIDE) -> None:
    words = words_of_the_chain()
    for text in TEXTS:
        _, condition = words.read(text)
        expected = slow(text, words, scope)
        assert columns.count(condition, words, now=NOW, scope=scope) == len(expected), text
        some = columns.sample(condition, words, now=NOW, scope=scope, most=99)
        assert sorted(some or ()) == expected, text
        if scope.whole_chain:
            found = columns.everybody(condition, words, now=NOW)
            assert found is not None
            assert found.tolist() == expected, text
    assert columns.count(None, words, now=NOW, scope=scope) == Profile.objects.for_scope(scope).count()


def test_it_agrees_before_and_after_facts_of_every_kind(shop: Book) -> None:
    assert copies.copy_columns() == 40
    agrees()
    store = Store.objects.order_by("pk")[0]
    people = list(Customer.objects.order_by("pk"))
    shop.receipt(people[0], store, TODAY).save(force_insert=True)
    agrees()  # before her profile knows
    fold(NOW)
    agrees()
    shop.customer(store, TODAY, name="New")
    Customer.objects.filter(pk=people[5].pk).update(is_active=False, txid=current_xid())
    add_tag(people[1], "怕生", now=NOW)
    fold(NOW)
    agrees()
    assert copies.renew_if_due() == 0, "three are no reason"
    agrees(Scope(frozenset({store.pk})))


def test_the_most_valuable_come_first(shop: Book) -> None:
    copies.copy_columns()
    words = words_of_the_chain()
    _, condition = words.read("purchases >= 1")
    quick = columns.sample(condition, words, now=NOW, scope=CHAIN_WIDE, most=5)
    copies._open.clear()
    for file in copies.folder().glob("columns-*"):
        file.unlink()
    assert columns.sample(condition, words, now=NOW, scope=CHAIN_WIDE, most=5) is None
    assert queries.sample(condition, words, now=NOW, scope=CHAIN_WIDE, most=5) == quick


@pytest.mark.parametrize("of_one_store", [False, True])
@pytest.mark.parametrize("narrowed", [
    ordered.Narrowed(),
    ordered.Narrowed(stages=("intro", "growth")),
    ordered.Narrowed(stages=("lost",)),
    ordered.Narrowed(group="high"),
    ordered.Narrowed(among=[np.array([], np.int64)]),
    ordered.Narrowed(stages=("lost", "intro"), among=[np.arange(0, 9_999, 2), np.arange(0, 9_999, 3)]),
])  # fmt: skip
def test_it_knows_the_order_of_what_is_expected_also_from_the_middle_and_back(
    shop: Book, narrowed: ordered.Narrowed, of_one_store: bool
) -> None:
    for one in Customer.objects.order_by("pk")[:30]:
        expect(one, one.pk % 4)
    copies.copy_columns()
    late, store = Customer.objects.order_by("pk")[3], Store.objects.order_by("pk")[0]
    shop.receipt(late, store, TODAY).save(force_insert=True)
    fold(NOW)
    scope = Scope(frozenset({store.pk})) if of_one_store else CHAIN_WIDE
    seen = Profile.objects.for_scope(scope).exclude(pk=late.pk)
    seen = seen.filter(stage__in=narrowed.stages) if narrowed.stages else seen
    seen = seen.filter(value_group=narrowed.group) if narrowed.group else seen
    for ids in narrowed.among:
        seen = seen.filter(pk__in=ids.tolist())
    known = dict(Prediction.objects.values_list("pk", "p_active_bp"))
    rows = [(pk, known.get(pk)) for pk in seen.values_list("pk", flat=True)]
    rows.sort(key=lambda row: (row[1] is None, -(row[1] or 0), row[0]))

    def asked(behind: tuple[int | None, int] | None, *, back: bool) -> list[tuple[int, int | None]]:
        found = ordered.in_order("p_active_bp", narrowed, scope=scope, behind=behind, back=back, size=99)
        assert found is not None
        assert found.changed == [late.pk]
        return found.rows

    assert asked(None, back=False) == rows
    for place, (pk, value) in enumerate(rows):
        assert asked((value, pk), back=False) == rows[place + 1 :]
        assert asked((value, pk), back=True) == rows[:place][::-1]


@pytest.mark.parametrize("filters", [
    Filters(order="money", stages=("intro", "growth", "lost")),
    Filters(order="money", tag="怕生"),
    Filters(order="money", tag="怕生", segment="some", stages=("intro", "growth", "lost")),
])  # fmt: skip
def test_the_list_is_the_same_with_a_copy_and_without(
    shop: Book, filters: Filters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(narrowed, "SEARCH_CAP", 2)  # so that a tag is held by many
    for one in Customer.objects.order_by("pk")[:30]:
        expect(one, one.pk % 4)
    save_segment(None, key="some", name="Some", text="purchases >= 0", is_tracked=False, now=NOW)
    without = along(filters, CHAIN_WIDE, size=99)
    copies.copy_columns()
    late = Customer.objects.order_by("pk")[3]
    shop.receipt(late, Store.objects.order_by("pk")[0], TODAY).save(force_insert=True)
    fold(NOW)
    Prediction.objects.filter(pk=late.pk).update(expected_spend_minor=99)
    monkeypatch.setattr(by_prediction, "_walked", None)  # asked nowhere but of the copy
    monkeypatch.setattr(by_prediction, "FEW", -1)
    with_a_copy = along(filters, CHAIN_WIDE, size=99)
    assert len(with_a_copy) > 3
    assert with_a_copy[0] == (late.pk, 99)
    assert with_a_copy[1:] == [row for row in without if row[0] != late.pk]


def test_a_copy_from_before_it_knew_what_is_expected_is_not_asked(shop: Book) -> None:
    def asked() -> ordered.Ordered | None:
        return ordered.in_order("p_active_bp", ordered.Narrowed(), scope=CHAIN_WIDE, behind=None, back=False, size=9)

    copies.copy_columns()
    copies._open.clear()
    with duckdb.connect(str(next(copies.folder().glob("columns-*.duckdb")))) as duck:
        duck.execute("ALTER TABLE profiles_profile DROP COLUMN p_active_bp")
    assert asked() is None
    assert copies.renew_if_due() == 40
    assert asked() is not None


def test_it_shows_no_more_than_postgresql_would(shop: Book) -> None:
    copies.copy_columns()
    store = Store.objects.order_by("pk")[0]
    words = words_of_the_chain()
    _, condition = words.read("purchases >= 0")
    mine = Profile.objects.filter(home_store_id=store.pk).count()
    with seeing(Scope(frozenset({store.pk}))):
        assert columns.count(condition, words, now=NOW, scope=CHAIN_WIDE) == mine
    with seeing_nobody():
        assert columns.count(condition, words, now=NOW, scope=CHAIN_WIDE) in {0, None}


def test_another_night_too_many_facts_or_no_file_leave_it_to_postgresql(
    shop: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = words_of_the_chain()
    _, condition = words.read("purchases >= 1")
    assert columns.count(condition, words, now=NOW, scope=CHAIN_WIDE) is None, "no file"
    copies.copy_columns()
    assert columns.count(condition, words, now=NOW, scope=CHAIN_WIDE) is not None
    assert columns.count(words.read("p_active >= 50")[1], words, now=NOW, scope=CHAIN_WIDE) is None, (
        "what is expected of her is not in it"
    )
    monkeypatch.setattr(columns, "MOST_CHANGED", 0)
    add_tag(Customer.objects.order_by("pk")[0], "爱聊", now=NOW)
    assert columns.count(condition, words, now=NOW, scope=CHAIN_WIDE) is None, "too many facts since"
    fold(NOW)
    follow_values(NOW)
    monkeypatch.setattr(copies, "RENEWED_FROM", 0)
    assert copies.renew_if_due() == 40
    assert columns.count(condition, words, now=NOW, scope=CHAIN_WIDE) is not None
    computed(NOW + dt.timedelta(minutes=1))
    assert columns.count(condition, words, now=NOW, scope=CHAIN_WIDE) is None, "another computation of everybody"
    assert copies.renew_if_due() == 40
    assert len(list(copies.folder().glob("columns-*"))) == 1
    monkeypatch.setattr(copies, "WORTH_IT", 1_000)
    assert copies.copy_columns() == 0


def test_members_come_and_go_alike(shop: Book) -> None:
    one = save_segment(None, key="buyers", name="buyers", text="purchases >= 2", now=NOW)
    copies.copy_columns()
    inside = SegmentMember.objects.filter(segment=one, left_at=None)
    before = set(inside.values_list("customer_id", flat=True))
    assert before
    gone = inside.first()
    assert gone is not None
    gone.delete()
    stranger = Profile.objects.exclude(pk__in=before).values_list("pk", flat=True)[0]
    SegmentMember.objects.create(segment=one, customer_id=stranger, entered_at=NOW)
    moved = refresh_everybody(now=NOW + dt.timedelta(seconds=1))
    assert (moved.entered, moved.left) == (1, 1)
    assert set(inside.values_list("customer_id", flat=True)) == before
