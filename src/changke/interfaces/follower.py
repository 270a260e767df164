"""Keeps profiles within two seconds of the facts: woken by PostgreSQL's NOTIFY, and once a second in case it got lost.

The wake-up carries nothing. What has to be read is known from the cursor alone, so a crash, a lost notification or a
worker that was off for a week all end the same way: the next turn reads on from where the last one stopped.
"""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
from django.db import close_old_connections

from changke.foundation.database import rows_seen
from changke.foundation.organisation.scope import CHAIN_WIDE

CHANNEL = "changke_facts"
POLL_SECONDS = 1.0
PAUSE_AFTER_ERROR_SECONDS = 5.0

log = logging.getLogger(__name__)

Follow = Callable[[datetime], bool]
"""Reads one bounded portion of new facts at that moment and says whether there may be more."""


class Follower(threading.Thread):
    """The thread of the worker that follows the facts until it is asked to stop."""

    def __init__(self, conninfo: str, follow: Follow) -> None:
        super().__init__(name="follower", daemon=True)
        self._conninfo = conninfo
        self._turn = follow
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End after the portion at hand."""
        self._stopping.set()
        self.join(timeout=10)

    def run(self) -> None:
        with rows_seen.seeing(CHAIN_WIDE):  # a thread begins with nobody's rows
            self._run()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._follow()
            except Exception:  # the database was restarted, or one portion cannot be folded: say so and try again
                log.exception("following the facts failed; trying again in %s s", PAUSE_AFTER_ERROR_SECONDS)
                self._stopping.wait(PAUSE_AFTER_ERROR_SECONDS)
            finally:
                close_old_connections()

    def _follow(self) -> None:
        with psycopg.connect(self._conninfo, autocommit=True) as ears:
            ears.execute(f"LISTEN {CHANNEL}")
            while not self._stopping.is_set():
                while self._turn(datetime.now(UTC)) and not self._stopping.is_set():
                    pass
                for _ in ears.notifies(timeout=POLL_SECONDS, stop_after=1):
                    pass
