"""What tags ask for, and what is proposed to whoever bought nothing yet."""

import datetime as dt

import pytest

from changke.facts.catalog.models import Category, Item
from changke.facts.customers.models import Customer
from changke.facts.customers.services.tags import add_tag, remove_tag
from changke.facts.purchases.models import Receipt
from changke.profiles.affinity.models import Favourite, Proposal
from changke.profiles.affinity.queries import MOST_ASKED, Proposed, proposed_to
from changke.profiles.affinity.services.needs import drop_need, save_need
from changke.profiles.affinity.services.propose import propose_to_everybody
from changke.profiles.affinity.services.together import count_together
from tests.cast import NOW, TODAY, Cast, ago, buys

# The lines are read by another connection, the reader's: they have to be committed.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mask(cast: Cast) -> Item:
    return Item.objects.create(code="M1", name="舒缓面膜", kind="product", usual_cycle_days=30)


def proposed(customer: Customer) -> list[Proposed]:
    return proposed_to(Customer.objects.get(pk=customer.pk), personal=True)


def crowd(cast: Cast, item: Item, count: int, *, name: str, **fields: object) -> list[Customer]:
    """Regulars who had the item three days ago."""
    people = [
        Customer.objects.create(
            name=f"{name}{n}", known_on=ago(30), recorded_at=NOW, **{"home_store": cast.jing_an, **fields}
        )
        for n in range(count)
    ]
    for n, one in enumerate(people):
        buys(one, item, 9_900, on=ago(3), store=cast.jing_an, key=f"{name}-{n}")
    return people


def test_a_tag_gets_the_service_it_asks_for_with_the_tag_as_the_reason(cast: Cast, mask: Item) -> None:
    save_need(None, tag="敏感肌", item=mask, category=None, now=NOW)
    assert proposed(cast.bai) == []
    add_tag(cast.bai, "敏感肌", source="rule", rule="首单修护", fact="receipt:12", now=NOW)
    (one,) = proposed(cast.bai)  # at once, and though she never bought anything
    assert (one.item, one.reason, one.times, one.chance_bp) == (mask, "need", 0, None)
    assert one.tag is not None
    assert (one.tag.name, one.tag.rule, one.tag.fact) == ("敏感肌", "首单修护", "receipt:12")
    remove_tag(cast.bai, "敏感肌", now=NOW)
    assert proposed(cast.bai) == []


def test_what_a_tag_asks_for_comes_before_what_her_past_says(cast: Cast, mask: Item) -> None:
    propose_to_everybody(today=TODAY, now=NOW)
    before = proposed(cast.vera)
    save_need(None, tag="干性", item=mask, category=None, now=NOW)
    add_tag(cast.vera, "干性", now=NOW)
    assert [one.item for one in proposed(cast.vera)] == [mask, *(one.item for one in before)]
    assert proposed(cast.qiu)[0].item != mask, "she does not wear it"


def test_of_a_category_every_living_item_but_no_card(cast: Cast, mask: Item) -> None:
    care = Category.objects.create(name="修护")
    for n in range(MOST_ASKED + 1):
        Item.objects.create(code=f"R{n}", name=f"修护{n}", kind="service", category=care)
    Item.objects.create(code="RC", name="修护卡", kind="card", category=care)
    Item.objects.filter(code="R0").update(is_active=False)
    need = save_need(None, tag="敏感肌", item=None, category=care, now=NOW)
    add_tag(cast.bai, "敏感肌", now=NOW)
    assert [one.item.code for one in proposed(cast.bai)] == ["R1", "R2", "R3"]
    drop_need(need, now=NOW)
    assert proposed(cast.bai) == []


def test_what_she_has_just_had_is_not_asked_for_again_until_it_is_time(cast: Cast, mask: Item) -> None:
    save_need(None, tag="敏感肌", item=mask, category=None, now=NOW)
    add_tag(cast.qiu, "敏感肌", now=NOW)
    buys(cast.qiu, mask, 9_900, on=ago(10), store=cast.jing_an, key="mask")
    propose_to_everybody(today=TODAY, now=NOW)
    assert Proposal.objects.get(pk=cast.qiu.pk).had == {str(mask.pk): [1, str(ago(10))]}
    assert [one.reason for one in proposed(cast.qiu) if one.item == mask] != ["need"]
    propose_to_everybody(today=TODAY + dt.timedelta(days=20), now=NOW)
    first = proposed(cast.qiu)[0]
    assert (first.item, first.reason, first.times, first.last_on) == (mask, "need", 1, ago(10))


def test_a_newcomer_gets_what_her_group_has_most(cast: Cast, mask: Item) -> None:
    """Twenty-one of her age had the mask, thirty older ones the facial."""
    crowd(cast, mask, 21, name="young", birth_year=TODAY.year - 25)
    crowd(cast, cast.facial, 30, name="older", birth_year=TODAY.year - 45)
    propose_to_everybody(today=TODAY, now=NOW)
    count_together(today=TODAY)
    Customer.objects.filter(pk=cast.bai.pk).update(birth_year=TODAY.year - 29)
    (first,) = proposed(cast.bai)
    assert (first.item, first.reason, first.chance_bp) == (mask, "group", None)
    assert first.group is not None
    assert (first.group.trait, first.group.value, first.group.customers, first.group.members) == ("age", "20", 21, 21)
    Customer.objects.filter(pk=cast.bai.pk).update(birth_year=TODAY.year - 41)
    assert [one.item for one in proposed(cast.bai)] == [cast.facial]


def test_of_whom_no_group_is_known_her_store_says_it_then_everybody(cast: Cast, mask: Item) -> None:
    crowd(cast, mask, 21, name="here")
    count_together(today=TODAY)
    groups = [(one.group.trait, one.group.value) for one in proposed(cast.bai) if one.group]
    assert set(groups) == {("home", str(cast.jing_an.pk))}
    Customer.objects.filter(pk=cast.bai.pk).update(home_store=cast.xu_hui)  # hardly anybody buys there
    assert {one.group.trait for one in proposed(cast.bai) if one.group} == {"all"}
    assert {one.reason for one in proposed(cast.bai)} == {"group"}


def test_receipts_without_lines_are_no_past(cast: Cast, mask: Item) -> None:
    crowd(cast, mask, 21, name="here")
    Receipt.objects.create(
        kind="sale", customer=cast.bai, store=cast.jing_an, happened_at=NOW, business_date=TODAY, recorded_at=NOW,
        source_key="plain",
    )  # fmt: skip
    propose_to_everybody(today=TODAY, now=NOW)
    count_together(today=TODAY)
    assert {one.reason for one in proposed(cast.bai)} == {"group"}
    assert "group" not in {one.reason for one in proposed(cast.vera)}, "she has a past of her own"


def test_a_group_of_fewer_than_twenty_says_nothing(cast: Cast, mask: Item) -> None:
    crowd(cast, mask, 10, name="here")
    count_together(today=TODAY)
    assert not Favourite.objects.exists()
    assert proposed(cast.bai) == []


def test_whoever_objected_is_proposed_nothing_by_tag_or_group(cast: Cast, mask: Item) -> None:
    crowd(cast, mask, 21, name="here")
    count_together(today=TODAY)
    save_need(None, tag="敏感肌", item=mask, category=None, now=NOW)
    add_tag(cast.bai, "敏感肌", now=NOW)
    assert proposed(cast.bai)
    assert proposed_to(cast.bai, personal=False) == []


def test_what_wearers_had_more_often_than_others_is_learnt(cast: Cast, mask: Item) -> None:
    """Of 30 who wear it 25 had the mask; of 40 others nobody had."""
    wearers = crowd(cast, mask, 25, name="dry") + crowd(cast, cast.facial, 5, name="dry-too")
    crowd(cast, cast.facial, 40, name="others")
    for one in wearers:
        add_tag(one, "干性", now=NOW)
    count_together(today=TODAY)
    learnt = Favourite.objects.get(trait="tag")
    assert (learnt.value, learnt.item_id, learnt.customers, learnt.members) == ("干性", mask.pk, 25, 30)
    add_tag(cast.bai, "干性", now=NOW)
    first = proposed(cast.bai)[0]
    assert (first.item, first.reason) == (mask, "need")
    assert first.group is not None
    assert first.group.lift_low_milli is not None
    assert 1_000 < first.group.lift_low_milli < 1_000 * (25 / 30) * 75 / 25
    drawn = [one.item for one in proposed(cast.bai)]
    assert len(drawn) == len(set(drawn)), "an item comes once"
