"""What an audit line is: who did what to what, as values that mean the same in ten years. docs/operations/audit.md."""

import datetime as dt
import hashlib
import json
import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Literal


@dataclass(frozen=True)
class By:
    """Who did it, as known at that moment: the name stays readable when the person has left."""

    kind: Literal["staff", "key", "system"]
    id: int | None
    name: str
    address: str = ""
    request_id: str = ""


def system(name: str) -> By:
    """The house itself: a job or a command, by its name."""
    return By("system", None, name)


HOUSE = system("changke")
"""Nobody in particular: what a verb writes when nobody says who asked. Whatever has a face says it."""

ERASED = "customer.erased"
"""The action whose line makes blank values legitimate when the trail is verified."""

RESTATED = "audit.restated"
"""The action whose line says again, without a person's name, what a line of a former version said; it names that line,
whose blank values are then legitimate."""

SEARCHED = ("export.made", "customers.bulk_edited")
"""Actions whose lines held the text of a search. The guard in the database knows them too."""

Values = dict[str, object]


def plain(value: object) -> object:
    """The value as JSON keeps it. What has no plain form is a mistake of the caller and is said so."""
    match value:
        case None | bool() | int() | float():
            return value
        case Enum():
            return plain(value.value)
        case str():
            return value.replace("\x00", "")
        case dt.datetime():
            return value.astimezone(dt.UTC).isoformat()
        case dt.date() | dt.time():
            return value.isoformat()
        case Decimal():
            return str(value)
        case Mapping():
            return {str(key): plain(inner) for key, inner in value.items()}
        case set() | frozenset():
            return sorted((plain(inner) for inner in value), key=str)
        case Sequence():
            return [plain(inner) for inner in value]
        case _:
            raise TypeError(f"an audit line cannot keep a {type(value).__name__}: pass its id or its code")


def difference(
    before: Mapping[str, object] | None, after: Mapping[str, object] | None
) -> tuple[Values | None, Values | None]:
    """Both sides with only the fields that differ. A side that was not given (made, deleted) stays None."""
    was = None if before is None else {field: plain(value) for field, value in before.items()}
    is_now = None if after is None else {field: plain(value) for field, value in after.items()}
    if was is None or is_now is None:
        return was, is_now
    nothing = object()
    differing = {
        field for field in {*was, *is_now} if was.get(field, nothing) != is_now.get(field, nothing)
    }  # a field on one side only was added or taken away
    return (
        {field: value for field, value in was.items() if field in differing},
        {field: value for field, value in is_now.items() if field in differing},
    )


MASK = "•••"
"""Stands in a line where something about a person is sealed."""


def apart(values: Values | None, codes: Collection[str]) -> tuple[Values | None, Values]:
    """A side of a line about a person as the table shows it, and what of it is to be sealed: everything but codes and
    numbers of things. An empty value hides nothing."""
    if values is None:
        return None, {}
    hers = {name: held for name, held in values.items() if name not in codes and held not in (None, "", [])}
    return {name: MASK if name in hers else held for name, held in values.items()}, hers


def place_of(salt: bytes) -> str:
    """Where the ciphertext of a line belongs: the number of a line is not known when it is sealed, its salt is."""
    return f"foundation_auditline|sealed|{salt.hex()}"


def contents(
    *, salt: bytes, before: Values | None, after: Values | None, reason: str, sealed: bytes | None = None
) -> bytes:
    """A seal on what a line says that outlives it: the salt goes with the erased values, so nobody guesses them."""
    said = [before, after, reason] if sealed is None else [before, after, reason, sealed.hex()]
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(salt + text.encode()).digest()


# The chain. A seal holds a proof per line and the digest of the seal before it.

GENESIS = bytes(32)
"""What the first seal follows."""

PROOF = struct.Struct(">Q32s")


@dataclass(frozen=True)
class Proof:
    """That a line was there, and what it said."""

    line_id: int
    digest: bytes


def packed(proofs: Sequence[Proof]) -> bytes:
    return b"".join(PROOF.pack(proof.line_id, proof.digest) for proof in proofs)


def unpacked(proofs: bytes) -> Iterator[Proof]:
    """What `packed` packed; a rest that is no whole proof is left out, and the seal's digest will not fit."""
    whole = len(proofs) - len(proofs) % PROOF.size
    for line_id, digest in PROOF.iter_unpack(proofs[:whole]):
        yield Proof(line_id, digest)


def digest_of(fields: Sequence[object]) -> bytes:
    """Of a line's columns in their fixed order: plain values, moments in UTC, bytes as hex."""
    written = [field.hex() if isinstance(field, bytes) else plain(field) for field in fields]
    return hashlib.sha256(json.dumps(written, separators=(",", ":"), ensure_ascii=True).encode()).digest()


def link(*, previous: bytes, sealed_at: dt.datetime, proofs: bytes) -> bytes:
    """The digest of a seal: whoever knows it knows that nothing before it was changed."""
    when = sealed_at.astimezone(dt.UTC).isoformat()
    return hashlib.sha256(previous + when.encode() + hashlib.sha256(proofs).digest()).digest()
