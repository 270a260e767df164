"""A condition reads as a sentence; every language has every template."""

import re
from collections.abc import Iterator

import pytest
from django.utils import translation

from changke.engine.definitions import Registry
from changke.profiles.conditions import Beyond, read_condition, words

SPEAKER = words.Speaker(money=lambda minor: f"¥{minor // 100}.{minor % 100:02}")
LATE = {"attribute": "silent_days", "op": ">", "value": 60}
GOLD = {"attribute": "tier", "op": "in", "value": ["gold", "银卡", "none"]}


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        (LATE, "days since she was last seen is more than 60 days"),
        ({**LATE, "op": "=", "value": 1}, "days since she was last seen is 1 day"),
        ({"attribute": "cash", "op": ">=", "value": 200050},
         "cash received from her, cards sold included is at least ¥2000.50"),
        ({"attribute": "purchases", "op": "<=", "value": 3}, "paid receipts is at most 3"),
        ({"attribute": "last_seen", "op": "<", "value": "2026-02-28"},
         "last day on which she bought or came is before 02/28/2026"),
        (GOLD, "her tier is one of gold, 银卡 or none"),
        ({**GOLD, "value": ["gold"]}, "her tier is one of gold"),
        ({"known": "tier"}, "her tier is known"),
        ({"not": {"known": "tier"}}, "her tier is unknown"),
        ({"not": LATE}, "not (days since she was last seen is more than 60 days)"),
        ({"and": [{"known": "tier"}]}, "her tier is known"),
        ({"and": [LATE, {"known": "tier"}, {"known": "cash"}]},
         "days since she was last seen is more than 60 days and her tier is known"
         " and cash received from her, cards sold included is known"),
        ({"or": [{"known": "tier"}, {"and": [{"known": "stage"}, {"not": {"known": "tier"}}]}]},
         "her tier is known or (her stage is known and her tier is unknown)"),
    ],
)  # fmt: skip
def test_a_condition_reads_as_a_sentence(registry: Registry, tree: object, sentence: str) -> None:
    assert SPEAKER.say(read_condition(tree, registry.attributes)) == sentence


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        ({"tag": "敏感肌"}, "she wears the tag 敏感肌"),
        ({"not": {"consent": "marketing", "channel": "sms"}}, "not (she said yes to marketing sms)"),
        ({"segment": "vip"}, "she is in the segment vip"),
        ({"measure": "count", "deed": {"kind": "purchase", "category": "face"}, "days": 90, "op": ">=", "value": 2},
         "the number of purchases of the category face in the last 90 days is at least 2"),
        ({"measure": "sum", "deed": {"kind": "use"}, "since": "visit", "op": "=", "value": 5000},
         "the amount of card uses since the last visit is ¥50.00"),
        ({"first": {"kind": "visit"}, "then": {"kind": "purchase", "item": "A"}, "within": 1, "days": 30},
         "a visit in the last 30 days, and a purchase of A within 1 day after it"),
    ],
)  # fmt: skip
def test_what_is_asked_beyond_attributes_reads_as_a_sentence(registry: Registry, tree: object, sentence: str) -> None:
    assert SPEAKER.say(read_condition(tree, registry.attributes, beyond=Beyond())) == sentence


def test_a_percent_sign_is_only_a_sign(registry: Registry) -> None:
    tree = {"attribute": "tier", "op": "=", "value": "50%(value)s"}
    assert SPEAKER.say(read_condition(tree, registry.attributes)) == "her tier is 50%(value)s"


@pytest.mark.parametrize("language", ["zh-hans", "zh-hant", "en"])
def test_every_template_keeps_its_parts_in_every_language(language: str) -> None:
    """A translation that loses %(value)s would lose the value; one that invents a part would crash the page."""
    with translation.override("en"):
        english = [str(template) for template in templates()]
    with translation.override(language):
        spoken = [str(template) for template in templates()]
    for original, translated in zip(english, spoken, strict=True):
        assert sorted(re.findall(r"%\(\w+\)s", translated)) == sorted(re.findall(r"%\(\w+\)s", original)), original


def templates() -> list[words.Template]:
    single = [words.KNOWN, words.UNKNOWN, words.NOT, words.GROUP, words.LIST, words.LAST]
    single += [words.TAGGED, words.CONSENTED, words.MEMBER, words.SEQUENCE, words.SEQUENCE_SINCE]
    single += [*words.DEEDS.values(), *words.ONE_DEED.values(), *words.WINDOWS.values()]
    return [*words.NUMBERS.values(), *words.DAYS.values(), *words.BOTH.values(), *single]
