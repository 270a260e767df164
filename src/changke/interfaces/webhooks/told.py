"""What a source makes of a delivery. Pure: these shapes are all that sources and the house know of each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


class Unsigned(Exception):
    """No signature, or none of ours: the delivery is refused with 401."""


class ClockOff(Exception):
    """The signed time lies too far from now: an old delivery played again, or a wrong clock."""


class Unreadable(Exception):
    """Signed, but not what the source sends. `reason` says what is wrong, in English, for the list of deliveries."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True)
class Envelope:
    """What stands outside of the letter."""

    delivery_id: str
    topic: str


@dataclass(frozen=True)
class Person:
    """Somebody whom the source knows: references in the API's words (`phone`, `email`, `external_id`)."""

    names: Sequence[Mapping[str, str]]
    name: str = ""


@dataclass(frozen=True)
class PrivacyWish:
    """A person, or a whole shop, wants her data or wants to be forgotten."""

    kind: str
    external_id: str = ""
    names: Sequence[Mapping[str, str]] = ()
    """Who she is otherwise, where her number at the shop is not known here."""


@dataclass(frozen=True)
class Told:
    """The letter in the words of POST /facts. `store` and `source` are filled in where the mapping is known."""

    subject: str = ""
    """What it is about, such as `order:17`: a later version of the same subject makes an earlier one void."""
    version: int = 0
    """Grows with time; what the source says of itself, never our clock."""
    place: str = ""
    """The source's branch or location."""
    place_name: str = ""
    order: str = ""
    """The order that a refund belongs to, as the source numbers it."""
    number: str = ""
    """The receipt's number of an order."""
    purchase: Mapping[str, Any] | None = None
    returns: Sequence[Mapping[str, Any]] = ()
    facts: Sequence[Mapping[str, Any]] = ()
    """Facts that name their store themselves."""
    people: Sequence[Person] = ()
    wish: PrivacyWish | None = None
    nothing: str = ""
    """Code of the reason why there is nothing to do."""


class Source(Protocol):
    """A folder of `sources`. Copy a neighbour."""

    KEY: str
    """Its name in receipt numbers and external ids: never change it."""
    WORDS: Mapping[str, str]
    MAKES_SECRET: bool
    """Whether we make the secret; else the provider gives it."""
    HAS_CLIENT_ID: bool
    ANSWER: Mapping[str, Any]
    """What the provider wants to hear."""

    def verify(
        self, headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], client_id: str, now: float
    ) -> Envelope: ...

    def read(self, topic: str, body: bytes, *, currency: str) -> Told: ...


@dataclass(frozen=True)
class Line:
    """One line on its way into a fact: `code` is the source's own, which our catalogue may know."""

    amount_minor: int
    description: str
    code: str = ""
    quantity: int = 1
    kind: str = "product"

    def as_fact(self) -> dict[str, Any]:
        named = {"item": self.code[:60]} if self.code else {}
        return {
            **named,
            "description": self.description[:200],
            "kind": self.kind,
            "quantity_milli": min(max(1, self.quantity) * 1000, 10**9),
            "amount_minor": self.amount_minor,
        }


@dataclass(frozen=True)
class Buyer:
    """Who bought, in every way the source knows her; the first that can be used names her in facts."""

    names: list[Mapping[str, str]] = field(default_factory=list)
    name: str = ""

    @property
    def reference(self) -> dict[str, str] | None:
        return {**self.names[0], "name": self.name} if self.names else None
