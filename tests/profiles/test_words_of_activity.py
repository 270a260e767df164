"""Where visits do not count as activity, nobody is told of a "last visit": she may have come yesterday."""

import datetime as dt

import pytest

from changke.facts.customers.models import Customer
from changke.foundation.organisation.activity import counted
from changke.foundation.organisation.models import Chain, Store
from changke.foundation.organisation.queries import the_chain
from changke.profiles.lifecycle.models import StageModel
from changke.profiles.lifecycle.rules import LANGUAGES, placeholders
from changke.profiles.lifecycle.services import explain
from changke.profiles.lifecycle.services.publish import publish_models, shipped_models
from tests.profiles.world import NOW, TODAY, Book, make_chain, make_stores


@pytest.mark.parametrize(
    ("kinds", "word"),
    [
        (["visit", "purchase", "use"], "visit"),
        (["visit"], "visit"),
        (["use", "visit"], "visit"),  # whoever uses her card is here
        (["purchase"], "purchase"),
        (["use"], "use"),
        (["purchase", "use"], "activity"),
    ],
)
def test_what_the_last_active_day_was_the_day_of(kinds: list[str], word: str) -> None:
    assert counted(kinds) == word


@pytest.fixture
def stores(db: None) -> list[Store]:
    make_chain()
    return make_stores(1)


@pytest.fixture
def vera(stores: list[Store]) -> Customer:
    """She bought and used her card seventy days ago, and came yesterday without buying."""
    vera, long_ago = Book().customer(stores[0], TODAY - dt.timedelta(days=500)), TODAY - dt.timedelta(days=70)
    Book().receipt(vera, stores[0], long_ago).save(force_insert=True)
    Book().receipt(vera, stores[0], long_ago, "use").save(force_insert=True)
    Book().visit(vera, stores[0], TODAY - dt.timedelta(days=1)).save(force_insert=True)
    return vera


def reason(customer: Customer, kinds: list[str], language: str) -> str:
    Chain.objects.update(activity_kinds=kinds)
    publish_models(the_chain(), now=NOW)
    return explain(customer.pk, TODAY, now=NOW, history=False).reason(language)


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        (["purchase"], ("已有 70 天没有消费", "Last purchase 70 days ago", "已有 70 天沒有消費")),
        (["use"], ("已有 70 天没有耗卡", "Last card use 70 days ago", "已有 70 天沒有耗卡")),
        (["purchase", "use"], ("没有消费或耗卡", "Last activity 70 days ago", "沒有消費或耗卡")),
        (["visit"], ("1 天前刚来过", "most recently 1 days ago", "1 天前剛來過")),
    ],
)
def test_the_reason_says_what_is_true(vera: Customer, kinds: list[str], said: tuple[str, str, str]) -> None:
    for language, words in zip(LANGUAGES, said, strict=True):
        assert words in reason(vera, kinds, language)


def test_who_only_came_is_not_told_of_a_day_that_nobody_counted(stores: list[Store]) -> None:
    mo = Book().customer(stores[0], TODAY - dt.timedelta(days=500))
    Book().visit(mo, stores[0], TODAY - dt.timedelta(days=3)).save(force_insert=True)
    assert reason(mo, ["purchase"], "en") == "Came on one day and has not come again yet"


def test_every_shipped_sentence_of_days_has_its_other_words() -> None:
    for model in shipped_models():
        for rule in model["ask"]:
            if "silent_days" in placeholders(rule["reason"]["en"]):
                assert set(rule["without_visits"]) in ({"any"}, {"purchase", "use", "activity"}), model["key"]


def test_an_installation_from_before_gets_the_words_but_keeps_what_it_changed(stores: list[Store]) -> None:
    chain = the_chain()
    publish_models(chain, now=NOW)
    older = StageModel.objects.get(key="m4")
    for rule in older.definition["ask"]:
        rule.pop("without_visits", None)
    older.save()
    mine = StageModel.objects.get(key="m1")
    mine.definition["ask"][0]["when"]["value"] = 99
    mine.definition["ask"][0]["reason"]["en"] = "Ours"
    mine.save()
    assert publish_models(chain, now=NOW) == ["m4"]
    assert "without_visits" in StageModel.objects.get(key="m4").definition["ask"][0]
    assert StageModel.objects.get(key="m1").definition["ask"][0]["reason"]["en"] == "Ours"
