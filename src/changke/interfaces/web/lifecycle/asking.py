"""The conditions of a model's rules as editors of rows and text, the same that segments have: read from the form, and
shown again. What was typed stays with its rule, wherever that moves."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import get_language

from changke.foundation.organisation.models import Chain
from changke.interfaces.web.conditions.editor import Editor, Language, Offered, of_form, of_tree
from changke.interfaces.web.conditions.rows import CONSENT, COUNT, SEQUENCE, SUM, TAG, Sent
from changke.profiles.attributes.queries import settings_of
from changke.profiles.conditions import ConditionError
from changke.profiles.lifecycle.beyond import BEYOND
from changke.profiles.lifecycle.queries import may_be_asked

DONE = ("purchase", "use", "return", "visit")
OFFERED = Offered((TAG, CONSENT, COUNT, SUM, SEQUENCE), (*DONE, "event"), DONE)
"""What has a column of any day. Whoever writes something else as text is told why not when it is tried."""

NEW = "new"
"""Prefix of the editor of one rule more."""


def language_of(chain: Chain) -> Language:
    asked = may_be_asked(language=get_language() or "zh-hans")
    return Language(asked, settings_of(chain), chain.currency, BEYOND, OFFERED)


def prefix_of(place: int) -> str:
    return f"when-{place}"


def taken_up(definition: Mapping[str, Any], data: Sent, language: Language, *, strict: bool) -> dict[int, Editor]:
    """Write what the sent editors ask into their rules. By the identity of the rule, which may change its place: the
    editors as they were sent, those with mistakes among them.

    `strict`: an empty row is a mistake. What somebody only looked at stays as it was written.
    """
    found: dict[int, Editor] = {}
    for place, rule in enumerate(definition["ask"]):
        if "when" not in rule or not data.getlist(f"{prefix_of(place)}.mode"):
            continue
        editor = found[id(rule)] = of_form(prefix_of(place), data, language).read(strict=strict)
        if editor.tree is not None and editor.tree != opened(place, rule, language).read(strict=strict).tree:
            rule["when"] = editor.tree
    return found


def opened(place: int, rule: Mapping[str, Any], language: Language) -> Editor:
    """The editor of a rule as it stands; with one empty row where that cannot be asked, which is named elsewhere."""
    try:
        language.check(rule["when"])
    except ConditionError:
        return of_tree(prefix_of(place), None, language)
    return of_tree(prefix_of(place), rule["when"], language)


def shown_at(place: int, rule: Mapping[str, Any], sent: Mapping[int, Editor], language: Language) -> Editor:
    """The editor of the rule at this place: as it was sent, or as the rule stands."""
    editor = sent.get(id(rule)) or opened(place, rule, language)
    editor.prefix = prefix_of(place)
    return editor
