"""What is proposed to whom by night, and why; what it is kept from."""

import datetime as dt

import pytest

from changke.facts.catalog.models import Item
from changke.facts.consents.queries import personalised
from changke.facts.consents.rules import Channel, Purpose
from changke.facts.consents.services.state import Proof, state
from changke.facts.customers.models import Customer
from changke.facts.customers.services.merge import merge
from changke.facts.purchases.models import Receipt
from changke.foundation.batches.models import Batch
from changke.foundation.database.append_only import current_xid
from changke.foundation.persons.registry import family_of
from changke.profiles.affinity.models import Proposal
from changke.profiles.affinity.persons import proposals
from changke.profiles.affinity.queries import Proposed, proposed_to
from changke.profiles.affinity.services.forget import forget_proposals
from changke.profiles.affinity.services.propose import propose_to_everybody
from changke.profiles.affinity.services.read import read_lines
from tests.cast import NOW, TODAY, Cast, ago, buys

# The lines are read by another connection, the reader's: they have to be committed.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mask(cast: Cast) -> Item:
    one = Item.objects.create(
        code="M1", name="舒缓面膜", kind="product", category=cast.facial.category, price_minor=9_900
    )
    for turn, customer in enumerate((cast.qiu, cast.mo, cast.lan)):
        buys(customer, one, 9_900, on=ago(20 + turn), store=cast.jing_an, key=f"mask-{turn}")
    return one


def proposed(customer_id: int) -> list[Proposed]:
    return proposed_to(Customer.objects.get(pk=customer_id), personal=personalised(family_of(customer_id), at=NOW))


def test_vera_is_proposed_her_facial_and_something_new(cast: Cast, mask: Item) -> None:
    assert propose_to_everybody(today=TODAY, now=NOW) == 5  # Bai never bought anything
    first, second = proposed(cast.vera.pk)
    assert (first.item, first.times, first.last_on, first.cycle_days) == (cast.facial, 12, ago(12), 30)
    assert first.reason == "again"  # 12 days of 30: not due yet
    assert (second.item, second.times, second.last_on) == (mask, 0, None)
    assert second.recent_customers == 3
    assert proposed(cast.bai.pk) == []


def test_when_it_is_time_again_that_is_the_reason(cast: Cast) -> None:
    propose_to_everybody(today=TODAY + dt.timedelta(days=20), now=NOW)
    (one,) = proposed(cast.vera.pk)
    assert one.reason == "due"


def test_what_her_other_record_bought_is_hers(cast: Cast, mask: Item) -> None:
    """Qiu had the mask; read as Vera, whose facials are known, she is proposed both as one person."""
    merge(cast.qiu.pk, cast.vera.pk, now=NOW)
    propose_to_everybody(today=TODAY, now=NOW)
    assert mask in {one.item for one in proposed(cast.vera.pk) if one.times}
    assert not Proposal.objects.filter(pk=cast.qiu.pk).exists(), "a record that is read as another has none of its own"


def test_cards_withdrawn_receipts_and_strangers_teach_nothing(cast: Cast) -> None:
    before = len(read_lines(TODAY).day)
    buys(cast.vera, cast.card, 198_000, on=ago(3), store=cast.jing_an, key="card")
    buys(None, cast.facial, 28_800, on=ago(3), store=cast.jing_an, key="nobody")
    lost = buys(cast.vera, cast.facial, 28_800, on=ago(2), store=cast.jing_an, key="mistake")
    batch = Batch.objects.create(kind="load", created_at=NOW)
    Receipt.objects.filter(pk=lost.pk).update(withdrawn_by=batch, txid=current_xid())
    assert len(read_lines(TODAY).day) == before


def test_who_does_not_want_to_be_chosen_for_is_not(cast: Cast) -> None:
    propose_to_everybody(today=TODAY, now=NOW)
    state(
        [cast.vera.pk],
        [(Purpose.PERSONAL, Channel.NONE)],
        given=False,
        proof=Proof(how="form"),
        source_key="objects",
        happened_at=NOW,
        time_zone="Asia/Shanghai",
        now=NOW,
    )
    assert proposed(cast.vera.pk) == []


def test_what_is_not_sold_any_more_is_not_proposed(cast: Cast, mask: Item) -> None:
    propose_to_everybody(today=TODAY, now=NOW)
    Item.objects.filter(pk=cast.facial.pk).update(is_active=False)
    assert [one.item for one in proposed(cast.vera.pk)] == [mask]  # at once
    propose_to_everybody(today=TODAY, now=NOW)
    assert [one["item"] for one in Proposal.objects.get(pk=cast.vera.pk).items] == [mask.pk]


def test_who_was_not_seen_for_a_year_is_proposed_nothing_any_more(cast: Cast) -> None:
    propose_to_everybody(today=TODAY, now=NOW)
    assert proposed(cast.lan.pk)
    propose_to_everybody(today=TODAY + dt.timedelta(days=200), now=NOW)
    assert proposed(cast.lan.pk) == []
    assert not Proposal.objects.filter(pk=cast.lan.pk).exists()
    assert proposed(cast.vera.pk)


def test_an_empty_shop_has_no_proposals(cast: Cast) -> None:
    assert propose_to_everybody(today=TODAY + dt.timedelta(days=3_000), now=NOW) == 0
    assert not Proposal.objects.exists()


def test_her_proposals_leave_with_her(cast: Cast) -> None:
    propose_to_everybody(today=TODAY, now=NOW)
    (row,) = proposals([cast.vera.pk])
    assert row["items"][0]["item"] == cast.facial.pk
    assert forget_proposals([cast.vera.pk]) == 1
    assert forget_proposals([cast.vera.pk]) == 0
