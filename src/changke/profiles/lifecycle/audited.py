"""Stage models are rules: publishing one is a line, and an earlier definition can be published again."""

import datetime as dt
from collections.abc import Mapping

from changke.foundation.audit.kinds import Kind, leave_out, register
from changke.foundation.audit.rules import By, Values
from changke.foundation.organisation.queries import the_chain
from changke.profiles.lifecycle.models import StageModel
from changke.profiles.lifecycle.services.publish import publish_models


def _now(key: str) -> Values | None:
    model = StageModel.objects.filter(key=key).first()
    return {"definition": model.definition} if model else None


def _restore(key: str, values: Mapping[str, object], *, by: By, now: dt.datetime) -> None:
    definition = values["definition"]
    assert isinstance(definition, dict), "lines of stage models keep the definition as it was read"
    publish_models(the_chain(), definitions=[definition], by=by, now=now)


register(Kind("stages", ("profiles_stagemodel",), "settings.edit", _now, _restore, frozenset({"definition"})))
for table in ("standing", "seriesfill", "stagecount", "stageflow", "stageprofit", "stagespell", "storemonth"):
    leave_out(f"profiles_{table}", "computed from facts")
leave_out("profiles_stagereplay", "questions about the past and their answers, computed from facts; gone after a month")
