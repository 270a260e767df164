"""A timeline of all facts: what stands in any table of facts about a customer is told on her page, and says what."""

import datetime as dt
from dataclasses import replace

import pytest
from django.apps import apps
from django.test import Client
from django.utils import translation

from changke.facts.consents.rules import Channel, Purpose, topics
from changke.facts.consents.services.state import Proof, state
from changke.facts.customers.services.merge import unmerge
from changke.facts.customers.services.tags import add_tag
from changke.facts.events.services import KINDS, record
from changke.facts.scores.models import Score, ScoreValue
from changke.facts.scores.services.define import define_score
from changke.foundation.database.append_only import Fact
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.interfaces.web.customers import timeline
from changke.interfaces.web.customers.happenings import Asked, Happening, read_position
from changke.profiles.lifecycle.services.publish import publish_models
from tests.cast import NOW, TODAY, Cast, ago
from tests.one_of_each import everything_about

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(cast: Cast) -> Cast:
    publish_models(cast.chain, now=NOW)
    return cast


def asked(cast: Cast, kind: str = "", family: tuple[int, ...] = ()) -> Asked:
    return Asked(cast.vera.pk, kind, "m4", {}, "Asia/Shanghai", CHAIN_WIDE, family=family)


def story(wanted: Asked, *, size: int = 500) -> list[Happening]:
    with translation.override("en"):
        return timeline.page_of(wanted, size=size)[0]


def lines(told: list[Happening]) -> list[str]:
    return [" / ".join(filter(None, (one.title, one.text, one.who))) for one in told]


FACTS = {
    "facts_consent": "Consent given / Offers · SMS · On a form / 静安店 · 苏晴",
    "facts_event": "Complained / topic 甲 / 苏晴",
    "facts_mergelink": "Joined: record {second} is hers / 苏晴",
    "facts_opening": "From the old system: 41 purchases",
    "facts_receipt": "Bought for ¥3",
    "facts_referral": "Brought by 莹莹",
    "facts_visit": "Came to the store / purpose 甲",
}
"""Table of facts -> how a row of it about 薇拉 is told (`one_of_each`)."""


def test_every_table_of_facts_is_told(shop: Cast) -> None:
    second = everything_about(shop, shop.vera, shop.jing_an, "甲", by=shop.clerk)
    brought(shop)
    tables = {one._meta.db_table for one in apps.get_app_config("facts").get_models() if issubclass(one, Fact)}
    assert tables == FACTS.keys(), "a table of facts that no timeline tells"
    told = "\n".join(lines(story(asked(shop, family=(shop.vera.pk, second.pk)))))
    for table, said in FACTS.items():
        assert said.format(second=second.pk) in told, table


def brought(shop: Cast) -> None:
    from_file = {"how": "file", "happened_at": NOW, "business_date": ago(400), "recorded_at": NOW}
    apps.get_model("facts", "Referral").objects.create(
        customer=shop.vera, referrer=shop.ying, source_key="brought", **from_file
    )


def test_what_is_no_fact_but_hers_is_told_too(shop: Cast) -> None:
    everything_about(shop, shop.vera, shop.jing_an, "甲", by=shop.clerk)
    said = lines(story(asked(shop)))
    for line in (
        "Tag added: tag 甲 / Rule “rule 甲”, from receipt 1",
        "Tag added: former 甲 / By somebody of the shop",
        "Tag gone: former 甲 / Called wrong / 苏晴",
        "Rank: rank 甲 / Said by a model of your own",
        "Adviser from here on: 苏晴",
        "Note / note 甲 / 苏晴",
        "Looked at the whole phone number / to call her / 苏晴",
        "Follow-up: Lost to us / By hand · Price / 苏晴",
    ):
        assert line in said, line


def test_every_kind_of_event_is_told_or_its_row_is() -> None:
    assert timeline.EVENTS.keys() | timeline.BY_THEIR_ROWS == KINDS.keys()
    assert timeline.EVENTS.keys().isdisjoint(timeline.BY_THEIR_ROWS)


def test_every_kind_of_thing_has_a_filter() -> None:
    groups = {group for group, _ in timeline.EVENTS.values()}
    groups |= {kind for kinds, _ in timeline.SOURCES for kind in kinds}
    assert groups == timeline.KINDS.keys() - {""}


@pytest.mark.parametrize(
    ("kind", "data", "told"),
    [
        ("customer.registered", {"source": "路过"}, "Written down as a customer / First source: 路过"),
        ("data.requested", {"what": "export"}, "Asked for a copy of her data / On her own page"),
        ("data.requested", {"what": "erase"}, "Asked to be forgotten / On her own page"),
        ("complaint.received", {"about": "waiting", "minutes": 40}, "Complained / waiting"),
        ("complaint.received", {}, "Complained"),
        ("complaint.received", {"topic": {"odd": 1}}, "Complained"),
        ("tag.added", {"tag": "VIP"}, "Tag added: VIP"),
        ("tag.added", {}, "Tag added"),
        ("phone.unmasked", {"reason": "message", "by": "key:3"}, "Looked at the whole phone number / to write to her"
         " / Another system"),
        ("customer.changed", {"fields": ["city"], "by": "key:3"}, "Profile changed / City / Another system"),
    ],
)  # fmt: skip
def test_an_event_says_what(shop: Cast, kind: str, data: dict[str, object], told: str) -> None:
    record(kind, source_key="one", happened_at=NOW, now=NOW, customer=shop.vera, data=data)
    found = story(asked(shop))
    assert told in lines(found)
    group = timeline.EVENTS[kind][0]
    assert told in lines(story(asked(shop, group)))


def test_a_tag_put_on_by_hand_is_told_once_and_by_its_name(shop: Cast, client: Client) -> None:
    client.force_login(shop.clerk)
    client.post(f"/customers/{shop.vera.pk}/tags/", {"tag": "怕冷"})
    assert [one for one in lines(story(asked(shop))) if one.startswith("Tag")] == ["Tag added: 怕冷 / By 苏晴"]
    page = client.get(f"/customers/{shop.vera.pk}/", {"kind": "other"}, headers={"HX-Request": "true"})
    assert "添加了标签：怕冷" in page.content.decode()


def test_what_a_form_asks_at_once_is_one_thing_that_happened(shop: Cast) -> None:
    offered = [topic for topic in topics() if topic[0] is Purpose.MARKETING]
    for given, key in ((True, "yes"), (False, "no")):
        state(
            [shop.vera.pk], offered, given=given, proof=Proof(how="form"), source_key=key,
            happened_at=NOW - dt.timedelta(hours=given), time_zone="Asia/Shanghai", now=NOW,
        )  # fmt: skip
    withdrawn, given_first = story(asked(shop, "other"))
    assert [withdrawn.title, given_first.title] == ["Consent refused or withdrawn", "Consent given"]
    assert len(offered) == 4
    assert given_first.text.count("Offers") == 4


def test_a_merge_taken_back_is_told_no_more(shop: Cast) -> None:
    second = everything_about(shop, shop.vera, shop.jing_an, "甲", by=shop.clerk)
    both = asked(shop, family=(shop.vera.pk, second.pk))
    assert [one for one in lines(story(both)) if one.startswith("Joined")]
    batch = apps.get_model("facts", "MergeLink").objects.get(merged=second).batch
    unmerge(batch.pk, now=NOW)
    assert not [one for one in lines(story(both)) if one.startswith("Joined")]


def scored(shop: Cast, one: Score, number: int, days: int) -> None:
    ScoreValue.objects.create(customer=shop.vera, score=one, number=number, scored_on=ago(days))


def test_a_score_is_told_where_it_says_something_else_than_before(shop: Cast) -> None:
    churn = define_score(key="churn", kind="chance", labels={"en": "Churn"}, roles=["owner"], now=NOW)
    for number, days in ((2_000, 9), (2_000, 8), (7_350, 7), (7_350, 6), (2_000, 5)):
        scored(shop, churn, number, days)
    found = story(asked(shop, "other"))
    assert [(one.title, one.on) for one in found] == [
        ("Churn: 20.0%", ago(5)), ("Churn: 73.5%", ago(7)), ("Churn: 20.0%", ago(9)),
    ]  # fmt: skip
    assert len(story(replace(asked(shop, "other"), role="owner"))) == 3
    assert story(replace(asked(shop, "other"), role="staff")) == [], "the role does not see this score"
    assert len(story(replace(asked(shop, "other"), as_of=ago(7)))) == 2


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_pages_of_everything_never_repeat_or_miss(shop: Cast, size: int) -> None:
    second = everything_about(shop, shop.vera, shop.jing_an, "甲", by=shop.clerk)
    brought(shop)
    number = define_score(key="visits", kind="number", labels={"en": "Visits"}, now=NOW)
    for days in range(4):
        scored(shop, number, days, 3)
    add_tag(shop.vera, "VIP", now=NOW)
    wanted = asked(shop, family=(shop.vera.pk, second.pk))
    whole = [one.sorting for one in story(wanted)]
    assert len(whole) > 30
    seen: list[tuple[int, int, int]] = []
    while True:
        found, behind = timeline.page_of(wanted, size=size)
        seen += [one.sorting for one in found]
        if not behind:
            break
        wanted = replace(wanted, position=read_position(behind))
    assert seen == whole


def test_the_past_tells_nothing_of_later(shop: Cast) -> None:
    everything_about(shop, shop.vera, shop.jing_an, "甲", by=shop.clerk)
    told = story(replace(asked(shop), as_of=ago(5)))
    assert told
    assert max(one.on for one in told) <= ago(5) < TODAY


def test_a_consent_is_withdrawn_by_channel(shop: Cast) -> None:
    state(
        [shop.vera.pk], [(Purpose.CARE, Channel.CALL)], given=False, proof=Proof(how="phone"), source_key="w",
        happened_at=NOW, time_zone="Asia/Shanghai", now=NOW,
    )  # fmt: skip
    assert "Consent refused or withdrawn / Care: birthdays, how it went · Call · By phone" in lines(story(asked(shop)))
