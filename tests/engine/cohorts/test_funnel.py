"""How far they come, and where they are lost."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from changke.engine.cohorts import Funnel, FunnelStep, NotAFunnel, bottleneck, funnel

STEPS = ("asked", "booked", "came")
Events = list[tuple[int, str, int]]  # customer, name, day
DAY_0 = np.datetime64("2026-01-01", "us")


def frame(events: Events) -> dict[str, np.ndarray]:
    return {
        "customer_id": np.array([one for one, _, _ in events], dtype=np.int64),
        "name": np.array([name for _, name, _ in events], dtype=object),
        "at": np.array([DAY_0 + np.timedelta64(day, "D") for _, _, day in events], dtype="datetime64[us]"),
    }


def counts(found: Funnel) -> list[int]:
    return [step.customers for step in found.steps]


def test_a_funnel_by_hand() -> None:
    events = [
        (1, "asked", 0), (1, "booked", 2), (1, "came", 9),
        (2, "asked", 0), (2, "came", 1),  # came without booking
        (3, "booked", 0), (3, "asked", 1),  # in the wrong order
        (4, "asked", 3), (4, "booked", 3), (4, "came", 3),  # all at once, at the door
        (5, "came", 1),  # never asked
    ]  # fmt: skip
    found = funnel(frame(events), steps=STEPS)
    assert counts(found) == [4, 2, 2]
    assert [step.lost for step in found.steps] == [0, 2, 0]
    assert [step.median_days for step in found.steps] == [None, 1.0, 3.5]
    assert found.steps[1].low < 0.5 == found.steps[1].share < found.steps[1].high


def test_a_failed_attempt_does_not_hide_a_later_one() -> None:
    events = [(1, "asked", 0), (1, "asked", 50), (1, "booked", 51), (1, "came", 55)]
    found = funnel(frame(events), steps=STEPS, within_days=10, observation_end="2026-12-31")
    assert counts(found) == [1, 1, 1]
    assert found.steps[1].median_days == 1


def test_too_late_is_not_reached() -> None:
    events = [(1, "asked", 0), (1, "booked", 2), (1, "came", 11)]
    assert counts(funnel(frame(events), steps=STEPS, within_days=10, observation_end="2026-12-31")) == [1, 1, 0]


def test_whose_window_is_not_over_is_unfinished_not_lost() -> None:
    events = [(1, "asked", 0), (2, "asked", 25), (2, "booked", 26)]
    found = funnel(frame(events), steps=STEPS, within_days=10, observation_end="2026-01-30")
    assert (counts(found), found.unfinished) == ([1, 0, 0], 1)


def test_one_event_is_not_two_steps() -> None:
    events = [(1, "came", 0), (2, "came", 0), (2, "came", 5)]
    assert counts(funnel(frame(events), steps=("came", "came"))) == [2, 1]


@given(
    st.lists(st.tuples(st.integers(1, 4), st.sampled_from(STEPS), st.integers(0, 12)), max_size=25),
    st.none() | st.integers(1, 6),
    st.randoms(use_true_random=False),
)
@settings(max_examples=40, deadline=None)
def test_the_funnel_is_that_of_a_plain_search(events: Events, within: int | None, shuffle: object) -> None:
    shuffle.shuffle(events)  # type: ignore[attr-defined]
    expected = [0, 0, 0]
    for customer in {one for one, _, _ in events}:
        own = [(name, day) for one, name, day in events if one == customer]
        best = 0
        for start in (day for name, day in own if name == "asked"):
            reached = start
            depth = 1
            for step in STEPS[1:]:
                later = [day for name, day in own if name == step and day >= reached]
                if not later or (within is not None and min(later) > start + within):
                    break
                reached, depth = min(later), depth + 1
            best = max(best, depth)
        for place in range(best):
            expected[place] += 1
    assert counts(funnel(frame(events), steps=STEPS, within_days=within, observation_end="2026-12-31")) == expected


def test_an_empty_shop_has_a_funnel_of_zeros() -> None:
    found = funnel(frame([]), steps=STEPS)
    assert (counts(found), found.unfinished, bottleneck(found)) == ([0, 0, 0], 0, None)


@pytest.mark.parametrize(
    "wrong",
    [{"steps": ("asked",)}, {"steps": ()}, {"steps": STEPS, "within_days": 0, "observation_end": "2026-01-01"},
     {"steps": STEPS, "within_days": 5}],
)  # fmt: skip
def test_what_is_no_funnel_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(NotAFunnel):
        funnel(frame([]), **wrong)  # type: ignore[arg-type]


def _funnel(*customers: int) -> Funnel:
    events = [(one, f"s{place}", place) for place, reached in enumerate(customers) for one in range(reached)]
    return funnel(frame(events), steps=[f"s{place}" for place in range(len(customers))])


def test_the_bottleneck_is_the_lowest_step_and_clear_when_chance_is_no_reason() -> None:
    found = bottleneck(_funnel(1_000, 800, 160, 120))
    assert found is not None
    assert (found.step.name, found.is_clear) == ("s2", True)
    unsure = bottleneck(_funnel(10, 6, 3, 2))
    assert unsure is not None
    assert (unsure.step.name, unsure.is_clear) == ("s2", False)


def test_beside_the_usual_the_bottleneck_is_where_more_are_lost_than_usual() -> None:
    found = bottleneck(_funnel(1_000, 600, 120, 100), usual=(0.8, 0.2, 0.8))
    assert found is not None
    assert (found.step.name, found.missing, found.is_clear) == ("s1", 200.0, True)
    assert bottleneck(_funnel(1_000, 800, 160), usual=(0.8, 0.2)) is None


@pytest.mark.parametrize("usual", [(0.5,), (0.5, 1.5), (float("nan"), 0.5)])
def test_usual_shares_are_shares(usual: tuple[float, ...]) -> None:
    with pytest.raises(NotAFunnel):
        bottleneck(_funnel(10, 5, 2), usual=usual)


def test_steps_lose_what_the_next_does_not_have() -> None:
    steps: tuple[FunnelStep, ...] = _funnel(50, 20, 5).steps
    assert all(after.before == before.customers for before, after in pairwise(steps))
