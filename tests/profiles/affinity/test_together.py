"""What goes together, what newcomers begin with, what a month lifts, what a group has most; and who sees what of it."""

import datetime as dt
from collections.abc import Iterable

import pytest

from changke.facts.catalog.models import Item
from changke.facts.customers.models import Customer
from changke.facts.purchases.models import Line, Receipt
from changke.foundation.batches.models import Batch
from changke.foundation.database.append_only import current_xid
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import Scope
from changke.profiles.affinity.models import Basis, GroupCount, PairCount, SeasonCount, StarterCount
from changke.profiles.affinity.rules import coming_months
from changke.profiles.affinity.services.together import count_together
from changke.profiles.affinity.together import (
    FEWEST,
    StandsOn,
    groups_of,
    pairs_of,
    seasons_of,
    stands_on,
    starters_of,
)
from tests.profiles.world import TODAY, Book, make_chain, make_stores

# The lines are read by another connection, the reader's: they have to be committed.
pytestmark = pytest.mark.django_db(transaction=True)

NAMES = ("facial", "mask", "nails", "cut", "plaster")


class Shop:
    """Two stores and five things."""

    def __init__(self) -> None:
        make_chain()
        self.book = Book()
        self.here, self.there = make_stores(2)
        self.item = {
            name: Item.objects.create(code=name, name=name, kind="product" if name == "mask" else "service")
            for name in NAMES
        }

    def somebody(self, store: Store | None, **fields: object) -> Customer:
        return self.book.customer(store, TODAY - dt.timedelta(days=900), **fields)

    def has(self, one: Customer, ago: int, *names: str, kind: str = "sale") -> Receipt:
        receipt = self.book.receipt(one, one.home_store or self.here, TODAY - dt.timedelta(days=ago), kind=kind)
        receipt.save(force_insert=True)
        for place, name in enumerate(names):
            Line.objects.create(receipt=receipt, position=place + 1, item=self.item[name], amount_minor=100)
        return receipt

    def some(
        self, count: int, store: Store | None, days: Iterable[tuple[int, tuple[str, ...]]], **fields: object
    ) -> None:
        for _ in range(count):
            one = self.somebody(store, **fields)
            for ago, names in days:
                self.has(one, ago, *names)


@pytest.fixture
def shop(db: None) -> Shop:
    """Here 30 had facial and mask on one day, 22 nails and later a cut; there 25 facial and mask, 40 facial and cut."""
    one = Shop()
    one.some(30, one.here, [(200, ("facial", "mask")), (150, ("facial",))], birth_year=1990, gender="f")
    one.some(22, one.here, [(300, ("nails",)), (20, ("cut",))], birth_year=2001, gender="f")
    one.some(25, one.there, [(200, ("facial", "mask"))], birth_year=1991, gender="f")
    one.some(40, one.there, [(250, ("facial",)), (10, ("cut",))], birth_year=1990, gender="m")
    return one


def only(store: Store) -> Scope:
    return Scope(frozenset({store.pk}))


def test_what_stands_out_over_the_chain_is_told_with_its_counts(shop: Shop) -> None:
    count_together(today=TODAY)
    found = pairs_of()
    assert (found.among, found.total, found.too_few) == ("customers", 117, 0)
    pairs = {(one.item.code, one.other.code): one for one in found.pairs}
    assert set(pairs) == {("facial", "mask"), ("nails", "cut")}
    mask = pairs["facial", "mask"]
    assert (mask.together, mask.had, mask.other_had) == (55, 95, 55)
    assert mask.lift_milli == pytest.approx(1_000 * (55 / 95) * 117 / 55, abs=1)
    assert 1_000 < mask.lift_low_milli < mask.lift_milli


def test_on_one_day_other_things_go_together(shop: Shop) -> None:
    count_together(today=TODAY)
    found = pairs_of(among="baskets")
    assert [(one.item.code, one.other.code, one.together) for one in found.pairs] == [("facial", "mask", 55)]
    assert found.total == 30 * 2 + 22 * 2 + 25 + 40 * 2


def test_stores_add_up_and_each_sees_its_own(shop: Shop) -> None:
    count_together(today=TODAY)
    here, there = pairs_of(only(shop.here)), pairs_of(only(shop.there))
    assert [(one.item.code, one.together, one.had) for one in here.pairs] == [("nails", 22, 22), ("facial", 30, 30)]
    assert (here.total, there.total) == (52, 65)
    # There everybody has a facial: the mask goes with it no more often than with anybody.
    assert (there.pairs, there.too_few) == ((), 0)
    assert pairs_of(Scope(frozenset({shop.here.pk, shop.there.pk}))).pairs == pairs_of().pairs
    assert pairs_of(Scope(frozenset())) == type(here)("customers", (), 0, 0)


def test_what_is_too_rare_in_a_store_is_said_to_be(shop: Shop) -> None:
    """Of nails and cut only five are at home there."""
    shop.some(5, shop.there, [(300, ("nails",)), (20, ("cut",))])
    count_together(today=TODAY)
    assert pairs_of(only(shop.there)).too_few == 1
    assert pairs_of().too_few == 0


def test_the_day_and_the_receipts_it_stands_on(shop: Shop) -> None:
    plain = shop.has(shop.somebody(shop.here), 3)
    shop.has(shop.somebody(None), 4, "facial")
    count_together(today=TODAY)
    found = stands_on()
    assert (found.as_of, found.receipts, found.with_lines) == (TODAY, 30 * 2 + 22 * 2 + 25 + 40 * 2 + 2, 210)
    assert found.first_on == TODAY - dt.timedelta(days=300)
    assert stands_on(only(shop.here)).receipts == 105
    assert stands_on(only(shop.here)).with_lines == 104, f"{plain} has no lines"
    assert Basis.objects.filter(store_id=None).get().customers == 1


def test_what_newcomers_begin_with(shop: Shop) -> None:
    """With facial and mask 30 of 55 came back within 90 days, with the facial alone none of 40 (240 days later)."""
    count_together(today=TODAY)
    (one,) = starters_of().starters
    assert (one.item.code, one.other.code) == ("facial", "mask")
    assert (one.customers, one.returned, one.alone, one.alone_returned) == (55, 30, 40, 0)
    assert one.difference_bp == round(10_000 * 30 / 55)
    assert 0 < one.low_bp < one.difference_bp < one.high_bp
    (there,) = starters_of(only(shop.there)).starters
    assert (there.customers, there.returned, there.alone) == (25, 0, 40)
    assert there.low_bp < 0
    assert starters_of(only(shop.here)).too_few == 1, "nobody here began with a facial alone"


def test_what_each_group_has_most(shop: Shop) -> None:
    count_together(today=TODAY)
    (female, male) = groups_of(trait="gender")
    assert (female.value, female.members, male.value, male.members) == ("f", 22, "m", 40)
    assert [(one.item.code, one.customers, one.everybody_bp) for one in male.favourites] == [("cut", 40, 10_000)]
    assert [(one.value, one.members) for one in groups_of(trait="age")] == [("20", 22), ("30", 40)]
    assert groups_of(only(shop.there), trait="gender")[0].members == 40


def test_a_share_of_a_small_group_is_drawn_to_everybodys(shop: Shop) -> None:
    shop.some(20, shop.here, [(5, ("nails",))], birth_year=1960)
    count_together(today=TODAY)
    old = groups_of(trait="age")[-1]
    assert (old.value, old.members) == ("60", 20)
    nails = next(one for one in old.favourites if one.item.code == "nails")
    chain = 20 / 82
    assert (nails.everybody_bp, nails.share_bp) == (round(10_000 * chain), round(10_000 * (20 + 50 * chain) / 70))


def test_a_group_of_few_is_told_of_without_favourites(shop: Shop) -> None:
    shop.some(19, shop.here, [(5, ("nails",))], birth_year=1960)
    count_together(today=TODAY)
    assert groups_of(trait="age")[-1].favourites == ()


def test_what_a_month_lifts(shop: Shop) -> None:
    """Plasters in July, cuts all the year."""
    for year in (1, 2):
        july = (TODAY - dt.date(TODAY.year - year, 7, 10)).days
        shop.some(60, shop.here, [(july, ("plaster",))])
    shop.some(5, shop.here, [(ago, ("cut",)) for ago in range(0, 1_000, 10)])
    count_together(today=TODAY)
    found = seasons_of()
    assert found.months == tuple(month for month, _ in coming_months(TODAY))
    assert found.months[0] == dt.date(2026, 3, 1)
    plaster = next(one for one in found.items if one.item.code == "plaster")
    assert found.items[0] == plaster
    by_month = dict(zip([one.month for one in found.months], plaster.index_milli, strict=True))
    assert (by_month[7] or 0) > 2_500
    assert (by_month[1] or 0) < 700
    assert "plaster" not in {one.item.code for one in seasons_of(only(shop.there)).items}


def test_a_season_needs_a_year_and_a_half(shop: Shop) -> None:
    count_together(today=TODAY)
    assert seasons_of().items == ()
    assert stands_on().first_on == TODAY - dt.timedelta(days=300)


def test_withdrawn_receipts_and_what_is_not_sold_any_more_are_told_of_no_longer(shop: Shop) -> None:
    count_together(today=TODAY)
    Item.objects.filter(code="mask").update(is_active=False)
    assert [one.item.code for one in pairs_of().pairs] == ["nails"]  # at once
    assert starters_of().starters == ()
    batch = Batch.objects.create(kind="load", created_at=shop.book.now)
    Receipt.objects.update(withdrawn_by=batch, txid=current_xid())
    assert count_together(today=TODAY) == 0
    for table in (Basis, PairCount, StarterCount, GroupCount, SeasonCount):
        assert not table.objects.exists()


def test_before_the_first_night_and_in_an_empty_shop_nothing_is_known() -> None:
    make_chain()
    assert stands_on() == StandsOn()
    assert count_together(today=TODAY) == 0
    assert (pairs_of().pairs, starters_of().starters, seasons_of().items, groups_of(trait="age")) == ((), (), (), ())


def test_counting_again_gives_the_same(shop: Shop) -> None:
    first = count_together(today=TODAY)
    before = (pairs_of(), starters_of(), groups_of(trait="age"))
    assert count_together(today=TODAY) == first
    assert (pairs_of(), starters_of(), groups_of(trait="age")) == before


def test_whoever_sees_only_her_own_customers_is_told_of_no_fewer_than_five(shop: Shop) -> None:
    shop.some(4, shop.here, [(5, ("nails",))], birth_year=1950)
    count_together(today=TODAY)
    place = frozenset({shop.here.pk})
    hers = Scope(frozenset(), own=place, adviser=7)
    assert stands_on(hers).fewest == FEWEST == 5
    assert [one.value for one in groups_of(hers, trait="age")] == ["20"]
    assert [one.value for one in groups_of(Scope(place), trait="age")] == ["20", "70"]
