"""A tiny chain with named people, each living a stage. Tests ask for them by name.

The chain 花漾 has two stores. Today is Wednesday 4 March 2026. The chain's days are 60 until silent, 180 until lost.

    Ying   莹莹  came first yesterday and bought a facial: intro
    Qiu    秋    bought twice, last on 10 February: growth
    Vera   薇拉  came monthly for a year, last 12 days ago, spends most: mature
    Mo     莫    came every three weeks and was last seen 61 days ago: silent
    Lan    岚    last seen 200 days ago: lost
    Bai    白    registered, never came: intro
"""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from changke.facts.catalog.models import Category, Item
from changke.facts.customers.models import Customer
from changke.facts.customers.services.register import register
from changke.facts.purchases.models import Receipt
from changke.facts.purchases.rules import Paid
from changke.facts.purchases.services.record import NewLine, record_receipt
from changke.foundation.access.models import Staff
from changke.foundation.access.services import add_staff
from changke.foundation.organisation.models import Chain, Store
from changke.foundation.organisation.services import add_region, add_store, found_chain
from changke.profiles.lifecycle.services import publish_models, refresh_customers
from tests.kept import keeping

SHANGHAI = ZoneInfo("Asia/Shanghai")
TODAY = dt.date(2026, 3, 4)
NOW = dt.datetime(2026, 3, 4, 10, 0, tzinfo=SHANGHAI)
PASSWORD = "jade-river-26"


@dataclass
class Cast:
    """Everybody and everything of the tiny chain."""

    chain: Chain
    jing_an: Store
    xu_hui: Store
    facial: Item
    card: Item
    owner: Staff
    hq: Staff
    manager: Staff
    clerk: Staff
    ying: Customer
    qiu: Customer
    vera: Customer
    mo: Customer
    lan: Customer
    bai: Customer


def at(day: dt.date, hour: int = 14) -> dt.datetime:
    """A moment of the day in Shanghai."""
    return dt.datetime.combine(day, dt.time(hour), tzinfo=SHANGHAI)


def ago(days: int) -> dt.date:
    return TODAY - dt.timedelta(days=days)


def buys(
    customer: Customer | None, item: Item, amount_minor: int, *, on: dt.date, store: Store, key: str, by: str = "wechat"
) -> Receipt:
    """One item on one receipt."""
    receipt, _ = record_receipt(
        store=store,
        customer=customer,
        lines=[NewLine(amount_minor=amount_minor, item=item)],
        tenders=[Paid(by, amount_minor)],
        source_key=key,
        number=key,
        happened_at=at(on),
        now=max(at(on), at(on, 15)),
    )
    return receipt


@keeping
def assemble() -> Cast:
    """Write the chain and its people into the database."""
    chain = found_chain(name="花漾", second_factor_required=False, now=NOW)
    shanghai = add_region(name="上海", now=NOW)
    jing_an = add_store(code="JA", name="静安店", region=shanghai, now=NOW)
    xu_hui = add_store(code="XH", name="徐汇店", region=shanghai, now=NOW)
    skin = Category.objects.create(name="面部护理", margin_basis_points=6_000)
    facial = Item.objects.create(
        code="F1",
        name="深层补水",
        kind="service",
        category=skin,
        price_minor=28_800,
        unit_cost_minor=6_000,
        usual_cycle_days=28,
    )
    card = Item.objects.create(code="C10", name="补水十次卡", kind="card", price_minor=198_000)
    owner = add_staff(username="owner", name="林老板", role="owner", password=PASSWORD, now=NOW)
    hq = add_staff(username="hq", name="李运营", role="hq", password=PASSWORD, now=NOW)
    manager = add_staff(username="manager", name="王店长", role="manager", password=PASSWORD, stores=[jing_an], now=NOW)
    clerk = add_staff(username="clerk", name="苏晴", role="staff", password=PASSWORD, stores=[jing_an], now=NOW)

    def person(name: str, phone: str, days: int, store: Store = jing_an) -> Customer:
        return register(name=name, phone=phone, home_store=store, source="路过", now=at(ago(days), 9))

    ying, bai = person("莹莹", "13800000001", 1), person("白露", "13800000006", 5)
    qiu, vera = person("秋月", "13800000002", 60), person("薇拉", "13800000003", 400)
    mo, lan = person("莫愁", "13800000004", 190), person("岚岚", "13800000005", 500, xu_hui)

    buys(ying, facial, 28_800, on=ago(1), store=jing_an, key="ying-1")
    buys(qiu, facial, 28_800, on=ago(50), store=jing_an, key="qiu-1")
    buys(qiu, facial, 28_800, on=ago(22), store=jing_an, key="qiu-2")
    for month in range(12):
        buys(vera, facial, 88_800, on=ago(12 + 30 * month), store=jing_an, key=f"vera-{month}")
    for turn in range(6):
        buys(mo, facial, 58_800, on=ago(61 + 21 * turn), store=jing_an, key=f"mo-{turn}")
    buys(lan, facial, 28_800, on=ago(200), store=xu_hui, key="lan-1")
    return Cast(
        chain, jing_an, xu_hui, facial, card, owner, hq, manager, clerk, ying, qiu, vera, mo, lan, bai
    )  # fmt: skip


@keeping
def know_everybody() -> None:
    """The shipped models are published, and everybody of a chain just assembled has profile and stages."""
    publish_models(Chain.objects.get(), now=NOW)
    refresh_everybody()


@keeping
def profile_everybody() -> None:
    """Everybody of a chain just assembled has a profile; no model is published."""
    refresh_everybody()


def refresh_everybody() -> None:
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)
