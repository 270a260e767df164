"""How what warns and what proposes met a past that was kept from it: counted by hand beside it."""

import datetime as dt

import numpy as np
import pytest

from changke.engine import affinity, churn
from changke.engine.prediction.days import Days
from tests.profiles.risk.past import END, past


def test_the_chance_is_held_against_who_came_after_the_day() -> None:
    rows = past(120)
    end: dt.date = (END + 1).item()
    card = churn.examine(Days.of(rows, observation_end=end), horizon_days=60)
    assert card is not None
    assert card.cut == end - dt.timedelta(days=60)
    after = rows["date"] > np.datetime64(card.cut)
    known = set(rows["customer_id"][~after])
    assert card.customers == len(known) == sum(band.customers for band in card.bands)
    assert card.active_came == pytest.approx(len(known & set(rows["customer_id"][after])) / len(known))
    assert card.as_json()["cut"] == card.cut.isoformat()


def test_the_weights_are_held_against_the_next_baskets() -> None:
    """Everybody has her one thing every ten days: proposing it is right, what sells is not."""
    who, week = np.repeat(np.arange(60), 40), np.tile(np.arange(40), 60)
    rows = {"customer_id": who, "item_id": who % 20, "date": np.datetime64("2025-01-01") + week * 10}
    lines = affinity.Lines.read(rows, observation_end="2026-01-30")
    card = affinity.examine(lines)
    assert card is not None
    assert (card.customers, card.top, card.proposed) == (60, 4, 240)
    assert (card.hit, card.own_hit) == (1.0, 1.0)
    assert card.popular_hit == pytest.approx(4 / 20)
    assert card.came == pytest.approx(1 / 4)


def test_of_too_little_nobody_can_say() -> None:
    few = past(20)
    assert churn.examine(Days.of(few, observation_end=(END + 1).item()), horizon_days=60) is None
    nobody = {name: column[:0] for name, column in few.items()}
    assert churn.examine(Days.of(nobody, observation_end=(END + 1).item()), horizon_days=60) is None
    lines = {**few, "item_id": few["customer_id"] % 3}
    assert affinity.examine(affinity.Lines.read(lines, observation_end=(END + 1).item())) is None
    empty = {name: column[:0] for name, column in lines.items()}
    assert affinity.examine(affinity.Lines.read(empty, observation_end=(END + 1).item())) is None
