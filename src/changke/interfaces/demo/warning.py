"""The rule that warns in the demo: one that a back-test over its own past offers, right four times of five."""

import datetime as dt

from changke.foundation.audit.rules import system
from changke.profiles.risk.queries import rule_in_use
from changke.profiles.risk.rules import Wanted
from changke.profiles.risk.services.choose import use

BY = system("changke demo")
RULE = Wanted("outlook", 2_600, per_line=True)
"""Her chance to come in the next 90 days lies below 26 %; lines of services too."""


def choose_rule(*, now: dt.datetime) -> None:
    """Put it into use, unless somebody chose already. Before the first computation, so that it warns."""
    if rule_in_use() is None:
        use(RULE, by=BY, now=now)
