"""Words for codes that conditions name: kinds of events, topics of consents."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from changke.facts.consents.rules import topics
from changke.interfaces import words

EVENTS: Mapping[str, str | Promise] = {
    "note.written": _("Note"),
    "complaint.received": _("Complaint"),
    "followup.recorded": _("Follow-up"),
    "app.opened": _("Opened a page or message of ours"),
}
"""Kinds of events with a word of their own; others are said by their code."""


def consents() -> list[tuple[str, str]]:
    """Purpose and channel as one code, with their words."""
    return [(f"{purpose} {channel}".strip(), words.topic(purpose, channel)) for purpose, channel in topics()]


def named(kind: str, code: str) -> str:
    """What a code stands for; other kinds are said by their code."""
    if kind == "event":
        return str(EVENTS.get(code, code))
    return dict(consents()).get(code, code) if kind == "consent" else code
