"""The chain's numbers of this room: how far ahead, what stays of the money, how much less later money is."""

import datetime as dt
from collections.abc import Mapping

from django.db import transaction

from changke.engine.prediction.holidays import CALENDARS
from changke.foundation.audit.rules import HOUSE, By, Values
from changke.foundation.audit.services import record
from changke.foundation.errors import Invalid
from changke.profiles.value.models import ValueRules
from changke.profiles.value.queries import value_rules
from changke.profiles.value.rules import OLDEST, YOUNGEST, checked_bands

BOUNDS = {
    "horizon_days": (7, 730),
    "margin_percent": (0, 100),
    "discount_percent": (0, 100),
    "worth_years": (1, 10),
    "target_age_from": (YOUNGEST, OLDEST),
    "target_age_until": (YOUNGEST, OLDEST),
}
MAY_BE_UNKNOWN = {"margin_percent", "target_age_from", "target_age_until"}
NAMES = (*BOUNDS, "calendar", "bands")


@transaction.atomic
def change_value_rules(changes: Mapping[str, object], *, by: By = HOUSE, now: dt.datetime) -> ValueRules:
    """Change some of the numbers; all or, where one is wrong, none. They hold from the next night or fit on."""
    one = value_rules()
    before = as_audited(one)
    for name, value in changes.items():
        setattr(one, name, _checked(name, value))
    if (one.target_age_from is None) != (one.target_age_until is None):
        raise Invalid(field="target_age_until", reason="say both ages or none")
    if one.target_age_from is not None and one.target_age_from >= (one.target_age_until or 0):
        raise Invalid(field="target_age_until", reason="the age until which comes after the first")
    one.save()
    record(
        by=by, action="value_rules.changed", subject=f"value_rules:{one.pk}", before=before, after=as_audited(one),
        now=now,
    )  # fmt: skip
    return one


def _checked(name: str, value: object) -> object:
    if name == "bands":
        try:
            return checked_bands(value)
        except ValueError as error:
            raise Invalid(
                field="bands", reason="%(name)s: one to eight whole numbers above zero, each above the one before",
                name=str(error),
            ) from None  # fmt: skip
    if name == "calendar":
        if not isinstance(value, str) or value not in CALENDARS:
            raise Invalid(field=name, reason="one of %(known)s", known=", ".join(sorted(CALENDARS)))
        return value
    if name not in BOUNDS:
        raise Invalid(field=name, reason="not a setting of the values")
    low, high = BOUNDS[name]
    if value is None and name in MAY_BE_UNKNOWN:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise Invalid(field=name, reason="a whole number from %(low)s to %(high)s", low=low, high=high)
    return value


def as_audited(one: ValueRules) -> Values:
    """What an audit line keeps of it."""
    return {name: getattr(one, name) for name in NAMES}
