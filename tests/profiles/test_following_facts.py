"""What is recorded reaches the profiles: by following, by night, and with the cause told rightly."""

import datetime as dt
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import transaction

from changke.facts.customers.models import Customer
from changke.facts.customers.services.change import change
from changke.facts.events.models import Event
from changke.facts.purchases.models import Receipt
from changke.foundation.batches.models import Batch
from changke.foundation.cursors import Cursor
from changke.foundation.database.append_only import current_xid
from changke.foundation.database.connections import conninfo
from changke.foundation.organisation.models import Chain, Store
from changke.foundation.organisation.scope import CHAIN_WIDE, Scope
from changke.profiles.attributes.models import BulkRun, PopulationVersion, Profile
from changke.profiles.attributes.services import populations
from changke.profiles.lifecycle.models import SeriesFill, Standing
from changke.profiles.lifecycle.queries import by_day, chart_days, counts, flows
from changke.profiles.lifecycle.services import fold, refresh_all, refresh_from, some, too_many
from changke.profiles.lifecycle.services.mirror import open_mirror
from tests.profiles.world import NOW, TODAY, Book, make_chain, make_stores

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = TODAY - dt.timedelta(days=2000)
NIGHT = dt.timedelta(days=1)


@pytest.fixture
def stores() -> list[Store]:
    make_chain()
    return make_stores(2)


@pytest.fixture
def vera(stores: list[Store]) -> Customer:
    vera = Book().customer(stores[0], LONG_AGO, name="Vera")
    Book().receipt(vera, stores[0], TODAY - dt.timedelta(days=59)).save(force_insert=True)
    return vera


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mirror.duckdb"


def causes(model: str = "m4") -> list[tuple[str | None, str, str]]:
    events = Event.objects.filter(kind="stage.changed", data__model=model).order_by("pk")
    return [(event.data["from"], event.data["to"], event.data["cause"]) for event in events]


def test_a_fact_is_followed_once(vera: Customer, stores: list[Store]) -> None:
    assert fold(NOW).customers == 1
    assert fold(NOW).customers == 0
    assert Profile.objects.get(pk=vera.pk).purchases == 1
    Book().visit(vera, stores[1], TODAY).save(force_insert=True)
    assert fold(NOW).customers == 1
    assert Profile.objects.get(pk=vera.pk).visits == 2
    Customer.objects.filter(pk=vera.pk).update(birth_year=1996, txid=current_xid())
    assert fold(NOW).customers == 1
    assert Profile.objects.get(pk=vera.pk).birth_decade == 1990


def test_too_many_are_left_to_the_bulk_run(vera: Customer, stores: list[Store], file: Path) -> None:
    Book().receipt(Book().customer(stores[0], LONG_AGO), stores[0], TODAY).save(force_insert=True)
    assert fold(NOW, many=1).wants_bulk
    assert Profile.objects.count() == 0
    refresh_all(now=NOW, mirror=file, months=0)
    assert Profile.objects.count() == 2
    assert fold(NOW).customers == 0  # the bulk run has followed everything it knew


def test_the_first_file_of_a_shop_is_left_to_the_bulk_run(vera: Customer, stores: list[Store], file: Path) -> None:
    """Else it would stand among the values of the shop as it was when nobody was known, and on no chart."""
    assert too_many() == 100, "as long as nobody was ever computed"
    refresh_all(now=NOW, mirror=file, months=0)
    some = [Customer(home_store=stores[0], known_on=LONG_AGO, recorded_at=NOW) for _ in range(101)]
    Customer.objects.bulk_create(some[:100])
    assert fold(NOW, many=too_many()).customers == 100
    Customer.objects.bulk_create(some[100:])
    Customer.objects.update(txid=current_xid())
    assert fold(NOW, many=too_many()).wants_bulk
    refresh_all(now=NOW, mirror=file, months=0)
    assert fold(NOW, many=too_many()).customers == 0


def test_every_cause_is_told(vera: Customer, stores: list[Store], file: Path) -> None:
    refresh_all(now=NOW, mirror=file, months=0)
    assert causes() == [(None, "intro", "first_run")]
    refresh_all(now=NOW + NIGHT, mirror=file, months=0)
    assert causes()[1:] == [("intro", "silent", "time")]
    Book().receipt(vera, stores[0], TODAY + NIGHT).save(force_insert=True)
    fold(NOW + NIGHT)
    assert causes()[2:] == [("silent", "growth", "fact")]
    batch = Batch.objects.create(kind="load", created_at=NOW)
    Receipt.objects.filter(business_date=TODAY + NIGHT).update(withdrawn_by=batch, txid=current_xid())
    fold(NOW + NIGHT)
    assert causes()[3:] == [("growth", "silent", "late")]
    Book().visit(vera, stores[0], TODAY - 10 * NIGHT).save(force_insert=True)
    fold(NOW + NIGHT)
    assert causes()[4:] == [("silent", "growth", "late")]
    Chain.objects.update(silent_after_days=5)
    refresh_all(now=NOW + NIGHT, mirror=file, months=0)
    assert causes()[5:] == [("growth", "silent", "rule")]
    Book().receipt(vera, stores[0], TODAY + NIGHT).save(force_insert=True)
    refresh_all(now=NOW + NIGHT, mirror=file, months=0)  # the night finds a fact that nobody had followed yet
    assert causes()[6:] == [("silent", "growth", "fact")]


def test_a_second_run_of_the_day_writes_nothing(vera: Customer, file: Path) -> None:
    first = refresh_all(now=NOW, mirror=file, months=0)
    again = refresh_all(now=NOW, mirror=file, months=0)
    assert (first.customers, first.written, first.changed) == (1, 1, 3)
    assert (again.customers, again.written, again.changed) == (1, 0, 0)
    assert PopulationVersion.objects.filter(nightly=True).count() == 1
    assert BulkRun.objects.get().version.nightly


def test_after_a_restore_transactions_are_counted_anew(vera: Customer, stores: list[Store], file: Path) -> None:
    """A dump brings rows and positions of another server, whose transaction ids were far ahead of this one's."""
    refresh_all(now=NOW, mirror=file, months=0)
    ahead = 2**50
    Profile.objects.update(snapshot=ahead)
    Cursor.objects.update(read_below=ahead)
    Book().receipt(vera, stores[0], TODAY).save(force_insert=True)
    assert fold(NOW).wants_bulk
    refresh_all(now=NOW, mirror=file, months=0)
    assert Profile.objects.get(pk=vera.pk).purchases == 2
    Book().receipt(vera, stores[0], TODAY).save(force_insert=True)
    assert fold(NOW).customers == 1
    assert Profile.objects.get(pk=vera.pk).purchases == 3


def test_who_had_a_fact_during_the_run_is_placed_in_its_values(vera: Customer, stores: list[Store], file: Path) -> None:
    refresh_all(now=NOW, mirror=file, months=0)
    for days in (1, 8, 15):  # the chain comes every week from now on
        Book().visit(vera, stores[0], TODAY - dt.timedelta(days=days)).save(force_insert=True)
    with open_mirror(file) as (duck, copy):
        snapshot = copy.sync(conninfo("reader")).read_below
        Book().customer(stores[1], LONG_AGO)  # somebody else is written down meanwhile
        fold(NOW)  # her row is newer than the run's, and speaks of the old pace
        assert Profile.objects.get(pk=vera.pk).snapshot > snapshot
        refresh_from(duck, snapshot=snapshot, now=NOW)
    row = Profile.objects.get(pk=vera.pk)
    assert (row.own_gaps, row.usual_gap_days) == (3, 7)


def test_a_night_that_ends_meanwhile_takes_no_values_from_who_is_being_computed(
    vera: Customer, stores: list[Store], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A follower takes several transactions. A night that ends between two of them forgets the values it began with."""
    ling = Book().customer(stores[0], LONG_AGO, name="Ling")
    for one in (vera, ling):
        for days in (20, 10, 0):
            Book().visit(one, stores[0], TODAY - dt.timedelta(days=days)).save(force_insert=True)
    refresh_all(now=NOW, mirror=file, months=1)
    first = BulkRun.objects.get().version_id
    held: list[int] = []

    def held_while_a_night_ends(**asked: Any) -> int:
        if held:
            refresh_all(now=NOW, mirror=file, months=1)
        held.append(populations.held_version(**asked))
        return held[-1]

    monkeypatch.setattr(some, "SOME", 1)
    monkeypatch.setattr(some, "held_version", held_while_a_night_ends)
    some.refresh_customers([vera.pk, ling.pk], now=NOW)
    assert held[0] == first != held[1] == BulkRun.objects.get().version_id
    assert [one.usual_gap_days for one in Profile.objects.order_by("pk")] == [10, 10], "the chain's pace was known"


def test_values_are_not_forgotten_while_somebody_is_computed_by_them(vera: Customer, file: Path) -> None:
    refresh_all(now=NOW, mirror=file, months=1)
    held = BulkRun.objects.get().version_id
    another = PopulationVersion.objects.create(as_of=TODAY, snapshot=0, computed_at=NOW)
    with psycopg.connect(conninfo("owner"), autocommit=True) as elsewhere:
        elsewhere.execute("SET lock_timeout = '200ms'")
        with transaction.atomic():
            assert populations.held_version(settings={}, today=TODAY, now=NOW) == held
            with pytest.raises(psycopg.errors.LockNotAvailable):
                elsewhere.execute("DELETE FROM profiles_populationversion WHERE id = %s", [held])
            elsewhere.execute("SELECT FROM profiles_populationversion WHERE id = %s FOR KEY SHARE", [held])
    BulkRun.objects.update(version=another)
    populations.forget_outdated(another)
    assert not PopulationVersion.objects.filter(pk=held).exists()


def test_a_store_behind_the_date_line_is_computed_as_of_its_own_day(
    vera: Customer, stores: list[Store], file: Path
) -> None:
    west = Store.objects.create(code="HI", name="Honolulu", time_zone="Pacific/Honolulu")
    him = Book().customer(west, LONG_AGO)
    Book().receipt(him, west, TODAY - dt.timedelta(days=60)).save(force_insert=True)
    early = dt.datetime(2026, 3, 31, 1, tzinfo=dt.UTC)  # the 31st in Shanghai, still the 30th in Honolulu
    refresh_all(now=early, mirror=file, months=0)
    rows = {row.pk: (row.as_of, row.silent_days, row.stage) for row in Profile.objects.all()}
    assert rows == {vera.pk: (TODAY, 59, "intro"), him.pk: (TODAY - NIGHT, 59, "intro")}


def test_who_moves_to_a_store_with_an_earlier_day_is_computed_at_once(
    vera: Customer, stores: list[Store], file: Path
) -> None:
    """The 31st in Shanghai is still the 30th in Honolulu: her sixtieth day of silence has not come there."""
    west = Store.objects.create(code="HI", name="Honolulu", time_zone="Pacific/Honolulu")
    early = dt.datetime(2026, 4, 1, 1, tzinfo=dt.UTC)
    refresh_all(now=early, mirror=file, months=0)
    day_before = {"as_of": TODAY, "silent_days": 59, "home_store_id": west.pk, "stage": "intro"}
    assert Profile.objects.get(pk=vera.pk).stage == "silent"
    change(vera.pk, {"home_store": west}, now=early)
    fold(early)
    assert Profile.objects.filter(pk=vera.pk).values(*day_before).get() == day_before
    assert Standing.objects.get(customer=vera, model="m4").stage == "intro"
    assert causes()[1:] == [("silent", "intro", "fact")]
    change(vera.pk, {"home_store": stores[1]}, now=early)
    fold(early)
    assert Profile.objects.get(pk=vera.pk).as_of == TODAY + NIGHT
    assert causes()[2:] == [("intro", "silent", "fact")]


def test_an_older_row_of_the_former_store_changes_nothing(vera: Customer, stores: list[Store], file: Path) -> None:
    """The night's run read her before she moved, and writes after the follower has placed her anew."""
    refresh_all(now=NOW, mirror=file, months=0)
    with open_mirror(file) as (duck, copy):
        snapshot = copy.sync(conninfo("reader")).read_below
        change(vera.pk, {"home_store": stores[1]}, now=NOW)
        fold(NOW)
        refresh_from(duck, snapshot=snapshot, now=NOW)
    assert Profile.objects.get(pk=vera.pk).home_store_id == stores[1].pk


def test_who_is_withdrawn_leaves_by_night(vera: Customer, file: Path) -> None:
    refresh_all(now=NOW, mirror=file, months=0)
    Customer.objects.filter(pk=vera.pk).update(is_active=False, txid=current_xid())
    refresh_all(now=NOW, mirror=file, months=0)
    assert (Profile.objects.count(), Standing.objects.count()) == (0, 0)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def test_the_charts_recompute_the_past(stores: list[Store], file: Path) -> None:
    book = Book()
    vera, olga = (book.customer(store, day("2025-12-20")) for store in stores)
    for fact in (
        book.receipt(vera, stores[0], day("2025-12-31"), cash_minor=700),
        book.receipt(olga, stores[1], day("2026-01-05"), cash_minor=500),
        book.receipt(olga, stores[1], day("2026-02-27"), cash_minor=200),
    ):
        fact.save(force_insert=True)
    refresh_all(now=NOW, mirror=file)
    assert chart_days() == [day("2025-12-31"), day("2026-01-31"), day("2026-02-28"), TODAY]
    seen = {
        (when, stage): (count.customers, count.value_minor)
        for when, stages in by_day(counts("m4", CHAIN_WIDE)).items()
        for stage, count in stages.items()
    }
    assert seen == {
        (day("2025-12-31"), "intro"): (2, 700),
        (day("2026-01-31"), "intro"): (2, 1200),
        (day("2026-02-28"), "intro"): (1, 700),
        (day("2026-02-28"), "growth"): (1, 700),
        (TODAY, "silent"): (1, 700),
        (TODAY, "growth"): (1, 700),
    }
    one_store = Scope(frozenset({stores[0].pk}))
    assert [(f.day, f.from_stage, f.to_stage, f.customers) for f in flows("m4", one_store)] == [
        (day("2026-01-31"), "intro", "intro", 1),
        (day("2026-02-28"), "intro", "intro", 1),
        (TODAY, "intro", "silent", 1),
    ]
    assert {flow.before for flow in flows("m4", one_store, days=[TODAY])} == {day("2026-02-28")}


def test_only_the_months_that_a_late_fact_touches_are_computed_again(
    vera: Customer, stores: list[Store], file: Path
) -> None:
    refresh_all(now=NOW, mirror=file, months=4)
    filled = dict(SeriesFill.objects.values_list("day", "filled_at"))
    assert len(filled) == 5
    later = NOW + dt.timedelta(hours=1)
    Book().visit(vera, stores[0], day("2026-01-15")).save(force_insert=True)
    refresh_all(now=later, mirror=file, months=4)
    again = {when for when, at in SeriesFill.objects.values_list("day", "filled_at") if at == later}
    assert again == {day("2026-01-31"), day("2026-02-28"), TODAY}


def test_a_rule_that_changed_has_every_month_computed_again(vera: Customer, file: Path) -> None:
    refresh_all(now=NOW, mirror=file, months=2)
    Chain.objects.update(lost_after_days=400)
    later = NOW + dt.timedelta(hours=1)
    refresh_all(now=later, mirror=file, months=2)
    assert set(SeriesFill.objects.values_list("filled_at", flat=True)) == {later}


def test_the_charts_follow_who_belonged_where(vera: Customer, stores: list[Store], file: Path) -> None:
    """Moved, written down with a day of the past, gone with an undone batch: there is no late fact that would tell."""
    refresh_all(now=NOW, mirror=file, months=2)
    olga = Book().customer(stores[0], day("2026-02-10"))
    Customer.objects.filter(pk=vera.pk).update(home_store=stores[1], txid=current_xid())
    refresh_all(now=NOW, mirror=file, months=2)

    def known(store: Store) -> dict[dt.date, int]:
        table = by_day(counts("m4", Scope(frozenset({store.pk}))))
        return {when: sum(count.customers for count in stages.values()) for when, stages in table.items()}

    assert known(stores[0]) == {day("2026-02-28"): 1, TODAY: 1}
    assert known(stores[1]) == {day("2026-01-31"): 1, day("2026-02-28"): 1, TODAY: 1}
    Customer.objects.filter(pk=olga.pk).update(is_active=False, txid=current_xid())
    refresh_all(now=NOW, mirror=file, months=2)
    assert known(stores[0]) == {}
    later = NOW + dt.timedelta(hours=1)
    refresh_all(now=later, mirror=file, months=2)
    assert list(SeriesFill.objects.filter(filled_at=later).values_list("day", flat=True)) == [TODAY]
