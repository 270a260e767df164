"""The pages of the addresses, and of returns whose purchase has not come."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from changke.facts.models import Receipt, WaitingReturn
from changke.foundation.access.models import Staff
from changke.interfaces.webhooks.models import PrivacyRequest, WebhookAddress
from changke.interfaces.webhooks.services import receive
from tests.cast import Cast
from tests.interfaces.api.conftest import NOW
from tests.interfaces.webhooks.conftest import address_of, work
from tests.interfaces.webhooks.senders import Own, Shopify, sample

pytestmark = pytest.mark.django_db


def signed_in(person: Staff) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(person)
    return client


def test_an_address_is_made_and_its_secret_shown_once(cast: Cast) -> None:
    client = signed_in(cast.hq)
    made = client.post(reverse("webhooks"), {"source": "standard", "name": "收银台"})
    address = WebhookAddress.objects.get()
    secret = made.content.decode().split('id="secret" class="secret">')[1].split("<")[0]
    assert Own(address.path, secret).send({"type": "ping"}).status_code == 200
    again = client.get(reverse("webhook-address", args=[address.pk]))
    assert f"/hooks/{address.path}" in again.content.decode()
    assert secret not in again.content.decode()
    assert again["Cache-Control"] == "no-store"
    assert "收银台" in client.get(reverse("webhooks")).content.decode()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"source": "shopify", "name": "x"}, "Copy the secret"),
        ({"source": "youzan", "name": "x", "secret": "s"}, "Copy the client_id"),
        ({"source": "standard", "name": "x", "allowed_networks": "home"}, "203.0.113.0/24"),
    ],
)
def test_what_is_missing_is_said_beside_its_field(cast: Cast, given: dict[str, str], said: str) -> None:
    answer = signed_in(cast.hq).post(reverse("webhooks"), given)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not WebhookAddress.objects.exists()


def test_a_place_is_mapped_and_a_failure_read_again(shopify: Shopify, cast: Cast) -> None:
    client, address = signed_in(cast.hq), address_of(shopify)
    shopify.send(sample("shopify_order", location_id=7))
    work()
    page = client.get(reverse("webhook-address", args=[address.pk])).content.decode()
    assert "Say above which store this place is." in page
    client.post(reverse("webhook-place", args=[address.pk]), {"place": "7", "store": cast.xu_hui.pk})
    work()
    assert Receipt.objects.get(number="#1001").store_id == cast.xu_hui.pk
    delivery = address.deliveries.get()
    assert client.post(reverse("webhook-replay", args=[address.pk, delivery.pk])).status_code == 303
    delivery.refresh_from_db()
    assert delivery.state == "received"
    assert client.post(reverse("webhook-place", args=[address.pk]), {"place": ""}).status_code == 404


def test_it_can_be_closed_and_its_secret_changed(shopify: Shopify, cast: Cast) -> None:
    client, address = signed_in(cast.owner), address_of(shopify)
    assert client.post(reverse("webhook-rotate", args=[address.pk]), {"secret": ""}).status_code == 422
    client.post(reverse("webhook-rotate", args=[address.pk]), {"secret": "new"})
    receive.forget_known()
    assert Shopify(shopify.path, secret="new").send({}).status_code == 200
    client.post(reverse("webhook-open", args=[address.pk]))
    receive.forget_known()
    assert Shopify(shopify.path, secret="new").send({}).status_code == 404
    Shopify(shopify.path, secret="wrong").send({})
    PrivacyRequest.objects.create(address=address, kind="erase", customer_ids=[cast.vera.pk], received_at=NOW)
    assert f"#{cast.vera.pk}" in client.get(reverse("webhook-address", args=[address.pk])).content.decode()


def test_a_return_is_counted_by_whoever_records_there(cast: Cast) -> None:
    for store in (cast.jing_an, cast.xu_hui):
        WaitingReturn.objects.create(
            store=store, source="api", original_number="never", source_key=f"k{store.pk}", amount_minor=5_000,
            happened_at=NOW - dt.timedelta(days=3), waiting_since=NOW,
            told={"lines": [{"amount_minor": 5_000, "item": None, "description": "x", "quantity_milli": 1000,
                             "unit_price_minor": None, "kind": "other"}], "tenders": [], "staff": None},
        )  # fmt: skip
    own, foreign = WaitingReturn.objects.order_by("pk")
    assert "never" in signed_in(cast.hq).get(reverse("webhooks")).content.decode()
    manager = signed_in(cast.manager)
    assert manager.post(reverse("webhook-count-return", args=[foreign.pk])).status_code == 404
    assert manager.post(reverse("webhook-count-return", args=[own.pk])).status_code == 303
    assert Receipt.objects.get(source_key=own.source_key).cash_minor == 5_000
