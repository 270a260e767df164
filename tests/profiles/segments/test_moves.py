"""Who entered and who left are facts: kept with why and by which version, never edited, and enough to say who was in
it at any moment since."""

import datetime as dt
import random

import pytest
from django.db import IntegrityError, connection, transaction

from changke.facts.customers.models import Customer
from changke.facts.customers.services.merge import merge
from changke.facts.customers.services.tags import add_tag, remove_tag
from changke.facts.events.models import Event
from changke.facts.fields.services import define
from changke.foundation.batches.models import Batch
from changke.foundation.organisation.scope import CHAIN_WIDE, NOBODY, Scope
from changke.profiles.lifecycle.services import fold, refresh_customers
from changke.profiles.segments.asking import words_of_the_chain
from changke.profiles.segments.models import Segment, SegmentMember, Why
from changke.profiles.segments.moves import (
    Move,
    SegmentNeverFollowed,
    SegmentNotFollowed,
    inside_at,
    moves_of,
    stays_of,
)
from changke.profiles.segments.queries import moved_by_day
from changke.profiles.segments.services import members
from changke.profiles.segments.services.forget import forget_memberships
from changke.profiles.segments.services.save import drop_segment, freeze, save_segment
from tests.cast import NOW, Cast
from tests.profiles import world
from tests.profiles.world import TODAY, Book, make_chain, make_stores

pytestmark = pytest.mark.django_db
SECOND = dt.timedelta(seconds=1)
EVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
TAGS = ("甲", "乙")


@pytest.fixture
def known(cast: Cast) -> Cast:
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)
    return cast


def moves(one: Segment, scope: Scope = CHAIN_WIDE, page: int = 3) -> list[Move]:
    """All of them, a page at a time."""
    found: list[Move] = []
    after = None
    while part := moves_of(one, scope=scope, since=EVER, after=after, most=page):
        found += part
        after = (part[-1].moment, part[-1].stay, part[-1].left)
    return found


def inside(one: Segment) -> set[int]:
    return set(SegmentMember.objects.filter(segment=one, left_at__isnull=True).values_list("customer_id", flat=True))


@pytest.mark.parametrize("seed", range(4))
def test_replayed_the_moves_give_who_is_in_it_and_who_was(known: Cast, seed: int) -> None:
    """Tags come and go, what is asked changes, clocks run backwards, everybody or some are asked, following stops."""
    dice, now = random.Random(seed), NOW
    people = list(Customer.objects.filter(merged_into=None).order_by("pk")[:5])
    one = save_segment(None, key="it", name="It", text=f'tag has "{TAGS[0]}"', now=now)
    seen: list[tuple[dt.datetime, set[int]]] = []
    for _ in range(25):
        now += dice.choice((SECOND, SECOND, 3 * SECOND))
        who, tag = dice.choice(people), dice.choice(TAGS)
        (add_tag if dice.random() < 0.6 else remove_tag)(who, tag, now=now)
        match dice.randint(0, 9):
            case 0:
                one = save_segment(one, name="It", text=f'tag has "{dice.choice(TAGS)}"', now=now)
            case 1:
                members.refresh_everybody(now=now)
            case 2:
                one = save_segment(one, name="It", text=one.text, is_tracked=dice.random() < 0.5, now=now)
            case 3:  # somebody else looked at the clock earlier and writes later
                members.refresh_members([one] if one.is_tracked else [], now=now - SECOND)
                seen = [(moment, then) for moment, then in seen if moment < now - SECOND]
            case _:
                members.refresh_members([one] if one.is_tracked else [], now=now, ids=[who.pk], why=Why.FACT)
        seen.append((now, inside(one)))
    told = moves(one)
    assert told == sorted(told, key=lambda move: (move.moment, move.stay, move.left))
    assert told == moves_of(one, scope=CHAIN_WIDE, since=EVER, most=1_000), "pages lose and repeat nothing"
    replayed: set[int] = set()
    for move in told:
        assert (move.customer_id in replayed) is move.left, "she enters who is not in it, and leaves who is"
        (replayed.discard if move.left else replayed.add)(move.customer_id)
    assert replayed == inside(one)
    assert len(told) >= 8
    for moment, then in seen:
        if one.tracked_since and moment >= one.tracked_since:
            assert set(inside_at(one, moment, scope=CHAIN_WIDE).values_list("customer_id", flat=True)) == then


def test_each_end_says_why_and_by_which_version(known: Cast) -> None:
    one = save_segment(None, key="it", name="It", text='tag has "甲"', now=NOW)
    members.follow(NOW)

    def ends() -> list[tuple[bool, str, int]]:
        return [(move.left, move.why, move.version) for move in moves(one)]

    add_tag(known.vera, "甲", now=NOW + SECOND)
    members.refresh_members([one], now=NOW + SECOND, ids=[known.vera.pk], why=Why.FACT)
    one = save_segment(one, name="It", text='tag has "乙"', now=NOW + 2 * SECOND)
    add_tag(known.vera, "乙", now=NOW + 3 * SECOND)
    members.refresh_everybody(now=NOW + 3 * SECOND)
    one = save_segment(one, name="Called otherwise", text=one.text, now=NOW + 4 * SECOND)
    assert (one.version, one.tracked_since) == (2, NOW)
    one = save_segment(one, name="It", text=one.text, is_tracked=False, now=NOW + 5 * SECOND)
    one = save_segment(one, name="It", text=one.text, now=NOW + 6 * SECOND)
    drop_segment(one, now=NOW + 7 * SECOND)
    assert ends() == [
        (False, "fact", 1), (True, "publish", 2), (False, "refresh", 2),
        (True, "untrack", 2), (False, "publish", 2), (True, "drop", 2),
    ]  # fmt: skip
    days = moved_by_day(one, since=EVER, scope=CHAIN_WIDE, time_zone="Asia/Shanghai")
    assert [(day.entered, day.left) for day in days] == [(2, 0)], "what was done to the segment is no movement of hers"


@pytest.mark.django_db(transaction=True)
def test_whose_news_came_with_a_file_enters_because_of_it() -> None:
    make_chain()
    store, book = make_stores(1)[0], Book()
    people = [book.customer(store, TODAY - dt.timedelta(days=90), name=name) for name in ("Vera", "Mo", "Both")]
    batch = Batch.objects.create(kind="events", title="x", created_at=world.NOW)
    fold(world.NOW)
    one = save_segment(
        None, key="it", name="It", text='count(event "complaint.received" in 30 days) >= 1', now=world.NOW
    )
    members.follow(world.NOW)
    for who, from_a_file in ((0, True), (1, False), (2, True), (2, False)):
        fact = {**book._fact(TODAY), "batch": batch if from_a_file else None}
        Event.objects.create(kind="complaint.received", customer=people[who], **fact)
    fold(world.NOW + SECOND)
    assert members.follow(world.NOW + SECOND) == 3
    because = dict(SegmentMember.objects.values_list("customer__name", "entered_why"))
    assert because == {"Vera": "import", "Mo": "fact", "Both": "fact"}
    Event.objects.create(kind="complaint.received", customer=people[0], **{**book._fact(TODAY), "batch": batch})
    SegmentMember.objects.all().delete()
    fold(world.NOW + 2 * SECOND)
    members.refresh_everybody(now=world.NOW + 2 * SECOND)
    because = dict(SegmentMember.objects.values_list("customer__name", "entered_why"))
    assert because == {"Vera": "import", "Mo": "refresh", "Both": "refresh"}, "the same, of everybody"
    merge(people[0].pk, people[1].pk, now=world.NOW)
    fold(world.NOW + 3 * SECOND)
    members.follow(world.NOW + 3 * SECOND)
    assert [(move.customer_id, move.left) for move in moves(one)][-1] == (people[0].pk, True)


@pytest.mark.parametrize(
    "edit",
    [
        "entered_at = entered_at - interval '1 day'", "entered_why = 'import'", "entered_version = 9",
        "segment_id = segment_id + 1", "customer_id = customer_id + 1", "left_at = NULL",
        "left_at = now() + interval '1 day'", "left_why = 'fact'", "left_version = 9",
    ],
)  # fmt: skip
def test_a_stay_is_never_edited(known: Cast, edit: str) -> None:
    add_tag(known.vera, "甲", now=NOW)
    one = save_segment(None, name="It", text='tag has "甲"', now=NOW)
    remove_tag(known.vera, "甲", now=NOW)
    members.refresh_members([one], now=NOW + SECOND)
    with pytest.raises(IntegrityError, match="ended once"), transaction.atomic(), connection.cursor() as sql:
        sql.execute(f"UPDATE profiles_segmentmember SET {edit}")
    assert [move.left for move in moves(one)] == [False, True]


def test_a_dropped_segment_frees_its_name_and_keeps_who_was_in_it_until_they_are_erased(known: Cast) -> None:
    add_tag(known.vera, "甲", now=NOW)
    one = save_segment(None, key="it", name="It", text='tag has "甲"', now=NOW)
    drop_segment(one, now=NOW + SECOND)
    assert not Segment.objects.exists()
    again = save_segment(None, key="it", name="It", text='tag has "甲"', now=NOW + 2 * SECOND)
    stays = stays_of([known.vera.pk], words_of_the_chain()).order_by("pk")
    assert [(stay.segment_id, stay.left_why) for stay in stays] == [(one.pk, "drop"), (again.pk, "")]
    assert forget_memberships([known.vera.pk]) == 2
    assert moves(one) == moves(again) == []


def test_who_was_in_it_is_told_from_when_it_was_followed_and_to_whom_may_see(known: Cast) -> None:
    add_tag(known.vera, "甲", now=NOW)
    add_tag(known.lan, "甲", now=NOW)
    one = save_segment(None, key="it", name="It", text='tag has "甲"', now=NOW)
    frozen = freeze(name="List", text='tag has "甲"', now=NOW)
    asked = save_segment(None, name="Asked", text="visits > 1", is_tracked=False, now=NOW)
    hers = Scope(frozenset({known.vera.home_store_id} - {None}))  # type: ignore[arg-type]
    for group in (one, frozen):
        assert inside_at(group, NOW, scope=CHAIN_WIDE).count() == len(moves(group)) == 2
        assert [stay.customer_id for stay in inside_at(group, NOW, scope=hers)] == [known.vera.pk]
        assert [move.customer_id for move in moves(group, hers)] == [known.vera.pk]
        assert not inside_at(group, NOW, scope=NOBODY).exists()
        with pytest.raises(SegmentNotFollowed):
            inside_at(group, NOW - SECOND, scope=CHAIN_WIDE)
    with pytest.raises(SegmentNeverFollowed):
        inside_at(asked, NOW, scope=CHAIN_WIDE)


def test_a_segment_that_asks_for_a_hidden_field_is_in_nobodys_story(known: Cast) -> None:
    define(key="income", kind="number", labels={"en": "Income"}, roles=["owner"], now=NOW)
    save_segment(None, name="Rich", text="custom.income > 1 or purchases >= 0", now=NOW)
    save_segment(None, name="All", text="purchases >= 0", now=NOW)
    for role, names in (("owner", {"Rich", "All"}), ("clerk", {"All"})):
        stays = stays_of([known.vera.pk], words_of_the_chain(role=role))
        assert set(stays.values_list("segment__name", flat=True)) == names
