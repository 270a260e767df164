"""Defining scores: what the chain's own models say of its customers."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

from django.db import IntegrityError, transaction

from changke.facts.scores import rules
from changke.facts.scores.models import Score
from changke.foundation.audit.rules import HOUSE, By
from changke.foundation.audit.services import record
from changke.foundation.errors import DomainError, Invalid

MOST_SCORES = 40
CHANGEABLE = ("labels", "roles")


class ScoreKeyTaken(DomainError):
    code, status = "score_key_taken", 409
    message = "There is already a score %(key)s."


class ScoreInUse(DomainError):
    code, status = "score_in_use", 409
    message = "%(users)s asks for this score: let it ask for something else first."


Users = Callable[[str], list[str]]
"""Key of a score -> who asks for it, by name."""

_users: list[Users] = []


def register_users(users: Users) -> Users:
    """Keep a score in use that a later room asks for. Later rooms register when they are imported."""
    _users.append(users)
    return users


def require_unused(score: Score) -> None:
    """Raises ScoreInUse, with the names of those who ask for it."""
    if found := sorted({name for users in _users for name in users(score.key)}):
        raise ScoreInUse(users=", ".join(found))


@transaction.atomic
def define_score(
    *, key: str, kind: str, labels: Mapping[str, str], roles: Sequence[str] = (), by: By = HOUSE, now: dt.datetime
) -> Score:
    """A new score. Key and kind stay as they are; name and who sees it may change."""
    if not rules.KEY.fullmatch(key) or key.endswith(rules.DAY_ENDING):
        raise Invalid(
            field="key", reason="begins with a small letter; then letters, digits and _, at most 40; not ending in _on"
        )
    if kind not in rules.KINDS:
        raise Invalid(field="kind", reason="choose one of %(choices)s", choices=", ".join(rules.KINDS))
    if Score.objects.count() >= MOST_SCORES:
        raise Invalid(field="key", reason="a chain has at most %(most)s scores of its own", most=MOST_SCORES)
    score = Score(key=key, kind=kind)
    _write(score, {"labels": dict(labels), "roles": list(roles)})
    try:
        with transaction.atomic():
            score.save()
    except IntegrityError:
        raise ScoreKeyTaken(key=key) from None
    after = {"key": key, "kind": kind, **as_audited(score)}
    record(by=by, action="score.defined", subject=f"score:{score.pk}", after=after, now=now)
    return score


@transaction.atomic
def change_score(score: Score, changes: Mapping[str, object], *, by: By = HOUSE, now: dt.datetime) -> Score:
    """Change its name and who sees it.

    Raises
    ------
    ScoreInUse
        If only some roles shall see it, and a stage model that everybody sees asks for it.
    """
    score = Score.objects.select_for_update().get(pk=score.pk)
    before = as_audited(score)
    _write(score, changes)
    if score.roles:
        require_unused(score)
    score.save()
    record(by=by, action="score.changed", subject=f"score:{score.pk}", before=before, after=as_audited(score), now=now)
    return score


@transaction.atomic
def retire_score(score: Score, *, back: bool = False, by: By = HOUSE, now: dt.datetime) -> Score:
    """Ask it no more, or (`back`) again. What was said stays.

    Raises
    ------
    ScoreInUse
        If a stage model asks for it.
    """
    score = Score.objects.select_for_update().get(pk=score.pk)
    if (score.retired_at is None) == back:
        return score
    if not back:
        require_unused(score)
    score.retired_at = None if back else now
    score.save(update_fields=["retired_at"])
    action = "score.revived" if back else "score.retired"
    record(by=by, action=action, subject=f"score:{score.pk}", after={"key": score.key}, now=now)
    return score


def as_audited(score: Score) -> dict[str, object]:
    return {name: getattr(score, name) for name in CHANGEABLE}


def _write(score: Score, changes: Mapping[str, object]) -> None:
    for name, value in changes.items():
        if name not in CHANGEABLE:
            raise Invalid(field=name, reason="not a part of a score that can change")
        setattr(score, name, value)
    score.labels = {code: " ".join(str(said).split())[:60] for code, said in score.labels.items() if str(said).strip()}
    if not score.labels:
        raise Invalid(field="labels", reason="give it a name in one language at least")
