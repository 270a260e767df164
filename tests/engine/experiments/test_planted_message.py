"""What a message does was planted: experiments find it again, and find nothing where there is nothing."""

import dataclasses
import datetime as dt
from functools import cache

import numpy as np
import pytest
from benchmarks.uplift import played, seen

from changke.engine.refusals import NotASetting
from changke.engine.synthetic import World, invent
from changke.engine.synthetic.campaign import campaign

SENT_ON = dt.date(2026, 5, 31)


@cache
def chain() -> World:
    return invent(3, today=dt.date(2026, 6, 30), customers=3000, stores=3, years=2)


def test_who_would_come_anyway_is_not_moved_and_who_was_not_written_to_comes_as_she_would() -> None:
    message = campaign(chain(), seed=1, sent_on=SENT_ON)
    assert not (message.is_moved & message.would_come).any()
    assert np.array_equal(message.came[~message.treated], message.would_come[~message.treated])
    assert np.array_equal(message.came[message.treated], (message.would_come | message.is_moved)[message.treated])
    assert np.array_equal(message.spent_minor > message.would_spend_minor, message.treated & message.is_moved)


@pytest.mark.parametrize(("silent", "others"), [(0.2, 0.02), (0.0, 0.1), (0.0, 0.0), (1.0, 1.0)])
def test_it_moves_the_shares_that_were_planted(silent: float, others: float) -> None:
    message = campaign(chain(), seed=2, sent_on=SENT_ON, moves_silent=silent, moves_others=others)
    away, long = ~message.would_come, message.silent_days >= 60
    assert message.is_moved[away & long].mean() == pytest.approx(silent, abs=0.03)
    assert message.is_moved[away & ~long].mean() == pytest.approx(others, abs=0.03)


def test_the_same_seed_plays_the_same_message_and_the_world_stays_as_it_was() -> None:
    before = chain().receipts.cash_minor.copy()
    one, other, another = (campaign(chain(), seed=seed, sent_on=SENT_ON) for seed in (1, 1, 2))
    for name in (field.name for field in dataclasses.fields(one)):
        assert np.array_equal(getattr(one, name), getattr(other, name))
    assert not np.array_equal(one.treated, another.treated)
    assert np.array_equal(before, chain().receipts.cash_minor)


def test_before_the_first_receipt_nobody_is_written_to() -> None:
    message = campaign(chain(), seed=1, sent_on=dt.date(2020, 1, 1))
    assert (len(message), message.effect, message.effect_minor) == (0, 0, 0)


@pytest.mark.parametrize(
    "wrong", [{"control": 1.5}, {"moves_silent": -0.1}, {"moves_others": float("nan")}, {"days": 0}]
)
def test_shares_that_nobody_can_plant_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(NotASetting):
        campaign(chain(), seed=1, sent_on=SENT_ON, **wrong)  # type: ignore[arg-type]


def test_the_lift_holds_the_truth_as_often_as_it_promises_and_the_order_is_seen() -> None:
    """The whole is `python -m benchmarks.uplift`: 39 of 40 intervals, 33 of 40 orders beyond chance."""
    found = list(played(8, 6000, (0.3, 0.02)))
    assert sum(one.holds for one in found) >= 7
    assert sum(one.holds_money for one in found) >= 7
    assert sum(one.above_chance for one in found) >= 6
    assert not any(one.who_comes_above_chance for one in found)  # who comes anyway is not whom it moves


def test_where_nothing_was_planted_the_order_stays_inside_the_band() -> None:
    messages = (campaign(chain(), seed=seed, sent_on=SENT_ON, moves_silent=0, moves_others=0) for seed in range(12))
    found = [seen(message, seed=seed) for seed, message in enumerate(messages)]
    assert sum(one.holds for one in found) >= 10
    assert sum(one.above_chance for one in found) <= 2
