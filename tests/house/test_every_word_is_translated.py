"""The product speaks zh-Hans, zh-Hant and English, completely. How to add words: docs/howto/translate.md."""

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
