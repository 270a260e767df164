"""What belongs together, how soon an item is wanted again, first baskets, seasons."""

import numpy as np
import pytest

from changke.engine.affinity import Lines, NotASupport, complements, season, starters, usual_cycles
from changke.engine.experiments import TooFew
from tests.engine.affinity.shop import FIRST, Had, frame, lines, salon


def test_the_usual_cycle_of_each_item() -> None:
    cycles = usual_cycles(Lines.read(salon(), observation_end="2026-12-31"))
    days = dict(zip(cycles["item_id"], cycles["cycle_days"].tolist(), strict=True))
    assert days["facial"] == 30
    assert days["colour"] == pytest.approx(60, abs=4)  # a little of the chain
    assert abs(days["rare 01"] - 30) < 25  # hardly ever again: the chain's


def test_a_cycle_by_hand() -> None:
    had = [("anna", "cut", day) for day in (0, 10, 30, 60)] + [("bea", "dye", 5)]
    cycles = usual_cycles(lines(had))
    assert cycles["gaps"].tolist() == [3, 0]
    assert cycles["cycle_days"].tolist() == [20, 20]  # the lower median of 10, 20, 30, the chain's too


def test_before_anybody_came_twice_the_cycle_is_a_month() -> None:
    assert usual_cycles(lines([("anna", "cut", 0)]))["cycle_days"].tolist() == [30]
    assert usual_cycles(lines([])).rows == 0


def _pairs_by_hand() -> Had:
    """Of 100 baskets: 40 with a and b, 10 with a alone, 50 with neither. Lift 0.8 / 0.4 = 2."""
    had: Had = []
    for one in range(100):
        names = ("a", "b") if one < 40 else ("a",) if one < 50 else ("c",)
        had += [(f"c{one:03}", name, one) for name in names]
    return had


def test_support_confidence_and_lift_by_hand() -> None:
    found = complements(lines(_pairs_by_hand())).records()
    by_pair = {(row["item_id"], row["other_id"]): row for row in found}
    assert set(by_pair) == {("a", "b"), ("b", "a")}
    assert (by_pair["a", "b"]["together"], by_pair["a", "b"]["confidence"]) == (40, 0.8)
    assert by_pair["b", "a"]["confidence"] == 1.0
    assert by_pair["a", "b"]["lift"] == pytest.approx(2.0)
    error = (1 / 40 - 1 / 50 - 1 / 40 + 2 * 40 / (50 * 40) - 1 / 100) ** 0.5
    assert by_pair["a", "b"]["lift_low"] == pytest.approx(2 * np.exp(-1.959964 * error), rel=1e-5)


def test_the_interval_of_the_lift_covers_it() -> None:
    """Ten items that know nothing of each other: the lift of two of them, which is 1, lies below the lower bound in one
    of forty pairs."""
    draw, shops, items = np.random.default_rng(8), 12, 10
    above = 0
    for _ in range(shops):
        had: Had = [(f"c{one}", "other", 1) for one in range(300)]
        for one, item in np.argwhere(draw.random((300, items)) < np.linspace(0.3, 0.6, items)):
            had.append((f"c{one}", f"item {item}", 1))
        found = complements(lines(had), least_support=5).records()
        pairs = {frozenset((row["item_id"], row["other_id"])) for row in found}
        above += len({pair for pair in pairs if "other" not in pair})
    assert above / (shops * items * (items - 1) / 2) == pytest.approx(0.025, abs=0.015)


def test_rare_pairs_and_pairs_of_chance_are_left_out() -> None:
    assert complements(lines(_pairs_by_hand()), least_support=41).rows == 0
    everybody = [(f"c{one}", name, 1) for one in range(50) for name in ("bag", "receipt")]
    assert complements(lines(everybody)).rows == 0  # lift 1: everybody has a bag


def test_services_of_two_days_go_together_over_customers() -> None:
    had = [(f"c{one}", name, day) for one in range(30) for name, day in (("nails", 1), ("brows", 9))]
    had += [(f"d{one}", "cut", 3) for one in range(60)]
    assert complements(lines(had)).rows == 0
    assert complements(lines(had), among="customers")["together"].tolist() == [30, 30]


def test_a_starter_pair_beside_the_one_alone() -> None:
    """30 began with cut and wash, 20 of them came back; 40 with a cut alone, 8 of them; 25 too young to say."""
    had: Had = []
    for one in range(70):
        began_with_both, day = one < 30, one % 10
        had += [(f"c{one:02}", "cut", day)] + [(f"c{one:02}", "wash", day)] * began_with_both
        if (began_with_both and one < 20) or (not began_with_both and one < 38):
            had.append((f"c{one:02}", "cut", day + 60))
    had += [(f"y{one}", name, 190) for one in range(25) for name in ("cut", "wash")]
    (row,) = starters(lines(had)).records()
    assert (row["item_id"], row["other_id"]) == ("cut", "wash")
    assert (row["customers"], row["returned"], row["alone"], row["alone_returned"]) == (30, 20, 40, 8)
    assert row["difference"] == pytest.approx(20 / 30 - 8 / 40)
    assert 0 < row["low"] < row["difference"] < row["high"]


def test_where_nothing_is_known_long_enough_there_are_no_starters() -> None:
    assert starters(lines([])).rows == 0
    assert starters(lines([("anna", "cut", 190), ("anna", "wash", 190)]), least_support=1).rows == 0


@pytest.mark.parametrize("call", [complements, starters])
def test_a_pair_has_been_seen(call: object) -> None:
    with pytest.raises(NotASupport):
        call(lines([]), least_support=0)  # type: ignore[operator]


def _two_summers() -> Lines:
    """Plasters in July of 2026 and 2027, a cut every ten days."""
    had: Had = [(f"c{one}", "cut", day) for one in range(5) for day in range(0, 900, 10)]
    had += [(f"s{one}", "plaster", year + one) for one in range(180, 210) for year in (0, 364)]
    end = FIRST + np.timedelta64(900, "D")
    return Lines.read(frame(had), observation_end=end)


def test_what_a_season_lifts() -> None:
    found = season(_two_summers(), starts_on="2028-06-29", days=30)
    index = dict(zip(found["item_id"], found["index"].tolist(), strict=True))
    assert found["item_id"][0] == "plaster"
    assert index["plaster"] > 2 > 1.2 > index["cut"]
    winter = season(_two_summers(), starts_on="2028-12-01", days=30)
    assert dict(zip(winter["item_id"], winter["index"].tolist(), strict=True))["plaster"] < 0.8


def test_a_season_needs_a_year_and_a_half() -> None:
    with pytest.raises(TooFew):
        season(lines([("anna", "cut", 0)], end=300), starts_on="2026-11-01")
    with pytest.raises(TooFew):
        season(lines([]), starts_on="2026-11-01")
