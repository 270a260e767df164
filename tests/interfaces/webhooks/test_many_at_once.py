"""Deliveries are written by the hundred; what comes of them is what would have come of each alone, in any order."""

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from changke.facts.customers.services.meet import find, reference
from changke.facts.models import Customer, Receipt
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.interfaces.webhooks.models import WebhookDelivery
from changke.interfaces.webhooks.services import process, record
from tests.cast import Cast
from tests.interfaces.api.conftest import NOW
from tests.interfaces.webhooks.conftest import work
from tests.interfaces.webhooks.senders import Own, Shopify, sample

pytestmark = pytest.mark.django_db

ORDER = ("orders/paid", sample("shopify_order"))
LATER = (
    "orders/updated",
    sample("shopify_order", updated_at="2026-03-01T15:00:00+08:00", total_price="300.00"),
)
REFUND = ("refunds/create", sample("shopify_refund"))


def order(n: int, **about: Any) -> dict[str, Any]:
    nobody_else = {"phone": "", "email": "", "location_id": 905684977}
    return sample("shopify_order") | nobody_else | {"id": n, "name": f"#{n}", "customer": {"id": n}} | about


@pytest.mark.parametrize("letters", list(itertools.permutations([ORDER, LATER, REFUND])), ids=str)
def test_an_order_its_later_version_and_its_refund_come_at_once_in_any_order(
    shopify: Shopify, cast: Cast, letters: Sequence[tuple[str, dict[str, Any]]]
) -> None:
    for topic, letter in letters:
        shopify.send(letter, topic)
    work()
    standing = Receipt.objects.filter(withdrawn_by__isnull=True, source="shopify").order_by("cash_minor")
    assert list(standing.values_list("number", "kind", "cash_minor", "customer_id")) == [
        ("refund-509562969", "return", 5_400, cast.vera.pk),
        ("#1001", "sale", 30_000, cast.vera.pk),
    ]
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) <= {"done", "ignored"}


def test_two_orders_of_one_person_under_two_names_are_hers(shopify: Shopify, cast: Cast) -> None:
    before = Customer.objects.count()
    shopify.send(order(1, phone="13955550001", customer={"id": 71}))
    shopify.send(order(2, email="new@example.com", customer={"id": 71}))
    shopify.send(order(3, email="new@example.com", customer={}))
    shopify.send(order(4, phone="13800000003", customer={"id": 72}))  # Vera's
    shopify.send(order(5, customer={"id": 72}))
    work()
    buyers = dict(Receipt.objects.filter(source="shopify").values_list("number", "customer_id"))
    assert len({buyers["#1"], buyers["#2"], buyers["#3"]}) == 1
    assert buyers["#4"] == buyers["#5"] == cast.vera.pk
    assert Customer.objects.count() == before + 1
    names = [reference("phone", "13955550001"), reference("email", "new@example.com")]
    names.append(reference("external", "71", "shopify"))
    assert find(names, scope=CHAIN_WIDE) == dict.fromkeys(names, buyers["#1"])


def test_one_that_cannot_be_written_is_marked_and_the_others_go_in_once(
    shopify: Shopify, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken_in, calls = record.take_in, 0

    def failing(facts: Sequence[dict[str, Any]], **about: Any) -> Any:
        nonlocal calls
        calls += 1
        outcomes = taken_in(facts, **about)
        if any(fact["number"] == "#13" for fact in facts):
            raise IntegrityError("something nobody thought of")
        return outcomes

    monkeypatch.setattr(record, "take_in", failing)
    for n in range(20):
        shopify.send(order(n))
    work()
    states = dict(WebhookDelivery.objects.order_by("pk").values_list("number", "state"))
    assert sorted(states) == ["", *sorted(f"#{n}" for n in range(20) if n != 13)]
    assert states.pop("") == "failed"
    assert set(states.values()) == {"done"}
    failed = WebhookDelivery.objects.get(state="failed")
    assert (failed.reason, failed.detail) == ("crashed", "IntegrityError")
    assert Receipt.objects.filter(source="shopify").count() == 19
    assert calls <= 12, "by halves, not one by one"


def test_fifty_cost_no_more_statements_than_five(shopify: Shopify, cast: Cast) -> None:
    told = []
    for numbers in (range(100, 105), range(200, 250)):
        for n in numbers:
            shopify.send(order(n))
        with CaptureQueriesContext(
            connection,
        ) as asked:
            process.process_some(NOW)
        assert not WebhookDelivery.objects.filter(state="received").exists()
        told.append(len(asked))
    assert told[1] <= told[0]


def test_letters_with_many_facts_are_not_all_taken_at_once(own: Own, cast: Cast) -> None:
    about = {"type": "visit", "store": "JA", "happened_at": "2026-02-28T10:00:00+08:00"}
    for letter in range(3):
        facts = [about | {"id": f"{letter}-{n}", "customer": {"phone": "13800000003"}} for n in range(400)]
        own.send({"type": "facts", "data": {"facts": facts}})
    assert process.process_some(NOW) is True
    assert WebhookDelivery.objects.filter(state="done").count() == 2
    assert process.process_some(NOW) is False
    assert list(WebhookDelivery.objects.values_list("state", "created_count")) == [("done", 400)] * 3
