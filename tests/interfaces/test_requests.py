"""Every request has a number of its own: in the answer, in the log, in the audit trail."""

import logging

import pytest
from django.test import Client, RequestFactory

from changke.foundation.access.services import issue_key
from changke.interfaces import requests
from changke.interfaces.api import actors
from changke.interfaces.web import current
from tests.cast import NOW, Cast


@pytest.mark.django_db
def test_an_answer_carries_a_number_that_the_caller_cannot_choose(client: Client) -> None:
    one, other = (client.get("/login/", headers={"X-Request-ID": "mine"}) for _ in range(2))
    assert len({one["X-Request-ID"], other["X-Request-ID"], "mine"}) == 3


def test_a_log_line_carries_the_number_of_its_request() -> None:
    line = logging.LogRecord("changke", logging.WARNING, __file__, 1, "careful", None, None)
    token = requests.number.set("a1b2")
    try:
        requests.RequestNumber().filter(line)
    finally:
        requests.number.reset(token)
    assert line.request_id == "a1b2"  # type: ignore[attr-defined]


def test_a_person_is_known_with_address_and_number(cast: Cast) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.7")
    request.user, request.request_id = cast.hq, "a1b2"  # type: ignore[attr-defined]
    by = current.by(request)
    assert (by.kind, by.id, by.name, by.address, by.request_id) == ("staff", cast.hq.pk, "李运营", "10.0.0.7", "a1b2")


def test_a_machine_is_known_by_its_key(cast: Cast) -> None:
    issued = issue_key(name="收银", role="hq", now=NOW)
    request = RequestFactory().get("/api/v1/customers", headers={"Authorization": f"Bearer {issued.secret}"})
    request.auth = actors.Key()(request)  # type: ignore[attr-defined]
    by = actors.by(request)
    assert (by.kind, by.id) == ("key", issued.key.pk)
    assert by.name == f"收银 ({issued.key.prefix})"
