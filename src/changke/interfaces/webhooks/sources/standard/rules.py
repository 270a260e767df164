"""The Standard Webhooks scheme: HMAC-SHA256 over `id.timestamp.body`. Pure.

A letter reads `{"type": "facts", "data": {"facts": [...]}}`; the items are those of POST /facts.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence

from changke.interfaces.webhooks.letters import opened, part, text
from changke.interfaces.webhooks.told import ClockOff, Envelope, Told, Unreadable, Unsigned

TOLERANCE_SECONDS = 5 * 60
MOST_FACTS = 1_000


def signature(delivery_id: str, timestamp: str, body: bytes, secret: str) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{delivery_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def verify(headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], client_id: str, now: float) -> Envelope:
    delivery_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "").split(" ")[:10]
    if not delivery_id or not (timestamp.isascii() and timestamp.isdigit()) or len(timestamp) > 12:
        raise Unsigned
    try:
        wanted = [signature(delivery_id, timestamp, body, secret) for secret in secrets]
    except (binascii.Error, ValueError):
        raise Unsigned from None
    if not any(hmac.compare_digest(one.encode(), other.encode()) for one in wanted for other in given):
        raise Unsigned
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise ClockOff
    return Envelope(delivery_id, "facts")


def read(topic: str, body: bytes, *, currency: str) -> Told:
    letter = opened(body)
    if text(letter, "type") != "facts":
        return Told(nothing="other_topic")
    facts = part(letter, "data").get("facts")
    if not isinstance(facts, list) or not 1 <= len(facts) <= MOST_FACTS:
        raise Unreadable("data.facts is a list of 1 to 1,000 facts, as POST /api/v1/facts takes them")
    return Told(facts=facts)
