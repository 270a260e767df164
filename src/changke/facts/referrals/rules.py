"""Whom a statement may name. Pure. docs/algorithms/referral.md"""

from collections.abc import Mapping

from changke.foundation.errors import DomainError


class ReferrerIsHerself(DomainError):
    code, status = "referrer_is_herself", 409
    message = "Nobody brought herself. If two records are of one person, name another customer."


class ReferralCircle(DomainError):
    code, status = "referral_circle", 409
    message = "She was herself brought by this customer, directly or through others."


def check(person: int, referrer: int, brought_by: Mapping[int, int | None]) -> None:
    """May `referrer` have brought `person`? `brought_by` knows at least everybody above the referrer.

    Raises
    ------
    ReferrerIsHerself, ReferralCircle
    """
    if person == referrer:
        raise ReferrerIsHerself
    met: set[int] = set()
    above = brought_by.get(referrer)
    while above is not None and above not in met:  # a merge may have closed a circle above
        if above == person:
            raise ReferralCircle
        met.add(above)
        above = brought_by.get(above)
