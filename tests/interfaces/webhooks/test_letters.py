"""What the sources make of their letters, and that no letter makes them fall over."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from changke.interfaces.webhooks.sources import SOURCES
from changke.interfaces.webhooks.told import Told, Unreadable
from tests.fuzz.fuzz_webhooks import one_input
from tests.interfaces.webhooks.senders import Youzan, sample

TOPICS = {
    "shopify": ["orders/paid", "refunds/create", "customers/update", "customers/redact", "shop/redact", "carts/create"],
    "youzan": ["trade_TradePaid", "trade_refund_RefundSuccess", "trade_TradeClose", "item_ItemInfo"],
    "standard": ["facts"],
}


def shopify(letter: dict[str, Any], topic: str = "orders/paid") -> Told:
    return SOURCES["shopify"].read(topic, json.dumps(letter).encode(), currency="CNY")


def youzan(kind: str, message: dict[str, Any], **changes: Any) -> Told:
    return SOURCES["youzan"].read(kind, Youzan("").letter(kind, message, **changes), currency="CNY")


def amounts(fact: Any) -> list[tuple[str, int]]:
    return [(line["description"], line["amount_minor"]) for line in fact["lines"]]


def test_a_shopify_order_is_exactly_what_was_paid() -> None:
    told = shopify(sample("shopify_order"))
    assert (told.subject, told.place, told.number) == ("order:820982911946154508", "905684977", "#1001")
    assert told.purchase is not None
    assert amounts(told.purchase) == [("深层补水", 28_000), ("面膜 - 5 片", 10_800), ("运费", 1_500)]
    assert told.purchase["customer"] == {"phone": "+8613800000003", "name": "薇 拉"}
    assert [dict(name) for name in told.people[0].names][1:] == [
        {"email": "vera@example.com"},
        {"external_id": "207119551", "source": "shopify"},
    ]


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({"total_price": "410.00"}, [28_000, 10_800, 1_500, 700]),  # something that no line says
        ({"total_price": "300.00"}, [17_700, 10_800, 1_500]),  # a discount of the whole order
        ({"total_price": "0.00"}, [0, 0, 0]),  # given free
        ({"line_items": []}, [1_500, 38_800]),
        ({"taxes_included": False, "total_price": "424.96"}, [29_585, 11_411, 1_500]),
    ],
)
def test_lines_and_total_always_agree(changes: dict[str, Any], lines: list[int]) -> None:
    told = shopify(sample("shopify_order", **changes))
    assert told.purchase is not None
    assert [amount for _, amount in amounts(told.purchase)] == lines


def test_a_refund_is_what_went_back_and_names_its_order_only() -> None:
    told = shopify(sample("shopify_refund"), "refunds/create")
    assert (told.order, told.returns[0]["original_number"]) == ("820982911946154508", "")
    assert amounts(told.returns[0]) == [("面膜 - 5 片", 5_400)]
    within = shopify(sample("shopify_order", refunds=[sample("shopify_refund")]))
    assert within.returns[0]["original_number"] == "#1001"
    assert within.returns[0]["number"] == told.returns[0]["number"] == "refund-509562969"


@pytest.mark.parametrize(
    ("letter", "topic", "why"),
    [
        (sample("shopify_order", financial_status="pending"), "orders/create", "not_paid"),
        (sample("shopify_order", test=True), "orders/paid", "test"),
        (sample("shopify_refund", transactions=[]), "refunds/create", "no_money_back"),
        ({}, "carts/create", "other_topic"),
    ],
)
def test_nothing_is_done_for_a_reason(letter: dict[str, Any], topic: str, why: str) -> None:
    assert shopify(letter, topic).nothing == why


def test_the_privacy_topics_are_wishes() -> None:
    her = {"customer": {"id": 207119551, "email": "x@y.cn"}}
    assert {
        topic: (told.wish.kind, told.wish.external_id)
        for topic in ("customers/redact", "customers/data_request", "shop/redact")
        if (told := shopify(her, topic)).wish
    } == {
        "customers/redact": ("erase", "207119551"),
        "customers/data_request": ("export", "207119551"),
        "shop/redact": ("erase_shop", "207119551"),
    }


def test_a_youzan_trade_becomes_a_receipt_of_its_branch() -> None:
    told = youzan("trade_TradePaid", sample("youzan_paid"))
    assert (told.place, told.place_name, told.number, told.version) == ("41", "花漾静安", "E20260301", 1772339400000)
    assert told.purchase is not None
    assert amounts(told.purchase) == [("深层补水", 26_800), ("面膜 5 片", 2_000), ("运费", 800)]
    assert told.purchase["happened_at"] == "2026-03-01T12:30:00+08:00"
    assert told.purchase["customer"] == {"phone": "+8613800000004", "name": "莫愁"}
    back = youzan("trade_refund_RefundSuccess", sample("youzan_refund")).returns[0]
    assert (back["original_number"], amounts(back)) == ("E20260301", [("退款", 2_000)])


def test_an_encrypted_phone_is_no_phone() -> None:
    message = sample("youzan_paid")
    message["full_order_info"]["buyer_info"] |= {"buyer_phone": "$eTS8t8hAECdXKg==$1$", "fans_nickname": "$v4==$1$"}
    told = youzan("trade_TradePaid", message)
    assert told.purchase is not None
    assert told.purchase["customer"] == {
        "external_id": "lDWyZBas807636140352864256", "source": "youzan", "name": ""
    }  # fmt: skip


@pytest.mark.parametrize(
    ("letter", "reason"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not an object"),
        (b'{"id": NaN}', "not JSON"),
        (b"{}", "id is missing"),
        (json.dumps(sample("shopify_order", total_price=403.0)).encode(), "total_price is not an amount"),
        (json.dumps(sample("shopify_order", total_price="4e20")).encode(), "total_price is too large"),
        (json.dumps(sample("shopify_order", total_price="4e99")).encode(), "total_price is not an amount"),
        (json.dumps(sample("shopify_order", total_price="-1")).encode(), "the total is negative"),
        (json.dumps(sample("shopify_order", total_price="1.001")).encode(), "total_price is not an amount"),
    ],
)
def test_what_cannot_be_read_says_why(letter: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        SOURCES["shopify"].read("orders/paid", letter, currency="CNY")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=12,
)


@st.composite
def bent(draw: st.DrawFn) -> dict[str, Any]:
    """A right letter with some of its fields, at any depth, turned into something else."""
    letter = sample(draw(st.sampled_from(["shopify_order", "shopify_refund", "youzan_paid", "youzan_refund"])))
    for _ in range(draw(st.integers(1, 4))):
        at: Any = letter
        while True:
            keys = list(at) if isinstance(at, dict) else list(range(len(at)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(at[key], dict | list) and draw(st.booleans()):
                at = at[key]
                continue
            at[key] = draw(JSON)
            break
    return letter


@settings(max_examples=150, deadline=None, database=None)
@given(key=st.sampled_from(sorted(SOURCES)), topic=st.data(), letter=bent(), raw=st.binary(max_size=60))
def test_whatever_is_sent_it_is_read_or_refused(key: str, topic: Any, letter: dict[str, Any], raw: bytes) -> None:
    about = topic.draw(st.sampled_from(TOPICS[key]))
    wrapped = Youzan("").letter(about, letter) if key == "youzan" else json.dumps(letter, allow_nan=True).encode()
    for body in (wrapped, raw):
        try:
            told = SOURCES[key].read(about, body, currency="CNY")
        except Unreadable:
            continue
        for fact in [told.purchase, *told.returns]:
            if fact is not None:
                assert all(line["amount_minor"] >= 0 for line in fact["lines"])


CORPUS = sorted((Path(__file__).parents[2] / "fuzz" / "corpus" / "webhooks").glob("*"))


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.name[:20])
def test_what_the_fuzzer_found_is_read_or_refused(file: Path) -> None:
    one_input(file.read_bytes())


def test_the_corpus_is_there() -> None:
    assert CORPUS
