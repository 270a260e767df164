"""What happens to one customer reaches the segments by following."""

import datetime as dt

import pytest

from changke.facts.catalog.models import Category, Item
from changke.facts.consents.models import Consent
from changke.facts.customers.models import Customer, Identifier, Tag
from changke.facts.customers.services.bulk import BulkChange, change_next, choose, put_tags_back
from changke.facts.customers.services.intake_tags import take_in_tags
from changke.facts.customers.services.merge import merge
from changke.facts.customers.services.put_back import take_tags_off
from changke.facts.customers.services.tags import add_tag, remove_tag, take_stale_off
from changke.facts.events.models import Event
from changke.facts.purchases.models import Line, Receipt
from changke.facts.scores.services import define_score
from changke.facts.scores.services.take_in import Wanted, take_in_scores, withdraw_scores
from changke.foundation.batches.models import Batch
from changke.foundation.database.rows_seen import seeing
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.profiles.lifecycle.services import fold
from changke.profiles.segments import queries
from changke.profiles.segments.asking import words_of_the_chain
from changke.profiles.segments.models import SegmentMember
from changke.profiles.segments.services.members import follow
from changke.profiles.segments.services.save import freeze, save_segment
from tests.profiles.world import NOW, TODAY, Book, make_chain, make_stores

pytestmark = pytest.mark.django_db(transaction=True)


def inside() -> dict[str, bool]:
    """Segment -> whether she is still in it; one in which she never was is not there."""
    rows = SegmentMember.objects.values_list("segment__key", "left_at")
    return {key: left is None for key, left in rows}


def test_a_purchase_and_a_tag_are_followed_once_and_not_before_her_profile() -> None:
    make_chain()
    store, book = make_stores(1)[0], Book()
    vera = book.customer(store, TODAY - dt.timedelta(days=90), name="Vera")
    fold(NOW)
    follow(NOW)
    for key, text in {
        "bought": "purchases >= 1",
        "late": "count(purchase in 30 days) = 0",
        "shy": "tag has 怕生",
    }.items():
        save_segment(None, key=key, name=key, text=text, now=NOW)
    assert inside() == {"late": True}
    book.receipt(vera, store, TODAY).save(force_insert=True)
    assert follow(NOW) == 0  # her profile does not know it yet
    fold(NOW)
    assert follow(NOW) == 1
    assert inside() == {"late": False, "bought": True}
    assert follow(NOW) == 0
    add_tag(vera, "怕生", now=NOW)
    fold(NOW)
    follow(NOW)
    assert inside() == {"late": False, "bought": True, "shy": True}
    remove_tag(vera, "怕生", now=NOW)
    fold(NOW)
    follow(NOW)
    assert inside() == {"late": False, "bought": True, "shy": False}


def test_whoever_brought_somebody_is_followed_when_that_one_spends() -> None:
    make_chain()
    store, book = make_stores(1)[0], Book()
    vera, mo = (book.customer(store, TODAY - dt.timedelta(days=90), name=name) for name in ("Vera", "Mo"))
    book.brought(mo, vera, TODAY - dt.timedelta(days=60)).save(force_insert=True)
    fold(NOW)
    follow(NOW)
    save_segment(None, key="worth", name="worth", text="referral_value >= 10", now=NOW)
    assert inside() == {}
    book.receipt(mo, store, TODAY).save(force_insert=True)
    fold(NOW)
    follow(NOW)
    assert inside() == {"worth": True}
    assert SegmentMember.objects.get().customer_id == vera.pk


def test_a_portrait_reads_through_merged_records_and_leaves_out_what_was_given_back() -> None:
    make_chain()
    store, book = make_stores(1)[0], Book()
    vera, again, mo = (book.customer(store, TODAY - dt.timedelta(days=90), name=name) for name in ("Vera", "V", "Mo"))
    vera.source, vera.birth_year = "抖音", 1988
    vera.save(update_fields=["source", "birth_year"])
    face, body = (Category.objects.create(name=name) for name in ("面部", "身体"))
    facial, massage = (
        Item.objects.create(code=name, name=name, category=group) for name, group in (("F", face), ("M", body))
    )

    def bought(who: Customer, what: Item, day: dt.date, number: str) -> None:
        one = book.receipt(who, store, day, number=number)
        one.save(force_insert=True)
        Line.objects.create(receipt=one, position=0, item=what, amount_minor=one.cash_minor)

    bought(again, facial, TODAY - dt.timedelta(days=5), "A")
    bought(mo, massage, TODAY - dt.timedelta(days=4), "B")
    book.receipt(mo, store, TODAY, "return", original_number="B").save(force_insert=True)
    bought(mo, facial, TODAY - dt.timedelta(days=400), "C")
    merge(again.pk, vera.pk, now=NOW)
    fold(NOW)
    follow(NOW)
    drawn = queries.portrait(None, words_of_the_chain(), now=NOW, scope=CHAIN_WIDE)
    assert (drawn.customers, drawn.visits, drawn.services) == (2, 1, {"面部": 1})
    assert (drawn.ages, drawn.sources) == ({1980: 1}, {"抖音": 1})
    assert drawn.spend_minor == Receipt.objects.get(number="A").cash_minor


def test_a_score_of_the_chains_own_is_followed() -> None:
    make_chain()
    vera = Book().customer(make_stores(1)[0], TODAY - dt.timedelta(days=90), name="Vera")
    score = define_score(key="churn", kind="chance", labels={"en": "Churn"}, now=NOW)
    fold(NOW)
    save_segment(None, key="leaving", name="leaving", text="score.churn >= 50", now=NOW)
    batch = Batch.objects.create(kind="scores", title="x", created_at=NOW)
    take_in_scores([Wanted(vera.pk, score.pk, 9_000, None, TODAY)], batch_id=batch.pk)
    fold(NOW)
    follow(NOW)
    assert inside() == {"leaving": True}
    withdraw_scores(batch.pk)
    fold(NOW)
    follow(NOW)
    assert inside() == {"leaving": False}


def test_tags_of_many_are_followed_however_they_come_and_go() -> None:
    chain = make_chain()
    store, book = make_stores(1)[0], Book()
    people = [book.customer(store, TODAY - dt.timedelta(days=90), name=name) for name in ("Vera", "Mo")]
    batch = Batch.objects.create(kind="bulk_edit", title="x", created_at=NOW)
    fold(NOW)
    save_segment(None, key="shy", name="shy", text="tag has 怕生", now=NOW)

    def follows(expected: int, how: str) -> None:
        fold(NOW)
        follow(NOW)
        assert SegmentMember.objects.filter(left_at=None).count() == expected, how

    ids = [one.pk for one in people]
    choose(batch.pk, ids)
    change_next(batch.pk, BulkChange({}, ("怕生",), ()), now=NOW)
    follows(2, "put on by a change of many")
    take_tags_off(batch.pk)
    follows(0, "taken off by its undo")
    other = Batch.objects.create(kind="customers", title="x", created_at=NOW)
    take_in_tags([(pk, "怕生") for pk in ids], batch_id=other.pk, now=NOW)
    follows(2, "brought by a file")
    third = Batch.objects.create(kind="bulk_edit", title="x", created_at=NOW)
    choose(third.pk, ids)
    change_next(third.pk, BulkChange({}, (), ("怕生",)), now=NOW)
    follows(0, "taken off by a change of many")
    put_tags_back(third.pk)
    follows(2, "put back by its undo")
    Tag.objects.filter(customer=people[0]).update(stale_on=TODAY)
    take_stale_off(today=TODAY, now=NOW)
    follows(1, "too old")
    assert chain.pk


def test_a_merged_record_leaves_and_the_person_enters() -> None:
    make_chain()
    store, book = make_stores(1)[0], Book()
    vera, other = (book.customer(store, TODAY - dt.timedelta(days=90), name=name) for name in ("Vera", "Vera W"))
    Event.objects.create(kind="complaint.received", customer=other, **book._fact(TODAY))
    Consent.objects.create(
        customer=other, purpose="marketing", channel="sms", given=True, how="counter", **book._fact(TODAY)
    )
    fold(NOW)
    complained = 'count(event "complaint.received" in 30 days) >= 1 and consent has marketing by sms'
    save_segment(None, key="upset", name="upset", text=complained, now=NOW)
    frozen = freeze(name="list", key="frozen", text=complained, now=NOW)
    save_segment(None, key="inlist", name="inlist", text="segment has frozen", now=NOW)
    assert frozen.is_static

    def there() -> set[tuple[str, int]]:
        rows = SegmentMember.objects.filter(left_at=None, segment__is_static=False)
        return set(rows.values_list("segment__key", "customer_id"))

    assert there() == {("upset", other.pk), ("inlist", other.pk)}
    merge(other.pk, vera.pk, now=NOW)
    fold(NOW)
    follow(NOW)
    assert there() == {("upset", vera.pk), ("inlist", vera.pk)}


def test_who_can_be_reached_has_agreed_and_has_an_address() -> None:
    make_chain()
    store, book = make_stores(1)[0], Book()
    people = [book.customer(store, TODAY - dt.timedelta(days=90), name=f"C{number}") for number in range(5)]
    for number, channel, given in ((0, "sms", True), (1, "sms", True), (2, "email", True), (3, "sms", False)):
        Consent.objects.create(
            customer=people[number], purpose="marketing", channel=channel, given=given, how="counter",
            **book._fact(TODAY),
        )  # fmt: skip
    for number in (0, 3, 4):
        Identifier.objects.create(customer=people[number], kind="phone", value=f"+861380000000{number}")
    merge(people[4].pk, people[1].pk, now=NOW)  # the phone stands in one record, the consent in the other
    fold(NOW)
    words = words_of_the_chain()
    _, condition = words.read("purchases >= 0")
    with seeing(CHAIN_WIDE):
        found = queries.portrait(condition, words, now=NOW, scope=CHAIN_WIDE)
    assert (found.reachable, found.reachable_by) == (2, {"sms": 2})
