"""The one clock of the pages, set by a test. Only the roof reads it, so setting it here sets it for everybody."""

import datetime as dt

import pytest


class Clock:
    """`clock.at(moment)` and every later request is answered at that moment."""

    def __init__(self, patch: pytest.MonkeyPatch, moment: dt.datetime) -> None:
        self._patch = patch
        self.at(moment)

    def at(self, moment: dt.datetime) -> None:
        self.now = moment.astimezone(dt.UTC)
        self._patch.setattr("django.utils.timezone.now", lambda: self.now)

    def passes(self, **span: float) -> None:
        """Later by hours=, minutes=, days=."""
        self.at(self.now + dt.timedelta(**span))
