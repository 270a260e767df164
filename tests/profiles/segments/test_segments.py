"""Groups are saved, followed, frozen and dropped."""

import datetime as dt

import pytest

from changke.facts.customers.services.tags import add_tag, remove_tag
from changke.facts.fields.services import define, retire, set_values
from changke.foundation.errors import DomainError, Invalid
from changke.foundation.organisation.scope import CHAIN_WIDE, NOBODY, Scope
from changke.profiles.segments.asking import words_of_the_chain
from changke.profiles.segments.models import Segment, SegmentMember
from changke.profiles.segments.queries import (
    SegmentUnreadable,
    condition_of,
    count,
    movement,
    overlap,
    portrait,
    reasons,
    sample,
)
from changke.profiles.segments.services import members
from changke.profiles.segments.services.save import drop_segment, freeze, save_segment
from tests.cast import NOW, Cast, profile_everybody

pytestmark = pytest.mark.django_db


@pytest.fixture
def known(cast: Cast) -> Cast:
    profile_everybody()
    return cast


def inside(one: Segment) -> set[int]:
    return set(SegmentMember.objects.filter(segment=one, left_at__isnull=True).values_list("customer_id", flat=True))


def test_a_saved_group_has_its_members_at_once_and_prints_what_it_asks(known: Cast) -> None:
    one = save_segment(None, name="Bought", text="purchases>=1", now=NOW)
    assert (one.key, one.text) == ("bought", "purchases >= 1")
    words = words_of_the_chain()
    condition = condition_of(one, words)
    assert len(inside(one)) == count(condition, words, now=NOW, scope=CHAIN_WIDE) > 0
    few = sample(condition, words, now=NOW, scope=CHAIN_WIDE)
    assert all(parts == [condition] for parts in reasons(condition, few, words, now=NOW).values())
    assert set(reasons(condition, few, words, now=NOW)) == set(few)


def test_a_tag_put_on_is_an_entry_and_taken_off_a_leaving(known: Cast) -> None:
    one = save_segment(None, name="敏感", text='tag has "易过敏"', now=NOW)
    assert inside(one) == set()
    members.follow(NOW)
    later = NOW + dt.timedelta(seconds=1)
    add_tag(known.vera, "易过敏", now=later)
    members.refresh_members([one], now=later, ids=[known.vera.pk])
    assert inside(one) == {known.vera.pk}
    remove_tag(known.vera, "易过敏", now=later)
    members.refresh_members([one], now=later, ids=[known.vera.pk])
    row = SegmentMember.objects.get(segment=one)
    assert (row.entered_at, row.left_at) == (later, later)
    assert movement(one, since=NOW, scope=CHAIN_WIDE) == (1, 1)


def test_a_group_of_groups_stands_for_what_they_ask(known: Cast) -> None:
    save_segment(None, name="Bought", text="purchases >= 1", now=NOW)
    silent = save_segment(None, name="Quiet", text="stage in (silent, lost)", now=NOW)
    both = save_segment(None, name="Both", text="segment has bought and segment has quiet", now=NOW)
    words = words_of_the_chain()
    bought = Segment.objects.get(key="bought")
    told = overlap(bought, silent, words, now=NOW, scope=CHAIN_WIDE)
    assert told.both == len(inside(both)) == len(inside(bought) & inside(silent))
    with pytest.raises(DomainError, match="Both"):
        drop_segment(silent, now=NOW)
    with pytest.raises(Invalid, match="asks for itself"):
        save_segment(silent, name="Quiet", text="segment has both", now=NOW)


def test_a_frozen_list_stays_when_she_no_longer_fits(known: Cast) -> None:
    add_tag(known.vera, "易过敏", now=NOW)
    frozen = freeze(name="Then", text='tag has "易过敏"', now=NOW)
    remove_tag(known.vera, "易过敏", now=NOW)
    members.refresh_everybody(now=NOW)
    assert inside(frozen) == {known.vera.pk}
    words = words_of_the_chain()
    assert count(condition_of(frozen, words), words, now=NOW, scope=CHAIN_WIDE) == 1
    with pytest.raises(Invalid):
        save_segment(frozen, name="Then", text="purchases > 1", now=NOW)


def test_a_scope_sees_only_its_own(known: Cast) -> None:
    words = words_of_the_chain()
    everybody = count(None, words, now=NOW, scope=CHAIN_WIDE)
    stores = {one.pk for one in (known.ying.home_store,) if one}
    mine = count(None, words, now=NOW, scope=Scope(frozenset(stores)))
    assert 0 < mine < everybody
    assert count(None, words, now=NOW, scope=NOBODY) == 0
    assert portrait(None, words, now=NOW, scope=Scope(frozenset(stores))).customers == mine


def test_a_segment_whose_field_was_retired_keeps_its_members_and_holds_nobody_up(known: Cast) -> None:
    field = define(key="skin", kind="choice", labels={"zh-hans": "肤质"}, choices=["干性"], now=NOW)
    set_values(known.vera.pk, {"skin": "干性"}, now=NOW)
    skin = save_segment(None, name="Skin", text='custom.skin = "干性"', now=NOW)
    tagged = save_segment(None, name="Tagged", text='tag has "易过敏"', now=NOW)
    retire(field, now=NOW)
    add_tag(known.vera, "易过敏", now=NOW)
    members.refresh_everybody(now=NOW)
    assert inside(skin) == inside(tagged) == {known.vera.pk}
    with pytest.raises(SegmentUnreadable, match=r"custom\.skin"):
        condition_of(skin, words_of_the_chain())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1, column 1: expected a condition"),
        ("spendd > 3", "line 1, column 1: expected the name of an attribute; did you mean spend?"),
        ("purchases > 1\nand stage in silent", "line 2, column 14: expected '('"),
        ("purchases >= 1.5", "line 1, column 14: expected a whole number"),
        ("count(buy) > 1", "line 1, column 7: expected one of purchase"),
        ('count(purchase of category "nope") > 1', "line 1, column 28: expected unknown category 'nope'"),
        ("segment has nobody", "line 1, column 13: expected unknown segment 'nobody'"),
        ('stage = "open', 'line 1, column 9: expected a closing "'),
        ("stage > silent", "line 1, column 1: expected stage is text and cannot be asked '>'"),
        ("not " * 30 + "purchases > 1", "nothing nested deeper"),
        ("purchases > 1 or", "line 1, column 17: expected an attribute"),
        ("purchases > 1 stage", "line 1, column 15: expected 'and', 'or' or the end"),
        ("sequence(visit then visit within 0 days)", "1 to 36500 days"),
    ],
)
def test_a_mistake_points_at_its_place(known: Cast, text: str, told: str) -> None:
    with pytest.raises(Invalid) as refusal:
        save_segment(None, name="Wrong", text=text, now=NOW)
    assert told in str(refusal.value)
    assert not Segment.objects.exists()
