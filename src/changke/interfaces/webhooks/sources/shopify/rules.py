"""How Shopify signs, and how its orders become receipts and returns. Pure.

The number of a receipt is the order's name (`#1001`), as in the order export, so that a file and a delivery know each
other's receipts. An order tells its refunds too: one whose own delivery got lost comes with the next change.
"""

import base64
import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from changke.interfaces.webhooks.letters import buyer, items, money, needed, opened, part, summing_to, text, whole
from changke.interfaces.webhooks.told import Buyer, Envelope, Line, Person, PrivacyWish, Told, Unreadable, Unsigned

KEY = "shopify"
PAID = frozenset({"paid", "partially_refunded", "refunded"})
ONLINE = "online"
"""The place of orders that no location took."""
SHIPPING, TIP, REST, REFUND = "运费", "小费", "税费与其他", "退款"
WISHES = {"customers/redact": "erase", "customers/data_request": "export", "shop/redact": "erase_shop"}


def signature(body: bytes, secret: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def verify(headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], client_id: str, now: float) -> Envelope:
    """After a rotation the old secret signs for an hour: any living one will do. The scheme has no time."""
    given = headers.get("x-shopify-hmac-sha256", "").encode()
    if not any(hmac.compare_digest(signature(body, secret).encode(), given) for secret in secrets):
        raise Unsigned
    delivery_id = headers.get("x-shopify-webhook-id", "") or hashlib.sha256(body).hexdigest()
    return Envelope(delivery_id, headers.get("x-shopify-topic", ""))


def read(topic: str, body: bytes, *, currency: str) -> Told:
    letter = opened(body)
    if topic in WISHES:
        names = [one for one in _buyer(letter).names if "external_id" not in one] if "customer" in letter else []
        return Told(wish=PrivacyWish(WISHES[topic], text(part(letter, "customer"), "id", longest=80), names))
    if topic == "refunds/create":
        return _refunded(letter, currency)
    if topic in {"customers/create", "customers/update"}:
        return _customer(letter)
    if topic.startswith("orders/"):
        return _order(letter, currency)
    return Told(nothing="other_topic")


def _order(letter: Mapping[str, Any], currency: str) -> Told:
    order, number = needed(letter, "id", longest=40), needed(letter, "name", "order_number", longest=60)
    about = {
        "subject": f"order:{order}",
        "version": moment_ms(text(letter, "updated_at", "created_at")),
        "order": order,
        "number": number,
        "place": text(letter, "location_id", longest=40) or ONLINE,
    }
    if letter.get("test") is True:
        return Told(nothing="test", **about)  # type: ignore[arg-type]
    if text(letter, "financial_status") not in PAID:
        return Told(nothing="not_paid", **about)  # type: ignore[arg-type]
    lines = [_line(one, letter, currency) for one in items(letter, "line_items")]
    for shipping in items(letter, "shipping_lines"):
        lines.append(Line(_after_discounts(shipping, "price", currency), SHIPPING, kind="other"))
    lines.append(Line(money(letter, "total_tip_received", currency), TIP, kind="other"))
    return Told(
        purchase={
            "type": "purchase",
            "number": number,
            "happened_at": needed(letter, "processed_at", "created_at"),
            "customer": _buyer(letter).reference,
            "currency": text(letter, "currency") or None,
            "lines": summing_to(
                money(letter, "total_price", currency), [one for one in lines if one.amount_minor], rest=REST
            ),
        },
        returns=[one for refund in items(letter, "refunds") if (one := _return(refund, number, currency)) is not None],
        people=_people(_buyer(letter)),
        **about,  # type: ignore[arg-type]
    )


def _line(one: Mapping[str, Any], letter: Mapping[str, Any], currency: str) -> Line:
    quantity = max(1, whole(one, "quantity", default=1))
    amount = money(one, "price", currency) * quantity - sum(
        money(discount, "amount", currency) for discount in items(one, "discount_allocations")
    )
    if letter.get("taxes_included") is not True:
        amount += sum(money(tax, "price", currency) for tax in items(one, "tax_lines"))
    return Line(amount, text(one, "name", "title"), text(one, "sku", longest=60), quantity)


def _after_discounts(one: Mapping[str, Any], name: str, currency: str) -> int:
    return money(one, name, currency) - sum(
        money(discount, "amount", currency) for discount in items(one, "discount_allocations")
    )


def _refunded(letter: Mapping[str, Any], currency: str) -> Told:
    order, refund = needed(letter, "order_id", longest=40), needed(letter, "id", longest=40)
    back = _return(letter, "", currency)
    return Told(
        subject=f"refund:{refund}",
        order=order,
        returns=[back] if back else (),
        nothing="" if back else "no_money_back",
    )


def _return(refund: Mapping[str, Any], number: str, currency: str) -> dict[str, Any] | None:
    """What went back to her; None where no money did, such as a restocking."""
    back = sum(
        money(one, "amount", currency)
        for one in items(refund, "transactions")
        if text(one, "kind") == "refund" and text(one, "status") == "success"
    )
    if back <= 0:
        return None
    lines = [
        Line(
            money(one, "subtotal", currency) + money(one, "total_tax", currency),
            text(part(one, "line_item"), "name", "title") or REFUND,
            text(part(one, "line_item"), "sku", longest=60),
            max(1, whole(one, "quantity", default=1)),
        )
        for one in _as_text(refund)
    ]
    return {
        "type": "return",
        "number": f"refund-{needed(refund, 'id', longest=40)}",
        "original_number": number,
        "happened_at": needed(refund, "processed_at", "created_at"),
        "lines": summing_to(back, [one for one in lines if one.amount_minor], rest=REFUND),
    }


def _as_text(refund: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Refund lines carry JSON numbers beside their texts of money (`subtotal_set`): the texts are exact."""
    found = []
    for one in items(refund, "refund_line_items"):
        shop = {
            name: text(part(part(one, f"{name}_set"), "shop_money"), "amount") for name in ("subtotal", "total_tax")
        }
        found.append({**one, **shop})
    return found


def _customer(letter: Mapping[str, Any]) -> Told:
    her = _buyer({"customer": letter, **letter})
    identity = needed(letter, "id", longest=60)
    return Told(subject=f"customer:{identity}", version=moment_ms(text(letter, "updated_at")), people=_people(her))


def _buyer(letter: Mapping[str, Any]) -> Buyer:
    her, address = part(letter, "customer"), part(letter, "billing_address")
    name = " ".join(filter(None, (text(her, "last_name"), text(her, "first_name")))) or text(address, "name")
    return buyer(
        phone=text(letter, "phone", longest=60) or text(her, "phone", longest=60) or text(address, "phone", longest=60),
        email=text(letter, "email", "contact_email") or text(her, "email"),
        external_id=text(her, "id", longest=60),
        source=KEY,
        name=name,
    )


def _people(her: Buyer) -> list[Person]:
    return [Person(her.names, her.name)] if her.names else []


def moment_ms(written: str) -> int:
    """Milliseconds since 1970 of an ISO moment; 0 where it is none."""
    try:
        moment = dt.datetime.fromisoformat(written)
        return int(moment.timestamp() * 1000) if moment.tzinfo else 0
    except (ValueError, OverflowError, OSError):
        return 0


def signed(body: bytes, secret: str, *, topic: str, delivery_id: str) -> dict[str, str]:
    """Headers as Shopify sends them: for senders of tests and benchmarks."""
    if not topic:
        raise Unreadable("a topic is needed")
    return {
        "X-Shopify-Topic": topic,
        "X-Shopify-Webhook-Id": delivery_id,
        "X-Shopify-Hmac-Sha256": signature(body, secret),
    }
