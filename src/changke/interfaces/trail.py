"""The audit trail kept while the house runs: sealed every few seconds, verified every night, its head written outside.

A thread of the worker and not a job: a job leaves a row per run, and every three seconds that is a table of its own.
"""

import logging
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import close_old_connections

from changke.foundation.audit import heads, rules, services
from changke.foundation.audit.models import AuditSeal
from changke.foundation.audit.queries import Verification, verify
from changke.foundation.database import rows_seen
from changke.foundation.organisation.scope import CHAIN_WIDE

SEAL_EVERY_SECONDS = 3.0
PAUSE_AFTER_ERROR_SECONDS = 10.0

log = logging.getLogger("changke.audit")


def seal_once(now: datetime) -> bool:
    """One seal, if there is anything to seal, and its head in the file; whether there was."""
    made = services.seal(now=now)
    if made is None:
        return False
    heads.write(settings.DATA_DIR, head_of(made))
    return True


def head_of(made: AuditSeal) -> heads.Head:
    return heads.Head(made.pk, bytes(made.digest).hex(), made.total, made.sealed_at.isoformat())


def verified() -> Verification:
    """The whole trail walked once, against the heads of this machine; what was found is kept and logged."""
    started = time.monotonic()
    found = verify(heads=heads.read(settings.DATA_DIR))
    services.keep(found, seconds=round(time.monotonic() - started, 2), now=datetime.now(UTC))
    for broken in found.broken:
        log.error("the audit trail is broken: %s %s", broken.kind, named(broken.line, broken.seal))
    log.info("audit trail: %s lines in %s seals, head %s", found.lines, found.seals, found.head)
    return found


def named(line: int | None, seal: int | None) -> str:
    return f"line {line}" if line is not None else f"seal {seal}"


def note_restored(data_dir: Path, *, now: datetime) -> None:
    """An operator put a backup in the place of what was there: the chain goes on from its head, and says so."""
    services.record(by=rules.system("changke restore"), action="backup.restored", subject="chain:1", now=now)
    made = AuditSeal.objects.order_by("-id").first()
    head = head_of(made) if made else heads.Head(0, "-", 0, now.isoformat())
    heads.write(data_dir, heads.Head(head.seal, head.digest, head.total, now.isoformat()), restored=True)


class Sealer(threading.Thread):
    """The thread of the worker that seals until it is asked to stop."""

    def __init__(self) -> None:
        super().__init__(name="sealer", daemon=True)
        self._stopping = threading.Event()

    def stop(self) -> None:
        self._stopping.set()
        self.join(timeout=10)

    def run(self) -> None:
        with rows_seen.seeing(CHAIN_WIDE):  # a thread begins with nobody's rows
            self._run()

    def _run(self) -> None:
        while not self._stopping.is_set():
            pause = SEAL_EVERY_SECONDS
            try:
                while seal_once(datetime.now(UTC)) and not self._stopping.is_set():
                    pass
            except Exception:  # the database was restarted: say so and try again
                log.exception("sealing failed; trying again in %s s", PAUSE_AFTER_ERROR_SECONDS)
                pause = PAUSE_AFTER_ERROR_SECONDS
            finally:
                close_old_connections()
            self._stopping.wait(pause)
