"""Which records may be of one person, and how sure that is. docs/algorithms/identity.md says it in prose."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
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
    Rule("name_birthday", frozenset({"name", "birthday"}), 85),
    Rule("email", frozenset({"email"}), 60),
    Rule("phone", frozenset({"phone"}), 40),
)
"""The surest first. None of them merges: a person does."""

SURE, LIKELY = 90, 60
"""From which score on a pair is called sure, and likely; below, perhaps."""


NAME_BIRTHDAY = next(rule for rule in RULES if rule.key == "name_birthday")


def judge(signals: Collection[str], chance: int = 100) -> Rule | None:
    """The surest rule that two records with these things in common fit; None where they say nothing together.
    `chance`: that a name and a birthday in common are one person's (`chance_of_one`), which is then the score."""
    held = set(signals)
    for rule in RULES:
        if rule.needs <= held and (rule != NAME_BIRTHDAY or chance >= PROPOSED_FROM):
            return replace(rule, score=min(rule.score, chance)) if rule == NAME_BIRTHDAY else rule
    return None


SECOND_RECORDS = 0.01
"""Of all records, how many are the second one of somebody, by our estimate."""
DAYS_IMAGINED, USUAL_DAY = 1_000, 1 / 20_000
"""Birthdays imagined beside those that are known, and how many of them are the same."""
HOME_AGAIN = 0.8
"""Of second records, how many have the same home store because it is hers."""
PROPOSED_FROM = 50


@dataclass(frozen=True)
class Namesakes:
    """Records that have a name and a full birthday in common, and how common each is among all."""

    alike: int
    named: int
    """Records with this name."""
    born: int
    """Records with this birthday, of `dated` that have one."""
    dated: int

    @property
    def by_chance(self) -> float:
        """Pairs of strangers for each record with the name."""
        day = (self.born - self.alike + DAYS_IMAGINED * USUAL_DAY) / (self.dated - self.alike + DAYS_IMAGINED)
        return (self.named - 1) / 2 * day


def chance_of_one(namesakes: Namesakes, stores: tuple[int | None, int | None], shares: Mapping[int, float]) -> int:
    """Of a hundred such pairs, how many are one person. `shares`: of all records, how many have this home store."""
    strangers = namesakes.by_chance
    one, other = stores
    if one is not None and other is not None:
        share = shares.get(one, 0.0)
        strangers *= share / (HOME_AGAIN + (1 - HOME_AGAIN) * share) if one == other else 1 / (1 - HOME_AGAIN)
    return round(100 * SECOND_RECORDS / (SECOND_RECORDS + strangers))


def in_order(signals: Collection[str]) -> list[str]:
    return [one for one in SIGNALS if one in signals]


def plain_name(name: str) -> str:
    """As names are compared: without spaces and without regard to case."""
    return re.sub(r"\s", "", name).lower()


def pairs(people: Sequence[int]) -> list[tuple[int, int]]:
    """Every two of them, the smaller number first; none where they are too many to be one person."""
    found = sorted(set(people))
    return list(combinations(found, 2)) if len(found) <= MOST_ALIKE else []
