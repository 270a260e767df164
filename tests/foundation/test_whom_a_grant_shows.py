"""Home, visited, assigned: whom each lets one see, by the queries and by the net of the database alike."""

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError

from changke.facts.customers.models import Customer, Guest, Identifier, Tag
from changke.facts.customers.queries import customer_in
from changke.facts.customers.services.change import change
from changke.facts.customers.services.merge import merge, unmerge
from changke.facts.customers.services.tags import add_tag
from changke.facts.purchases.models import Receipt
from changke.facts.purchases.services.void import void
from changke.facts.visits.models import Visit
from changke.foundation.access.capabilities import OF_HER_HOME, Capability
from changke.foundation.access.models import Grant, Sees, Staff
from changke.foundation.access.queries import allows, rights_of, scope_of
from changke.foundation.access.services import add_staff, change_staff, issue_key
from changke.foundation.access.services.grants import Giver, MoreThanOnesOwn, grant_role
from changke.foundation.audit.rules import By
from changke.foundation.database import rows_seen
from changke.foundation.errors import Invalid, NotFound
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import CHAIN_WIDE, NOBODY, Scope
from changke.profiles.attributes.models import Profile
from changke.profiles.lifecycle.services import refresh_customers
from tests.cast import NOW, TODAY, Cast, ago, at, buys, know_everybody
from tests.rows import APP, become, roles

__all__ = ["roles"]

pytestmark = pytest.mark.django_db

VIEW = Capability.CUSTOMER_VIEW


@pytest.fixture
def shop(roles: None, cast: Cast) -> Cast:
    """The cast with profiles; Lan of 徐汇 once bought in 静安, the clerk advises Mo. From here on the role `app`."""
    know_everybody()
    buys(cast.lan, cast.facial, 28_800, on=ago(300), store=cast.jing_an, key="lan-away")
    change(cast.mo.pk, {"adviser": cast.clerk}, now=NOW)
    add_tag(cast.lan, "常客", now=NOW)
    refresh_customers([cast.lan.pk, cast.mo.pk], now=NOW)
    become(APP)
    return cast


def somebody(cast: Cast, sees: str, *, role: str = "manager", stores: tuple[Store, ...] = ()) -> Staff:
    with rows_seen.seeing(CHAIN_WIDE):
        return add_staff(
            username=f"{sees}-{role}", name=sees, role=role, stores=stores or [cast.jing_an], sees=sees, now=NOW
        )


def names(scope: Scope) -> set[str]:
    """By the queries and by the net: a query that forgets its scope shows the same persons."""
    with rows_seen.seeing(CHAIN_WIDE):
        asked = set(Customer.objects.for_scope(scope).values_list("name", flat=True))
        people = set(Profile.objects.for_scope(scope).values_list("customer__name", flat=True))
    with rows_seen.seeing(scope):
        held = set(Customer.objects.values_list("name", flat=True))
    assert asked == held == people
    return asked


def visited(cast: Cast) -> Scope:
    return Scope(frozenset({cast.jing_an.pk}), visited=frozenset({cast.jing_an.pk}))


def own(cast: Cast, adviser: Staff, *stores: Store) -> Scope:
    return Scope(frozenset(), own=frozenset(one.pk for one in stores) if stores else None, adviser=adviser.pk)


JING_AN = {"莹莹", "秋月", "薇拉", "莫愁", "白露"}


def test_home_shows_whose_home_it_is(shop: Cast) -> None:
    assert names(scope_of(shop.manager)) == JING_AN


def test_visited_shows_also_who_bought_there(shop: Cast) -> None:
    assert names(scope_of(somebody(shop, "visited"))) == JING_AN | {"岚岚"}


def test_assigned_shows_only_ones_own(shop: Cast) -> None:
    with rows_seen.seeing(CHAIN_WIDE):
        change_staff(shop.clerk, sees="assigned", now=NOW)
    assert names(scope_of(Staff.objects.get(pk=shop.clerk.pk))) == {"莫愁"}


def test_assigned_on_the_chain_shows_ones_own_in_every_store(shop: Cast) -> None:
    with rows_seen.seeing(CHAIN_WIDE):
        change(shop.lan.pk, {"adviser": shop.clerk}, now=NOW)
    assert names(own(shop, shop.clerk)) == {"莫愁", "岚岚"}
    assert names(own(shop, shop.clerk, shop.jing_an)) == {"莫愁"}


def test_a_visit_counts_as_a_purchase_does(shop: Cast) -> None:
    with rows_seen.seeing(CHAIN_WIDE):
        Visit.objects.create(
            customer=shop.vera, store=shop.xu_hui, happened_at=at(TODAY), business_date=TODAY, recorded_at=NOW,
            source_key="vera-there",
        )  # fmt: skip
    there = frozenset({shop.xu_hui.pk})
    assert names(Scope(there, visited=there)) == {"岚岚", "薇拉"}
    assert names(Scope(there)) == {"岚岚"}


def test_whoever_bought_a_moment_ago_is_seen_at_once_and_no_more_when_it_was_a_mistake(shop: Cast) -> None:
    there = Scope(frozenset({shop.xu_hui.pk}), visited=frozenset({shop.xu_hui.pk}))
    with rows_seen.seeing(CHAIN_WIDE):
        receipt = buys(shop.bai, shop.facial, 28_800, on=TODAY, store=shop.xu_hui, key="bai-away")
    assert names(there) == {"岚岚", "白露"}
    with rows_seen.seeing(CHAIN_WIDE):
        void(receipt.pk, scope=CHAIN_WIDE, staff=shop.owner, by=By("staff", shop.owner.pk, "林"), now=NOW)
    assert names(there) == {"岚岚"}


def test_of_two_purchases_one_may_be_withdrawn(shop: Cast) -> None:
    with rows_seen.seeing(CHAIN_WIDE):
        receipt = buys(shop.lan, shop.facial, 28_800, on=TODAY, store=shop.jing_an, key="lan-again")
        void(receipt.pk, scope=CHAIN_WIDE, staff=shop.owner, by=By("staff", shop.owner.pk, "林"), now=NOW)
    assert "岚岚" in names(visited(shop))


def test_a_visitor_is_seen_with_her_whole_story(shop: Cast) -> None:
    with rows_seen.seeing(visited(shop)):
        assert Receipt.objects.filter(customer=shop.lan).count() == 2  # also what she bought at home
        assert Tag.objects.filter(customer=shop.lan).exists()
        assert Identifier.objects.filter(customer=shop.lan).exists()
        assert Profile.objects.get(customer=shop.lan).home_store_id == shop.xu_hui.pk


def test_a_store_does_not_see_where_else_she_was(shop: Cast) -> None:
    with rows_seen.seeing(visited(shop)):
        assert set(Guest.objects.values_list("store", flat=True)) == {shop.jing_an.pk}
    with rows_seen.seeing(NOBODY):
        assert not Guest.objects.exists()


def test_the_net_hides_names_phones_and_tags_of_anothers_customers(shop: Cast) -> None:
    with rows_seen.seeing(own(shop, shop.clerk, shop.jing_an)):
        assert set(Identifier.objects.values_list("customer", flat=True)) == {shop.mo.pk}
        assert Customer.objects.filter(pk=shop.qiu.pk).update(city="上海") == 0
        assert not Tag.objects.exists()


def test_what_an_adviser_sees_of_receipts_is_her_customers_and_nobodys(shop: Cast) -> None:
    with rows_seen.seeing(CHAIN_WIDE):
        buys(None, shop.facial, 100, on=TODAY, store=shop.jing_an, key="walk-in")
    scope = own(shop, shop.clerk, shop.jing_an)
    with rows_seen.seeing(scope):
        seen = Receipt.objects.for_scope(scope)
        assert set(seen.values_list("customer", flat=True)) == {shop.mo.pk, None}


def test_a_hand_over_changes_what_is_seen_at_once(shop: Cast) -> None:
    ann = somebody(shop, "assigned", role="staff")
    clerk = own(shop, shop.clerk, shop.jing_an)
    assert (names(clerk), names(scope_of(ann))) == ({"莫愁"}, set())
    with rows_seen.seeing(clerk):
        change(shop.mo.pk, {"adviser": ann}, now=NOW)  # she gives her away herself
    for scope, seen in ((clerk, False), (scope_of(ann), True)):
        with rows_seen.seeing(scope):
            assert Customer.objects.for_scope(scope).filter(pk=shop.mo.pk).exists() is seen
            assert Profile.objects.for_scope(scope).filter(pk=shop.mo.pk).exists() is seen


def test_merged_she_is_seen_where_any_of_her_records_was(shop: Cast) -> None:
    by = By("staff", shop.owner.pk, shop.owner.name)
    with rows_seen.seeing(CHAIN_WIDE):
        link = merge(shop.lan.pk, shop.vera.pk, by=by, now=NOW)
    there = Scope(frozenset({shop.xu_hui.pk}), visited=frozenset({shop.xu_hui.pk}))
    with rows_seen.seeing(there):
        assert customer_in(there, shop.vera.pk) == customer_in(there, shop.lan.pk) == shop.vera
        assert Customer.objects.filter(pk=shop.lan.pk).exists()  # her other record is seen with her
    with rows_seen.seeing(Scope(there.store_ids)), pytest.raises(NotFound):
        customer_in(Scope(there.store_ids), shop.lan.pk)
    with rows_seen.seeing(CHAIN_WIDE):
        assert link.batch_id is not None
        unmerge(link.batch_id, by=by, now=NOW)
    assert names(there) == {"岚岚"}


def test_the_record_of_ones_own_customer_is_ones_own_too(shop: Cast) -> None:
    with rows_seen.seeing(CHAIN_WIDE):
        merge(shop.lan.pk, shop.mo.pk, by=By("staff", shop.owner.pk, "林"), now=NOW)
        add_tag(shop.qiu, "常客", now=NOW)
    scope = own(shop, shop.clerk, shop.jing_an)
    with rows_seen.seeing(scope):
        assert set(Customer.objects.values_list("pk", flat=True)) == {shop.mo.pk, shop.lan.pk}
        assert customer_in(scope, shop.lan.pk) == shop.mo


def test_whose_she_is_stays_with_her_home(shop: Cast) -> None:
    boss = somebody(shop, "visited")
    for capability in OF_HER_HOME - {Capability.CUSTOMER_ERASE}:
        assert scope_of(boss, capability) == Scope(frozenset({shop.jing_an.pk}))
    assert scope_of(boss, Capability.CUSTOMER_EDIT) == visited(shop)


def test_what_belongs_to_the_chain_wants_the_whole_chain_with_everybody(shop: Cast) -> None:
    with rows_seen.seeing(CHAIN_WIDE):
        Grant.objects.create(staff=shop.clerk, built_in="hq", sees="assigned", granted_at=NOW)
    assert not allows(shop.clerk, Capability.SETTINGS_EDIT)
    assert scope_of(shop.clerk, Capability.IMPORT_RUN) == NOBODY
    assert names(scope_of(shop.clerk)) == JING_AN


def test_two_grants_add_up(shop: Cast) -> None:
    with rows_seen.seeing(CHAIN_WIDE):
        change(shop.lan.pk, {"adviser": shop.manager}, now=NOW)
        Grant.objects.create(staff=shop.manager, built_in="staff", store=shop.xu_hui, sees="assigned", granted_at=NOW)
    assert names(scope_of(shop.manager)) == JING_AN | {"岚岚"}


def test_a_key_is_nobodys_adviser(shop: Cast) -> None:
    key = issue_key(name="till", role="staff", stores=[shop.jing_an], now=NOW).key
    giver = Giver(shop.owner, By("staff", shop.owner.pk, "林"))
    with pytest.raises(Invalid, match="adviser"):
        grant_role(key, "staff", node=shop.xu_hui, sees="assigned", giver=giver, now=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        Grant.objects.create(key=key, built_in="staff", store=shop.xu_hui, sees="assigned", granted_at=NOW)
    grant_role(key, "staff", node=shop.xu_hui, sees="visited", giver=giver, now=NOW)
    assert scope_of(key).visited == {shop.xu_hui.pk}


def test_nobody_gives_visitors_whom_he_does_not_see(shop: Cast) -> None:
    there = frozenset({shop.jing_an.pk})
    assert not Scope(there).covers(visited(shop))
    assert visited(shop).covers(Scope(there))
    assert Scope(there).covers(own(shop, shop.clerk, shop.jing_an))
    assert not own(shop, shop.clerk).covers(Scope(there))
    assert not own(shop, shop.clerk).covers(own(shop, shop.manager))
    with pytest.raises(Invalid, match="choose one of"):
        grant_role(
            shop.clerk, "staff", node=None, sees="everybody", giver=Giver(shop.owner, By("staff", 1, "")), now=NOW
        )
    assert MoreThanOnesOwn.status == 403


def test_an_owner_sees_everybody_whatever_is_chosen(shop: Cast) -> None:
    with rows_seen.seeing(CHAIN_WIDE):
        change_staff(shop.owner, sees="assigned", now=NOW)
    assert rights_of(Staff.objects.get(pk=shop.owner.pk)).reach() == CHAIN_WIDE


def test_a_scope_is_read_back_as_it_was_written(shop: Cast) -> None:
    for scope in (
        CHAIN_WIDE, NOBODY, visited(shop), own(shop, shop.clerk), own(shop, shop.clerk, shop.jing_an),
        Scope(frozenset({1, 2}), frozenset({2}), frozenset({3}), 7),
    ):  # fmt: skip
        assert Scope.from_json(scope.as_json()) == scope
        with rows_seen.seeing(scope):
            assert rows_seen.now_seen() == scope
    assert Scope.from_json({"stores": [3]}) == Scope(frozenset({3}))


def test_looked_at_one_store_only_that_store_is_left(shop: Cast) -> None:
    both = Scope(frozenset({1, 2}), frozenset({1, 2}), frozenset({3}), 7)
    assert both.narrowed(1) == Scope(frozenset({1}), frozenset({1}))
    assert both.narrowed(3) == Scope(frozenset(), frozenset(), frozenset({3}), 7)
    assert both.narrowed(9) == NOBODY
    assert own(shop, shop.clerk).narrowed(9) == Scope(frozenset(), own=frozenset({9}), adviser=shop.clerk.pk)
    assert (both.includes(3), both.includes(9), both.includes(None)) == (True, False, False)


def test_the_words_of_the_grants_are_those_of_the_database() -> None:
    with connection.cursor() as sql:
        sql.execute("SELECT column_default FROM information_schema.columns WHERE table_name = 'foundation_grant'"
                    " AND column_name = 'sees'")  # fmt: skip
        assert sql.fetchone()[0].startswith(f"'{Sees.HOME}'")
