"""What stays of the money: of the chain where receipts say it of nearly all, of each customer as far as it is known."""

import numpy as np
import pytest

from changke.engine.prediction.margins import Margins


def bought(*rows: tuple[int, int, int, int]) -> dict[str, object]:
    """Customer, rendered, profit, the part of rendered of which it is known; each a purchase day."""
    who, rendered, profit, of = (np.array(column, "int64") for column in zip(*rows, strict=True))
    return {"customer_id": who, "came": np.ones(len(who), int), "rendered": rendered, "profit": profit, "profit_of": of}


@pytest.mark.parametrize(
    ("rows", "percent", "share"),
    [
        ([(1, 100, 0, 0)], None, None),  # nobody knows
        ([(1, 100, 60, 100)], None, 0.6),  # receipts know all
        ([(1, 100, 60, 100), (2, 100, 0, 0)], None, None),  # half is too little to be taken for the rest
        ([(1, 100, 60, 100), (2, 100, 0, 0)], 30, 0.3),  # the rest is what the chain says
        ([(1, 100, -20, 100)], None, 0.0),  # sold below cost: nothing stays
        ([(1, -100, 60, -100)], None, None),  # more was given back than bought
    ],
)
def test_the_share_of_the_chain(
    rows: list[tuple[int, int, int, int]], percent: int | None, share: float | None
) -> None:
    assert Margins.of(bought(*rows)).of_chain(percent) == share


def test_hers_is_known_purchase_by_purchase() -> None:
    found = Margins.of(bought(*[(1, 100, 90, 100)] * 5, (2, 100, 10, 100), *[(3, 100, 50, 100)] * 14))
    assert found.weight_minor == 500, "five purchase days of the mean"
    assert found.share == pytest.approx(0.58)
    hers = found.of_each(np.array([450.0, 10, 700, 0]), np.array([500.0, 100, 1400, 0]), percent=None)
    assert hers == pytest.approx([(450 + 290) / 1000, (10 + 290) / 600, (700 + 290) / 1900, 0.58])
    assert Margins.from_json(found.as_json()) == found


def test_a_fit_of_before_knows_nothing_and_the_chain_s_percent_is_everybody_s() -> None:
    before, some = Margins.from_json({}), np.array([90.0, 0.0])
    assert before.of_each(some, some, percent=None) is None
    assert before.of_each(some, some, percent=40).tolist() == [0.4, 0.4]  # type: ignore[union-attr]
