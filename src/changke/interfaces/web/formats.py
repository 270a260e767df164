"""Numbers, money, days and phones as the reader of each language writes them. Language and currency are arguments.

Short forms (12.3 万, 1.2M) are for cards and axes; tables print every digit.
"""

import datetime as dt
from contextvars import ContextVar
from decimal import ROUND_HALF_UP, Decimal

from changke.foundation.money import exponent, to_major

Number = int | float | Decimal

DEFAULT_CURRENCY = "CNY"
currency: ContextVar[str] = ContextVar("currency", default=DEFAULT_CURRENCY)
"""The chain's currency during one request; set by the middleware, read by the template filters only."""

MINUS = "-"
SYMBOLS = {
    "CNY": "¥",
    "EUR": "€",
    "GBP": "£",
    "HKD": "HK$",
    "JPY": "¥",
    "KRW": "₩",
    "MOP": "MOP$",
    "SGD": "S$",
    "TWD": "NT$",
    "USD": "$",
}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEKDAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WEEKDAYS_ZH = "一二三四五六日"


def is_chinese(language: str) -> bool:
    return language.startswith("zh")


def is_traditional(language: str) -> bool:
    return language.startswith(("zh-hant", "zh-tw", "zh-hk"))


def number(value: Number, digits: int = 0) -> str:
    """1000000 -> 1,000,000; with digits=1: 41.55 -> 41.6."""
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    return f"{rounded:,.{digits}f}"


def short_number(value: Number, language: str) -> str:
    """1234567 -> 123.5 万 (zh-Hans), 123.5 萬 (zh-Hant), 1.2M (en). Below the first unit every digit is printed."""
    exact = Decimal(str(value))
    for size, unit in short_units(language):
        if abs(exact) >= size:
            # English writes 12.3K, but 9,999 in full: the unit begins a digit later than it counts.
            divisor = 1_000 if unit == "K" else size
            return without_zero(number(exact / divisor, 1)) + unit
    return number(value)


def short_units(language: str) -> tuple[tuple[int, str], ...]:
    if is_traditional(language):
        return ((10**8, " 億"), (10**4, " 萬"))
    if is_chinese(language):
        return ((10**8, " 亿"), (10**4, " 万"))
    return ((10**9, "B"), (10**6, "M"), (10**4, "K"))


def without_zero(text: str) -> str:
    return text.removesuffix(".0")


def money(minor: int, currency: str, language: str) -> str:
    """128000 fen -> ¥1,280 in Chinese, ¥1,280.00 in English; broken amounts always show their fen."""
    major = to_major(abs(minor), currency)
    whole = major == major.to_integral_value()
    digits = 0 if whole and is_chinese(language) else exponent(currency)
    return f"{MINUS if minor < 0 else ''}{symbol(currency)}{number(major, digits)}"


def short_money(minor: int, currency: str, language: str) -> str:
    """For cards and axes: ¥2,380 万, ¥23.8M."""
    major = to_major(abs(minor), currency)
    return f"{MINUS if minor < 0 else ''}{symbol(currency)}{short_number(round(major), language)}"


def symbol(currency: str) -> str:
    return SYMBOLS.get(currency, f"{currency} ")


def percent(share: Number, digits: int = 1) -> str:
    """A share of one: 0.42 -> 42.0%."""
    return f"{number(Decimal(str(share)) * 100, digits)}%"


def basis_points(points: int, digits: int = 1) -> str:
    """4200 -> 42.0%."""
    return percent(Decimal(points) / 10_000, digits)


def day(date: dt.date, today: dt.date, language: str) -> str:
    """Without the year while it is this one: 11-21, 11/21, 21 Nov; else 2025-11-21, 2025/11/21, 21 Nov 2025."""
    this_year = date.year == today.year
    if is_traditional(language):
        return f"{date:%m/%d}" if this_year else f"{date:%Y/%m/%d}"
    if is_chinese(language):
        return f"{date:%m-%d}" if this_year else f"{date:%Y-%m-%d}"
    return f"{date.day} {MONTHS[date.month - 1]}" + ("" if this_year else f" {date.year}")


def long_day(date: dt.date, language: str) -> str:
    """11 月 21 日 周六; Sat 21 Nov."""
    if is_chinese(language):
        week = "週" if is_traditional(language) else "周"
        return f"{date.month} 月 {date.day} 日 {week}{WEEKDAYS_ZH[date.weekday()]}"
    return f"{WEEKDAYS_EN[date.weekday()]} {date.day} {MONTHS[date.month - 1]}"


def month(date: dt.date, language: str) -> str:
    """2026 年 11 月; Nov 2026."""
    return f"{date.year} 年 {date.month} 月" if is_chinese(language) else f"{MONTHS[date.month - 1]} {date.year}"


def short_month(date: dt.date, language: str) -> str:
    """11 月; Nov."""
    return f"{date.month} 月" if is_chinese(language) else MONTHS[date.month - 1]


def enumeration(words: list[str], language: str) -> str:
    """a、b、c in Chinese; a, b, c elsewhere."""
    return ("、" if is_chinese(language) else ", ").join(words)
