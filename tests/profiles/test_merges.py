"""Two records of one person: computed for everybody and for one customer they give the same, joined and parted."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from changke.facts.customers.models import Customer
from changke.facts.customers.services.merge import merge, unmerge
from changke.facts.purchases.models import Receipt
from changke.foundation.organisation.models import Store
from changke.profiles.attributes.catalogue import COLUMNS
from changke.profiles.attributes.models import Profile
from changke.profiles.lifecycle.models import Standing
from changke.profiles.lifecycle.services import fold, refresh_all, refresh_customers
from tests.profiles.world import NOW, TODAY, Book, make_chain, make_stores

pytestmark = pytest.mark.django_db(transaction=True)


def ago(days: int) -> dt.date:
    return TODAY - dt.timedelta(days=days)


@pytest.fixture
def store() -> Store:
    make_chain()
    return make_stores(1)[0]


@pytest.fixture
def two(store: Store) -> tuple[Customer, Customer]:
    """Ann came monthly; An, the same woman under another phone, came twice in between."""
    ann, an = Book().customer(store, ago(300), name="Ann"), Book().customer(store, ago(100), name="An")
    for day in (200, 170, 140):
        Book().receipt(ann, store, ago(day)).save(force_insert=True)
    for day in (110, 80):
        Book().receipt(an, store, ago(day)).save(force_insert=True)
    return an, ann


def rows() -> list[dict[str, Any]]:
    return list(Profile.objects.order_by("pk").values("customer_id", "stage", *COLUMNS))


def standings() -> list[tuple[int, str, str]]:
    return list(Standing.objects.order_by("customer_id", "model").values_list("customer_id", "model", "stage"))


def both_ways(tmp_path: Path) -> list[dict[str, Any]]:
    """What the night computes of everybody, after holding one customer at a time against it, in the same values of the
    population. Whom following left with a profile is whom the night finds."""
    fold(NOW)
    followed = [row["customer_id"] for row in rows()]
    refresh_all(now=NOW, mirror=tmp_path / "mirror.duckdb", months=0)
    night, stood = rows(), standings()
    Profile.objects.all().delete()
    for record in Customer.objects.all():
        refresh_customers([record.pk], now=NOW)
    assert rows() == night
    assert standings() == stood
    assert [row["customer_id"] for row in night] == followed
    return night


def test_following_and_the_night_give_the_same_joined_and_parted(
    two: tuple[Customer, Customer], tmp_path: Path
) -> None:
    an, ann = two
    refresh_all(now=NOW, mirror=tmp_path / "mirror.duckdb", months=0)
    before = both_ways(tmp_path)
    link = merge(an.pk, ann.pk, now=NOW)
    [her] = both_ways(tmp_path)
    assert (her["customer_id"], her["purchases"], her["own_gaps"]) == (ann.pk, 5, 4)
    unmerge(int(link.batch_id or 0), now=NOW)
    assert both_ways(tmp_path) == before


def test_a_purchase_under_the_other_record_is_hers_at_once(
    two: tuple[Customer, Customer], store: Store, tmp_path: Path
) -> None:
    an, ann = two
    refresh_all(now=NOW, mirror=tmp_path / "mirror.duckdb", months=0)
    link = merge(an.pk, ann.pk, now=NOW)
    fold(NOW)
    Book().receipt(an, store, ago(1)).save(force_insert=True)
    [her] = both_ways(tmp_path)
    assert her["purchases"] == 6
    unmerge(int(link.batch_id or 0), now=NOW)
    assert {row["customer_id"]: row["purchases"] for row in both_ways(tmp_path)} == {ann.pk: 3, an.pk: 3}


def test_a_nameless_return_is_paired_with_what_she_bought_under_the_other_record(
    two: tuple[Customer, Customer], store: Store, tmp_path: Path
) -> None:
    an, ann = two
    sold = Receipt.objects.filter(customer=an).latest("business_date")
    alike = {"cash_minor": sold.cash_minor, "consumed_minor": sold.consumed_minor, "items": sold.items}
    Book().receipt(ann, store, ago(70), kind="return", **alike).save(force_insert=True)
    merge(an.pk, ann.pk, now=NOW)
    refresh_all(now=NOW, mirror=tmp_path / "mirror.duckdb", months=0)
    [her] = both_ways(tmp_path)
    assert her["purchases"] == 4
