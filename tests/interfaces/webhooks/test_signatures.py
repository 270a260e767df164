"""How each source signs: the vectors of their documentation, and what else is refused."""

import pytest

from changke.interfaces.webhooks.sources import SOURCES
from changke.interfaces.webhooks.sources.shopify import rules as shopify
from changke.interfaces.webhooks.sources.standard import rules as standard
from changke.interfaces.webhooks.sources.youzan import rules as youzan
from changke.interfaces.webhooks.told import ClockOff, Unreadable, Unsigned

BODY = b'{"id":1,"total":"12.00"}'
WHSEC = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
OTHER = "whsec_" + "QUJD" * 8


def test_the_vectors_of_the_documentation() -> None:
    assert shopify.signature(BODY, "shpss_secret") == "uH/7cGLoHZHN6F0Fjucb+Zh3OvYIGV8xDxdGEecltvI="
    assert youzan.signature(b'{"a":1}', client_id="CID", secret="CSECRET") == "92a52087818a15e4390bb2c845d18917"
    signed = standard.signature("msg_1", "1700000000", b'{"a":1}', WHSEC)
    assert signed == "v1,rkwp5YuvdrMkcu0ZhuMsXoTg44mHAr1Q0+FFgFpXsjY="


def standard_headers(**changes: str) -> dict[str, str]:
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1700000000",
        "webhook-signature": "v1,rkwp5YuvdrMkcu0ZhuMsXoTg44mHAr1Q0+FFgFpXsjY=",
    } | changes


def opens(headers: dict[str, str], *, secrets: tuple[str, ...] = (WHSEC,), now: float = 1_700_000_000) -> str:
    return standard.verify(headers, b'{"a":1}', secrets=secrets, client_id="", now=now).delivery_id


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_clock_may_be_five_minutes_off(seconds: int) -> None:
    assert opens(standard_headers(), now=1_700_000_000 + seconds) == "msg_1"


@pytest.mark.parametrize("seconds", [-600, -301, 301, 600])
def test_a_clock_that_is_further_off_is_refused(seconds: int) -> None:
    with pytest.raises(ClockOff):
        opens(standard_headers(), now=1_700_000_000 + seconds)


def test_any_of_several_signatures_and_any_living_secret_will_do() -> None:
    right = standard_headers()["webhook-signature"]
    assert opens(standard_headers(**{"webhook-signature": f"v1,AAAA v2,zz {right}"})) == "msg_1"
    assert opens(standard_headers(), secrets=(OTHER, WHSEC)) == "msg_1"


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "rkwp5YuvdrMkcu0ZhuMsXoTg44mHAr1Q0+FFgFpXsjY="},
        {"webhook-signature": "v1,é"},
        {"webhook-id": "msg_2"},
        {"webhook-id": ""},
        {"webhook-timestamp": "1700000001"},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "１７００００００００"},
        {"webhook-timestamp": "9" * 40},
    ],
)
def test_what_is_not_signed_so_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(Unsigned):
        opens(standard_headers(**changes))


def test_a_changed_body_or_a_foreign_secret_opens_nothing() -> None:
    with pytest.raises(Unsigned):
        standard.verify(standard_headers(), b'{"a":2}', secrets=(WHSEC,), client_id="", now=1_700_000_000)
    for secrets in ((OTHER,), ("whsec_not base64",), ()):
        with pytest.raises(Unsigned):
            opens(standard_headers(), secrets=secrets)
    good = {"x-shopify-hmac-sha256": shopify.signature(BODY, "shpss_secret"), "x-shopify-topic": "orders/paid"}
    assert shopify.verify(good, BODY, secrets=["old", "shpss_secret"], client_id="", now=0).topic == "orders/paid"
    for headers, body in ((good, BODY + b" "), ({}, BODY), ({"x-shopify-hmac-sha256": "é"}, BODY)):
        with pytest.raises(Unsigned):
            shopify.verify(headers, body, secrets=["shpss_secret"], client_id="", now=0)


def test_youzan_names_its_client_and_its_letter() -> None:
    body = b'{"msg_id": "m-1", "type": "trade_TradePaid"}'
    headers = {"event-sign": youzan.signature(body, client_id="CID", secret="S").upper(), "client-id": "CID"}
    told = youzan.verify(headers, body, secrets=["S"], client_id="CID", now=0)
    assert (told.delivery_id, told.topic) == ("m-1", "trade_TradePaid")
    with pytest.raises(Unsigned):
        youzan.verify(headers | {"client-id": "OTHER"}, body, secrets=["S"], client_id="CID", now=0)
    signed = {"event-sign": youzan.signature(b"[]", client_id="CID", secret="S")}
    with pytest.raises(Unreadable):
        youzan.verify(signed, b"[]", secrets=["S"], client_id="CID", now=0)


@pytest.mark.parametrize("key", list(SOURCES))
def test_every_source_refuses_what_nobody_signed_and_speaks_three_languages(key: str) -> None:
    source = SOURCES[key]
    with pytest.raises(Unsigned):
        source.verify({}, b"{}", secrets=["whsec_QUJD"], client_id="CID", now=0)
    assert set(source.WORDS) == {"zh-hans", "en", "zh-hant"}
    assert key == source.KEY
