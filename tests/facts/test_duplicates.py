"""Records that may be of one person are found, never merged by themselves, and what was refused stays refused."""

from typing import Any

import pytest

from changke.facts.customers.models import Customer, Identifier, MergeLink
from changke.facts.customers.services.change import change
from changke.facts.customers.services.hide import hide
from changke.facts.customers.services.meet import add_identifiers, reference
from changke.facts.customers.services.merge import merge, unmerge
from changke.facts.customers.services.register import register
from changke.facts.duplicates import rules
from changke.facts.duplicates.models import Duplicate, State
from changke.facts.duplicates.queries import open_pairs, pairs_in
from changke.facts.duplicates.services import DecidedAlready, ask_again, find_duplicates, merge_pair, not_same
from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.rules import By
from changke.foundation.errors import Invalid
from changke.foundation.organisation.scope import CHAIN_WIDE, Scope
from changke.foundation.persons.services.erase import erase
from tests.cast import NOW, Cast


@pytest.mark.parametrize(
    ("signals", "rule"),
    [
        ({"phone", "name"}, "phone_name"),
        ({"phone", "name", "birthday"}, "phone_name"),
        ({"account"}, "account"),
        ({"account", "phone"}, "account"),
        ({"name", "birthday"}, "name_birthday"),
        ({"email"}, "email"),
        ({"email", "phone"}, "email"),
        ({"phone"}, "phone"),
        ({"phone", "birthday"}, "phone"),
        ({"name"}, None),
        ({"birthday"}, None),
        (set(), None),
    ],
)
def test_the_surest_rule_that_fits_is_named(signals: set[str], rule: str | None) -> None:
    found = rules.judge(signals)
    assert (found.key if found else None) == rule


A_MILLION = {"dated": 1_000_000}
TWELVE = dict.fromkeys(range(12), 1 / 12)


@pytest.mark.parametrize(
    ("named", "born", "stores", "chance"),
    [
        (2, 56, (1, 2), 99),
        (126, 56, (1, 1), 97),
        (126, 56, (1, None), 75),
        (126, 56, (1, 2), 37),
        (1_000, 56, (1, 1), 78),
        (1_000, 56, (None, None), 27),
        (1_000, 56, (1, 2), 7),
        (10, 50_000, (3, 3), 30),
    ],
)
def test_a_name_and_a_birthday_weigh_as_much_as_they_are_rare(
    named: int, born: int, stores: tuple[int | None, int | None], chance: int
) -> None:
    """The table of docs/algorithms/identity.md."""
    assert rules.chance_of_one(rules.Namesakes(2, named, born, **A_MILLION), stores, TWELVE) == chance


def test_a_small_chain_does_not_take_two_of_seven_birthdays_for_common_ones() -> None:
    assert rules.chance_of_one(rules.Namesakes(2, 2, 2, 7), (1, 1), {1: 1.0}) == 100


def test_a_rule_is_as_sure_as_the_name_is_rare() -> None:
    said = [rules.judge({"name", "birthday"}, chance) for chance in (100, 61, 50, 49)]
    assert [one and (one.key, one.score) for one in said] == [
        ("name_birthday", 85), ("name_birthday", 61), ("name_birthday", 50), None,
    ]  # fmt: skip
    surer = rules.judge({"name", "birthday", "phone"}, 1)
    other = rules.judge({"name", "birthday", "email"}, 1)
    assert (surer and surer.key, other and other.key) == ("phone_name", "email")


def test_the_rules_stand_in_the_order_of_their_score() -> None:
    scores = [one.score for one in rules.RULES]
    assert scores == sorted(scores, reverse=True)


def test_too_many_alike_are_no_pairs() -> None:
    assert rules.pairs([3, 1, 2]) == [(1, 2), (1, 3), (2, 3)]
    assert rules.pairs(range(rules.MOST_ALIKE + 1)) == []


def person(cast: Cast, name: str, phone: str = "", **profile: Any) -> Customer:
    return register(name=name, phone=phone, home_store=cast.jing_an, profile=profile, share=True, now=NOW)


def found() -> set[tuple[str, str, str]]:
    find_duplicates(now=NOW)
    rows = open_pairs(CHAIN_WIDE)
    return {(one.one.name, one.other.name, one.rule) for one in rows}


pytestmark = pytest.mark.django_db
BORN: dict[str, Any] = {"birth_year": 1990, "birth_month": 5, "birth_day": 6}


def test_each_rule_finds_its_pair_and_nothing_else(cast: Cast) -> None:
    person(cast, "莹 莹", "13800000001")
    person(cast, "小秋", "13800000002")
    change(cast.vera.pk, BORN, now=NOW)
    person(cast, "薇拉", **BORN)
    add_identifiers(cast.mo, [reference("email", "mo@example.com")])
    add_identifiers(person(cast, "莫小愁"), [reference("email", "MO@example.com")], share=True)
    add_identifiers(cast.lan, [reference("unionid", "o6_bmasdasdsad6")])
    add_identifiers(person(cast, "岚"), [reference("unionid", "o6_bmasdasdsad6")], share=True)
    assert found() == {
        ("莹莹", "莹 莹", "phone_name"),
        ("秋月", "小秋", "phone"),
        ("薇拉", "薇拉", "name_birthday"),
        ("莫愁", "莫小愁", "email"),
        ("岚岚", "岚", "account"),
    }
    pair = Duplicate.objects.get(rule="phone_name")
    assert pair.why == ["phone", "name"]


def test_a_common_name_is_proposed_with_the_same_store_and_not_with_another(cast: Cast) -> None:
    """A thousand 王芳, two of them born on one day: strangers, unless they go to one store."""
    Customer.objects.bulk_create(
        Customer(
            name="王芳", birth_year=1960 + pk % 40, birth_month=1 + pk % 12, birth_day=1 + pk % 28,
            home_store=cast.jing_an if pk % 12 else cast.xu_hui, known_on=NOW.date(), recorded_at=NOW,
        )
        for pk in range(840)
    )  # fmt: skip
    one = person(cast, "王芳", **BORN)
    other = person(cast, "王芳", **{**BORN, "birth_day": 7})
    rare = person(cast, "欧阳锦瑟", **BORN | {"birth_day": 9})
    assert found() == set()
    change(other.pk, {"home_store": cast.xu_hui, "birth_day": 6}, now=NOW)
    change(person(cast, "欧阳锦瑟", **BORN | {"birth_day": 9}).pk, {"home_store": cast.xu_hui}, now=NOW)
    assert found() == {("欧阳锦瑟", "欧阳锦瑟", "name_birthday")}
    change(one.pk, {"home_store": cast.xu_hui}, now=NOW)
    assert {name for name, _, _ in found()} == {"欧阳锦瑟", "王芳"}
    assert Duplicate.objects.get(one=rare).score >= Duplicate.objects.get(one=one).score >= rules.PROPOSED_FROM


@pytest.mark.parametrize("kind", ["external", "card"])
def test_a_member_number_that_is_a_phone_counts_as_one(cast: Cast, kind: str) -> None:
    add_identifiers(person(cast, "莹莹"), [reference(kind, "13800000001", "till")])
    assert found() == {("莹莹", "莹莹", "phone_name")}


@pytest.mark.parametrize(
    "profile",
    [
        {**BORN, "birth_year": 1991},
        {"birth_month": 5, "birth_day": 6},
        {"birth_year": 1990},
    ],
)
def test_half_a_birthday_or_another_says_nothing(cast: Cast, profile: dict[str, Any]) -> None:
    change(cast.vera.pk, BORN, now=NOW)
    person(cast, "薇拉", **profile)
    assert found() == set()


def test_the_phone_of_the_shop_proposes_nobody(cast: Cast) -> None:
    for number in range(rules.MOST_ALIKE):
        person(cast, f"客人{number}", "13800000001")
    assert found() == set()


def test_a_second_search_finds_nothing_new_and_takes_away_what_is_none_any_more(cast: Cast) -> None:
    person(cast, "小秋", "13800000002")
    change(cast.vera.pk, BORN, now=NOW)
    again = person(cast, "薇拉", **BORN)
    assert (find_duplicates(now=NOW).new, find_duplicates(now=NOW).new) == (2, 0)
    change(again.pk, {"name": "薇薇"}, now=NOW)
    searched = find_duplicates(now=NOW)
    assert (searched.pairs, searched.new, searched.gone) == (1, 0, 1)
    hide([Customer.objects.get(name="小秋").pk])
    assert not open_pairs(CHAIN_WIDE).exists()
    assert find_duplicates(now=NOW).gone == 1


def test_two_persons_are_never_proposed_again(cast: Cast) -> None:
    daughter = person(cast, "小秋", "13800000002")
    find_duplicates(now=NOW)
    pair = Duplicate.objects.get()
    by = By("staff", cast.owner.pk, "林老板")
    not_same(pair.pk, by=by, now=NOW)
    not_same(pair.pk, by=by, now=NOW)
    assert AuditLine.objects.filter(action="customer.not_same").count() == 2  # one in the story of each
    change(daughter.pk, {"name": "秋月"}, now=NOW)  # a surer rule would fit now
    assert found() == set()
    third = person(cast, "第三")
    merge(daughter.pk, third.pk, now=NOW)  # nor under the record as which she is read
    assert found() == set()
    pair.refresh_from_db()
    assert (pair.state, pair.decided_by) == (State.NOT_SAME, cast.owner)


def test_a_pair_is_merged_into_the_one_that_was_chosen_once(cast: Cast) -> None:
    twin = person(cast, "莹莹", "13800000001")
    find_duplicates(now=NOW)
    pair = Duplicate.objects.get()
    merge_pair(pair.pk, into_id=twin.pk, now=NOW)
    merge_pair(pair.pk, into_id=twin.pk, now=NOW)
    cast.ying.refresh_from_db()
    assert cast.ying.merged_into == twin
    assert not open_pairs(CHAIN_WIDE).exists()
    with pytest.raises(DecidedAlready):
        not_same(pair.pk, now=NOW)
    assert found() == set()


def test_what_was_separated_is_not_proposed_again_and_may_be_merged_after_all(cast: Cast) -> None:
    twin = person(cast, "莹莹", "13800000001")
    find_duplicates(now=NOW)
    pair = Duplicate.objects.get()
    link = merge(twin.pk, cast.ying.pk, now=NOW)
    unmerge(int(link.batch_id or 0), now=NOW)
    assert found() == set()
    assert not Duplicate.objects.exists()
    link = merge(twin.pk, cast.ying.pk, now=NOW)
    assert link.pk
    assert pair.pk


def test_a_pair_that_was_merged_and_parted_counts_as_two_persons(cast: Cast) -> None:
    twin = person(cast, "莹莹", "13800000001")
    find_duplicates(now=NOW)
    pair = merge_pair(Duplicate.objects.get().pk, into_id=cast.ying.pk, now=NOW)
    batch = Customer.objects.raw("SELECT batch_id AS id FROM facts_mergelink")[0].pk
    unmerge(batch, now=NOW)
    assert found() == set()
    pair.refresh_from_db()
    assert pair.state == State.NOT_SAME
    merge_pair(pair.pk, into_id=twin.pk, now=NOW)
    pair.refresh_from_db()
    assert pair.state == State.MERGED


def test_somebody_else_cannot_stay(cast: Cast) -> None:
    person(cast, "莹莹", "13800000001")
    find_duplicates(now=NOW)
    with pytest.raises(Invalid):
        merge_pair(Duplicate.objects.get().pk, into_id=cast.vera.pk, now=NOW)


def test_a_pair_across_stores_is_seen_by_whoever_sees_both(cast: Cast) -> None:
    register(name="岚岚", phone="13800000005", home_store=cast.jing_an, share=True, now=NOW)
    find_duplicates(now=NOW)
    assert pairs_in(CHAIN_WIDE).count() == 1
    for store in (cast.jing_an, cast.xu_hui):
        assert not pairs_in(Scope(frozenset({store.pk}))).exists()
    assert pairs_in(Scope(frozenset({cast.jing_an.pk, cast.xu_hui.pk}))).count() == 1


def test_with_her_the_pairs_go(cast: Cast) -> None:
    person(cast, "莹莹", "13800000001")
    find_duplicates(now=NOW)
    erase(cast.ying.pk, reason="asked", by=By("staff", cast.owner.pk, "林老板"), now=NOW)
    assert not Duplicate.objects.exists()


def test_two_that_were_separated_are_proposed_once_somebody_asks_again(cast: Cast) -> None:
    person(cast, "莹莹", "13800000001")
    find_duplicates(now=NOW)
    pair = Duplicate.objects.get()
    link = merge(pair.other_id, pair.one_id, now=NOW)
    unmerge(link.batch_id, now=NOW)
    assert find_duplicates(now=NOW).pairs == 0  # separating says that they are two
    person(cast, "月月", "13800000002")
    find_duplicates(now=NOW)
    pair = Duplicate.objects.get()
    pair = merge_pair(pair.pk, into_id=pair.one_id, now=NOW)
    unmerge(MergeLink.objects.get(withdrawn_by=None).batch_id, now=NOW)
    find_duplicates(now=NOW)
    pair.refresh_from_db()
    assert pair.state == State.NOT_SAME
    ask_again(pair.pk, now=NOW)
    assert find_duplicates(now=NOW).pairs == 1
    pair = merge_pair(pair.pk, into_id=pair.one_id, now=NOW)
    assert pair.state == State.MERGED
    unmerge(MergeLink.objects.get(withdrawn_by=None).batch_id, now=NOW)
    assert find_duplicates(now=NOW).pairs == 0  # and once more


def test_asking_again_brings_back_nothing_that_no_rule_says(cast: Cast) -> None:
    twin = person(cast, "莹莹", "13800000001")
    find_duplicates(now=NOW)
    pair = not_same(Duplicate.objects.get().pk, now=NOW)
    Identifier.objects.filter(customer=twin).delete()
    ask_again(pair.pk, now=NOW)
    assert find_duplicates(now=NOW).gone == 1
