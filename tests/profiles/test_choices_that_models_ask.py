"""Choices of a field that stage models ask for: what may change of them, what may not, and who comes first."""

import json
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from zlib import crc32

import pytest
from django.db import connection, transaction

from changke.facts.fields.models import Field
from changke.facts.fields.services import FieldInUse, change_field, define, retire
from changke.facts.scores.models import Score
from changke.facts.scores.services import change_score, define_score
from changke.foundation.errors import DomainError
from changke.foundation.organisation.models import Chain
from changke.foundation.organisation.queries import the_chain
from changke.profiles.lifecycle.models import StageModel
from changke.profiles.lifecycle.rules import ModelError
from changke.profiles.lifecycle.services import bring_into_use, publish_models, switch_off
from tests.profiles.world import NOW, make_chain

pytestmark = pytest.mark.django_db

LIKES = ["茶", "花", "猫"]
SKIN = ["干性", "油性", "中性"]


def said(text: str) -> dict[str, str]:
    return dict.fromkeys(("zh-hans", "en", "zh-hant"), text)


def asking(when: dict[str, Any], reason: str = "Asked") -> dict[str, Any]:
    return {
        "key": f"c{crc32(json.dumps([when, reason]).encode()):x}",
        "words": said("Care"),
        "stages": [{"key": "asked", "words": said("Asked")}, {"key": "rest", "words": said("Rest")}],
        "ask": [
            {"stage": "asked", "when": when, "reason": said(reason)},
            {"stage": "rest", "reason": said("Rest")},
        ],
    }


VISITS = {"attribute": "visits", "op": ">=", "value": 3}
SECOND = asking({"attribute": "custom.likes_2", "op": "=", "value": True})
TELLS_SECOND = asking(VISITS, "Flowers: {custom.likes_2}")
IN_ENGLISH = asking(VISITS, "In English alone")
IN_ENGLISH["ask"][0]["reason"]["en"] = "Flowers: {custom.likes_2}"
OILY = asking({"attribute": "custom.skin", "op": "=", "value": "油性"})
NOT_OILY = asking({"attribute": "custom.skin", "op": "!=", "value": "油性"})
OILY_OR_DRY = asking({"attribute": "custom.skin", "op": "in", "value": ["油性", "干性"]})


@pytest.fixture
def chain(db: None) -> Chain:
    return make_chain()


@pytest.fixture
def likes(chain: Chain) -> Field:
    return define(key="likes", kind="choices", labels={"en": "Likes"}, choices=LIKES, now=NOW)


@pytest.fixture
def skin(chain: Chain) -> Field:
    return define(key="skin", kind="choice", labels={"en": "Skin"}, choices=SKIN, now=NOW)


@pytest.mark.parametrize("model", [SECOND, TELLS_SECOND, IN_ENGLISH])
@pytest.mark.parametrize("in_use", [True, False])
@pytest.mark.parametrize(
    "choices",
    [
        ["茶"],  # what it asks for goes: no night could read the model
        ["花", "猫"],  # one before it goes: it would ask for cats
        ["茶", "猫", "花"],
        ["茶", "鲜花", "猫"],
        ["书", *LIKES],
        ["茶", "花"],
    ],
)
def test_what_is_asked_by_place_keeps_its_place(
    likes: Field, model: dict[str, Any], in_use: bool, choices: list[str]
) -> None:
    bring_into_use(model, chain=the_chain(), now=NOW)
    if not in_use:  # it may be switched on again
        switch_off(model["key"], now=NOW)
    with pytest.raises(FieldInUse, match="Care asks for this field by the place of its choices"):
        change_field(likes, {"choices": choices}, now=NOW)
    assert Field.objects.get(pk=likes.pk).choices == LIKES
    assert publish_models(the_chain(), now=NOW) is not None, "the night begins"


def test_choices_are_added_at_the_end(likes: Field) -> None:
    bring_into_use(SECOND, chain=the_chain(), now=NOW)
    change_field(likes, {"choices": ["茶", " 花 ", "猫", "书"]}, now=NOW)
    assert Field.objects.get(pk=likes.pk).choices == [*LIKES, "书"]
    assert publish_models(the_chain(), now=NOW) is not None


def test_where_nobody_asks_choices_come_and_go(likes: Field, skin: Field) -> None:
    bring_into_use(OILY, chain=the_chain(), now=NOW)
    change_field(likes, {"choices": ["猫", "茶"]}, now=NOW)
    assert Field.objects.get(pk=likes.pk).choices == ["猫", "茶"]
    StageModel.objects.all().delete()
    change_field(skin, {"choices": ["中性"]}, now=NOW)


@pytest.mark.parametrize(
    ("model", "choices", "kept"),
    [
        (OILY, ["干性", "中性"], "油性"),
        (NOT_OILY, ["干性", "中性"], "油性"),
        (OILY, ["干性", "油", "中性"], "油性"),
        (OILY_OR_DRY, ["油性", "中性"], "干性"),
        (OILY, ["中性", "油性"], None),
        (OILY, ["油性", "中性", "干性"], None),
        (asking(VISITS, "Skin: {custom.skin}"), ["中性"], None),  # says whatever stands there
    ],
)
def test_a_choice_that_is_named_cannot_go(
    skin: Field, model: dict[str, Any], choices: list[str], kept: str | None
) -> None:
    bring_into_use(model, chain=the_chain(), now=NOW)
    if kept is None:
        assert change_field(skin, {"choices": choices}, now=NOW).choices == choices
    else:
        with pytest.raises(FieldInUse, match=f"Care asks for {kept}"):
            change_field(skin, {"choices": choices}, now=NOW)


def waits_for_a_lock() -> bool:
    with connection.cursor() as sql:
        sql.execute("SELECT COUNT(*) FROM pg_locks WHERE NOT granted")
        return bool(sql.fetchone()[0])


def _publish(definition: dict[str, Any]) -> bool:
    try:
        return bring_into_use(definition, chain=the_chain(), now=NOW)
    finally:
        connection.close()


def hide_field() -> None:
    change_field(Field.objects.get(key="likes"), {"roles": ["owner"]}, now=NOW)


def hide_score() -> None:
    change_score(Score.objects.get(key="churn"), {"roles": ["owner"]}, now=NOW)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("hide", "model"),
    [
        (hide_field, SECOND),
        (lambda: retire(Field.objects.get(key="likes"), now=NOW), TELLS_SECOND),
        (hide_score, asking({"attribute": "score.churn", "op": ">=", "value": 70})),
        (hide_score, asking(VISITS, "{score.churn_on}")),
    ],
)
def test_of_hiding_a_field_and_asking_for_it_at_once_the_second_is_refused(
    likes: Field, hide: Callable[[], object], model: dict[str, Any]
) -> None:
    define_score(key="churn", kind="chance", labels={"en": "Churn"}, now=NOW)
    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            hide()
            publishing: Future[bool] = other.submit(_publish, model)
            until = time.monotonic() + 10
            while not (publishing.done() or waits_for_a_lock()) and time.monotonic() < until:
                time.sleep(0.01)
        with pytest.raises(ModelError):
            publishing.result(timeout=10)
    assert not StageModel.objects.filter(key=model["key"]).exists()


@pytest.mark.django_db(transaction=True)
def test_who_asks_first_keeps_the_field_from_hiding(likes: Field) -> None:
    def hiding() -> None:
        try:
            hide_field()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            bring_into_use(SECOND, chain=the_chain(), now=NOW)
            second = other.submit(hiding)
            until = time.monotonic() + 10
            while not (second.done() or waits_for_a_lock()) and time.monotonic() < until:
                time.sleep(0.01)
        with pytest.raises(DomainError, match="Care asks for this field"):
            second.result(timeout=10)
    assert not Field.objects.get(key="likes").roles
