"""Whether we may, from what she said. docs/algorithms/consent.md is this page in prose."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

GROWN_UP_AT = 14
"""PIPL article 31: below it only a guardian consents."""


class Purpose(StrEnum):
    MARKETING = "marketing"
    CARE = "care"
    SERVICE = "service"
    SURVEY = "survey"
    PROFILING = "profiling"
    HEALTH = "health"
    PERSONAL = "personal"
    """The switch of PIPL article 24: withdrawn means "not personalised". Silence leaves it on."""


class Channel(StrEnum):
    NONE = ""
    SMS = "sms"
    CALL = "call"
    WECHAT = "wechat"
    EMAIL = "email"


REACHING = (Purpose.MARKETING, Purpose.CARE, Purpose.SERVICE, Purpose.SURVEY)
"""Purposes that reach out to her: each channel is asked for on its own."""
QUIET = (Purpose.PROFILING, Purpose.HEALTH)
"""Purposes that only keep or compute something."""
CHANNELS = (Channel.SMS, Channel.CALL, Channel.WECHAT, Channel.EMAIL)
ADDRESS: Mapping[Channel, str] = {
    Channel.SMS: "phone",
    Channel.CALL: "phone",
    Channel.WECHAT: "wecom",
    Channel.EMAIL: "email",
}
"""Which kind of identifier a channel writes to."""

HOWS = ("counter", "phone", "form", "member_page", "file", "machine")

Topic = tuple[Purpose, Channel]


def topics() -> list[Topic]:
    """Everything that can be consented to, in the order of pages."""
    return [(purpose, channel) for purpose in REACHING for channel in CHANNELS] + [
        (purpose, Channel.NONE) for purpose in QUIET
    ]


def fits(purpose: Purpose, channel: Channel) -> bool:
    return (purpose in REACHING) == (channel is not Channel.NONE)


@dataclass(frozen=True)
class Statement:
    """What she said last about one topic, under one of her records."""

    customer_id: int
    given: bool
    happened_at: dt.datetime
    how: str = ""
    text_version: str = ""
    guardian: bool = False
    separate: bool = False


@dataclass(frozen=True)
class Verdict:
    """May we, and why. `since` is the statement that decides, where one does."""

    allowed: bool
    reason: str
    since: dt.datetime | None = None


@dataclass(frozen=True)
class Person:
    """What a verdict needs to know of her beside what she said."""

    erased: bool = False
    birth_year: int | None = None
    birth_month: int | None = None
    birth_day: int | None = None


def strictest(statements: Iterable[Statement]) -> Statement | None:
    """Of the last statements of merged records: a withdrawal if there is one, else the latest consent."""
    return max(statements, key=lambda one: (not one.given, one.happened_at), default=None)


def may(
    *,
    purpose: Purpose,
    said: Statement | None,
    person: Person,
    on: dt.date,
    suppressed: bool = False,
    personal: Statement | None = None,
) -> Verdict:
    """The verdict: the first reason of the page that applies."""
    if person.erased:
        return Verdict(False, "erased")
    if suppressed:
        return Verdict(False, "suppressed")
    if purpose is Purpose.PROFILING and personal is not None and not personal.given:
        return Verdict(False, "not_personalised", personal.happened_at)
    if said is None:
        return Verdict(False, "not_asked")
    if not said.given:
        return Verdict(False, "withdrawn", said.happened_at)
    if may_be_a_child(person, on) and not said.guardian:
        return Verdict(False, "guardian_missing", said.happened_at)
    if purpose is Purpose.HEALTH and not said.separate:
        return Verdict(False, "not_separate", said.happened_at)
    return Verdict(True, "given", said.happened_at)


def may_be_a_child(person: Person, on: dt.date) -> bool:
    """Under 14 on that day, as far as her birthday tells; a year alone counts as its last day."""
    if person.birth_year is None:
        return False
    month, day = (person.birth_month, person.birth_day) if person.birth_month and person.birth_day else (12, 31)
    return on.year - person.birth_year - ((on.month, on.day) < (month, day)) < GROWN_UP_AT
