"""A segment asks for choices of the chain's own fields: they go on meaning what they meant when it was saved."""

import pytest

from changke.facts.fields.models import Field
from changke.facts.fields.services import FieldInUse, change_field, define, retire
from changke.profiles.segments.models import Segment
from changke.profiles.segments.services.save import save_segment
from tests.profiles.world import NOW, make_chain

pytestmark = pytest.mark.django_db

LIKES = ["茶", "花", "猫"]
SKIN = ["干性", "油性", "中性"]


@pytest.fixture
def likes(db: None) -> Field:
    make_chain()
    return define(key="likes", kind="choices", labels={"en": "Likes"}, choices=LIKES, now=NOW)


@pytest.fixture
def skin(db: None) -> Field:
    make_chain()
    return define(key="skin", kind="choice", labels={"en": "Skin"}, choices=SKIN, now=NOW)


@pytest.fixture
def flowers(likes: Field) -> Segment:
    return save_segment(None, name="爱花的", text="custom.likes_2 = true and visits >= 1", now=NOW)


@pytest.mark.parametrize(
    "choices", [["花", "茶", "猫"], ["花", "猫"], ["茶", "花"], ["茶", "菊", "花", "猫"]], ids=" ".join
)
def test_what_would_make_it_ask_for_another_choice_is_refused(
    likes: Field, flowers: Segment, choices: list[str]
) -> None:
    with pytest.raises(FieldInUse) as refused:
        change_field(likes, {"choices": choices}, now=NOW)
    assert refused.value.places["users"] == "爱花的"
    likes.refresh_from_db()
    assert likes.choices == LIKES


def test_a_choice_at_the_end_and_other_words_are_fine(likes: Field, flowers: Segment) -> None:
    change_field(likes, {"choices": [*LIKES, "狗"], "labels": {"en": "What she likes"}}, now=NOW)


@pytest.mark.parametrize(
    "text",
    [
        'custom.skin = "油性"',
        'custom.skin in ("油性", "干性")',
        'not (custom.skin != "油性")',
        'visits >= 9 or custom.skin = "油性"',
    ],
)
def test_a_choice_that_it_names_stays(skin: Field, text: str) -> None:
    save_segment(None, name="油皮", text=text, now=NOW)
    with pytest.raises(FieldInUse, match="油皮"):
        change_field(skin, {"choices": ["干性", "中性"]}, now=NOW)
    change_field(skin, {"choices": ["油性", "干性"]}, now=NOW)  # in another order, without the one nobody asks for


def test_once_nobody_asks_it_may_go(skin: Field) -> None:
    oily = save_segment(None, name="油皮", text='custom.skin = "油性"', now=NOW)
    save_segment(oily, name="油皮", text="visits >= 2", now=NOW)
    change_field(skin, {"choices": ["干性", "中性"]}, now=NOW)


def test_a_frozen_one_asks_nothing_any_more(likes: Field, flowers: Segment) -> None:
    Segment.objects.filter(pk=flowers.pk).update(is_static=True, tree=None, text="")
    change_field(likes, {"choices": ["花", "茶", "猫"]}, now=NOW)


def test_a_field_that_segments_ask_may_be_retired_and_kept_from_roles(likes: Field, flowers: Segment) -> None:
    change_field(likes, {"roles": ["owner"]}, now=NOW)
    assert retire(likes, now=NOW).retired_at == NOW
