"""What a chain has set up after some weeks: rules that tag, a web shop that calls. Whoever tries the product sees them
at work."""

import datetime as dt
import json
from typing import Any

from changke.facts.catalog.models import Category, Item
from changke.facts.customers.services.tag_words import save_group, save_word
from changke.foundation.audit.rules import system
from changke.foundation.money import to_major
from changke.foundation.organisation.models import Store
from changke.interfaces.webhooks.services import receive
from changke.interfaces.webhooks.services.addresses import make_address, map_place
from changke.interfaces.webhooks.sources import shopify
from changke.interfaces.webhooks.sources.shopify.rules import ONLINE, signed
from changke.profiles.affinity.models import Occasion
from changke.profiles.affinity.services.needs import save_need
from changke.profiles.affinity.services.tag_rules import save_rule

BY = system("changke demo")
SECRET = "shpss_demo"
CLOSED_SHOP = "905684977"
"""A location that nobody has mapped: its order waits, and the page says for what."""

BELIEFS = (
    ("首单体验", Occasion.FIRST_ORDER, "新客体验", "体验进店"),
    ("买过脱毛", Occasion.ANY, "冰点脱毛", "脱毛需求"),
    ("买过养生", Occasion.ANY, "养生调理", "爱养生"),
)
"""Name of the rule, when, category, and what it makes one believe (F5)."""

SENSITIVE = "F03"


def set_up_habits(stores: list[Store], *, now: dt.datetime) -> None:
    _tags(now)
    _web_shop(stores[0], now)


def _tags(now: dt.datetime) -> None:
    wishes = save_group(None, name="关注点", only_one=False, by=BY, now=now)
    for name, occasion, category, tag in BELIEFS:
        save_word(tag, group=wishes, stale_after_days=365, by=BY, now=now)
        save_rule(
            None, name=name, occasion=occasion, item=None,
            category=Category.objects.get(name=category), tag=tag, by=BY, now=now,
        )  # fmt: skip
    skin = save_group(None, name="皮肤", only_one=True, by=BY, now=now)
    save_word("敏感肌", group=skin, stale_after_days=None, by=BY, now=now)
    save_rule(
        None, name="做过敏感肌修护", occasion=Occasion.ANY, item=Item.objects.get(code=SENSITIVE), category=None,
        tag="敏感肌", by=BY, now=now,
    )  # fmt: skip
    save_need(None, tag="敏感肌", item=Item.objects.get(code=SENSITIVE), category=None, by=BY, now=now)


def _web_shop(store: Store, now: dt.datetime) -> None:
    """Three deliveries, signed as the shop signs them: an order, its refund in part, one from a place unknown."""
    address, _ = make_address(source=shopify.KEY, name="官方网店", secret=SECRET, created_by=None, by=BY, now=now)
    map_place(address, ONLINE, store, by=BY, now=now)
    mask, cream = (Item.objects.filter(kind="product").order_by("code")[place] for place in (0, 1))
    order = _order(5001, "#W5001", now - dt.timedelta(hours=3), [mask, cream])
    refund = {
        "id": 9001, "order_id": order["id"], "processed_at": _ago(now, hours=1), "created_at": _ago(now, hours=1),
        "refund_line_items": [], "transactions": [
            {"kind": "refund", "status": "success", "amount": _yuan(cream.price_minor)}
        ],
    }  # fmt: skip
    elsewhere = _order(5002, "#W5002", now - dt.timedelta(hours=2), [cream]) | {"location_id": CLOSED_SHOP}
    for topic, letter in (("orders/paid", order), ("refunds/create", refund), ("orders/paid", elsewhere)):
        body = json.dumps(letter).encode()
        headers = signed(body, SECRET, topic=topic, delivery_id=f"demo-{letter['id']}")
        receive.take(
            address.path, {name.lower(): value for name, value in headers.items()}, body, caller="127.0.0.1", now=now
        )


def _order(number: int, name: str, moment: dt.datetime, items: list[Item]) -> dict[str, Any]:
    return {
        "id": number, "name": name, "financial_status": "paid", "currency": "CNY", "updated_at": moment.isoformat(),
        "processed_at": moment.isoformat(), "total_price": _yuan(sum(item.price_minor or 0 for item in items)),
        "customer": {"id": 70_000 + number, "last_name": "沈", "first_name": "知夏"},
        "phone": f"+86139{number:08}",
        "line_items": [
            {"title": item.name, "sku": item.code, "price": _yuan(item.price_minor), "quantity": 1} for item in items
        ],
    }  # fmt: skip


def _yuan(minor: int | None) -> str:
    return str(to_major(minor or 0, "CNY"))


def _ago(now: dt.datetime, **ago: int) -> str:
    return (now - dt.timedelta(**ago)).isoformat()
