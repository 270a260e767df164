"""Keys and seals, nothing else: no database, no files, no clock. docs/algorithms/encryption.md says it in prose."""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES, NONCE_BYTES, TAG_BYTES = 32, 12, 16
HMAC_BLOCK_BYTES = 64
FORM = b"\x01"
TAIL = "phone tail"
"""Kind of the index of a phone's last four digits."""
"""The first byte of a sealed value, so that another form can be told apart one day."""


class BrokenSeal(Exception):
    """The value was changed, stands where it was not written, or the key is another one."""


class UnreadableKeys(Exception):
    """A key file that cannot be understood; the message says what it should look like."""


def new_key() -> bytes:
    return os.urandom(KEY_BYTES)


def write_keys(keys: Mapping[int, bytes]) -> str:
    """One line for each version: `1 <43 characters>`."""
    return "".join(f"{version} {base64.urlsafe_b64encode(keys[version]).decode()}\n" for version in sorted(keys))


def read_keys(text: str) -> dict[int, bytes]:
    """What `write_keys` wrote. In a variable of the environment the versions may be parted by commas."""
    keys: dict[int, bytes] = {}
    for line in text.replace(",", "\n").splitlines():
        if not line.strip():
            continue
        version, _, secret = line.strip().partition(" ")
        try:
            key = base64.urlsafe_b64decode(secret.strip())
            keys[int(version)] = key
        except (ValueError, binascii.Error):
            key = b""
        if len(key) != KEY_BYTES:
            raise UnreadableKeys("a line of the master key is `1 ` and 32 bytes in url-safe base64")
    return keys


def derive(secret: bytes, purpose: str) -> bytes:
    """HKDF-Expand with one block: a key for one purpose, from which the secret and other keys do not follow."""
    return hmac.digest(secret, b"changke " + purpose.encode() + b"\x01", "sha256")


def seal(key: AESGCM, text: str, place: str) -> bytes:
    """The text as ciphertext that opens only at its place: `table|column|row id`."""
    nonce = os.urandom(NONCE_BYTES)
    return FORM + nonce + key.encrypt(nonce, text.encode(), place.encode())


def unseal(key: AESGCM, sealed: bytes, place: str) -> str:
    """The text of `seal`. Raises BrokenSeal."""
    return _opened(key, sealed, place).decode()


def _opened(key: AESGCM, sealed: bytes, place: str) -> bytes:
    if sealed[:1] != FORM or len(sealed) < 1 + NONCE_BYTES + TAG_BYTES:
        raise BrokenSeal(place)
    try:
        return key.decrypt(sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :], place.encode())
    except InvalidTag:
        raise BrokenSeal(place) from None


@dataclass(frozen=True)
class Vault:
    """The versions of the master key that are in use, the newest last."""

    secrets: Mapping[int, bytes]
    in_use: Sequence[int]

    @property
    def current(self) -> int:
        return self.in_use[-1]

    def wrap(self, person_id: int, key: bytes, version: int | None = None) -> bytes:
        """A person's key as it may lie in the database."""
        nonce = os.urandom(NONCE_BYTES)
        data_key = _data_key(self.secrets[version or self.current])
        return FORM + nonce + data_key.encrypt(nonce, key, _wrapped_at(person_id))

    def unwrap(self, person_id: int, wrapped: bytes, version: int) -> bytes:
        if version not in self.secrets:
            raise BrokenSeal(f"version {version} of the master key is not there")
        return _opened(_data_key(self.secrets[version]), wrapped, _wrapped_at(person_id).decode())

    def blind(self, kind: str, value: str, version: int | None = None) -> int:
        """The 64 bits by which equal values are found, under one version of the key; the current one unless named."""
        return _blind(self.secrets[version or self.current], kind, value)

    def tail(self, digits: str, version: int | None = None) -> int:
        """The same of the last four digits of a phone: there are ten thousand, and a load asks for each many times."""
        return _tail(self.secrets[version or self.current], digits)

    def blinds(self, kind: str, value: str) -> list[int]:
        """Under every version in use: while the key is being changed a value may stand under either."""
        return [self.blind(kind, value, version) for version in self.in_use]


def check_of(secret: bytes) -> bytes:
    """By which a key is known again without being told."""
    return derive(secret, "check")[:TAG_BYTES]


def _wrapped_at(person_id: int) -> bytes:
    return b"foundation_personkey|wrapped|%d" % person_id


@lru_cache(maxsize=16)
def _data_key(secret: bytes) -> AESGCM:
    return AESGCM(derive(secret, "data"))


@lru_cache(maxsize=20_000)
def _tail(secret: bytes, digits: str) -> int:
    return _blind(secret, TAIL, digits)


def _blind(secret: bytes, kind: str, value: str) -> int:
    inner, outer = (state.copy() for state in _index_states(secret, kind))
    inner.update(value.encode())
    outer.update(inner.digest())
    return int.from_bytes(outer.digest()[:8], "big", signed=True)


@lru_cache(maxsize=256)
def _index_states(secret: bytes, kind: str) -> tuple["hashlib._Hash", "hashlib._Hash"]:
    """HMAC-SHA-256 under the key of this index (RFC 2104), as far as it is the same for every value: a load computes
    three for each person."""
    key = derive(secret, f"index {kind}").ljust(HMAC_BLOCK_BYTES, b"\x00")
    return hashlib.sha256(bytes(byte ^ 0x36 for byte in key)), hashlib.sha256(bytes(byte ^ 0x5C for byte in key))
