"""What a score accepts, as a table."""

import datetime as dt
from decimal import Decimal

import pytest

from changke.facts.scores import rules

TODAY = dt.date(2026, 11, 26)


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        ("chance", 0.7345, (7345, None)),
        ("chance", "1", (10_000, None)),
        ("chance", 0, (0, None)),
        ("chance", Decimal("0.00005"), (0, None)),
        ("number", 12, (12, None)),
        ("number", 12.0, (12, None)),
        ("number", "-3", (-3, None)),
        ("money", 12.5, (1250, None)),
        ("money", "12.345", (1234, None)),
        ("label", "A", (None, "A")),
        ("label", 3.0, (None, "3")),
        ("label", "  重要 \n 客户 ", (None, "重要 客户")),
        ("chance", None, None),
        ("number", " ", None),
    ],
)
def test_what_is_kept(kind: str, value: object, kept: rules.Stored | None) -> None:
    assert rules.fit(kind, value, digits=2) == kept


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("chance", 1.01),
        ("chance", -0.1),
        ("chance", float("nan")),
        ("chance", "NaN"),
        ("number", float("inf")),
        ("number", "Infinity"),
        ("number", 1.5),
        ("number", "viel"),
        ("number", "1e400"),
        ("number", 10**16),
        ("money", "1e30"),
        ("label", float("nan")),
        ("label", "x" * 61),
        ("chance", True),
        ("number", b"\x00"),
        ("number", [1]),
    ],
)
def test_what_is_refused(kind: str, value: object) -> None:
    with pytest.raises(rules.Unfit):
        rules.fit(kind, value, digits=2)


@pytest.mark.parametrize(
    "day", ["2026-11-26", dt.date(2026, 11, 26), dt.datetime(2026, 11, 26, 9, tzinfo=dt.UTC), "2026-11-26T00:00"]
)
def test_days_as_files_write_them(day: object) -> None:
    assert rules.day(day, today=TODAY) == TODAY


@pytest.mark.parametrize("day", ["2026-11-27", dt.date(1999, 12, 31), "26.11.2026", 20261126, None, "", float("nan")])
def test_days_that_are_none(day: object) -> None:
    with pytest.raises(rules.Unfit):
        rules.day(day, today=TODAY)
