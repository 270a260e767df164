"""What those whom she brought have spent: by hand, by whichever path it is computed, through merges and corrections."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from changke.facts.customers.models import Customer
from changke.facts.customers.services.merge import merge, unmerge
from changke.facts.purchases.services.withdraw import withdraw_purchases
from changke.facts.referrals.models import Referral
from changke.facts.referrals.services import name_referrer, take_off_referrer
from changke.facts.referrals.services.forget import forget_referrals
from changke.facts.referrals.services.intake import Told, take_in_referrals, withdraw_referrals
from changke.foundation.batches.models import Batch
from changke.foundation.organisation.models import Store
from changke.profiles.attributes.catalogue import COLUMNS
from changke.profiles.attributes.models import Profile
from changke.profiles.lifecycle.services import fold, refresh_all, refresh_customers
from tests.profiles.world import NOW, TODAY, Book, make_chain, make_stores

pytestmark = pytest.mark.django_db(transaction=True)

BROUGHT = ("referred_customers", "referral_value", "referral_value_365d")


def ago(days: int) -> dt.date:
    return TODAY - dt.timedelta(days=days)


@pytest.fixture
def store() -> Store:
    make_chain()
    return make_stores(1)[0]


@pytest.fixture
def people(store: Store) -> dict[str, Customer]:
    """The table of docs/algorithms/referral.md, in whole yuan."""
    book = Book()
    known = {name: book.customer(store, ago(400), name=name) for name in ("A", "B", "C", "D", "E", "F1", "F2", "G")}
    for name, days, spent, kind in (
        ("B", 400, 300, "sale"), ("B", 10, 200, "sale"), ("B", 1, 50, "return"), ("D", 5, 900, "sale"),
        ("E", 5, 100, "sale"), ("F1", 400, 100, "sale"), ("F2", 20, 20, "sale"), ("G", 20, 500, "sale"),
    ):  # fmt: skip
        book.receipt(known[name], store, ago(days), kind, cash_minor=spent * 100).save(force_insert=True)
    for name, referrer in (("B", "A"), ("C", "A"), ("D", "B"), ("E", "A"), ("F1", "A"), ("F2", "A"), ("G", "A")):
        name_referrer(known[name].pk, known[referrer].pk, now=NOW)
    take_off_referrer(known["E"].pk, now=NOW + dt.timedelta(seconds=1))
    merge(known["F1"].pk, known["F2"].pk, now=NOW)
    merge(known["G"].pk, known["A"].pk, now=NOW)
    return known


def brought(customer: Customer) -> tuple[int, int, int]:
    row = Profile.objects.get(pk=customer.pk)
    return row.referred_customers, row.referral_value // 100, row.referral_value_365d // 100  # type: ignore[attr-defined]


def were_brought() -> set[str]:
    """Names of the persons of whom it is computed that somebody brought them."""
    known = Profile.objects.filter(was_brought=True).values_list("customer__name", flat=True)
    return set(known)


def rows() -> list[dict[str, Any]]:
    return list(Profile.objects.order_by("pk").values("customer_id", "stage", *COLUMNS))


def night(tmp_path: Path) -> None:
    refresh_all(now=NOW, mirror=tmp_path / "mirror.duckdb", months=0)


def test_the_table_of_the_algorithm_holds(people: dict[str, Customer], tmp_path: Path) -> None:
    night(tmp_path)
    assert brought(people["A"]) == (3, 300 + 200 - 50 + 100 + 20, 200 - 50 + 20)
    assert brought(people["B"]) == (1, 900, 900)
    assert brought(people["E"]) == (0, 0, 0)
    assert were_brought() == {"B", "C", "D", "F2"}, "not E, of whom it was taken off; not A, who is G as well"
    by_night = rows()
    Profile.objects.all().delete()
    for one in Customer.objects.all():
        refresh_customers([one.pk], now=NOW)
    assert rows() == by_night, "one at a time as by night"


def test_whoever_brought_her_follows_what_she_spends(people: dict[str, Customer], store: Store, tmp_path: Path) -> None:
    night(tmp_path)
    fold(NOW)
    batch = Batch.objects.create(kind="load", created_at=NOW)
    Book().receipt(people["C"], store, TODAY, cash_minor=7_00, batch=batch).save(force_insert=True)
    assert fold(NOW).customers == 2, "she, and who brought her; not further up"
    assert brought(people["A"])[1:] == (577, 177)
    withdraw_purchases(batch_id=batch.pk)
    fold(NOW)
    assert brought(people["A"])[1:] == (570, 170)


def test_a_receipt_that_came_and_went_before_the_night_leaves_nothing(
    people: dict[str, Customer], store: Store, tmp_path: Path
) -> None:
    """Followed once, withdrawn, and the night comes before the follower does: her hash says that nothing changed."""
    night(tmp_path)
    batch = Batch.objects.create(kind="load", created_at=NOW)
    Book().receipt(people["C"], store, TODAY, cash_minor=7_00, batch=batch).save(force_insert=True)
    fold(NOW)
    assert brought(people["A"])[1] == 577
    withdraw_purchases(batch_id=batch.pk)
    night(tmp_path)
    assert brought(people["A"])[1] == 570


def test_another_is_named_and_both_are_computed_anew(people: dict[str, Customer], tmp_path: Path) -> None:
    night(tmp_path)
    fold(NOW)
    name_referrer(people["B"].pk, people["C"].pk, now=NOW + dt.timedelta(minutes=1))
    fold(NOW)
    assert brought(people["A"]) == (2, 120, 20)
    assert brought(people["C"]) == (1, 450, 150)
    assert "B" in were_brought()
    take_off_referrer(people["B"].pk, now=NOW + dt.timedelta(minutes=2))
    assert fold(NOW).customers == 3, "she, and everybody who was ever named"
    assert were_brought() == {"C", "D", "F2"}


def test_a_load_that_is_taken_back_brought_nobody(people: dict[str, Customer], tmp_path: Path) -> None:
    night(tmp_path)
    fold(NOW)
    first, second = (Batch.objects.create(kind="customers", created_at=NOW) for _ in range(2))
    take_in_referrals([Told(people["A"].pk, people["E"].pk)], batch_id=first.pk, now=NOW)
    fold(NOW)
    assert were_brought() == {"A", "B", "C", "D", "F2"}
    take_in_referrals([Told(people["A"].pk, people["C"].pk)], batch_id=second.pk, now=NOW)  # refused: a circle
    withdraw_referrals(batch_id=first.pk)
    fold(NOW)
    assert were_brought() == {"B", "C", "D", "F2"}


def test_merged_with_who_brought_her_nobody_did_and_parted_she_did(people: dict[str, Customer], tmp_path: Path) -> None:
    night(tmp_path)
    fold(NOW)
    link = merge(people["D"].pk, people["B"].pk, now=NOW)  # B brought D; A brought B
    fold(NOW)
    assert were_brought() == {"B", "C", "F2"}
    unmerge(int(link.batch_id or 0), now=NOW)
    fold(NOW)
    assert were_brought() == {"B", "C", "D", "F2"}
    link = merge(people["C"].pk, people["A"].pk, now=NOW)  # A brought C: of herself that says nothing
    fold(NOW)
    assert were_brought() == {"B", "D", "F2"}
    by_following = rows()
    night(tmp_path)
    assert rows() == by_following


def test_parted_again_each_counts_for_who_brought_her(people: dict[str, Customer], tmp_path: Path) -> None:
    night(tmp_path)
    for link in Batch.objects.filter(kind="merge").order_by("-pk"):
        unmerge(link.pk, now=NOW)
    fold(NOW)
    assert brought(people["A"]) == (5, 450 + 120 + 500, 150 + 20 + 500)


def test_of_two_records_that_are_one_person_the_last_statement_holds(
    people: dict[str, Customer], tmp_path: Path
) -> None:
    night(tmp_path)
    merge(people["E"].pk, people["D"].pk, now=NOW)  # of E it was said later that nobody brought her
    fold(NOW)
    assert brought(people["B"]) == (0, 0, 0)


def test_a_circle_that_a_merge_closes_counts_one_level(people: dict[str, Customer], tmp_path: Path) -> None:
    night(tmp_path)
    merge(people["D"].pk, people["A"].pk, now=NOW)  # A brought B, B brought D, who is A
    fold(NOW)
    assert brought(people["A"])[0] == 3
    assert brought(people["B"]) == (1, 900 + 500, 900 + 500)


def test_whoever_is_erased_is_counted_nowhere(people: dict[str, Customer], tmp_path: Path) -> None:
    night(tmp_path)
    fold(NOW)
    assert forget_referrals([people["B"].pk]) == 2, "who brought her, and whom she brought"
    fold(NOW)
    assert brought(people["A"]) == (2, 120, 20)
    assert brought(people["B"]) == (0, 0, 0)
    assert were_brought() == {"C", "F2"}, "neither she nor D, whom she brought"
    assert not Referral.objects.filter(referrer=people["B"]).exists()


def test_a_statement_of_a_day_to_come_counts_from_that_day_on(store: Store, tmp_path: Path) -> None:
    ann, bea = Book().customer(store, ago(50)), Book().customer(store, ago(20), name="Bea")
    Book().brought(bea, ann, ago(-1)).save(force_insert=True)
    night(tmp_path)
    assert were_brought() == set()
    refresh_all(now=NOW + dt.timedelta(days=1), mirror=tmp_path / "mirror.duckdb", months=0)
    assert were_brought() == {"Bea"}, "no new fact of hers, but its day has come"


def test_it_is_known_from_the_day_on_that_she_was_brought(store: Store, tmp_path: Path) -> None:
    book = Book()
    ann, bea = book.customer(store, ago(50)), book.customer(store, ago(20))
    book.receipt(bea, store, ago(10), cash_minor=100_00).save(force_insert=True)
    book.receipt(bea, store, ago(-1), cash_minor=900_00).save(force_insert=True)
    book.opening(bea, store, ago(500), ago(400), 3, 50_00).save(force_insert=True)
    name_referrer(bea.pk, ann.pk, now=NOW)
    night(tmp_path)
    assert brought(ann) == (1, 150, 100), "what an old system sums up counts, and in no year; tomorrow is not yet"
    earlier = NOW - dt.timedelta(days=15)
    Profile.objects.all().delete()
    refresh_customers([ann.pk], now=earlier)
    assert brought(ann) == (1, 50, 0)
    refresh_customers([bea.pk], now=earlier)
    assert Profile.objects.get(pk=bea.pk).was_brought  # type: ignore[attr-defined]
    Profile.objects.all().delete()
    refresh_customers([ann.pk], now=NOW - dt.timedelta(days=21))
    assert brought(ann) == (0, 0, 0)
