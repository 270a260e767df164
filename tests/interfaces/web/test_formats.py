"""Numbers, money and days in the three languages, as the table of the design says."""

import datetime as dt

import pytest

from changke.interfaces.web import formats

TODAY = dt.date(2026, 11, 21)


@pytest.mark.parametrize(
    ("value", "language", "words"),
    [
        (9_999, "zh-hans", "9,999"),
        (10_000, "zh-hans", "1 万"),
        (1_000_000, "zh-hans", "100 万"),
        (1_234_567, "zh-hant", "123.5 萬"),
        (120_000_000, "zh-hans", "1.2 亿"),
        (9_999, "en", "9,999"),
        (12_300, "en", "12.3K"),
        (1_000_000, "en", "1M"),
        (-25_000, "zh-hans", "-2.5 万"),
    ],
)
def test_short_numbers(value: int, language: str, words: str) -> None:
    assert formats.short_number(value, language) == words


@pytest.mark.parametrize(
    ("minor", "currency", "language", "words"),
    [
        (128_000, "CNY", "zh-hans", "¥1,280"),
        (128_050, "CNY", "zh-hans", "¥1,280.50"),
        (128_000, "CNY", "en", "¥1,280.00"),
        (128_000, "TWD", "zh-hant", "NT$1,280"),
        (128_000, "HKD", "zh-hant", "HK$1,280"),
        (1_280, "JPY", "zh-hans", "¥1,280"),
        (-5, "CNY", "zh-hans", "-¥0.05"),
        (0, "GBP", "en", "£0.00"),
        (100, "CHF", "zh-hans", "CHF 1"),
    ],
)
def test_money(minor: int, currency: str, language: str, words: str) -> None:
    assert formats.money(minor, currency, language) == words


def test_short_money_keeps_sign_and_unit() -> None:
    assert formats.short_money(2_380_000_000, "CNY", "zh-hans") == "¥2,380 万"
    assert formats.short_money(-2_380_000_000, "CNY", "en") == "-¥23.8M"


@pytest.mark.parametrize(
    ("date", "language", "words"),
    [
        (TODAY, "zh-hans", "11-21"),
        (dt.date(2025, 11, 21), "zh-hans", "2025-11-21"),
        (TODAY, "zh-hant", "11/21"),
        (dt.date(2025, 1, 2), "zh-hant", "2025/01/02"),
        (TODAY, "en", "21 Nov"),
        (dt.date(2025, 11, 1), "en", "1 Nov 2025"),
    ],
)
def test_days(date: dt.date, language: str, words: str) -> None:
    assert formats.day(date, TODAY, language) == words


def test_days_with_their_weekday() -> None:
    assert formats.long_day(TODAY, "zh-hans") == "11 月 21 日 周六"
    assert formats.long_day(TODAY, "zh-hant") == "11 月 21 日 週六"
    assert formats.long_day(TODAY, "en") == "Sat 21 Nov"


def test_percent_is_rounded_half_up() -> None:
    assert formats.percent(0.42) == "42.0%"
    assert formats.basis_points(4_205) == "42.1%"
    assert formats.percent(1, 0) == "100%"
