"""Which records may be of one person, and how sure that is. docs/algorithms/identity.md says it in prose."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations

SIGNALS = ("phone", "account", "email", "name", "birthday")
"""What two records may have in common. `account` is a WeCom id or a union id."""

MOST_ALIKE = 5
"""Records that share a phone, or a name and birthday. More are namesakes, or it is the phone of the shop."""

SHORTEST_NAME = 2
"""Characters of a name that says anything beside a birthday."""


@dataclass(frozen=True)
class Rule:
    """`needs`: what both records must have in common. `score`: of a hundred pairs of this kind, how many are one person
    by our estimate; it orders the list and decides nothing."""

    key: str
    needs: frozenset[str]
    score: int


RULES = (
    Rule("phone_name", frozenset({"phone", "name"}), 95),
    Rule("account", frozenset({"account"}), 90),
    Rule("name_birthday", frozenset({"name", "birthday"}), 80),
    Rule("email", frozenset({"email"}), 60),
    Rule("phone", frozenset({"phone"}), 40),
)
"""The surest first. None of them merges: a person does."""

SURE, LIKELY = 90, 60
"""From which score on a pair is called sure, and likely; below, perhaps."""


def judge(signals: Collection[str]) -> Rule | None:
    """The surest rule that two records with these things in common fit; None where they say nothing together."""
    held = set(signals)
    return next((rule for rule in RULES if rule.needs <= held), None)


def in_order(signals: Collection[str]) -> list[str]:
    return [one for one in SIGNALS if one in signals]


def plain_name(name: str) -> str:
    """As names are compared: without spaces and without regard to case."""
    return re.sub(r"\s", "", name).lower()


def pairs(people: Sequence[int]) -> list[tuple[int, int]]:
    """Every two of them, the smaller number first; none where they are too many to be one person."""
    found = sorted(set(people))
    return list(combinations(found, 2)) if len(found) <= MOST_ALIKE else []
