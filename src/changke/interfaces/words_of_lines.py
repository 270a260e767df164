"""Warnings about one line of services, in words: what she has let go, and by what the line warns."""

import datetime as dt

from django.utils.translation import gettext_lazy as _

from changke.interfaces.web import formats
from changke.profiles.risk.models import ChurnWarning, ServiceLine

LET_GO = _(
    "%(line)s: every %(gap)s days so far, not for %(silent_days)s, though she still comes. The chance that she has it"
    " within %(horizon_days)s days is %(outlook)s."
)
WARNS = {
    "outlook": _("Warned of because the chance fell below %(share)s."),
    "latest": _("Warned of because %(days)s days have passed; usual are %(cycle)s."),
}
RULES = {
    True: _("Chance below %(share)s, after %(days)s days at the latest"),
    False: _("After %(days)s days"),
}
REFUSED = {
    "few": _("Too few customers had it more than once, or for too short a time, to say when somebody is missed."),
    "no_signal": _("How long somebody has not had it says nothing about who gives it up."),
}
"""Why a line warns of nobody."""


def let_go(*, line: str, gap_days: int, silent_days: int, outlook_bp: int, horizon_days: int) -> str:
    """What she has let go, with its numbers."""
    return str(LET_GO) % {
        "line": line, "gap": gap_days, "silent_days": silent_days, "outlook": formats.basis_points(outlook_bp, 0),
        "horizon_days": horizon_days,
    }  # fmt: skip


def why(one: ChurnWarning, today: dt.date) -> str:
    """The sentence of a warning about a line."""
    return let_go(
        line=str(one.line),
        gap_days=one.gap_days or 0,
        silent_days=((one.ended_on or today) - one.silent_since).days,
        outlook_bp=one.outlook_bp,
        horizon_days=one.horizon_days,
    )


def fired(one: ChurnWarning) -> str:
    """Which part of the line's rule warned, as the rule is now."""
    assert one.line is not None
    said = WARNS["outlook" if one.fired == "outlook" else "latest"]
    return str(said) % {
        "share": share(one.line.threshold_bp),
        "cycle": one.line.cycle_days,
        "days": one.line.latest_days,
    }


def rule(line: ServiceLine) -> str:
    """By what a line warns."""
    return str(RULES[line.threshold_bp > 0]) % {"share": share(line.threshold_bp), "days": line.latest_days}


def refused(line: ServiceLine) -> str:
    """Why it warns of nobody; empty where it may."""
    return str(REFUSED[line.refused]) if line.refused else ""


def share(points: int) -> str:
    """Basis points as a share, without an empty decimal."""
    return formats.basis_points(points, 1).replace(".0%", "%")
