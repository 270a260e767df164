"""Money is an integer number of minor units (fen, pence) in the chain's one currency."""

from decimal import Decimal, InvalidOperation

EXPONENTS = {
    "JPY": 0,
    "KRW": 0,
    "VND": 0,
    "CNY": 2,
    "HKD": 2,
    "TWD": 2,
    "MOP": 2,
    "USD": 2,
    "EUR": 2,
    "GBP": 2,
    "SGD": 2,
}
"""Digits after the point (ISO 4217). A currency that is not here has two."""

LARGEST_MINOR = 10_000_000_00
"""Ten million yuan on one line: above it a figure is taken for a mistake of the till, not for a sale."""

MOST_DIGITS = 30
"""Before or behind the point: beyond, a figure was not written by anybody."""


def exponent(currency: str) -> int:
    return EXPONENTS.get(currency, 2)


def calculable(number: Decimal) -> bool:
    """Neither infinite nor unknown, nor of an exponent that can be written but not be reckoned with: `1e9999999`."""
    return number.is_finite() and (number.is_zero() or abs(number.adjusted()) <= MOST_DIGITS)


def to_minor(amount: str | Decimal | int | float, currency: str) -> int:
    """`12.5` -> 1250. Raises ValueError for what is not a number or has more digits than the currency knows.

    A float passes through its shortest text, as a person would read it from the cell: 0.1 is ten fen.
    """
    try:
        written = Decimal(str(amount))
    except InvalidOperation:
        raise ValueError(f"not an amount: {amount!r}") from None
    if not calculable(written):
        raise ValueError(f"not an amount: {amount!r}")
    exact = written * (10 ** exponent(currency))
    rounded = exact.to_integral_value()
    if rounded != exact:
        raise ValueError(f"more digits than {currency} has: {amount!r}")
    return int(rounded)


def to_major(minor: int, currency: str) -> Decimal:
    """1250 -> Decimal('12.50')."""
    return Decimal(minor).scaleb(-exponent(currency))
