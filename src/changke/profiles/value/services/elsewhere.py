"""Everybody's scores, said on other machines by the fit of here: what goes out with a plan, and what comes back.

They learn nothing: a chain without a fit, or with one that is due to be learned anew, sends none out, and what comes
back by another fit or other numbers than those of here is not taken. Then this machine says them, as by night.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from changke.engine.definitions import Composer
from changke.engine.plan import Scores
from changke.engine.prediction.scores import DAYS_KNOWN, Asked, Columns
from changke.profiles.value.models import ValueFit, ValueRules
from changke.profiles.value.queries import current_fit, value_rules
from changke.profiles.value.services.learn import is_stale
from changke.profiles.value.services.predict import BEFORE, BOUGHT, HOMES, Predicted, keep_everybody


def scores_for(composer: Composer, *, engine: str, today: dt.date) -> Scores | None:
    """What is asked of everybody; None where the chain is to be learned first."""
    fit, rules = current_fit(), value_rules()
    if fit is None or is_stale(fit, fit.purchase_days, rules, today=today):
        return None
    bought, before, homes = (composer.rows(name, engine=engine, ordered=False) for name in (BOUGHT, BEFORE, HOMES))
    return Scores(bought, before, homes, _asked(fit, rules, today))


def keep_said(found: Columns, asked: Mapping[str, Any], *, snapshot: int) -> Predicted | None:
    """Take over what was said of everybody, customers ascending. None where that was `asked` by a fit or numbers that
    do not hold here, or where the chain has become another one since it was learned."""
    fit, rules, today = current_fit(), value_rules(), dt.date.fromisoformat(asked["today"])
    if fit is None or _asked(fit, rules, today) != asked:
        return None
    if is_stale(fit, int(found[DAYS_KNOWN].sum()), rules, today=today):
        return None
    written = keep_everybody(found, fit, as_of=today, snapshot=snapshot)
    return Predicted(len(found["customer_id"]), written, fit)


def _asked(fit: ValueFit, rules: ValueRules, today: dt.date) -> dict[str, Any]:
    return Asked(
        parameters=fit.parameters,
        margins=fit.margins,
        margin_percent=rules.margin_percent,
        discount_percent=rules.discount_percent,
        worth_years=rules.worth_years,
        today=today,
    ).as_json()
