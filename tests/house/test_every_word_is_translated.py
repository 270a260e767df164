"""The product speaks zh-Hans, zh-Hant and English, completely. How to add words: docs/howto/translate.md."""

import re

import pytest
from babel.messages.catalog import Message
from scripts import messages


def test_every_word_is_translated() -> None:
    assert messages.check() == []


def test_the_collector_finds_words_wherever_they_are_said() -> None:
    wanted = messages.used()
    assert (None, "Log in") in wanted  # a template
    assert ("stage", "Quiet") in wanted  # Python, with a context
    assert (None, ("%(count)s store", "%(count)s stores")) in wanted  # a plural
    assert (None, "Name or password is not right.") in wanted  # the message of a refusal
    assert (None, "must not be negative") in wanted  # the reason of a refusal


@pytest.mark.parametrize(
    ("said", "faults"),
    [
        ("（%(day)s）之后，%(days)s 天内", 0),
        ("%(first)s,之后", 1),
        ("毛利率(%%)", 1),
        ("需要它: %(why)s", 1),
        ("%(cause)s (%(day)s)", 1),
    ],
)
def test_chinese_has_its_own_punctuation(said: str, faults: int) -> None:
    english = Message(" ".join(re.findall(r"%\(\w+\)s", said)) or "x", said)
    assert len(messages.faults(english, said)) == faults
