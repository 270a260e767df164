"""How Youzan signs, and how its trades become receipts and returns. Pure.

The signature is an MD5: weak, so the address has an unguessable part, may be limited to Youzan's own addresses, and a
`msg_id` counts once. Phones may come encrypted (`$...$1$`): then she is known by her `yz_open_id`.
"""

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Any

from changke.interfaces.webhooks.letters import buyer, items, money, needed, opened, part, summing_to, text, whole
from changke.interfaces.webhooks.told import Buyer, Envelope, Line, Person, Told, Unreadable, Unsigned

KEY = "youzan"
PAID = frozenset({"TRADE_PAID", "WAIT_SELLER_SEND_GOODS", "WAIT_BUYER_CONFIRM_GOODS", "TRADE_SUCCESS"})
POSTAGE, REST, REFUND = "运费", "其他", "退款"
CHINA = dt.timezone(dt.timedelta(hours=8))


def signature(body: bytes, *, client_id: str, secret: str) -> str:
    return hashlib.md5(client_id.encode() + body + secret.encode(), usedforsecurity=False).hexdigest()


def verify(headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], client_id: str, now: float) -> Envelope:
    given = headers.get("event-sign", "").lower().encode()
    wanted = [signature(body, client_id=client_id, secret=secret).encode() for secret in secrets]
    if headers.get("client-id", client_id) != client_id or not any(hmac.compare_digest(one, given) for one in wanted):
        raise Unsigned
    letter = opened(body)
    delivery_id = text(letter, "msg_id", longest=120) or hashlib.sha256(body).hexdigest()
    return Envelope(delivery_id, text(letter, "type", longest=80) or headers.get("event-type", ""))


def read(topic: str, body: bytes, *, currency: str) -> Told:
    letter = opened(body)
    if letter.get("test") is True:
        return Told(nothing="test")
    about: dict[str, Any] = {
        "place": text(letter, "kdt_id", longest=40),
        "place_name": text(letter, "kdt_name", longest=120),
    }
    if topic.startswith("trade_refund_"):
        if topic != "trade_refund_RefundSuccess":
            return Told(nothing="other_topic", **about)
        return _refunded(_message(letter), about, currency)
    if topic.startswith("trade_Trade"):
        return _traded(_message(letter), letter, about, currency)
    return Told(nothing="other_topic", **about)


def _message(letter: Mapping[str, Any]) -> dict[str, Any]:
    """The message inside, which is a URL-encoded JSON text."""
    inner = letter.get("msg")
    if isinstance(inner, dict):
        return inner
    if not isinstance(inner, str):
        raise Unreadable("msg is missing")
    # What is not encoded is read as it stands: a plus or a percent sign in it means itself.
    return opened(inner if inner.lstrip().startswith("{") else _decoded(inner))


def _decoded(encoded: str) -> str:
    """What `%E5%95` and `+` stand for in an address."""
    plain = re.sub(
        rb"%([0-9A-Fa-f]{2})",
        lambda code: bytes([int(code[1], 16)]),
        encoded.replace("+", " ").encode("utf-8", "replace"),
    )
    return plain.decode("utf-8", "replace")


def _traded(message: Mapping[str, Any], letter: Mapping[str, Any], place: Mapping[str, Any], currency: str) -> Told:
    whole_order = part(message, "full_order_info") or dict(message)
    order, paid = part(whole_order, "order_info"), part(whole_order, "pay_info")
    number = text(order, "tid", longest=60) or needed(letter, "id", longest=60)
    about: dict[str, Any] = {
        **place,
        "subject": f"order:{number}",
        "version": whole(letter, "version"),
        "order": number,
        "number": number,
    }
    if text(order, "status") not in PAID:
        return Told(nothing="not_paid", **about)
    lines = [
        Line(
            money(one, "payment", currency) or money(one, "total_fee", currency),
            text(one, "title", longest=200),
            text(one, "outer_sku_id", "outer_item_id", longest=60),
            max(1, whole(one, "num", default=1)),
        )
        for one in items(whole_order, "orders")
    ]
    lines.append(Line(money(paid, "post_fee", currency), POSTAGE, kind="other"))
    her = _buyer(whole_order)
    return Told(
        purchase={
            "type": "purchase",
            "number": number,
            "happened_at": _moment(needed(order, "pay_time", "created")),
            "customer": her.reference,
            "lines": summing_to(
                money(paid, "payment", currency), [one for one in lines if one.amount_minor], rest=REST
            ),
        },
        people=[Person(her.names, her.name)] if her.names else (),
        **about,
    )


def _refunded(message: Mapping[str, Any], place: Mapping[str, Any], currency: str) -> Told:
    refund, number = needed(message, "refund_id", longest=60), needed(message, "tid", longest=60)
    back = money(message, "refunded_fee", currency)
    if back <= 0:
        return Told(nothing="no_money_back", **place)
    return Told(
        subject=f"refund:{refund}",
        number=number,
        returns=[
            {
                "type": "return",
                "number": f"refund-{refund}",
                "original_number": number,
                "happened_at": _moment(needed(message, "update_time", "refund_time", "created")),
                "lines": summing_to(back, [], rest=REFUND),
            }
        ],
        **place,
    )


def _buyer(whole_order: Mapping[str, Any]) -> Buyer:
    her = part(whole_order, "buyer_info")
    name = text(her, "fans_nickname")
    return buyer(
        phone=text(her, "buyer_phone", longest=60),
        email="",
        external_id=text(her, "yz_open_id", "buyer_id", "outer_user_id", longest=120),
        source=KEY,
        name="" if name.startswith("$") else name,
    )


def _moment(written: str) -> str:
    """`2026-03-01 12:30:00` is a moment in China."""
    try:
        moment = dt.datetime.fromisoformat(written)
    except ValueError:
        raise Unreadable(f"not a moment: {written[:40]}") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=CHINA)).isoformat()
