"""The vault of this process, and opening what was sealed for a person."""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import connection

from changke.foundation.errors import DomainError
from changke.foundation.persons.cipher import BrokenSeal, Vault, check_of, read_keys, unseal
from changke.foundation.persons.models import KeyVersion

VAULT_SECONDS = 2.0
"""How long a process trusts what it knows of the versions. A change of key waits longer than that."""


class NoMasterKey(DomainError):
    code, status = "no_master_key", 503
    message = (
        "The master key is not there (%(place)s). Put the copy back with `changke keys restore FILE`: without it "
        "phones and addresses cannot be read."
    )


class WrongMasterKey(DomainError):
    code, status = "wrong_master_key", 503
    message = (
        "Version %(version)s of the master key is not the one that this database was written with. Put the right one "
        "back with `changke keys restore FILE`."
    )


class SealBroken(DomainError):
    code, status = "seal_broken", 500
    message = (
        "A protected value of customer %(person)s does not open: it was changed outside Changke, or moved from another "
        "row. Compare with a backup."
    )


_lock = threading.Lock()
_known: tuple[float, Vault] | None = None


def vault() -> Vault:
    """The keys in use, checked against the database's fingerprints at most every two seconds."""
    global _known
    with _lock:
        if _known and time.monotonic() < _known[0]:
            return _known[1]
        _known = time.monotonic() + VAULT_SECONDS, open_vault(master_keys())
        return _known[1]


def forget_vault() -> None:
    """The next question reads the key file and the versions again."""
    global _known
    _known = None


def open_vault(secrets: Mapping[int, bytes]) -> Vault:
    """The vault of these keys. Refused where the database was written with others."""
    versions = list(KeyVersion.objects.order_by("version"))
    for one in versions:
        if one.version not in secrets and one.retired_at is None:
            raise WrongMasterKey(version=one.version)
        if one.version in secrets and check_of(secrets[one.version]) != bytes(one.fingerprint):
            raise WrongMasterKey(version=one.version)
    in_use = [one.version for one in versions if one.retired_at is None]
    return Vault(secrets, in_use or [max(secrets)])


def master_keys() -> dict[int, bytes]:
    """Every version that the installation has, from the environment or the key file."""
    if settings.MASTER_KEY:
        return read_keys(settings.MASTER_KEY)
    file: Path = settings.MASTER_KEY_FILE
    found = read_keys(file.read_text()) if file.exists() else {}
    if not found:
        raise NoMasterKey(place=file)
    return found


def keys_of(person_ids: Sequence[int]) -> dict[int, AESGCM]:
    """The persons' own keys. Whoever was erased, or never had anything sealed, has none."""
    safe = vault()
    if not person_ids:
        return {}
    with connection.cursor() as sql:
        # One array instead of a place for each id: of thousands of persons writing the statement took longest.
        sql.execute(
            "SELECT person_id, wrapped, version FROM foundation_personkey WHERE person_id = ANY(%s)", [list(person_ids)]
        )
        rows = sql.fetchall()
    return {person: opened_key(safe, person, bytes(wrapped), version) for person, wrapped, version in rows}


def opened_key(safe: Vault, person_id: int, wrapped: bytes, version: int) -> AESGCM:
    try:
        return AESGCM(safe.unwrap(person_id, wrapped, version))
    except BrokenSeal:
        raise SealBroken(person=person_id) from None


def opened(key: AESGCM | None, person_id: int, sealed: bytes | memoryview | None, place: str) -> str:
    """What was sealed; empty where nothing was, or where the key was destroyed."""
    if key is None or sealed is None:
        return ""
    try:
        return unseal(key, bytes(sealed), place)
    except BrokenSeal:
        raise SealBroken(person=person_id) from None


def opened_all(sealed: Iterable[tuple[int, bytes | memoryview | None, str]]) -> list[str]:
    """For rows of (person, sealed, place): the texts, in their order."""
    rows = list(sealed)
    keys = keys_of(list({person for person, _, _ in rows}))
    return [opened(keys.get(person), person, value, place) for person, value, place in rows]
