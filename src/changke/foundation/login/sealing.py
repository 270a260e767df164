"""Secrets that the database keeps for a while and must not be able to read: second factors, kept answers of the API.

Sealed with a key that follows from the installation's signing key, not with the master key of the customers' data: that
one is turned by versions, and a second factor is set up anew in a minute.
"""

import base64

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from changke.foundation.persons import cipher


class CannotUnseal(Exception):
    """The signing key of the installation is another one than when this was sealed, or somebody changed it."""


def seal(text: str, *, belongs_to: str) -> str:
    """Readable again only with our key, and only as what belongs to the same: a row copied onto another is refused."""
    return base64.b64encode(cipher.seal(_key(), text, belongs_to)).decode()


def unseal(sealed: str, *, belongs_to: str) -> str:
    try:
        return cipher.unseal(_key(), base64.b64decode(sealed), belongs_to)
    except (cipher.BrokenSeal, ValueError):
        raise CannotUnseal from None


def _key() -> AESGCM:
    return AESGCM(cipher.derive(settings.SECRET_KEY.encode(), "sealing"))
