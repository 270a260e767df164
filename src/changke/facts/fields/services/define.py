"""Defining fields: what is asked of every customer, beside what the product asks."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from changke.facts.fields import rules
from changke.facts.fields.models import Field, FieldValue
from changke.foundation.audit.rules import HOUSE, By
from changke.foundation.audit.services import record
from changke.foundation.errors import DomainError, Invalid

MOST_FIELDS = 60
CHANGEABLE = ("labels", "choices", "required", "minimum", "maximum", "roles", "position")


class FieldKeyTaken(DomainError):
    code, status = "field_key_taken", 409
    message = "There is already a field %(key)s."


class ChoiceInUse(DomainError):
    code, status = "choice_in_use", 409
    message = "%(customers)s customers still have %(choice)s. Change theirs first, or keep the choice."


class FieldInUse(DomainError):
    code, status = "field_in_use", 409
    message = "%(users)s asks for this field: let it ask for something else first."


class ChoicesAskedByPlace(FieldInUse):
    """One asks for the third of several choices: whoever stands third is asked for, whatever it is called."""

    message = (
        "%(users)s asks for this field by the place of its choices:"
        " keep them as they are and in their order, and add new ones at the end."
    )


class ChoiceAsked(FieldInUse):
    message = "%(users)s asks for %(choice)s: let it ask for something else first, or keep the choice."


@dataclass(frozen=True)
class User:
    """Who asks for a field, by name; `choices`: of one of several, those that it names."""

    name: str
    choices: frozenset[str] = frozenset()
    may_miss_it: bool = False
    """Whether it goes on without the field: then only what its choices mean is kept for it."""


Users = Callable[[Field], list[User]]
"""A field -> who asks for it."""

_users: list[Users] = []


def register_users(users: Users) -> Users:
    """Keep a field in use that a later room asks for. Later rooms register when they are imported."""
    _users.append(users)
    return users


def require_unused(field: Field) -> None:
    """Raises FieldInUse, with the names of those who ask for it."""
    if found := [one for one in _users_of(field) if not one.may_miss_it]:
        raise FieldInUse(users=_names(found))


def _users_of(field: Field) -> list[User]:
    return [one for users in _users for one in users(field)]


def _names(users: Sequence[User]) -> str:
    return ", ".join(sorted({one.name for one in users}))


def _require_same_meaning(field: Field, kept: Sequence[str]) -> None:
    """Raises FieldInUse where somebody who asks for a choice would ask for another one, or for none."""
    if field.kind == "choices" and list(kept[: len(field.choices)]) != field.choices:
        if found := _users_of(field):
            raise ChoicesAskedByPlace(users=_names(found))
    elif field.kind == "choice" and (gone := set(field.choices) - set(kept)):
        for choice in sorted(gone):
            if naming := [one for one in _users_of(field) if choice in one.choices]:
                raise ChoiceAsked(users=_names(naming), choice=choice)


@transaction.atomic
def define(
    *,
    key: str,
    kind: str,
    labels: Mapping[str, str],
    choices: Sequence[str] = (),
    required: bool = False,
    minimum: int | None = None,
    maximum: int | None = None,
    roles: Sequence[str] = (),
    by: By = HOUSE,
    now: dt.datetime,
) -> Field:
    """A new field. Key and kind stay as they are; everything else may change later."""
    if not rules.KEY.fullmatch(key):
        raise Invalid(field="key", reason="begins with a small letter; then letters, digits and _, at most 40")
    if kind not in rules.KINDS:
        raise Invalid(field="kind", reason="choose one of %(choices)s", choices=", ".join(rules.KINDS))
    if Field.objects.count() >= MOST_FIELDS:
        raise Invalid(field="key", reason="a chain has at most %(most)s fields of its own", most=MOST_FIELDS)
    field = Field(key=key, kind=kind, position=Field.objects.count() + 1)
    _write(
        field,
        {
            "labels": dict(labels),
            "choices": list(choices),
            "required": required,
            "minimum": minimum,
            "maximum": maximum,
            "roles": list(roles),
        },
    )
    try:
        with transaction.atomic():
            field.save()
    except IntegrityError:
        raise FieldKeyTaken(key=key) from None
    after = {"key": key, "kind": kind, **as_audited(field)}
    record(by=by, action="field.defined", subject=f"field:{field.pk}", after=after, now=now)
    return field


@transaction.atomic
def change_field(field: Field, changes: Mapping[str, object], *, by: By = HOUSE, now: dt.datetime) -> Field:
    """Change labels, choices, bounds, who sees it. Values that stand there already are not judged anew.

    Raises
    ------
    ChoiceInUse
        If a choice is taken away that somebody has.
    FieldInUse
        If only some roles shall see it, and a stage model that everybody sees asks for it; if a stage model or a
        segment names a choice that is taken away, or asks for one of several whose place would be another one's.
    """
    field = Field.objects.select_for_update().get(pk=field.pk)
    before = as_audited(field)
    given = changes.get("choices", field.choices)
    kept = _tidied(given) if isinstance(given, list | tuple) else []
    for choice in field.choices:
        if choice in kept:
            continue
        standing = FieldValue.objects.filter(field=field)
        having = (
            standing.filter(text=choice) if field.kind == "choice" else standing.filter(text__contains=f"|{choice}|")
        )
        if count := having.count():
            raise ChoiceInUse(customers=count, choice=choice)
    _require_same_meaning(field, kept)
    _write(field, changes)
    if field.roles:
        require_unused(field)
    field.save()
    record(by=by, action="field.changed", subject=f"field:{field.pk}", before=before, after=as_audited(field), now=now)
    return field


@transaction.atomic
def retire(field: Field, *, back: bool = False, by: By = HOUSE, now: dt.datetime) -> Field:
    """Ask it no more, or (`back`) again. What stands in it stays.

    Raises
    ------
    FieldInUse
        If a stage model asks for it.
    """
    field = Field.objects.select_for_update().get(pk=field.pk)
    if (field.retired_at is None) == back:
        return field
    if not back:
        require_unused(field)
    field.retired_at = None if back else now
    field.save(update_fields=["retired_at"])
    action = "field.revived" if back else "field.retired"
    record(by=by, action=action, subject=f"field:{field.pk}", after={"key": field.key}, now=now)
    return field


def as_audited(field: Field) -> dict[str, object]:
    return {name: getattr(field, name) for name in CHANGEABLE}


def _write(field: Field, changes: Mapping[str, object]) -> None:
    for name, value in changes.items():
        if name not in CHANGEABLE:
            raise Invalid(field=name, reason="not a part of a field that can change")
        setattr(field, name, value)
    field.labels = {code: " ".join(str(said).split())[:60] for code, said in field.labels.items() if str(said).strip()}
    if not field.labels:
        raise Invalid(field="labels", reason="give it a name in one language at least")
    field.choices = _tidied(field.choices)
    if field.kind in ("choice", "choices"):
        _check_choices(field.choices)
    else:
        field.choices = []
    low, high = field.minimum, field.maximum
    if low is not None and high is not None and low > high:
        raise Invalid(field="maximum", reason="must not be smaller than the least")


def _tidied(choices: Sequence[object]) -> list[str]:
    return [" ".join(str(choice).split()) for choice in choices if str(choice).strip()]


def _check_choices(choices: Sequence[str]) -> None:
    if not choices:
        raise Invalid(field="choices", reason="give one choice at least, each on a line")
    if len(choices) > rules.MOST_CHOICES or len(set(choices)) < len(choices):
        raise Invalid(field="choices", reason="at most %(most)s choices, each once", most=rules.MOST_CHOICES)
    if any("|" in choice or len(choice) > 60 for choice in choices):
        raise Invalid(field="choices", reason="a choice has at most 60 characters, and no bar")
