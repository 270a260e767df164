"""Who is on the day's list, and in which order: docs/algorithms/today.md as a table of cases."""

import datetime as dt

import pytest

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
