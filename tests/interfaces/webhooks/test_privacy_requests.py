"""What Shopify passes on of persons, from the signed letter to the answer that somebody gives."""

import datetime as dt
import io
import zipfile

import pytest
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from changke.facts.customers.models import Customer
from changke.facts.customers.queries import family_of
from changke.foundation.access.models import Staff
from changke.foundation.audit.models import AuditLine
from changke.interfaces.health import web_shops
from changke.interfaces.webhooks.models import PrivacyRequest
from tests.cast import Cast
from tests.interfaces.api.conftest import Caller
from tests.interfaces.api.conftest import hq as hq
from tests.interfaces.api.conftest import key_of as key_of
from tests.interfaces.webhooks.conftest import work
from tests.interfaces.webhooks.senders import Shopify, sample

HERS = 207119551
"""Who bought in the sample."""


def signed_in(person: Staff) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(person)
    return client


def asked(shopify: Shopify, topic: str, **her: object) -> PrivacyRequest:
    shopify.send({"shop_domain": "demo.myshopify.com", "customer": {"id": HERS} | her}, topic)
    work()
    return PrivacyRequest.objects.latest("pk")


def bought(shopify: Shopify) -> Customer:
    shopify.send(sample("shopify_order"))
    work()
    return Customer.objects.get(identifiers__source="shopify", identifiers__value=str(HERS))


def page_of(one: PrivacyRequest) -> str:
    return reverse("webhook-request", args=[one.pk])


def test_her_data_are_handed_out_once_and_written_down(shopify: Shopify, cast: Cast) -> None:
    her = bought(shopify)
    one = asked(shopify, "customers/data_request")
    client = signed_in(cast.hq)
    assert page_of(one) in client.get(reverse("webhook-address", args=[one.address_id])).content.decode()
    assert f"#{her.pk}" in client.get(page_of(one)).content.decode()
    answer = client.post(page_of(one), {"act": "export"})
    assert "person.json" in zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    one.refresh_from_db()
    assert one.handled_at is not None
    lines = AuditLine.objects.filter(action__in=("customer.exported", "privacy.answered")).order_by("pk")
    assert [(line.action, line.actor_name) for line in lines] == [
        ("customer.exported", cast.hq.name), ("privacy.answered", cast.hq.name),
    ]  # fmt: skip
    again = client.post(page_of(one), {"act": "export"})
    assert (again.status_code, "was answered on" in again.content.decode()) == (409, True)


def test_she_is_erased_when_somebody_types_her_number(shopify: Shopify, cast: Cast) -> None:
    her = bought(shopify)
    one = asked(shopify, "customers/redact")
    client = signed_in(cast.hq)
    wrong = client.post(page_of(one), {"act": "erase", "confirm": "999999"})
    assert wrong.status_code == 422
    assert not Customer.objects.get(pk=her.pk).is_erased
    assert client.post(page_of(one), {"act": "erase", "confirm": f"#{her.pk}"}).status_code == 303
    assert Customer.objects.get(pk=her.pk).is_erased
    one.refresh_from_db()
    assert one.handled_at is not None


def test_who_never_bought_is_proposed_by_her_phone_and_nobody_is_an_answer_too(shopify: Shopify, cast: Cast) -> None:
    known = asked(shopify, "customers/redact", id=1, phone="13800000003")
    assert known.customer_ids == [cast.vera.pk]
    stranger = asked(shopify, "customers/redact", id=2, phone="13811119999", email="x@y.cn")
    assert stranger.customer_ids == []
    client = signed_in(cast.hq)
    assert client.post(page_of(known), {"act": "nobody"}).status_code == 422  # somebody is
    assert client.post(page_of(stranger), {"act": "nobody"}).status_code == 303
    assert client.post(page_of(known), {"act": "erase", "confirm": ""}).status_code == 422
    assert not Customer.objects.get(pk=cast.vera.pk).is_erased


def test_the_whole_shop_takes_those_with_it_whom_only_it_knew(shopify: Shopify, cast: Cast) -> None:
    her = bought(shopify)
    known_here = set(family_of(cast.vera.pk))
    assert her.pk in known_here  # she came to the store too: the sample's phone is Vera's
    letter = sample("shopify_order", id=2, phone="13811112222", email="new@example.cn")
    letter["name"] = "#2"
    letter["customer"] = {"id": 77, "phone": "13811112222", "email": "new@example.cn", "first_name": "新"}
    letter["billing_address"] = {}
    shopify.send(letter)
    work()
    only = Customer.objects.get(identifiers__source="shopify", identifiers__value="77")
    one = asked(shopify, "shop/redact")
    client = signed_in(cast.owner)
    assert "customers would be erased" in client.get(page_of(one)).content.decode()
    assert client.post(page_of(one), {"act": "erase_shop", "confirm": "another"}).status_code == 422
    assert client.post(page_of(one), {"act": "erase_shop", "confirm": "网店"}).status_code == 303
    for job in ProcrastinateJob.objects.filter(status="todo", task_name="forget_shop"):
        app.tasks[job.task_name](**job.args)
    assert [Customer.objects.get(pk=pk).is_erased for pk in (only.pk, her.pk)] == [True, False]
    one.refresh_from_db()
    assert one.handled_at is not None


@pytest.mark.parametrize("role", ["manager", "staff"])
def test_stores_do_not_answer(shopify: Shopify, cast: Cast, role: str) -> None:
    one = asked(shopify, "customers/data_request")
    person = {"manager": cast.manager, "staff": cast.clerk}[role]
    assert signed_in(person).get(page_of(one)).status_code == 403
    assert signed_in(person).post(page_of(one), {"act": "nobody"}).status_code == 403


def test_what_is_not_there_is_not_found(cast: Cast) -> None:
    assert signed_in(cast.hq).get(reverse("webhook-request", args=[999])).status_code == 404


def test_the_doctor_says_what_waits_and_what_is_urgent(shopify: Shopify, cast: Cast) -> None:
    one = asked(shopify, "customers/data_request")
    now = dt.datetime.now(dt.UTC)
    [waits] = web_shops(now)
    assert (waits.status, "1 privacy requests wait" in waits.found) == ("warning", True)
    PrivacyRequest.objects.filter(pk=one.pk).update(received_at=now - dt.timedelta(days=21))
    assert [found.status for found in web_shops(now)] == ["failed"]


def test_a_machine_lets_a_whole_shop_be_forgotten(hq: Caller, shopify: Shopify, cast: Cast) -> None:
    letter = sample("shopify_order", phone="13811112222", email="new@example.cn", billing_address={})
    letter["customer"] = {"id": 77, "phone": "13811112222", "email": "new@example.cn", "first_name": "新"}
    shopify.send(letter)
    work()
    only = Customer.objects.get(identifiers__source="shopify", identifiers__value="77")
    one = asked(shopify, "shop/redact")
    assert [shown["would_erase"] for shown in hq.get("/webhooks/requests").json()] == [1]
    path = f"/webhooks/requests/{one.pk}/answer"
    for name in ("", "another"):
        answer = hq.post(path, {"outcome": "erased", "confirm_shop": name})
        assert (answer.status_code, answer.json()["field"]) == (422, "confirm_shop")
    assert not ProcrastinateJob.objects.filter(task_name="forget_shop").exists()
    assert hq.post(path, {"outcome": "erased", "confirm_shop": "网店"}).json()["handled_at"] is None
    for job in ProcrastinateJob.objects.filter(status="todo", task_name="forget_shop"):
        app.tasks[job.task_name](**job.args)
    assert Customer.objects.get(pk=only.pk).is_erased
    assert {"key"} == set(AuditLine.objects.filter(action="privacy.answered").values_list("actor_kind", flat=True))
    [shown] = hq.get("/webhooks/requests").json()
    assert (shown["handled_at"] is not None, shown["would_erase"]) == (True, None)
    assert hq.post(path, {"outcome": "erased", "confirm_shop": "网店"}).json()["code"] == "request_answered"


def test_a_machine_answers_too(hq: Caller, shopify: Shopify, cast: Cast) -> None:
    her = bought(shopify)
    one = asked(shopify, "customers/redact")
    [shown] = hq.get("/webhooks/requests").json()
    assert (shown["kind"], shown["customer_ids"], shown["handled_at"]) == ("erase", [her.pk], None)
    path = f"/webhooks/requests/{one.pk}/answer"
    assert hq.post(path, {"outcome": "nobody"}).json()["field"] == "outcome"
    assert hq.post(path, {"outcome": "exported"}).json()["field"] == "outcome"
    assert hq.post(path, {"outcome": "erased", "confirm": [her.pk + 1]}).json()["field"] == "confirm"
    assert hq.post(path, {"outcome": "erased", "confirm": [her.pk]}).json()["handled_at"]
    assert hq.post(path, {"outcome": "erased", "confirm": [her.pk]}).json()["code"] == "request_answered"
    assert hq.post("/webhooks/requests/999999/answer", {"outcome": "nobody"}).status_code == 404
