"""The chain's own fields on a customer's pages: shown in words, typed in a form, read back."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import get_language, gettext

from changke.facts.fields import rules
from changke.facts.fields.models import Field
from changke.facts.fields.queries import fields_for, values_of
from changke.foundation.money import exponent, to_major
from changke.interfaces.web import formats

PREFIX = "own_"


@dataclass(frozen=True)
class Shown:
    """One field that holds something, for her page."""

    label: str
    text: str
    others: str
    """The list of everybody of whom the same is known."""


@dataclass(frozen=True)
class Input:
    """One field of the form."""

    name: str
    label: str
    kind: str
    value: str
    error: str
    required: bool
    options: list[tuple[str, str]]
    ticked: list[tuple[str, bool]]


@dataclass
class Typed:
    """What the own fields of a sent form say: changes by key, and what is wrong by the name of the input."""

    changes: dict[str, rules.Plain] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def shown(customer_id: int, role: str) -> list[Shown]:
    fields = fields_for(role)
    values = values_of(customer_id, fields)
    language = get_language() or "zh-hans"
    found = []
    for one in fields:
        value = values[one.key]
        if value is not None:
            same = urlencode({"own": f"{one.key}~{_asked(value)}"})
            found.append(Shown(one.label(language), said(one, value), f"{reverse('customers')}?{same}"))
    return found


def _asked(value: rules.Plain) -> str:
    """A value as the address of the list asks for it: money in its smallest unit."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "|".join(value) if isinstance(value, list) else str(value)


def condition(asked: str) -> str:
    """The filter of the list in words."""
    key, _tilde, text = asked.partition("~")
    field = next((one for one in fields_for() if one.key == key), None)
    if field is None:
        return text
    with suppress(rules.Unfit):
        text = said(field, rules.fit(field.rule, rules.read(field.rule, text, exponent=0)))
    return gettext("%(field)s: %(value)s") % {"field": field.label(get_language() or "zh-hans"), "value": text}


def may_ask(asked: str, role: str) -> bool:
    """Who does not see a field learns nothing by filtering for it."""
    return asked.partition("~")[0] in {one.key for one in fields_for(role)}


def said(one: Field, value: rules.Plain) -> str:
    """A value in words."""
    language = get_language() or "zh-hans"
    if value is None:
        return ""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, list):
        return formats.enumeration(value, language)
    if isinstance(value, int):
        return formats.money(value, formats.currency.get(), language) if one.kind == "money" else formats.number(value)
    return value


def inputs(fields: Iterable[Field], typed: Mapping[str, str], errors: Mapping[str, str]) -> list[Input]:
    language = get_language() or "zh-hans"
    found = []
    for one in fields:
        name = PREFIX + one.key
        value = typed.get(name, "")
        chosen = set(value.split("|")) if one.kind == "choices" else {value}
        options = [("yes", gettext("yes")), ("no", gettext("no"))] if one.kind == "yes_no" else []
        options = options or [(choice, choice) for choice in one.choices]
        ticked = [(choice, choice in chosen) for choice in one.choices]
        found.append(
            Input(name, one.label(language), one.kind, value, errors.get(name, ""), one.required, options, ticked)
        )
    return found


def held(fields: Iterable[Field], customer_id: int) -> dict[str, str]:
    """What the inputs hold when the form is opened, as text."""
    kept = list(fields)
    values = values_of(customer_id, kept)
    return {PREFIX + one.key: as_text(one, values[one.key]) for one in kept}


def as_text(one: Field, value: rules.Plain) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "|".join(value)
    if one.kind == "money" and isinstance(value, int):
        return str(to_major(value, formats.currency.get()))
    return str(value)


def sent(query: QueryDict, fields: Iterable[Field]) -> dict[str, str]:
    """What was typed; several ticks are one text."""
    return {
        PREFIX + one.key: "|".join(query.getlist(PREFIX + one.key))
        if one.kind == "choices"
        else query.get(PREFIX + one.key, "").strip()
        for one in fields
    }


def read(
    fields: Iterable[Field], typed: Mapping[str, str], held_then: Mapping[str, str], *, all_required: bool = False
) -> Typed:
    """The fields somebody touched; what does not fit is an error beside its input. Of somebody new the required ones
    are asked too, touched or not (`all_required`)."""
    found = Typed()
    digits = exponent(formats.currency.get())
    for one in fields:
        name = PREFIX + one.key
        if typed[name] == held_then.get(name, "") and not (all_required and one.required):
            continue
        try:
            found.changes[one.key] = rules.fit(one.rule, rules.read(one.rule, typed[name], exponent=digits))
        except rules.Unfit as unfit:
            found.errors[name] = gettext(unfit.reason) % unfit.places if unfit.places else gettext(unfit.reason)
    return found
