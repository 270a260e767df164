"""Secrets and letters at rest: AES-256-GCM under a key derived from the installation's own, which no backup of the
database holds."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from changke.foundation.persons import cipher

NONCE_BYTES = 12
_made: dict[str, AESGCM] = {}


class CannotOpen(Exception):
    """Sealed under another key: the installation's key was changed or lost."""


def seal(plain: bytes, *, about: str) -> bytes:
    """`about` says what it is; it cannot be opened as something else."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _cipher().encrypt(nonce, plain, about.encode())


def unseal(sealed: bytes, *, about: str) -> bytes:
    try:
        return _cipher().decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about.encode())
    except (InvalidTag, ValueError):  # too short to be ours, or sealed under another key
        raise CannotOpen from None


def _cipher() -> AESGCM:
    key = str(settings.SECRET_KEY)
    if key not in _made:
        _made.clear()
        _made[key] = AESGCM(cipher.derive(key.encode(), "webhooks"))
    return _made[key]
