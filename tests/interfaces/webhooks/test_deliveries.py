"""A delivery from the door to the fact: kept once, read afterwards, safe to repeat."""

import datetime as dt
import json
from typing import Any

import pytest
from django.db import connection

from changke.facts.customers.services.meet import find, reference
from changke.facts.models import Customer, Receipt, WaitingReturn
from changke.foundation.audit.models import AuditLine
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.foundation.persons.registry import person_tables
from changke.interfaces.health import web_shops
from changke.interfaces.webhooks.door import LARGEST_BODY_BYTES
from changke.interfaces.webhooks.models import (
    PrivacyRequest,
    WebhookAddress,
    WebhookDelivery,
    WebhookPlace,
    WebhookRefusal,
)
from changke.interfaces.webhooks.services import receive
from changke.interfaces.webhooks.services.addresses import (
    change_address,
    make_address,
    map_place,
    queue_again,
    rotate_secret,
    secrets_of,
)
from changke.interfaces.webhooks.services.forget import forget_letters
from tests.cast import Cast
from tests.interfaces.api.conftest import NOW, YESTERDAY
from tests.interfaces.webhooks.conftest import BY, address_of, work
from tests.interfaces.webhooks.senders import Own, Shopify, Youzan, post, sample

pytestmark = pytest.mark.django_db


def stands(number: str) -> list[tuple[str, int, int | None]]:
    """Living receipts of this number: kind, money, customer."""
    rows = Receipt.objects.filter(number=number, withdrawn_by__isnull=True).order_by("pk")
    return list(rows.values_list("kind", "cash_minor", "customer_id"))


def last() -> WebhookDelivery:
    return WebhookDelivery.objects.latest("pk")


def test_a_paid_order_becomes_a_receipt_of_whoever_bought(shopify: Shopify, cast: Cast) -> None:
    answer = shopify.send(sample("shopify_order"))
    assert (answer.status_code, last().state) == (200, "received")
    work()
    assert (last().state, last().created_count, last().customer_ids) == ("done", 1, [cast.vera.pk])
    assert stands("#1001") == [("sale", 40_300, cast.vera.pk)]
    lines = Receipt.objects.get(number="#1001").lines.order_by("position")
    assert [line.item_id for line in lines] == [cast.facial.pk, None, None], "a code that is not ours stays a text"
    names = [reference("external", "207119551", "shopify"), reference("email", "vera@example.com")]
    assert set(find(names, scope=CHAIN_WIDE).values()) == {cast.vera.pk}


def test_a_replayed_delivery_is_answered_and_changes_nothing(shopify: Shopify, cast: Cast) -> None:
    for _ in range(3):
        assert shopify.send(sample("shopify_order"), delivery_id="same").status_code == 200
        work()
    shopify.send(sample("shopify_order"), "orders/updated")
    work()
    assert WebhookDelivery.objects.count() == 2
    assert len(stands("#1001")) == 1


@pytest.mark.parametrize("refund_first", [True, False])
def test_a_refund_waits_for_its_order_and_lowers_it(shopify: Shopify, cast: Cast, refund_first: bool) -> None:
    letters = [(sample("shopify_order"), "orders/paid"), (sample("shopify_refund"), "refunds/create")]
    for letter, topic in reversed(letters) if refund_first else letters:
        shopify.send(letter, topic)
        work()
        if refund_first and topic == "refunds/create":
            assert (last().state, last().reason) == ("waiting", "order")
    work()
    assert stands("refund-509562969") == [("return", 5_400, cast.vera.pk)]
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"done"}
    shopify.send(sample("shopify_order", refunds=[sample("shopify_refund")], updated_at="2026-03-02T10:00:01+08:00"))
    work()
    assert len(stands("refund-509562969")) == 1, "the order tells of the refund again"


def test_a_later_version_corrects_and_an_older_one_is_ignored(shopify: Shopify, cast: Cast) -> None:
    later = sample("shopify_order", updated_at="2026-03-01T15:00:00+08:00", total_price="300.00")
    shopify.send(sample("shopify_order"))
    work()
    shopify.send(later, "orders/updated")
    work()
    assert stands("#1001") == [("sale", 30_000, cast.vera.pk)]
    assert Receipt.objects.filter(number="#1001", withdrawn_by__kind="correction").count() == 1
    shopify.send(sample("shopify_order"), "orders/updated")
    work()
    assert (last().state, last().reason) == ("ignored", "older")
    assert stands("#1001") == [("sale", 30_000, cast.vera.pk)]


def test_an_unknown_place_waits_until_somebody_says_which_store_it_is(shopify: Shopify, cast: Cast) -> None:
    shopify.send(sample("shopify_order", location_id=None))
    work()
    assert (last().state, last().waits_for) == ("waiting", "place:online")
    assert WebhookPlace.objects.get(place="online").store is None
    assert map_place(address_of(shopify), "online", cast.xu_hui, by=BY, now=NOW) == 1
    work()
    assert Receipt.objects.get(number="#1001").store_id == cast.xu_hui.pk
    assert AuditLine.objects.filter(action="webhook.place").exists()


def test_youzan_in_any_order(youzan: Youzan, cast: Cast) -> None:
    assert youzan.send("trade_refund_RefundSuccess", sample("youzan_refund")).json() == {"code": 0, "msg": "success"}
    work()
    assert (last().state, last().reason) == ("done", "return_waits")
    assert WaitingReturn.objects.count() == 1
    youzan.send("trade_TradePaid", sample("youzan_paid"))
    youzan.send("trade_TradeSuccess", sample("youzan_paid"), version=1772339400001)
    work()
    assert stands("E20260301") == [("sale", 29_600, cast.mo.pk)]
    assert stands("refund-202603021124040000012345") == [("return", 2_000, cast.mo.pk)]
    youzan.send("trade_TradePaid", sample("youzan_paid"), test=True)
    work()
    assert (last().state, last().reason) == ("ignored", "test")


def test_who_is_known_by_one_name_is_not_written_down_under_another(youzan: Youzan, cast: Cast) -> None:
    hidden = sample("youzan_paid")
    hidden["full_order_info"]["buyer_info"]["buyer_phone"] = "$abc$1$"
    youzan.send("trade_TradePaid", hidden)
    work()
    before = Customer.objects.count()
    shown = sample("youzan_paid")
    shown["full_order_info"]["buyer_info"]["buyer_phone"] = "13955550000"
    shown["full_order_info"]["order_info"]["tid"] = "E2"
    youzan.send("trade_TradePaid", shown)
    work()
    assert Customer.objects.count() == before
    assert stands("E2")[0][2] == stands("E20260301")[0][2]


def test_a_system_of_ones_own_sends_facts(own: Own, cast: Cast) -> None:
    visit = {"type": "visit", "id": "v", "store": "JA", "happened_at": YESTERDAY, "customer": {"phone": "13800000003"}}
    own.send({"type": "facts", "data": {"facts": [visit, visit | {"id": "w", "store": "??"}]}})
    work()
    assert (last().state, last().reason, last().created_count) == ("failed", "unknown_store", 1)
    assert last().detail.startswith("1/2: ")
    own.send({"type": "ping"})
    work()
    assert (last().state, last().reason) == ("ignored", "other_topic")
    own.send({"type": "facts", "data": {"facts": []}})
    work()
    assert (last().state, last().reason) == ("failed", "unreadable")


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_what_the_door_refuses_is_counted_and_kept_out(own: Own, shopify: Shopify, youzan: Youzan, cast: Cast) -> None:
    facts = {"type": "facts", "data": {"facts": []}}
    wrong = Shopify(shopify.path, secret="guessed")
    assert refused(wrong.send(sample("shopify_order"))) == (401, "wrong_signature")
    assert refused(post(own.client, own.path, b"{}", {})) == (401, "wrong_signature")
    assert refused(Youzan(youzan.path, secret="guessed").send("x", {})) == (401, "wrong_signature")
    assert refused(own.send(facts, seconds_ago=600)) == (401, "clock_off")
    assert refused(own.send(facts, seconds_ago=-600)) == (401, "clock_off")
    assert refused(own.send(b" " * (LARGEST_BODY_BYTES + 1))) == (413, "body_too_large")
    assert refused(youzan.send_raw(b"not json")) == (400, "unreadable")
    assert refused(Shopify("nobody-guesses-this").send({})) == (404, "not_found")
    assert refused(own.client.get(f"/hooks/{own.path}/")) == (405, "method_not_allowed")
    assert not WebhookDelivery.objects.exists()
    counted = WebhookRefusal.objects.values_list("address__source", "reason", "times")
    assert set(counted) == {
        ("shopify", "wrong_signature", 1), ("standard", "wrong_signature", 1), ("youzan", "wrong_signature", 1),
        ("standard", "clock_off", 2), ("standard", "body_too_large", 1), ("youzan", "unreadable", 1),
    }  # fmt: skip


def test_a_body_that_does_not_say_how_long_it_is_is_not_read(own: Own, shopify: Shopify, cast: Cast) -> None:
    """As `Transfer-Encoding: chunked` has it: nobody pours gigabytes into the one door that needs no log-in."""
    body = b" " * (LARGEST_BODY_BYTES + 1)
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in shopify.headers(body, "x").items()}
    answer = shopify.client.generic("POST", f"/hooks/{shopify.path}/", body, CONTENT_LENGTH="", **headers)
    assert refused(answer) == (401, "wrong_signature")
    assert not WebhookDelivery.objects.exists()


def second_shop(cast: Cast) -> Shopify:
    address, _ = make_address(
        source="shopify", name="二店", secret="shpss_secret", created_by=cast.owner, by=BY, now=NOW
    )
    map_place(address, "905684977", cast.jing_an, by=BY, now=NOW)
    return Shopify(address.path)


def test_two_shops_on_one_store_count_their_orders_alike_and_keep_them_apart(shopify: Shopify, cast: Cast) -> None:
    other = second_shop(cast)
    shopify.send(sample("shopify_order"))
    work()
    other.send(sample("shopify_order", id=5, total_price="100.00", updated_at="2026-03-02T10:00:00+08:00"))
    work()
    assert sorted(money for _, money, _ in stands("#1001")) == [10_000, 40_300]
    assert not Receipt.objects.filter(number="#1001", withdrawn_by__isnull=False).exists()
    other.send(sample("shopify_order", id=5, total_price="90.00", updated_at="2026-03-03T10:00:00+08:00"))
    work()
    assert sorted(money for _, money, _ in stands("#1001")) == [9_000, 40_300], "a later version is its own shop's"
    other.send(sample("shopify_refund", order_id=5, id=6), "refunds/create")
    work()
    back = Receipt.objects.get(kind="return")
    assert (back.source, back.original_number) == (address_of(other).receipt_source, "#1001")


def test_an_address_in_the_place_of_a_closed_one_knows_its_orders(shopify: Shopify, cast: Cast) -> None:
    shopify.send(sample("shopify_order"))
    work()
    change_address(address_of(shopify), is_active=False, by=BY, now=NOW)
    receive.forget_known()
    again = second_shop(cast)
    assert address_of(again).receipt_source == "shopify"
    again.send(sample("shopify_order"), "orders/updated")
    work()
    assert stands("#1001") == [("sale", 40_300, cast.vera.pk)]


def test_two_secrets_open_during_a_rotation(own: Own, cast: Cast) -> None:
    address = address_of(own)
    fresh = rotate_secret(address, by=BY, now=NOW)
    receive.forget_known()
    assert own.send({"type": "ping"}).status_code == 200
    assert Own(own.path, fresh).send({"type": "ping"}).status_code == 200
    assert secrets_of(address, now=NOW + dt.timedelta(hours=25)) == [fresh]
    assert fresh not in str(AuditLine.objects.values_list("before", "after"))


def test_an_address_may_be_limited_to_networks_or_closed(own: Own, cast: Cast) -> None:
    address = address_of(own)
    change_address(address, allowed_networks=["203.0.113.0/24"], by=BY, now=NOW)
    receive.forget_known()
    assert refused(own.send({"type": "ping"})) == (403, "address_not_allowed")
    change_address(address, allowed_networks=["127.0.0.1", "203.0.113.0/24"], by=BY, now=NOW)
    receive.forget_known()
    assert own.send({"type": "ping"}).status_code == 200
    change_address(address, is_active=False, by=BY, now=NOW)
    receive.forget_known()
    assert refused(own.send({"type": "ping"})) == (404, "not_found")


def test_secrets_and_letters_are_sealed_at_rest(shopify: Shopify, cast: Cast) -> None:
    shopify.send(sample("shopify_order"))
    with connection.cursor() as sql:
        sql.execute("SELECT secret FROM interfaces_webhookaddress UNION SELECT letter FROM interfaces_webhookdelivery")
        stored = b"".join(bytes(value) for (value,) in sql.fetchall())
    assert b"shpss_secret" not in stored
    assert b"13800000003" not in stored


def test_letters_go_with_time_and_with_the_person(shopify: Shopify, cast: Cast) -> None:
    table = next(one for one in person_tables() if one.key == "deliveries")
    shopify.send(sample("shopify_order"))
    work()
    (row,) = table.export([cast.vera.pk])
    assert json.loads(str(row["letter"]))["name"] == "#1001"
    assert table.erase is not None
    assert (table.erase([cast.mo.pk]), table.erase([cast.vera.pk]), table.erase([cast.vera.pk])) == (0, 1, 0)
    assert not queue_again(last()), "what is gone cannot be read again"
    shopify.send(sample("shopify_order"), "orders/updated")
    work()
    received = last().received_at
    assert forget_letters(now=received + dt.timedelta(days=29)) == 0
    assert forget_letters(now=received + dt.timedelta(days=31)) == 1
    assert WebhookDelivery.objects.count() == 2


def test_what_failed_goes_in_when_it_is_replayed(shopify: Shopify, cast: Cast) -> None:
    shopify.send(sample("shopify_order", currency="USD"))
    work()
    assert (last().state, last().reason) == ("failed", "other_currency")
    cast.chain.currency = "USD"
    cast.chain.save()
    assert queue_again(last())
    work()
    assert last().state == "done"


def test_a_surprise_does_not_hold_the_others_up(shopify: Shopify, youzan: Youzan, own: Own, cast: Cast) -> None:
    shopify.send(sample("shopify_order"))
    WebhookDelivery.objects.update(letter=b"short")
    youzan.send("trade_TradePaid", sample("youzan_paid"))
    WebhookAddress.objects.filter(source="youzan").update(source="gone")
    own.send({"type": "ping"})
    work()
    told = [(one.state, one.reason) for one in WebhookDelivery.objects.order_by("pk")]
    assert told == [("failed", "cannot_open"), ("failed", "crashed"), ("ignored", "other_topic")]


def test_a_wish_to_be_forgotten_is_kept_as_a_request(shopify: Shopify, cast: Cast) -> None:
    shopify.send(sample("shopify_order"))
    work()
    shopify.send({"customer": {"id": 207119551, "phone": "13800000003"}}, "customers/redact")
    work()
    wish = PrivacyRequest.objects.get()
    assert (wish.kind, wish.external_id, wish.customer_ids, wish.handled_at) == (
        "erase", "207119551", [cast.vera.pk], None,
    )  # fmt: skip


def test_the_doctor_says_what_does_not_go_in(shopify: Shopify, cast: Cast) -> None:
    assert [one.status for one in web_shops(NOW)] == ["ok"]
    shopify.send(sample("shopify_order", location_id=7))
    late = list(web_shops(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=6)))
    assert [("not read" in one.found, "worker" in one.remedy) for one in late] == [(True, True)]
    work()
    Shopify(shopify.path, secret="guessed").send({})
    told = [one.found for one in web_shops(dt.datetime.now(dt.UTC))]
    assert told == [
        "1 deliveries wait, 0 were not taken in (7 days)", "1 calls with a wrong signature since yesterday",
    ]  # fmt: skip


def test_a_storm_has_the_effects_of_its_distinct_valid_letters(shopify: Shopify, cast: Cast) -> None:
    """30 % come twice, 10 % out of order, 1 % signed by nobody: small here, large in benchmarks/webhooks.py."""
    order = sample("shopify_order")
    nobody_else = {"phone": "", "email": ""}
    letters = [
        (
            order | nobody_else | {"id": n, "name": f"#{n}", "customer": {"id": n % 40}, "total_price": f"{n}.00"},
            f"d{n}",
        )
        for n in range(1, 201)
    ]
    storm = [one for n, one in enumerate(letters) for _ in range(2 if n % 10 < 3 else 1)]
    for n in range(0, len(storm) - 10, 10):
        storm[n], storm[n + 9] = storm[n + 9], storm[n]
    forger, bad = Shopify(shopify.path, secret="guessed"), 0
    for n, (letter, name) in enumerate(storm):
        if n % 100 == 0:
            assert forger.send(letter | {"id": 10_000 + n, "name": f"#{10_000 + n}"}).status_code == 401
            bad += 1
        assert shopify.send(letter, delivery_id=name).status_code == 200
        if n % 37 == 0:
            work()
    work()
    assert bad == WebhookRefusal.objects.get().times > 2
    assert WebhookDelivery.objects.filter(state="done").count() == 200
    sold = Receipt.objects.filter(source="shopify", kind="sale")
    assert sorted(sold.values_list("number", flat=True)) == sorted(f"#{n}" for n in range(1, 201))
    assert Customer.objects.filter(identifiers__source="shopify").count() == 40
