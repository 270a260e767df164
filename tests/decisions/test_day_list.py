"""Who is on the day's list, and in which order: docs/algorithms/today.md as a table of cases."""

import datetime as dt

import pytest

from changke.decisions.next_best_action import rules
from changke.decisions.next_best_action.rules import Candidate, Followup, day_list, rests

TODAY = dt.date(2026, 3, 4)
NOON = dt.datetime(2026, 3, 4, 4, tzinfo=dt.UTC)


def ago(days: int) -> dt.date:
    return TODAY - dt.timedelta(days=days)


def test_first_orders_lead_by_their_deadline_then_value_at_risk_decides() -> None:
    entries = day_list(
        [
            Candidate(1, "overdue", 900_00),
            Candidate(2, "newly_silent", 5_000_00),
            Candidate(3, "first_order", 100_00, deadline=NOON + dt.timedelta(hours=20)),
            Candidate(4, "first_order", 50_00, deadline=NOON + dt.timedelta(hours=2)),
        ],
        followups={},
        today=TODAY,
    )
    assert [entry.customer_id for entry in entries] == [4, 3, 2, 1]


def test_a_customer_stands_once_with_her_weightiest_reason_and_the_others_beside_it() -> None:
    (entry,) = day_list(
        [Candidate(1, "birthday", 10, {"birthday": "03-05"}), Candidate(1, "vip_overdue", 10, {"overdue_days": 9})],
        followups={},
        today=TODAY,
    )
    assert (entry.reason, entry.also) == ("vip_overdue", ("birthday",))
    assert entry.numbers == {"birthday": "03-05", "overdue_days": 9}


@pytest.mark.parametrize(
    ("last", "reason", "kept_off"),
    [
        (None, "overdue", False),
        (Followup("done", ago(1)), "overdue", True),
        (Followup("done", ago(13)), "overdue", True),
        (Followup("done", ago(14)), "overdue", False),
        (Followup("done", ago(1)), "first_order", False),  # a first order is always worth a word
        (Followup("not_reached", ago(1)), "overdue", False),  # tried yesterday, tried again
        (Followup("postponed", ago(3), until=TODAY + dt.timedelta(days=1)), "overdue", True),
        (Followup("postponed", ago(3), until=TODAY), "overdue", False),
        (Followup("reopened", ago(1)), "overdue", False),  # somebody took the tap back
        (Followup("done", TODAY), "overdue", False),  # ticked today: the line stays and shows it
    ],
)
def test_who_was_looked_after_rests(last: Followup | None, reason: str, kept_off: bool) -> None:
    assert rests(last, reason=reason, today=TODAY) is kept_off


def test_the_list_is_as_long_as_a_day() -> None:
    many = [Candidate(number, "overdue", number) for number in range(50)]
    assert [entry.customer_id for entry in day_list(many, followups={}, today=TODAY, length=3)] == [49, 48, 47]


def test_a_line_done_today_stays_and_says_so() -> None:
    (entry,) = day_list([Candidate(1, "overdue", 1)], followups={1: Followup("not_reached", TODAY)}, today=TODAY)
    assert entry.outcome == "not_reached"


def test_a_tap_taken_back_opens_the_line_again() -> None:
    (entry,) = day_list([Candidate(1, "overdue", 1)], followups={1: Followup("reopened", TODAY)}, today=TODAY)
    assert entry.outcome is None


def test_every_reason_keeps_two_places_among_richer_ones() -> None:
    regulars = [Candidate(number, "vip_overdue", 1_000_000 + number) for number in range(50)]
    birthdays = [Candidate(100 + number, "birthday", number) for number in range(5)]
    entries = day_list([*regulars, *birthdays], followups={}, today=TODAY, length=10)
    assert [entry.customer_id for entry in entries] == [49, 48, 47, 46, 45, 44, 43, 42, 104, 103]


def test_first_orders_of_a_whole_chain_leave_room_for_the_others() -> None:
    first = [
        Candidate(number, "first_order", 1, deadline=NOON + dt.timedelta(minutes=number)) for number in range(1, 30)
    ]
    entries = day_list([*first, Candidate(99, "newly_silent", 5)], followups={}, today=TODAY)
    assert [entry.customer_id for entry in entries] == [*range(1, 20), 99]


def test_who_was_dealt_with_today_is_not_pushed_off_by_a_newcomer() -> None:
    rich = [Candidate(number, "overdue", 1_000 + number) for number in range(5)]
    entries = day_list(
        [*rich, Candidate(9, "overdue", 1)], followups={9: Followup("done", TODAY)}, today=TODAY, length=3
    )
    assert [entry.customer_id for entry in entries] == [4, 3, 9]


MONDAY = dt.date(2026, 3, 2)


@pytest.mark.parametrize(
    ("day", "opening_days", "is_open", "opens_next"),
    [
        (MONDAY, [1, 2, 3, 4, 5, 6, 7], True, 1),
        (MONDAY, [2, 3, 4, 5, 6, 7], False, 1),
        (MONDAY, [6, 7], False, 5),
        (MONDAY, [1], True, 7),  # only on Mondays: a week on
        (MONDAY + dt.timedelta(days=6), [1, 3], False, 1),
        (MONDAY, [], True, 1),  # nobody said when it opens
    ],
)
def test_when_a_store_opens(day: dt.date, opening_days: list[int], is_open: bool, opens_next: int) -> None:
    assert rules.is_open(day, opening_days) is is_open
    assert rules.opens_next(day, opening_days) == day + dt.timedelta(days=opens_next)
