"""Whom to look after today: which reason weighs more, who comes first, who rests. See docs/algorithms/today.md."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

GOLDEN_HOURS = 24
"""A first order is followed up within a day (N5)."""
NEWLY_SILENT_DAYS = 7
"""For a week after she turned silent the store is asked to call; then she is no news."""
OVERDUE_DAYS = 14
"""For two weeks past her expected visit. Later the fixed days of the chain decide."""
BIRTHDAY_AHEAD_DAYS = 3
REST_DAYS_AFTER_DONE = 14
"""Whom somebody reached rests for two weeks, whatever else speaks for her, unless it is her first order."""
LIST_LENGTH = 20
"""What a store can do in a day. The rest waits in the customer list."""
SURE_PLACES = 2
"""Places that every reason has for its weightiest customers, whatever they are worth: a birthday does not come back
next week, and a list of one kind of call only is soon read no more."""

WARNED_DAYS = 14
"""For two weeks a warning stands on the day's list, until somebody reached her; then on the list of risks alone."""
REST_DAYS_AFTER_LOST = 365
"""Whom somebody called lost is left alone for a year,."""

REASONS = ("first_order", "vip_overdue", "at_risk", "newly_silent", "overdue", "birthday")
"""By weight: the first that applies is the reason shown; the others stand beside it."""

SUGGESTIONS = {
    "first_order": "thank_and_offer_second_visit",
    "vip_overdue": "call_and_book",
    "at_risk": "call_and_ask",
    "newly_silent": "call_and_ask",
    "overdue": "remind_of_visit",
    "birthday": "congratulate",
}
OUTCOMES = ("done", "not_reached", "postponed", "lost", "reopened")
"""What a tap says. `lost`: whoever turned to her says that she will not come again. `reopened` takes the last one back:
facts are corrected, not edited."""
BECAUSE = ("", "complaint", "objection", "oversold", "price", "moved", "needs", "staff_left", "ignored")
"""What she gave as the reason, where she is lost."""


@dataclass(frozen=True)
class Followup:
    """The last follow-up of a customer: what came of it, on which day, until when she waits, and who wrote it down."""

    outcome: str
    day: dt.date
    until: dt.date | None = None
    event_id: int = 0
    by: str = ""
    at: dt.datetime | None = None


@dataclass(frozen=True)
class Candidate:
    """One reason for one customer, with the numbers that say why."""

    customer_id: int
    reason: str
    value_at_risk_minor: int
    numbers: Mapping[str, int | str] = field(default_factory=dict)
    deadline: dt.datetime | None = None
    suggestion: str = ""
    """What to do, where it depends on more than the reason."""


@dataclass(frozen=True)
class Entry:
    """One line of the day's list."""

    customer_id: int
    reason: str
    also: tuple[str, ...]
    suggestion: str
    value_at_risk_minor: int
    numbers: Mapping[str, int | str]
    deadline: dt.datetime | None
    last: Followup | None = None
    """The last follow-up, of whichever day."""
    is_open: bool = True
    """Nobody has dealt with her today, or who did took it back."""

    @property
    def outcome(self) -> str | None:
        """What was recorded today, or None while it is still to be done."""
        return None if self.is_open or self.last is None else self.last.outcome


def is_open(day: dt.date, opening_days: Collection[int]) -> bool:
    """Whether a store opens on the day. One whose days nobody knows is never taken for closed."""
    return not opening_days or day.isoweekday() in opening_days


def opens_next(day: dt.date, opening_days: Collection[int]) -> dt.date:
    """The first day after this one on which the store opens."""
    week = (day + dt.timedelta(days=ahead) for ahead in range(1, 8))
    return next(one for one in week if is_open(one, opening_days))


def rests(last: Followup | None, *, reason: str, today: dt.date) -> bool:
    """Whether an earlier follow-up keeps her off today's list. One of today does not: the line stays, ticked."""
    if last is None or last.day >= today or last.outcome == "reopened":
        return False
    if last.outcome == "postponed":
        return last.until is not None and last.until > today
    if last.outcome == "lost":
        return (today - last.day).days < REST_DAYS_AFTER_LOST
    return last.outcome == "done" and reason != "first_order" and (today - last.day).days < REST_DAYS_AFTER_DONE


def day_list(
    candidates: Iterable[Candidate], *, followups: Mapping[int, Followup], today: dt.date, length: int = LIST_LENGTH
) -> list[Entry]:
    """One line per customer: first orders by their deadline, then everybody by value at risk, at most `length`.

    Where there are more, every reason keeps `SURE_PLACES` for its first ones, and who was dealt with today keeps hers.
    """
    by_customer: dict[int, list[Candidate]] = {}
    for candidate in candidates:
        if not rests(followups.get(candidate.customer_id), reason=candidate.reason, today=today):
            by_customer.setdefault(candidate.customer_id, []).append(candidate)
    entries = [_entry(several, followups.get(customer), today) for customer, several in by_customer.items()]
    ranked = sorted(entries, key=_rank)
    return sorted(sorted(ranked, key=_claim(ranked))[:length], key=_rank)


def _claim(ranked: list[Entry]) -> Callable[[Entry], tuple[bool, bool]]:
    """Who gets a place first: those dealt with today, then the sure places, then the others as they are ranked."""
    seen: Counter[str] = Counter()
    sure = set()
    for entry in ranked:
        seen[entry.reason] += 1
        if seen[entry.reason] <= SURE_PLACES:
            sure.add(entry.customer_id)
    return lambda entry: (entry.is_open, entry.customer_id not in sure)


def _entry(candidates: list[Candidate], last: Followup | None, today: dt.date) -> Entry:
    first, *others = sorted(candidates, key=lambda one: REASONS.index(one.reason))
    numbers = {key: value for one in reversed([first, *others]) for key, value in one.numbers.items()}
    return Entry(
        customer_id=first.customer_id,
        reason=first.reason,
        also=tuple(one.reason for one in others),
        suggestion=first.suggestion or SUGGESTIONS[first.reason],
        value_at_risk_minor=first.value_at_risk_minor,
        numbers=numbers,
        deadline=first.deadline,
        last=last,
        is_open=last is None or last.day < today or last.outcome == "reopened",
    )


def _rank(entry: Entry) -> tuple[bool, float, int, int]:
    """Ties go by the customer's number, so that two reads of the list agree."""
    urgent = entry.deadline.timestamp() if entry.deadline else 0.0
    return (entry.deadline is None, urgent, -entry.value_at_risk_minor, entry.customer_id)
