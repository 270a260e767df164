"""Roles granted on nodes, for a time or for good: what they add up to, who may give them, what is refused."""

import datetime as dt

import pytest

from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import Grant, OwnRole, Staff
from changke.foundation.access.queries import allows, asking, scope_of
from changke.foundation.access.services import LastOwner, add_staff, change_staff, issue_key
from changke.foundation.access.services.grants import (
    Giver,
    MoreThanOnesOwn,
    RoleInUse,
    RoleNameTaken,
    grant_role,
    remove_role,
    save_role,
    take_back,
)
from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.rules import By
from changke.foundation.errors import Invalid, NotAllowed
from changke.foundation.organisation.models import Region, Store
from changke.foundation.organisation.scope import CHAIN_WIDE, NOBODY, Scope
from changke.foundation.organisation.services import add_region, add_store, change_region
from tests.cast import NOW, Cast

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


def giver(person: Staff) -> Giver:
    return Giver(person, By("staff", person.pk, person.name))


def stores(*found: Store) -> Scope:
    return Scope(frozenset(store.pk for store in found))


def fresh(person: Staff) -> Staff:
    return Staff.objects.get(pk=person.pk)


def test_a_position_is_a_grant_on_each_of_its_stores(cast: Cast) -> None:
    assert scope_of(cast.clerk) == stores(cast.jing_an)
    change_staff(cast.clerk, stores=[cast.jing_an, cast.xu_hui], now=NOW)
    assert scope_of(cast.clerk) == stores(cast.jing_an, cast.xu_hui)
    change_staff(cast.clerk, role="hq", stores=[], now=NOW)
    assert scope_of(cast.clerk) == CHAIN_WIDE
    assert Grant.objects.filter(staff=cast.clerk).count() == 1


def test_a_role_on_a_region_holds_for_every_store_below_and_follows_the_tree(cast: Cast) -> None:
    east = add_region(name="华东", now=NOW)
    grant_role(cast.clerk, "manager", node=east, giver=giver(cast.owner), now=NOW)
    assert scope_of(fresh(cast.clerk), Capability.CUSTOMER_EXPORT) == NOBODY
    change_region(Region.objects.get(name="上海"), name="上海", parent=east, now=NOW)
    assert scope_of(fresh(cast.clerk), Capability.CUSTOMER_EXPORT) == stores(cast.jing_an, cast.xu_hui)
    later = add_store(code="HZ", name="杭州店", region=add_region(name="杭州", parent=east, now=NOW), now=NOW)
    assert scope_of(fresh(cast.clerk)) == stores(cast.jing_an, cast.xu_hui, later)


def test_what_one_may_do_is_the_union_of_grants_capability_by_capability(cast: Cast) -> None:
    """At home she serves, in 徐汇 she only counts: her sight adds up, her hands do not."""
    counter = save_role(None, name="盘点", capabilities=["customer.view"], giver=giver(cast.owner), now=NOW)
    grant_role(cast.clerk, counter, node=cast.xu_hui, giver=giver(cast.owner), now=NOW)
    clerk = fresh(cast.clerk)
    assert scope_of(clerk) == stores(cast.jing_an, cast.xu_hui)
    assert scope_of(clerk, Capability.CUSTOMER_EDIT) == stores(cast.jing_an)


@pytest.mark.parametrize(
    ("asked_after", "holds"),
    [(dt.timedelta(0), False), (DAY, True), (3 * DAY - dt.timedelta(seconds=1), True), (3 * DAY, False)],
)
def test_a_grant_begins_and_ends_to_the_second(cast: Cast, asked_after: dt.timedelta, holds: bool) -> None:
    grant_role(
        cast.clerk, "hq", node=None, since=NOW + DAY, until=NOW + 3 * DAY, giver=giver(cast.owner), now=NOW
    )  # fmt: skip
    assert allows(asking(fresh(cast.clerk), NOW + asked_after), Capability.IMPORT_RUN) == holds


def test_who_does_not_say_when_has_only_what_never_ends(cast: Cast) -> None:
    grant_role(cast.clerk, "hq", node=None, until=NOW + DAY, giver=giver(cast.owner), now=NOW)
    assert scope_of(fresh(cast.clerk)) == stores(cast.jing_an)


def test_what_belongs_to_the_chain_counts_only_on_the_whole_chain(cast: Cast) -> None:
    boss = save_role(None, name="区域老板", capabilities=["settings.edit"], giver=giver(cast.owner), now=NOW)
    grant = grant_role(cast.clerk, boss, node=cast.jing_an, giver=giver(cast.owner), now=NOW)
    assert not allows(fresh(cast.clerk), Capability.SETTINGS_EDIT)
    take_back(grant, giver=giver(cast.owner), now=NOW)
    grant_role(cast.clerk, boss, node=None, giver=giver(cast.owner), now=NOW)
    assert allows(fresh(cast.clerk), Capability.SETTINGS_EDIT)


def test_who_left_may_nothing(cast: Cast) -> None:
    change_staff(cast.manager, is_active=False, now=NOW)
    assert scope_of(cast.manager) == NOBODY


def test_a_key_holds_grants_like_a_person(cast: Cast) -> None:
    key = issue_key(name="till", role="manager", stores=[cast.jing_an], now=NOW).key
    grant_role(key, "staff", node=cast.xu_hui, giver=giver(cast.owner), now=NOW)
    assert scope_of(key) == stores(cast.jing_an, cast.xu_hui)
    assert scope_of(key, Capability.CUSTOMER_EXPORT) == stores(cast.jing_an)


def test_nobody_grants_without_the_capability(cast: Cast) -> None:
    for person in (cast.hq, cast.manager):
        with pytest.raises(NotAllowed):
            grant_role(cast.clerk, "staff", node=cast.jing_an, giver=giver(person), now=NOW)


def test_nobody_gives_more_than_he_has(cast: Cast) -> None:
    deputy = save_role(
        None, name="代理", capabilities=["roles.manage", "customer.view"], giver=giver(cast.owner), now=NOW
    )  # fmt: skip
    grant_role(cast.clerk, deputy, node=None, giver=giver(cast.owner), now=NOW)
    clerk = giver(fresh(cast.clerk))
    for role, node in (("owner", None), ("manager", cast.jing_an)):
        with pytest.raises(MoreThanOnesOwn):
            grant_role(cast.manager, role, node=node, giver=clerk, now=NOW)
    with pytest.raises(MoreThanOnesOwn):
        save_role(deputy, name="代理", capabilities=["roles.manage", "backup.run"], giver=clerk, now=NOW)
    grant_role(cast.manager, "staff", node=cast.jing_an, giver=clerk, now=NOW)  # what she has herself, there
    with pytest.raises(MoreThanOnesOwn):
        grant_role(cast.manager, "staff", node=cast.xu_hui, giver=clerk, now=NOW)


def test_the_last_owner_stays(cast: Cast) -> None:
    (keys,) = Grant.objects.filter(staff=cast.owner)
    with pytest.raises(LastOwner):
        take_back(keys, giver=giver(cast.owner), now=NOW)
    for change in ({"role": "hq"}, {"is_active": False}):
        with pytest.raises(LastOwner):
            change_staff(fresh(cast.owner), **change, now=NOW)  # type: ignore[arg-type]
    grant_role(cast.hq, "owner", node=None, until=NOW + DAY, giver=giver(cast.owner), now=NOW)
    with pytest.raises(LastOwner):  # who holds the keys for a day is no owner
        take_back(keys, giver=giver(cast.owner), now=NOW)
    grant_role(cast.hq, "owner", node=None, giver=giver(cast.owner), now=NOW)
    take_back(keys, giver=giver(cast.hq), now=NOW)
    assert scope_of(fresh(cast.owner)) == NOBODY


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"role": "queen"}, "role"),
        ({"until": NOW - DAY}, "until"),
        ({"until": NOW}, "until"),
        ({"since": NOW + 2 * DAY, "until": NOW + DAY}, "until"),
    ],
)
def test_a_wrong_grant_is_refused_at_its_field(cast: Cast, wrong: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        grant_role(cast.clerk, **({"role": "staff", "node": None} | wrong), giver=giver(cast.owner), now=NOW)  # type: ignore[arg-type]
    assert refusal.value.field == field


def test_a_role_of_ones_own_has_a_name_of_its_own_and_at_least_one_capability(cast: Cast) -> None:
    owner = giver(cast.owner)
    role = save_role(None, name="收银", capabilities=["facts.record"], giver=owner, now=NOW)
    with pytest.raises(RoleNameTaken):
        save_role(None, name="收银", capabilities=["facts.record"], giver=owner, now=NOW)
    for name, capabilities in (("", ["facts.record"]), ("x", []), ("x", ["everything"])):
        with pytest.raises(Invalid):
            save_role(None, name=name, capabilities=capabilities, giver=owner, now=NOW)
    grant = grant_role(cast.clerk, role, node=cast.xu_hui, giver=owner, now=NOW)
    with pytest.raises(RoleInUse):
        remove_role(role, giver=owner, now=NOW)
    take_back(grant, giver=owner, now=NOW)
    remove_role(role, giver=owner, now=NOW)
    assert not OwnRole.objects.exists()


def test_every_grant_and_role_stands_in_the_trail(cast: Cast) -> None:
    owner = giver(cast.owner)
    role = save_role(None, name="收银", capabilities=["facts.record"], giver=owner, now=NOW)
    save_role(role, name="收银", capabilities=["facts.record", "customer.view"], giver=owner, now=NOW)
    grant = grant_role(cast.clerk, role, node=cast.xu_hui, until=NOW + DAY, giver=owner, now=NOW)
    take_back(grant, giver=owner, now=NOW)
    lines = list(
        AuditLine.objects.filter(actor_name="林老板").order_by("id").values_list("action", "subject", "actor_name")
    )
    assert [line[0] for line in lines] == ["role.added", "role.changed", "role.granted", "role.taken_back"]
    assert lines[2][1:] == (f"staff:{cast.clerk.pk}", "林老板")
    assert AuditLine.objects.get(action="role.granted").after["node"].endswith("徐汇店")  # type: ignore[index]


def test_a_capability_that_a_release_took_away_is_worth_nothing(cast: Cast) -> None:
    role = OwnRole.objects.create(name="old", capabilities=["customer.view", "customer.dance"])
    grant_role(cast.clerk, role, node=cast.xu_hui, giver=giver(cast.owner), now=NOW)
    assert scope_of(fresh(cast.clerk)) == stores(cast.jing_an, cast.xu_hui)


def test_an_analyst_counts_the_chain_and_touches_nothing(cast: Cast) -> None:
    analyst = add_staff(username="ana", name="安", role="analyst", now=NOW)
    assert scope_of(analyst) == CHAIN_WIDE
    assert not any(allows(analyst, one) for one in (Capability.CUSTOMER_EDIT, Capability.CUSTOMER_VIEW_PHONE))
