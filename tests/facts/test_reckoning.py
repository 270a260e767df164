"""Money of a receipt as a table of cases: docs/algorithms/money.md tells the same in prose."""

import pytest

from changke.facts.purchases.rules import (
    GivenBack,
    Paid,
    PartsExceedWhole,
    Reckoning,
    SoldLine,
    judge_return,
    reckon,
    split,
)

FACIAL = SoldLine("service", 28_800, cost_minor=6_000)
CREAM = SoldLine("product", 19_900, margin_basis_points=5_000)
CARD = SoldLine("card", 198_000)
TOPUP = SoldLine("topup", 100_000)
PLAIN = SoldLine("service", 10_000)


@pytest.mark.parametrize(
    ("lines", "tenders", "expected"),
    [
        # cash for a service: it came in and it was used
        ([FACIAL], [Paid("wechat", 28_800)], Reckoning("sale", 28_800, 28_800, 22_800, "cost", 1)),
        # no tender named: paid in full with new money
        ([CREAM], [], Reckoning("sale", 19_900, 19_900, 9_950, "percent", 1)),
        ([FACIAL, CREAM], [], Reckoning("sale", 48_700, 48_700, 32_750, "mixed", 2)),
        # a card sold: money in, nothing rendered, no margin yet
        ([CARD], [Paid("alipay", 198_000)], Reckoning("sale", 198_000, 0, None, "unknown", 0)),
        # a session off the card: rendered, no new money
        ([FACIAL], [Paid("session", 28_800)], Reckoning("use", 0, 28_800, 22_800, "cost", 1)),
        ([TOPUP], [Paid("cash", 100_000)], Reckoning("sale", 100_000, 0, None, "unknown", 0)),
        # half stored value, half money: a sale of the half that came in
        (
            [FACIAL],
            [Paid("stored_value", 14_400), Paid("cash", 14_400)],
            Reckoning("sale", 14_400, 28_800, 22_800, "cost", 1),
        ),
        # one line of unknown margin makes the profit unknown
        ([FACIAL, PLAIN], [], Reckoning("sale", 38_800, 38_800, None, "unknown", 2)),
        # everything given free is still a visit to the till
        ([SoldLine("service", 0, cost_minor=6_000)], [], Reckoning("sale", 0, 0, -6_000, "cost", 1)),
        ([SoldLine("product", 5_000, quantity_milli=3_000)], [], Reckoning("sale", 5_000, 5_000, None, "unknown", 3)),
        ([SoldLine("product", 5_000, quantity_milli=500)], [], Reckoning("sale", 5_000, 5_000, None, "unknown", 1)),
    ],
)
def test_no_yuan_counts_twice(lines: list[SoldLine], tenders: list[Paid], expected: Reckoning) -> None:
    assert reckon(lines, tenders) == expected


def test_a_return_says_what_was_given_back() -> None:
    assert reckon([FACIAL], [Paid("wechat", 28_800)], is_return=True).kind == "return"


@pytest.mark.parametrize(
    ("back", "original", "verdict"),
    [
        (288, GivenBack(288), "fits"),
        (100, GivenBack(288), "fits"),
        (289, GivenBack(288), "exceeds"),
        (188, GivenBack(288, gone_minor=100), "fits"),
        (189, GivenBack(288, gone_minor=100), "exceeds"),
        (1, GivenBack(288, gone_minor=288), "exceeds"),
        (0, GivenBack(288, gone_minor=288), "fits"),  # a gift that was free comes back free
        (1, GivenBack(288, gone_minor=400), "exceeds"),  # the purchase came later and was smaller: nothing is left
        (288, None, "waits"),  # its purchase is not here yet
    ],
)
def test_no_more_is_given_back_than_was_paid(back: int, original: GivenBack | None, verdict: str) -> None:
    assert judge_return(back, names_receipt=True, original=original) == verdict


def test_a_return_that_names_nothing_is_not_judged() -> None:
    assert judge_return(10**9, names_receipt=False, original=None) == "fits"


@pytest.mark.parametrize(
    ("whole", "parts", "expected"),
    [
        (288, [], [("wechat", 288)]),
        (288, [("stored_value", 100)], [("wechat", 188), ("stored_value", 100)]),
        (288, [("stored_value", 100), ("cash", 88)], [("wechat", 100), ("stored_value", 100), ("cash", 88)]),
        (288, [("cash", 288)], [("cash", 288)]),  # then nothing was paid in the first way
        (288, [("wechat", 88)], [("wechat", 288)]),  # one tender per way
        (288, [("cash", 0)], [("wechat", 288)]),
        (0, [], [("wechat", 0)]),  # given free
        (0, [("cash", 0)], [("wechat", 0)]),
    ],
)
def test_the_rest_is_paid_in_the_first_way(
    whole: int, parts: list[tuple[str, int]], expected: list[tuple[str, int]]
) -> None:
    paid = split(whole, "wechat", [Paid(*part) for part in parts])
    assert [(one.kind, one.amount_minor) for one in paid] == expected
    assert sum(one.amount_minor for one in paid) == whole


def test_parts_above_the_whole_are_refused() -> None:
    with pytest.raises(PartsExceedWhole):
        split(288, "wechat", [Paid("cash", 200), Paid("card", 89)])
