"""What she may like next, on her page: each with a reason that staff can say aloud."""

import datetime as dt
from dataclasses import replace

import pytest
from django.test import Client
from django.utils import translation

from changke.facts.catalog.models import Item
from changke.facts.customers.models import Tag
from changke.facts.customers.services.tags import add_tag
from changke.interfaces.proposals import why
from changke.profiles.affinity.models import Proposal
from changke.profiles.affinity.needs import Group
from changke.profiles.affinity.queries import Proposed
from changke.profiles.affinity.services.needs import save_need
from changke.profiles.lifecycle.services.publish import publish_models
from tests.cast import NOW, TODAY, Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(client: Client, cast: Cast) -> Client:
    publish_models(cast.chain, now=NOW)
    client.force_login(cast.owner)
    return client


def _kept(item: Item, reason: str, times: int) -> dict[str, object]:
    return {
        "item": item.pk,
        "chance_bp": 5_000,
        "reason": reason,
        "times": times,
        "last_on": "2026-02-20" if times else None,
        "cycle_days": 30 if times else None,
        "alike": 3,
        "similar": 40,
        "goes_with": None,
        "recent_customers": 7,
    }


def test_her_page_shows_what_she_may_like_and_why(owner: Client, cast: Cast) -> None:
    mask = Item.objects.create(code="M1", name="舒缓<面膜>", kind="product")
    items = [_kept(cast.facial, "again", 12), _kept(mask, "alike", 0)]
    Proposal.objects.create(customer=cast.vera, as_of=TODAY, items=items)
    page = owner.get(f"/customers/{cast.vera.pk}/").content.decode()
    assert "接下来她可能喜欢" in page
    assert "她做过 12 次，上次是 2026-02-20" in page
    assert "与她最相似的 40 位客户中，有 3 位近 90 天用过" in page
    assert page.count("她没试过") == 1
    assert "舒缓&lt;面膜&gt;" in page


def test_on_a_past_day_and_without_proposals_there_is_no_such_card(owner: Client, cast: Cast) -> None:
    Proposal.objects.create(customer=cast.vera, as_of=TODAY, items=[_kept(cast.facial, "again", 12)])
    past = owner.get(f"/customers/{cast.vera.pk}/", {"as_of": "2026-01-05"}).content.decode()
    assert "接下来她可能喜欢" not in past
    assert "接下来她可能喜欢" not in owner.get(f"/customers/{cast.mo.pk}/").content.decode()


@pytest.mark.parametrize(
    ("group", "said"),
    [
        (Group("age", "20", 12, 40), "12 of 40 customers aged 20–29 had it in the last 60 days"),
        (Group("gender", "f", 12, 40), "12 of 40 customers (Female) had it in the last 60 days"),
        (Group("home", "1", 12, 40), "12 of 40 customers of her store had it in the last 60 days"),
        (Group("all", "", 1_200, 4_000), "1,200 of 4,000 customers had it in the last 60 days"),
    ],
)
def test_what_her_group_has_most_in_words(cast: Cast, group: Group, said: str) -> None:
    one = Proposed(cast.facial, None, "group", 0, None, None, 0, 0, None, 0, group=group)
    with translation.override("en"):
        assert why(one) == said
    with translation.override("zh-hant"):
        assert why(one) != said


def test_what_a_tag_asks_for_says_the_tag_and_who_put_it_on(owner: Client, cast: Cast) -> None:
    save_need(None, tag="干性<b>", item=cast.facial, category=None, now=NOW)
    add_tag(cast.bai, "干性<b>", source="rule", rule="首单", now=NOW)
    page = owner.get(f"/customers/{cast.bai.pk}/").content.decode()
    assert "她的标签“干性&lt;b&gt;”（首单，2026-03-04）需要它" in page
    tag = Tag.objects.get()
    learnt = Group("tag", tag.name, 25, 30, 2_140)
    one = Proposed(cast.facial, None, "need", 0, None, None, 0, 0, None, 0, tag=tag, group=learnt)
    with translation.override("en"):
        assert why(one) == (
            "Her tag “干性<b>” (首单, 2026-03-04) asks for it: 25 of 30 who wear it had it, at least 2.1 times as often"
            " as others"
        )
        tag.rule = ""
        assert why(replace(one, group=None)) == "Her tag “干性<b>” (2026-03-04) asks for it"


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("again", "She had it on 2 days, last on 2026-02-20"),
        ("due", "Usually wanted again after 30 days; she last had it on 2026-02-20"),
        ("alike", "3 of the 40 customers most like her had it in the last 90 days"),
        ("goes_with", "Goes with 深层补水, which she had last time"),
        ("popular", "1,200 customers had it in the last 30 days"),
    ],
)
def test_each_reason_in_words(cast: Cast, reason: str, said: str) -> None:
    one = Proposed(cast.facial, 5_000, reason, 2, dt.date(2026, 2, 20), 30, 3, 40, cast.facial, 1_200)
    with translation.override("en"):
        assert why(one) == said
    with translation.override("zh-hant"):
        assert why(one) != said
    if reason == "goes_with":  # the item it went with is gone: what always holds is said
        with translation.override("en"):
            assert why(replace(one, goes_with=None)) == "1,200 customers had it in the last 30 days"
