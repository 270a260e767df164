"""Definitions are rules and can be put back; a value is its own record, a load of them one line."""

import datetime as dt
from collections.abc import Mapping

from changke.facts.scores.models import Score
from changke.facts.scores.services import change_score
from changke.facts.scores.services.define import as_audited
from changke.foundation.audit.kinds import Kind, leave_out, register
from changke.foundation.audit.rules import By, Values


def _score(key: str) -> Values | None:
    score = Score.objects.filter(pk=key).first()
    return as_audited(score) if score else None


def _restore(key: str, values: Mapping[str, object], *, by: By, now: dt.datetime) -> None:
    change_score(Score.objects.get(pk=key), values, by=by, now=now)


register(Kind("score", ("facts_score",), "fields.manage", _score, _restore))
leave_out("facts_scorevalue", "each is its own record; the batch that brought it has its lines")
