"""How people and spreadsheets write values, and what we make of them."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from changke.interfaces.importers.clean import identity_text, tender_word, type_word
from changke.interfaces.importers.normalise import dates, numbers, phones, texts
from changke.interfaces.importers.problems import LANGUAGES, Refused, all_words


@pytest.mark.parametrize(
    ("rule", "written", "read"),
    [
        (phones.phone, "13800138000", "+8613800138000"),
        (phones.phone, "138 0013 8000", "+8613800138000"),
        (phones.phone, "+86-138-0013-8000", "+8613800138000"),
        (phones.phone, "１３８００１３８０００", "+8613800138000"),
        (phones.phone, "13800138000.0", "+8613800138000"),
        (phones.phone, "'13800138000", "+8613800138000"),
        (phones.phone, '="13800138000"', "+8613800138000"),
        (phones.phone, "021-62345678", "+862162345678"),
        (phones.phone, "+44 20 7946 0958", "+442079460958"),
        (phones.phone, "1.38E+10", "phone_rounded"),
        (phones.phone, "1.38001E+10", "phone_rounded"),
        (phones.phone, "138****8000", "phone_masked"),
        (phones.phone, "12345", "phone_wrong"),
        (phones.phone, "电话", "phone_wrong"),
        (dates.moment, "2025/1/3", "2025-01-03"),
        (dates.moment, "20250101", "2025-01-01"),
        (dates.moment, "2025年1月1日", "2025-01-01"),
        (dates.moment, "2025年1月1日 下午3点05分", "2025-01-01 15:05:00"),
        (dates.moment, "2025.1.3 9:05", "2025-01-03 09:05:00"),
        (dates.moment, "45658", "2025-01-01"),
        (dates.moment, "45658.5", "2025-01-01 12:00:00"),
        (dates.moment, "2025-01-03T14:05:06Z", "2025-01-03 14:05:06+00:00"),
        (dates.moment, "2025-01-03T14:05:06+0800", "2025-01-03 14:05:06+08:00"),
        (dates.moment, "2025-01-03 14:05:06.123", "2025-01-03 14:05:06"),
        (dates.moment, "20250103140506", "2025-01-03 14:05:06"),
        (dates.moment, "２０２５－０１－０３", "2025-01-03"),
        (dates.moment, "2025/13/40", "date_impossible"),
        (dates.moment, "2025-02-30", "date_impossible"),
        (dates.moment, "2025-01-03 25:00", "date_impossible"),
        (dates.moment, "3/4/2025", "date_ambiguous"),
        (dates.moment, "1899-12-30", "date_too_early"),
        (dates.moment, "昨天", "date_wrong"),
        (dates.time_of_day, "14:05", "14:05:00"),
        (dates.time_of_day, "下午2点", "14:00:00"),
        (dates.time_of_day, "0.5", "12:00:00"),
        (dates.time_of_day, "25:00", "time_wrong"),
        (dates.birthday, "1990-05-01", "1990|5|1"),
        (dates.birthday, "5月1日", "|5|1"),
        (dates.birthday, "02-29", "|2|29"),
        (dates.birthday, "1990年", "1990||"),
        (dates.birthday, "19900501", "1990|5|1"),
        (dates.birthday, "1990-02-30", "date_impossible"),
        (dates.birthday, "1800-01-01", "birthday_wrong"),
        (numbers.money, "¥1,280.50", 128_050),
        (numbers.money, "1280.5元", 128_050),
        (numbers.money, "１２８０", 128_000),
        (numbers.money, "-3", -300),
        (numbers.money, "(12.00)", -1200),
        (numbers.money, "¥-12.00", -1200),
        (numbers.money, "0.005", 1),
        (numbers.money, "=1+1", "formula"),
        (numbers.money, "99999999999", "money_absurd"),
        (numbers.money, "1,28,0", "number_wrong"),
        (numbers.money, "免费", "number_wrong"),
        (numbers.quantity, "1.5", 1500),
        (numbers.quantity, "2次", 2000),
        (numbers.quantity, "-1", -1000),
        (numbers.quantity, "10000000", "quantity_absurd"),
        (numbers.count, "12次", 12),
        (numbers.count, "-1", "count_wrong"),
        (numbers.figure, "¥1,280.50", Decimal("1280.50")),
        (numbers.figure, "", Decimal(0)),
        (numbers.figure, "1E999999999", None),
        (numbers.figure, "1E-999999999", None),
        (numbers.figure, "1000000000001", None),
        (numbers.figure, "NaN", None),
        (texts.gender, "女士", "f"),
        (texts.gender, "Male", "m"),
        (texts.gender, "保密", ""),
        (texts.gender, "猫", "word_unknown"),
        (texts.email, " Vera@Example.COM ", "vera@example.com"),
        (texts.email, "vera@", "email_wrong"),
        (texts.boolean, "是", True),
        (texts.text, "  😀 𠮷野家\u200b ", "😀 𠮷野家"),
        (texts.text, "'=cmd()", "=cmd()"),
        (identity_text, "13085.0", "13085"),
        (identity_text, "0013085", "0013085"),
        (identity_text, "3.16252E+10", "number_rounded"),
        (identity_text, "x" * 81, "text_too_long"),
        (type_word, "会员消费退款", "return"),
        (type_word, "耗卡单", "use"),
        (type_word, "别的", ""),
        (tender_word, "微信扫码支付", "wechat"),
        (tender_word, "会员储值卡", "stored_value"),
        (tender_word, "天猫", "other"),
    ],
)
def test_what_is_written_is_read(rule: Callable[[str], object], written: str, read: object) -> None:
    try:
        assert rule(written) == read
    except Refused as refused:
        assert refused.problem.code == read  # noqa: PT017 the table holds both


def test_yen_have_no_cents() -> None:
    assert numbers.money("1280", currency="JPY") == 1280


@pytest.mark.parametrize("code", sorted(all_words()))
def test_every_reason_is_said_in_three_languages(code: str) -> None:
    texts_of_code = all_words()[code]
    assert set(texts_of_code) == set(LANGUAGES)
    assert all(texts_of_code[language].strip() for language in LANGUAGES)
