"""Changing the master key while the shop is open: the verbs of `changke keys rotate`, each safe to repeat.

`begin` makes the next version, `step` moves a few thousand keys and indexes to it, `finish` retires the former one. Who
runs them waits a moment after `begin`, until every process knows both (docs/algorithms/encryption.md).
"""

import datetime as dt
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from changke.foundation.errors import DomainError
from changke.foundation.keys import write_secret
from changke.foundation.persons.cipher import check_of, new_key, read_keys, write_keys
from changke.foundation.persons.models import KeyVersion, PersonKey
from changke.foundation.persons.queries import forget_vault, master_keys, open_vault, vault
from changke.foundation.persons.registry import indexes
from changke.foundation.persons.services.keys import settle_keys

CHUNK = 2_000
"""Keys or indexes in one transaction: about a quarter of a second."""


class KeyFromEnvironment(DomainError):
    code, status = "key_from_environment", 409
    message = (
        "The master key comes from MASTER_KEY, which Changke cannot change. Put it into a file that MASTER_KEY_FILE "
        "names, then change it."
    )


class StillInUse(DomainError):
    code, status = "key_still_in_use", 409
    message = "Something is still kept under the former key: run `changke keys rotate` again."


def begin(*, now: dt.datetime) -> int:
    """The version to change to: a new one, or the one of a change that was interrupted."""
    if settings.MASTER_KEY:
        raise KeyFromEnvironment
    settle_keys(now=now)
    secrets = master_keys()
    in_use = open_vault(secrets).in_use
    if len(in_use) > 1:
        return in_use[-1]
    version = max(secrets)
    if version <= in_use[-1]:  # else the key was written just before a crash: take that one
        version += 1
        write_secret(Path(settings.MASTER_KEY_FILE), write_keys({**secrets, version: new_key()}))
        secrets = master_keys()
    KeyVersion.objects.create(version=version, fingerprint=check_of(secrets[version]), made_at=now)
    forget_vault()
    return version


def step() -> int:
    """Move the next of everything to the current version; how many. Nothing is left where it answers 0."""
    return _wrap_again() or sum(again(CHUNK) for again in indexes())


@transaction.atomic
def _wrap_again() -> int:
    safe = vault()
    rows = list(PersonKey.objects.select_for_update().filter(version__lt=safe.current).order_by("pk")[:CHUNK])
    if rows:
        wrapped = [
            safe.wrap(one.person_id, safe.unwrap(one.person_id, bytes(one.wrapped), one.version)) for one in rows
        ]
        with connection.cursor() as sql:
            sql.execute(
                "UPDATE foundation_personkey AS key SET wrapped = new.wrapped, version = %s"
                " FROM unnest(%s::bigint[], %s::bytea[]) AS new (person_id, wrapped)"
                " WHERE key.person_id = new.person_id",
                [safe.current, [one.person_id for one in rows], wrapped],
            )
    return len(rows)


def finish(*, now: dt.datetime) -> list[int]:
    """Retire the former versions; which. They stay in the key file: older backups need them."""
    if step():
        raise StillInUse
    former = KeyVersion.objects.filter(version__lt=vault().current, retired_at__isnull=True)
    versions = list(former.values_list("version", flat=True))
    former.update(retired_at=now)
    forget_vault()
    return versions


def backed_up(text: str, *, now: dt.datetime) -> list[int]:
    """A copy of these keys lies elsewhere: remember the day."""
    versions = sorted(read_keys(text))
    KeyVersion.objects.filter(version__in=versions).update(backed_up_at=now)
    return versions


def put_back(text: str) -> list[int]:
    """Bring a copy of the key back; refused where this database was written with another."""
    secrets = read_keys(text)
    open_vault(secrets)
    write_secret(Path(settings.MASTER_KEY_FILE), write_keys(secrets))
    forget_vault()
    return sorted(secrets)
