"""What the charts say of today is what the lists say, also when somebody came during the day."""

import datetime as dt
from pathlib import Path

import pytest

from changke.facts.customers.models import Customer
from changke.foundation.database.append_only import current_xid
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import CHAIN_WIDE, Scope
from changke.interfaces import analytics
from changke.profiles.attributes.models import Profile
from changke.profiles.lifecycle.models import SeriesFill, StageCount, StageFlow
from changke.profiles.lifecycle.queries import by_day, chart_days, counts
from changke.profiles.lifecycle.services import fold, recount, refresh_all, today
from changke.profiles.lifecycle.services.mirror import mirror_file
from tests.profiles.world import NOW, TODAY, Book, make_chain, make_stores

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = TODAY - dt.timedelta(days=2000)
LATER = NOW + dt.timedelta(seconds=30)


@pytest.fixture
def stores() -> list[Store]:
    make_chain()
    return make_stores(2)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mirror.duckdb"


def now_in(scope: Scope = CHAIN_WIDE, model: str = "m4") -> dict[str, int]:
    """Stage -> customers as the charts say of their last day."""
    last = by_day(counts(model, scope)).get(chart_days()[-1], {})
    return {stage: count.customers for stage, count in last.items()}


def in_lists() -> dict[str, int]:
    found: dict[str, int] = {}
    for stage in Profile.objects.values_list("stage", flat=True):
        found[stage] = found.get(stage, 0) + 1
    return found


def newcomer(store: Store) -> Customer:
    one = Book().customer(store, LONG_AGO, name="Nana")
    Book().receipt(one, store, TODAY).save(force_insert=True)
    return one


def test_a_shop_that_begins_by_hand_sees_its_first_customers_the_same_day(stores: list[Store], file: Path) -> None:
    refresh_all(now=NOW, mirror=file, months=3)
    assert now_in() == {}
    newcomer(stores[0])
    fold(NOW)
    assert recount(LATER)
    assert now_in() == {"intro": 1} == in_lists()
    assert now_in(Scope(frozenset({stores[1].pk}))) == {}


def test_who_changes_her_stage_is_counted_where_she_stands(stores: list[Store], file: Path) -> None:
    one, other = newcomer(stores[0]), newcomer(stores[1])
    refresh_all(now=NOW, mirror=file, months=3)
    Book().receipt(one, stores[0], TODAY - dt.timedelta(days=30)).save(force_insert=True)
    Customer.objects.filter(pk=other.pk).update(home_store=stores[0], txid=current_xid())
    fold(NOW)
    assert recount(LATER)
    assert now_in() == in_lists() == {"growth": 1, "intro": 1}
    assert now_in(Scope(frozenset({stores[1].pk}))) == {}


def test_counting_the_day_again_says_what_the_night_said(stores: list[Store], file: Path) -> None:
    for number in range(6):
        one = newcomer(stores[number % 2])
        Book().receipt(one, stores[0], TODAY - dt.timedelta(days=70 * number)).save(force_insert=True)
    refresh_all(now=NOW, mirror=file, months=3)
    said = ("model", "day", "stage", "store_id", "customers", "value_minor")
    night, flows = sorted(StageCount.objects.values_list(*said)), StageFlow.objects.count()
    today.fall_behind(NOW)
    assert recount(LATER)
    assert sorted(StageCount.objects.values_list(*said)) == night
    assert StageFlow.objects.count() == flows > 0


def test_nothing_is_counted_where_nobody_changed(stores: list[Store], file: Path) -> None:
    newcomer(stores[0])
    refresh_all(now=NOW, mirror=file, months=3)
    assert not recount(LATER)
    newcomer(stores[0])
    fold(NOW)
    assert recount(LATER)
    assert not recount(LATER + dt.timedelta(hours=1))


def test_it_is_not_counted_at_every_turn(stores: list[Store], file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    newcomer(stores[0])
    refresh_all(now=NOW, mirror=file, months=3)
    newcomer(stores[0])
    fold(NOW)
    assert not recount(NOW + dt.timedelta(seconds=19))
    monkeypatch.setattr(today, "PER_SECOND", 1 / 60)  # so one customer is worth a minute
    assert not recount(NOW + dt.timedelta(seconds=59))
    assert recount(NOW + dt.timedelta(seconds=60))


def test_a_day_that_no_night_has_counted_is_left_to_the_night(stores: list[Store], file: Path) -> None:
    newcomer(stores[0])
    refresh_all(now=NOW, mirror=file, months=3)
    tomorrow = NOW + dt.timedelta(days=1)
    newcomer(stores[0])
    fold(tomorrow)
    assert not recount(tomorrow + dt.timedelta(hours=1))
    assert SeriesFill.objects.order_by("day").last().day == TODAY  # type: ignore[union-attr]
    refresh_all(now=tomorrow, mirror=file, months=3)
    assert now_in() == in_lists()


def test_the_worker_counts_as_it_follows(stores: list[Store]) -> None:
    refresh_all(now=NOW, mirror=mirror_file(), months=3)
    newcomer(stores[0])
    analytics.follow(LATER)
    assert now_in() == {"intro": 1}
