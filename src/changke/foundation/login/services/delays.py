"""Wrong tries wait longer and longer; nobody is ever locked out.

A try is counted as a failure before it is made and taken back when it succeeds. Counted afterwards, a hundred guesses
sent at the same moment would all find the counter at nothing.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest

from changke.foundation.errors import DomainError
from changke.foundation.login.models import Attempt
from changke.foundation.login.rules import Patience

KEPT = dt.timedelta(days=2)
"""Longer than any counter remembers."""


class TooManyTries(DomainError):
    code, status = "too_many_tries", 429
    message = "Too many tries. Try again in %(seconds)s seconds."


@dataclass(frozen=True)
class Counter:
    """Where failures are counted, and with how much patience."""

    key: str
    patience: Patience


@transaction.atomic
def claim(counters: Sequence[Counter], *, now: dt.datetime) -> None:
    """Take a turn at all of these counters, or be told how long to wait."""
    by_key = {counter.key[:160]: counter.patience for counter in counters}
    fresh = [Attempt(key=key, failures=0, not_before=now, failed_at=now) for key in sorted(by_key)]
    Attempt.objects.bulk_create(fresh, ignore_conflicts=True)
    rows = list(Attempt.objects.select_for_update().filter(key__in=by_key).order_by("key"))
    longest = max(row.not_before for row in rows)
    if longest > now:
        raise TooManyTries(seconds=max(1, round((longest - now).total_seconds())))
    for row in rows:
        patience = by_key[row.key]
        past = 0 if now - row.failed_at > patience.forgotten_after else row.failures
        row.failures, row.failed_at = past + 1, now
        row.not_before = now + patience.wait(row.failures)
    Attempt.objects.bulk_update(rows, ["failures", "failed_at", "not_before"])


def forgive(counters: Sequence[Counter]) -> None:
    """It was right: these counters begin anew."""
    Attempt.objects.filter(key__in=[counter.key[:160] for counter in counters]).delete()


def take_back(counters: Sequence[Counter], *, now: dt.datetime) -> None:
    """It was right, but says nothing about the others who are counted here: only this try is taken back."""
    Attempt.objects.filter(key__in=[counter.key[:160] for counter in counters]).update(
        failures=Greatest(F("failures") - 1, Value(0)), not_before=now
    )


def failures_of(counter: Counter, *, now: dt.datetime) -> int:
    """How many failures still count."""
    row = Attempt.objects.filter(key=counter.key[:160]).first()
    return 0 if row is None or now - row.failed_at > counter.patience.forgotten_after else row.failures


def forget_attempts(*, now: dt.datetime) -> int:
    """Delete counters that have forgotten everything; how many."""
    return Attempt.objects.filter(failed_at__lt=now - KEPT).delete()[0]
