"""Money as a person or a machine writes it becomes minor units, or is refused, however strange the figure."""

import pytest

from changke.foundation.money import to_minor


@pytest.mark.parametrize(
    ("written", "currency", "minor"),
    [
        ("12.5", "CNY", 1_250),
        ("-3", "CNY", -300),
        ("1e2", "CNY", 10_000),
        ("0E999999", "CNY", 0),
        (0.1, "CNY", 10),
        ("1280", "JPY", 1_280),
    ],
)
def test_an_amount_becomes_minor_units(written: str | float, currency: str, minor: int) -> None:
    assert to_minor(written, currency) == minor


@pytest.mark.parametrize("written", ["", "many", "NaN", "Infinity", "0.001", "1E999999", "-1e99999999999", "1E-99999"])
def test_what_is_no_amount_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"not an amount|more digits"):
        to_minor(written, "CNY")
