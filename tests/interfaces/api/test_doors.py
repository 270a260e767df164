"""Who comes in, and how refusals look."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from changke.foundation.access.models import ApiKey
from changke.foundation.access.services import change_staff, revoke_key
from changke.interfaces.api.limits import LARGEST_BODY_MB
from tests.cast import Cast
from tests.interfaces.api.conftest import NOW, Caller, sale

pytestmark = pytest.mark.django_db


def test_without_a_key_nobody_comes_in(cast: Cast) -> None:
    answer = Caller().get("/customers")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_logged_in")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("secret", ["ck_wrong", "nonsense", "ck_" + "x" * 4000])
def test_a_wrong_key_is_refused_even_beside_a_log_in(secret: str, cast: Cast) -> None:
    caller = Caller(secret)
    caller.client.force_login(cast.hq)
    assert caller.get("/customers").json()["code"] == "wrong_key"


def test_a_revoked_key_is_refused(hq: Caller) -> None:
    assert hq.get("/stores").status_code == 200
    revoke_key(ApiKey.objects.get(), now=NOW)
    assert hq.get("/stores").status_code == 401


def test_somebody_who_is_logged_in_reads_and_needs_the_pages_token_to_write(cast: Cast) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.hq)
    assert browser.get("/api/v1/customers").status_code == 200
    body = json.dumps({"purchases": [sale()]})
    foreign = browser.post("/api/v1/purchases", body, content_type="application/json")
    assert (foreign.status_code, foreign.json()["code"]) == (403, "csrf_missing")
    token = "a" * 32
    browser.cookies["csrftoken"] = token
    own = browser.post("/api/v1/purchases", body, content_type="application/json", headers={"X-CSRFToken": token})
    assert own.json()["created"] == 1


def test_somebody_who_left_does_not_come_in(cast: Cast) -> None:
    browser = Client()
    browser.force_login(cast.hq)
    change_staff(cast.hq, is_active=False, now=NOW)
    assert browser.get("/api/v1/customers").status_code == 401


def test_a_body_over_two_megabytes_is_refused_before_it_is_read(hq: Caller) -> None:
    answer = hq.post("/purchases", b" " * (LARGEST_BODY_MB * 1024 * 1024 + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert answer.json()["remedy"]


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 100_000, "收银".encode("gbk")])
def test_what_is_not_json_is_refused(body: bytes, hq: Caller) -> None:
    answer = hq.post("/purchases", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "not_json")


@pytest.mark.parametrize("body", ["", "[]", "7", "null", '"sale"', '{"purchases": {}}', '{"purchases": []}', "{}"])
def test_json_of_another_shape_is_refused(body: str, hq: Caller) -> None:
    answer = hq.post("/purchases", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_what_is_not_there_or_not_so_is_refused_in_the_same_shape(hq: Caller) -> None:
    for method, path, status, code in (
        ("GET", "/nowhere", 404, "not_found"),
        ("POST", "/nowhere", 404, "not_found"),
        ("GET", "/customers/99999999999999999999", 404, "not_found"),
        ("GET", "/customers/abc", 404, "not_found"),
        ("DELETE", "/customers", 405, "method_not_allowed"),
        ("GET", "/purchases", 405, "method_not_allowed"),
    ):
        answer = hq.send(method, path, "")
        assert (answer.status_code, answer.json()["code"]) == (status, code), path


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 201}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": "WyJhIl0="}, "cursor"),
        ({"cursor": "收银"}, "cursor"),
        ({"cursor": "WyJcdTAwMDAiXQ=="}, "cursor"),
        ({"phone": "nobody"}, "phone"),
        ({"name": "\x00"}, "name"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(query: dict[str, Any], place: str, hq: Caller) -> None:
    answer = hq.get("/customers", **query)
    assert (answer.status_code, answer.json()["field"]) == (422, place)


def test_refusals_speak_the_language_of_the_caller(key_of: Callable[[str], Caller]) -> None:
    caller = key_of("hq")
    for language in ("en", "zh-hans", "zh-hant"):
        answer = caller.send("GET", "/customers/999999", "", **{"Accept-Language": language})
        assert answer.headers["Content-Language"] == language
        assert answer.json()["code"] == "not_found"
