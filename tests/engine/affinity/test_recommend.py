"""What is proposed to whom, and why."""

import datetime as dt
import json

import duckdb
import numpy as np
import pytest

from changke.engine.affinity import Lines, NotANumber, Weights, learn, popular, recommend
from changke.engine.engines.frames import UnreadableFrame
from tests.engine.affinity.shop import FIRST, frame, lines, salon

END = dt.date(2026, 12, 31)


@pytest.fixture(scope="module")
def known() -> Lines:
    return Lines.read(salon(), observation_end=END)


@pytest.fixture(scope="module")
def weights(known: Lines) -> Weights:
    return learn(known)


def test_the_shop_teaches_its_own_weights(weights: Weights) -> None:
    assert weights.is_learnt
    assert weights.baskets > 800


def test_weights_travel_as_json(weights: Weights) -> None:
    assert Weights.from_dict(json.loads(json.dumps(weights.to_dict(), allow_nan=False))) == weights
    with pytest.raises(ValueError, match="other parts"):
        Weights.from_dict({**weights.to_dict(), "parts": ["had"]})


def test_a_regular_is_proposed_what_she_always_has(known: Lines, weights: Weights) -> None:
    found = recommend(known, observation_end=END, top=1, weights=weights)
    best = dict(zip(found["customer_id"], found["item_id"], strict=True))
    favourite = {"c0002": "facial", "c0003": "cut", "c0011": "colour"}
    assert {who: best[who] for who in favourite} == favourite


def test_it_is_right_about_baskets_it_has_not_seen(known: Lines) -> None:
    """Learnt up to day 300; the first basket after it holds the first proposal far more often than the most popular."""
    day = int(FIRST.astype(int)) + 300
    then = known.until(day)
    customer, item = known.next_baskets(day, 60)
    truth: dict[str, set[str]] = {}
    for who, what in zip(known.customers[customer], known.items[item], strict=True):
        truth.setdefault(who, set()).add(what)
    found = recommend(then, observation_end=END, top=1)
    right = [
        what in truth[who] for who, what in zip(found["customer_id"], found["item_id"], strict=True) if who in truth
    ]
    top = popular(then, top=1)["item_id"][0]
    assert np.mean(right) > 0.9 > 0.65 > np.mean([top in basket for basket in truth.values()])


def test_reasons_say_what_their_values_bear_out(known: Lines, weights: Weights) -> None:
    found = recommend(known, observation_end=END, top=10, weights=weights)
    rows = found.records()
    assert {row["reason"] for row in rows} >= {"again", "due", "alike"}
    for row in rows:
        had = row["times"] > 0
        assert (row["days_since"] >= 0) == had == (row["cycle_days"] > 0)
        match row["reason"]:
            case "again":
                assert had
            case "due":
                assert 0.7 * row["cycle_days"] <= row["days_since"] <= 3.1 * row["cycle_days"]
            case "alike":
                assert 2 <= row["alike"] <= row["similar"]
            case "goes_with":
                assert row["goes_with"] not in (None, row["item_id"])
            case _:
                assert row["reason"] == "popular"
        assert 0 < row["chance"] < 1


def test_something_new_is_new_and_again_is_again(known: Lines, weights: Weights) -> None:
    assert (recommend(known, observation_end=END, only="new", weights=weights)["times"] == 0).all()
    assert (recommend(known, observation_end=END, only="again", weights=weights)["times"] > 0).all()


def test_what_is_left_out_is_not_proposed_and_only_those_asked_for_are_answered(known: Lines, weights: Weights) -> None:
    asked = ["c0002", "c0003", "nobody"]
    found = recommend(known, observation_end=END, customers=asked, leave_out=["facial", "no such"], weights=weights)
    assert set(found["customer_id"]) == {"c0002", "c0003"}
    assert "facial" not in set(found["item_id"])


def test_places_count_from_one_by_falling_chance(known: Lines, weights: Weights) -> None:
    found = recommend(known, observation_end=END, top=3, customers=["c0002"], weights=weights)
    assert found["place"].tolist() == [1, 2, 3]
    assert found["chance"].tolist() == sorted(found["chance"], reverse=True)


def test_the_order_of_the_rows_does_not_matter() -> None:
    rows = salon(customers=60)
    shuffled = np.random.default_rng(3).permutation(len(rows["date"]))
    other = {name: column[shuffled] for name, column in rows.items()}
    one, two = (recommend(given, observation_end=END, top=5) for given in (rows, other))
    assert one["item_id"].tolist() == two["item_id"].tolist()
    assert one["chance"] == pytest.approx(two["chance"])


def test_any_frame_will_do_and_twice_on_a_day_is_once() -> None:
    rows = duckdb.sql("""SELECT * FROM (VALUES (7, 1, DATE '2026-01-01'), (7, 1, '2026-01-01'), (8, 2, '2026-02-01'),
        (NULL, 1, '2026-01-01'), (9, NULL, '2026-01-01'), (9, 1, NULL), (9, 1, '2027-01-01')) AS t(c, i, d)""")
    known = Lines.read(rows, observation_end=END, customer_id="c", item_id="i", date="d")
    assert (known.customers.tolist(), known.items.tolist(), len(known.day)) == ([7, 8], [1, 2], 2)


def test_a_shop_too_young_to_teach_takes_the_shipped_weights() -> None:
    young = learn(lines([("anna", "cut", 1), ("bea", "cut", 2)]))
    assert not young.is_learnt
    assert len(young.values) > 10


@pytest.mark.parametrize(
    ("had", "expected"),
    [
        ([], []),  # an empty shop
        ([("anna", "cut", 190)], [("anna", "cut")]),  # one customer, one item
        (
            [("anna", "cut", 1), ("bea", "facial", 1)],
            [("anna", "cut"), ("anna", "facial"), ("bea", "cut"), ("bea", "facial")],
        ),
        ([("anna", "cut", 250)], []),  # only after the end
    ],
)
def test_shops_that_are_hardly_shops(had: list[tuple[str, str, int]], expected: list[tuple[str, str]]) -> None:
    end = FIRST + np.timedelta64(200, "D")
    found = recommend(frame(had), observation_end=end)
    assert sorted(zip(found["customer_id"], found["item_id"], strict=True)) == expected


def test_a_customer_with_ten_thousand_lines_and_a_shop_of_one_day() -> None:
    many = [("anna", f"item {one % 300}", one % 180) for one in range(10_000)]
    found = recommend(frame(many), observation_end=END, top=3)
    assert found.rows == 3
    same_day = [(f"c{one}", f"item {one % 7}", 5) for one in range(100)]
    assert np.isfinite(recommend(frame(same_day), observation_end=END, top=2)["chance"]).all()


def test_none_asked_and_no_frame_are_refused(known: Lines) -> None:
    with pytest.raises(NotANumber):
        recommend(known, observation_end=END, top=0)
    with pytest.raises(UnreadableFrame):
        recommend({"customer_id": np.array([1])}, observation_end=END)


def test_a_stranger_is_proposed_what_those_like_her_ask_for(known: Lines) -> None:
    groups = {who: "even" if int(who[1:]) % 2 == 0 else "odd" for who in known.customers}
    found = popular(known, top=1, groups=groups)
    assert dict(zip(found["group"], found["item_id"], strict=True)) == {"even": "facial", "odd": "cut"}
    assert popular(known, top=2)["place"].tolist() == [1, 2]
    assert popular(lines([])).rows == 0


def test_a_line_of_long_ago_moves_no_other_customer_and_all_numbers_stay_numbers() -> None:
    """1900-01-01 is what old systems write where they know no day: it lies before the first day of our counting."""
    lines = {
        "customer_id": np.array([1, 1, 2, 2, 3, 3]),
        "item_id": np.array(["cut", "dye", "cut", "wash", "cut", "wash"]),
        "date": np.array(["2026-05-01", "2026-06-01"] * 3, "datetime64[D]"),
    }
    old = {**lines, "date": np.where(np.arange(6) == 0, np.datetime64("1900-01-01"), lines["date"])}
    said = recommend(old, observation_end="2026-06-30", top=3)
    assert np.isfinite(said["chance"]).all()
    assert said["days_since"][(said["customer_id"] == 1) & (said["item_id"] == "cut")].tolist() == [46_201]
