"""Forgetting a person, at her wish: everything that says who she is goes, what she bought stays under a bare number.

In one transaction: the suppression list gets her addresses, every registered table blanks or deletes its rows, her key
is destroyed, the audit trail gets one line, and the tombstone is on the disk before the commit. Interrupted anywhere,
erasing again completes it; erased already, it changes nothing.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.db import transaction

from changke.foundation.audit.rules import ERASED, By
from changke.foundation.audit.services import record
from changke.foundation.database.rows_seen import seeing
from changke.foundation.errors import Invalid
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.foundation.persons import tombstones
from changke.foundation.persons.models import PersonKey
from changke.foundation.persons.queries import vault
from changke.foundation.persons.registry import family_of, human, person_tables
from changke.foundation.persons.tombstones import Tombstone


@dataclass(frozen=True)
class Going:
    """What becomes of one table: how many rows, and why they stay if they do."""

    key: str
    rows: int
    stays: str


@seeing(CHAIN_WIDE)
def preview(person_id: int) -> list[Going]:
    """Everything that is kept about her and hers, with what erasing would do to it."""
    family = family_of(person_id)
    counted = ((one, sum(1 for _ in one.export(family))) for one in person_tables())
    return [Going(one.key, rows, one.stays) for one, rows in counted if rows]


@seeing(CHAIN_WIDE)
def erase(person_id: int, *, reason: str, by: By, now: dt.datetime) -> dict[str, int]:
    """Erase her and whoever is merged with her; rows changed by table. Safe to repeat."""
    if not reason.strip():
        raise Invalid(field="reason", reason="say why: it stays in the audit trail")
    family = family_of(person_id)
    return _erase(family, why="erased", reason=reason.strip(), by=by, now=now, file=Path(settings.ERASED_FILE))


def replay(*, by: By, now: dt.datetime) -> list[int]:
    """After a restore: erase again whoever was erased since the backup; who."""
    done = []
    for stone in dict.fromkeys(tombstones.read(Path(settings.ERASED_FILE))):
        recorded = human().recorded(stone.person)
        if recorded is None or not stone.means(key=_fingerprint(stone.person), recorded=recorded):
            continue
        _erase([stone.person], why="erased", reason=f"erased on {stone.erased_at[:10]}", by=by, now=now, file=None)
        done.append(stone.person)
    return done


@transaction.atomic
def _erase(
    family: Sequence[int], *, why: str, reason: str, by: By, now: dt.datetime, file: Path | None
) -> dict[str, int]:
    living = {one: recorded for one in family if (recorded := human().recorded(one)) is not None}
    stones = [
        Tombstone(one, _fingerprint(one), recorded, tombstones.moment(now)) for one, recorded in sorted(living.items())
    ]
    if living:
        human().suppress(list(living), why, now)
    # Whoever is erased already is erased again: a photo whose deletion was interrupted goes now.
    changed = {one.key: one.erase(family) for one in person_tables() if one.erase}
    for person in living:
        record(by=by, action=ERASED, subject=f"customer:{person}", reason=reason, customer_id=person, now=now)
    if file is not None and stones:
        tombstones.append(file, stones)
    return changed


def _fingerprint(person_id: int) -> str:
    """By which her key is known again without being told; empty where she has none."""
    row = PersonKey.objects.filter(person_id=person_id).first()
    if row is None:
        return ""
    key = vault().unwrap(person_id, bytes(row.wrapped), row.version)
    return sha256(b"tombstone" + key).hexdigest()[:16]
