"""A score of a customer in words."""

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import get_language

from changke.facts.scores.queries import Said
from changke.interfaces.web import formats


@dataclass(frozen=True)
class Shown:
    name: str
    text: str
    scored_on: dt.date


def shown(one: Said) -> Shown:
    language = get_language() or "zh-hans"
    return Shown(one.score.label(language), _text(one, language), one.scored_on)


def _text(one: Said, language: str) -> str:
    if one.number is None:
        return one.text or ""
    if one.score.kind == "chance":
        return formats.basis_points(one.number, 1)
    if one.score.kind == "money":
        return formats.money(one.number, formats.currency.get(), language)
    return formats.number(one.number)
