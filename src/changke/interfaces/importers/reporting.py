"""How far a load is, for whoever waits and for whoever looks."""

import time
from collections.abc import Callable

from changke.foundation.batches.models import Batch
from changke.foundation.batches.services import report_progress

Progress = Callable[[int, int, str], None]
REPORT_SECONDS = 0.4


def silent(done: int, total: int, words: str) -> None:
    return None


class Reporter:
    """Progress for whoever waits, and into the batch for whoever looks; not more often than a person can read."""

    def __init__(self, batch: Batch, progress: Progress) -> None:
        self.batch = batch
        self.progress = progress
        self.last = 0.0

    def __call__(self, done: int, total: int, words: str) -> None:
        if time.monotonic() - self.last < REPORT_SECONDS and done < total:
            return
        self.last = time.monotonic()
        report_progress(self.batch.pk, done=done, total=total)
        self.progress(done, total, words)
