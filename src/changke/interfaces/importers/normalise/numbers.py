"""Money in minor units, quantities in thousandths. A figure that is absurd is refused with the limit said."""

import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from changke.foundation.money import LARGEST_MINOR, calculable, exponent
from changke.interfaces.importers.normalise.texts import text
from changke.interfaces.importers.problems import Refused

MARKS = re.compile(
    r"(?i)^(cny|rmb|gbp|usd|eur|hkd|twd|ntd|nt\$|hk\$|us\$|人民币|[¥$£€])|(元|圆|块|cny|rmb|gbp|usd|eur|hkd|twd)$"
)
NUMBER = re.compile(r"^[+-]?(\d+|\d{1,3}(,\d{3})+)?(\.\d*)?$")
ROUNDED = re.compile(r"^[+-]?\d(\.\d+)?e[+-]?\d+$", re.IGNORECASE)
LARGEST_QUANTITY = 1_000_000
FIGURE_BELOW = Decimal(10**12)
PARENTHESES = re.compile(r"^\((.*)\)$")


def number(value: str) -> Decimal:
    """`1,280.50`, `１２８０．５`, `-3`, `(12.00)` (accountants' minus), `1e2` as a spreadsheet writes small ones."""
    found = unicodedata.normalize("NFKC", text(value)).replace(" ", "").replace("−", "-").replace("，", ",")
    if found.startswith("="):
        raise Refused("formula")
    if wrapped := PARENTHESES.match(found):
        found = "-" + wrapped[1]
    sign = "-" if found.startswith("-") else ""
    found = found.lstrip("+-")
    found = MARKS.sub("", found)
    if found.startswith("-"):  # ¥-12.00
        sign, found = "-", found[1:]
    if not found or not (NUMBER.match(found) or ROUNDED.match(found)) or found in {".", ","}:
        raise Refused("number_wrong")
    try:
        return Decimal(sign + found.replace(",", ""))
    except InvalidOperation as error:
        raise Refused("number_wrong") from error


def figure(value: str) -> Decimal | None:
    """A figure as another system's export writes it, where an empty cell is nothing; None is no figure, or absurd."""
    try:
        found = Decimal(value.replace(",", "").lstrip("¥￥") or 0)
    except InvalidOperation:
        return None
    return found if calculable(found) and not _above(found, FIGURE_BELOW) else None


def money(value: str, *, currency: str = "CNY") -> int:
    """Minor units; more digits than the currency has are rounded half up, as a till does."""
    digits = exponent(currency)
    amount = number(value)
    if _above(amount, Decimal(LARGEST_MINOR).scaleb(-digits)):
        raise Refused("money_absurd", limit=f"{LARGEST_MINOR // 10**digits:,} {currency}")
    return int((amount * 10**digits).to_integral_value(ROUND_HALF_UP))


def quantity(value: str) -> int:
    """Thousandths: `1.5` -> 1500. Units behind the figure are dropped (`2次`, `3 件`)."""
    found = re.sub(r"\s*(次|件|个|瓶|盒|支|套|张|片|份|项|pcs|pc|x)$", "", text(value), flags=re.IGNORECASE)
    amount = number(found)
    if _above(amount, Decimal(LARGEST_QUANTITY)):
        raise Refused("quantity_absurd", limit=f"{LARGEST_QUANTITY:,}")
    return int((amount * 1000).to_integral_value(ROUND_HALF_UP))


def count(value: str) -> int:
    """A whole number that is not negative."""
    amount = number(re.sub(r"(次|笔|单)$", "", text(value)))
    if _above(amount, Decimal(LARGEST_QUANTITY)) or amount < 0 or amount != amount.to_integral_value():
        raise Refused("count_wrong")
    return int(amount)


def _above(amount: Decimal, limit: Decimal) -> bool:
    """Asked of the exponent first: `1e1404404050505` can be written, but not be calculated with."""
    return amount.adjusted() > limit.adjusted() or abs(amount) > limit
