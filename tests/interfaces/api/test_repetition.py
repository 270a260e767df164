"""Twice is once: keys of idempotency, and machines that send the same thing at the same moment."""

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connections

from changke.facts.customers.queries import by_phone
from changke.facts.models import Customer, Event, Receipt
from changke.foundation.access.services import issue_key
from changke.interfaces.api.models import KeptAnswer
from changke.interfaces.api.services import KEPT_DAYS, forget_answers
from tests.cast import Cast
from tests.interfaces.api.conftest import NOW, Caller, sale

NEW = {"name": "张三", "phone": "13800007831", "home_store": "JA"}


@pytest.mark.django_db
def test_the_same_write_under_the_same_key_gets_the_same_answer(hq: Caller, cast: Cast) -> None:
    first = hq.post("/customers", NEW, **{"Idempotency-Key": "k1"})
    again = hq.post("/customers", NEW, **{"Idempotency-Key": "k1"})
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert Customer.objects.filter(name="张三").count() == 1


@pytest.mark.django_db
def test_another_write_under_the_same_key_is_refused(hq: Caller, cast: Cast) -> None:
    hq.post("/customers", NEW, **{"Idempotency-Key": "k1"})
    for path, method, body in (
        ("/customers", "POST", NEW | {"name": "李四"}),
        (f"/customers/{cast.vera.pk}", "PATCH", NEW),
    ):
        answer = hq.send(method, path, body, **{"Idempotency-Key": "k1"})
        assert answer.status_code in {409, 422}
    answer = hq.post("/customers", NEW | {"name": "李四"}, **{"Idempotency-Key": "k1"})
    assert (answer.status_code, answer.json()["code"]) == (409, "key_reused")


@pytest.mark.django_db
def test_keys_of_two_machines_are_two_keys(hq: Caller, manager: Caller, cast: Cast) -> None:
    hq.post("/customers", NEW, **{"Idempotency-Key": "k1"})
    answer = manager.post("/customers", {"name": "李四", "home_store": "JA"}, **{"Idempotency-Key": "k1"})
    assert answer.json()["name"] == "李四"


@pytest.mark.django_db
def test_a_refusal_is_not_kept_mended_it_goes_in(hq: Caller, cast: Cast) -> None:
    assert hq.post("/customers", NEW | {"phone": "1"}, **{"Idempotency-Key": "k1"}).status_code == 422
    assert hq.post("/customers", NEW, **{"Idempotency-Key": "k1"}).status_code == 201


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["x" * 121, "a\tb"])
def test_a_key_that_cannot_be_kept_is_refused(key: str, hq: Caller, cast: Cast) -> None:
    answer = hq.post("/customers", NEW, **{"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["field"]) == (422, "Idempotency-Key")


@pytest.mark.django_db
def test_answers_are_forgotten_after_a_week(hq: Caller, cast: Cast) -> None:
    hq.post("/customers", NEW, **{"Idempotency-Key": "k1"})
    answered = KeptAnswer.objects.values_list("kept_at", flat=True).get()
    assert forget_answers(now=answered + dt.timedelta(days=KEPT_DAYS, seconds=-1)) == 0
    assert forget_answers(now=answered + dt.timedelta(days=KEPT_DAYS, seconds=1)) == 1
    assert not KeptAnswer.objects.exists()


def at_once(count: int, send: Any) -> list[Any]:
    """The answers of `count` threads that start at the same moment."""
    answers: list[Any] = []
    gate = threading.Barrier(count)

    def run() -> None:
        gate.wait()
        try:
            answers.append(send())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return answers


@pytest.mark.django_db(transaction=True)
def test_eight_tills_send_the_same_at_the_same_moment_and_it_counts_once(cast: Cast) -> None:
    secret = issue_key(name="till", role="hq", now=NOW).secret
    batch = [sale(number=f"N{n}", customer={"phone": f"139{n % 7:08}"}) for n in range(20)]
    visits = {
        "visits": [{"id": "1", "store": "JA", "happened_at": batch[0]["happened_at"], "customer": {"wecom_id": "w"}}]
    }
    events = {"events": [{"id": "1", "kind": "app.opened", "happened_at": batch[0]["happened_at"]}]}
    reports = at_once(8, lambda: Caller(secret).post("/purchases", {"purchases": batch}).json())
    assert sum(one["created"] for one in reports) == 20
    assert sum(one["skipped"] for one in reports) == 7 * 20
    assert Receipt.objects.filter(number__startswith="N").count() == 20
    assert len({by_phone(f"139{n:08}") for n in range(7)} - {None}) == 7
    assert Customer.objects.count() == 6 + 7, "nobody was written down twice"
    assert sum(one["created"] for one in at_once(4, lambda: Caller(secret).post("/visits", visits).json())) == 1
    assert sum(one["created"] for one in at_once(4, lambda: Caller(secret).post("/events", events).json())) == 1
    assert Event.objects.filter(kind="app.opened").count() == 1
    same = {"Idempotency-Key": "k"}
    written = at_once(4, lambda: Caller(secret).post("/customers", NEW, **same).json()["id"])
    assert len(written) == 4
    assert len(set(written)) == 1
