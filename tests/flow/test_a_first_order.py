"""A sale walks through the house: written down by hand, followed, understood, listed, looked after (N5)."""

import datetime as dt

from django.test import Client
from django.urls import reverse

from changke.facts.customers.models import Customer
from changke.facts.events.models import Event
from changke.facts.purchases.models import Receipt
from changke.interfaces.analytics import follow
from changke.profiles.attributes.models import Profile
from tests.cast import TODAY, Cast, at
from tests.clock import Clock


def followed(now: dt.datetime) -> None:
    """What the worker does all day: until nothing new is left."""
    while follow(now):
        pass


def listed(client: Client, customer: Customer) -> bool:
    return f'id="line-{customer.pk}"' in client.get("/").content.decode()


def test_a_first_order_is_thanked_for_within_a_day(shop: Cast, clock: Clock) -> None:
    followed(clock.now)
    client = Client(headers={"accept-language": "zh-hans"})
    client.force_login(shop.clerk)

    # Registered by hand the day before: nothing to thank for yet.
    clock.at(at(TODAY, 15))
    client.post(
        reverse("record-customer"), {"name": "谷雨", "phone": "139 0000 0042", "source": "抖音", "token": "a" * 32}
    )
    new = Customer.objects.get(name="谷雨")
    followed(clock.now)
    assert not listed(client, new)

    # The sale, through the form; the worker follows; her profile and stage are there.
    sold_at = at(TODAY + dt.timedelta(days=1), 11)
    clock.at(sold_at)
    sale = {
        "customer": new.pk, "token": "b" * 32, "line_item": shop.facial.pk, "line_text": "", "line_quantity": "1",
        "line_amount": "288", "tender": "wechat", "staff": shop.clerk.pk, "save": "1",
    }  # fmt: skip
    assert client.post(reverse("record-sale"), sale).status_code == 303
    assert client.post(reverse("record-sale"), sale).status_code == 303, "a double tap is no second sale"
    assert Receipt.objects.filter(customer=new).count() == 1
    followed(clock.now)
    profile = Profile.objects.values_list("purchases", "net_spend", "stage").get(pk=new.pk)
    assert profile == (1, 28_800, "intro")

    # The day: on the list, with its hours.
    clock.passes(hours=3, minutes=30)
    assert "首次消费 ¥288，24 小时黄金触点还剩 20 小时。" in client.get("/").content.decode()
    clock.at(sold_at + dt.timedelta(hours=23, minutes=59))
    assert listed(client, new)

    # One tap, and the fact with its reason.
    client.post(reverse("today-tick", args=[new.pk]), {"outcome": "done", "reason": "first_order", "after": "0"})
    recorded = Event.objects.get(kind="followup.recorded", customer=new)
    assert recorded.data == {"reason": "first_order", "outcome": "done", "until": None}
    assert recorded.staff == shop.clerk

    # The day after: the golden hours are over.
    clock.at(sold_at + dt.timedelta(hours=24, minutes=1))
    assert not listed(client, new)


def test_who_comes_back_leaves_the_list_by_herself(shop: Cast, clock: Clock) -> None:
    followed(clock.now)
    client = Client(headers={"accept-language": "zh-hans"})
    client.force_login(shop.clerk)
    assert listed(client, shop.mo)
    clock.passes(hours=1)
    client.post(reverse("record-visit"), {"customer": shop.mo.pk, "token": "c" * 32, "save": "1"})
    followed(clock.now)
    assert Profile.objects.get(pk=shop.mo.pk).stage != "silent"
    assert not listed(client, shop.mo)
