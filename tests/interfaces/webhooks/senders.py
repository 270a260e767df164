"""Providers as they call us. They sign with code of their own, so that the house is not checked against itself."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.test import Client

SAMPLES = Path(__file__).parent / "samples"
_numbers = count(1)


def sample(name: str, **changes: Any) -> dict[str, Any]:
    """A letter as the provider's documentation shows it, with some fields changed."""
    read: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return read | changes


@dataclass
class Shopify:
    path: str
    secret: str = "shpss_secret"
    client: Client = field(default_factory=Client)

    def headers(self, body: bytes, topic: str, delivery_id: str = "") -> dict[str, str]:
        digest = hmac.new(self.secret.encode(), body, "sha256").digest()
        return {
            "X-Shopify-Topic": topic,
            "X-Shopify-Shop-Domain": "demo.myshopify.com",
            "X-Shopify-Webhook-Id": delivery_id or f"wh-{next(_numbers)}",
            "X-Shopify-Hmac-Sha256": base64.b64encode(digest).decode(),
        }

    def send(self, letter: Any, topic: str = "orders/paid", *, delivery_id: str = "", **headers: str) -> Any:
        body = letter if isinstance(letter, bytes) else json.dumps(letter).encode()
        return post(self.client, self.path, body, self.headers(body, topic, delivery_id) | headers)


@dataclass
class Youzan:
    path: str
    client_id: str = "CID"
    secret: str = "CSECRET"
    client: Client = field(default_factory=Client)

    def letter(self, kind: str, message: dict[str, Any], **changes: Any) -> bytes:
        outer = {
            "client_id": self.client_id, "id": "E20260301", "kdt_id": 41, "kdt_name": "花漾静安", "root_kdt_id": 40,
            "msg": quote(json.dumps(message)), "msg_id": f"m-{next(_numbers)}", "sendCount": 0, "status": "TRADE_PAID",
            "test": False, "type": kind, "version": 1772339400000, "mode": 1,
        }  # fmt: skip
        return json.dumps(outer | changes).encode()

    def send(self, kind: str, message: dict[str, Any], **changes: Any) -> Any:
        return self.send_raw(self.letter(kind, message, **changes))

    def send_raw(self, body: bytes, **headers: str) -> Any:
        signed = hashlib.md5(self.client_id.encode() + body + self.secret.encode()).hexdigest()
        return post(self.client, self.path, body, {"Event-Sign": signed, "Client-Id": self.client_id} | headers)


@dataclass
class Own:
    """A system of the chain's own, by Standard Webhooks."""

    path: str
    secret: str
    client: Client = field(default_factory=Client)

    def send(self, letter: Any, *, delivery_id: str = "", seconds_ago: float = 0, **headers: str) -> Any:
        body = letter if isinstance(letter, bytes) else json.dumps(letter).encode()
        name, moment = delivery_id or f"msg_{next(_numbers)}", str(int(time.time() - seconds_ago))
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        digest = hmac.new(key, f"{name}.{moment}.".encode() + body, "sha256").digest()
        signed = {
            "webhook-id": name,
            "webhook-timestamp": moment,
            "webhook-signature": "v1," + base64.b64encode(digest).decode(),
        }
        return post(self.client, self.path, body, signed | headers)


def post(client: Client, path: str, body: bytes, headers: dict[str, str]) -> Any:
    return client.generic("POST", f"/hooks/{path}/", body, content_type="application/json", headers=headers)
