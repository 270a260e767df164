"""The list of the day, read from profiles and the facts of the last hours."""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import F, Q
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce

from changke.decisions.next_best_action import rules
from changke.facts.customers.models import Customer, whom
from changke.facts.customers.queries import LIVING, PERSON_OF, phones_of, records_of
from changke.facts.customers.rules import masked_phone
from changke.facts.events.models import Event
from changke.facts.purchases.models import Receipt, ReceiptKind
from changke.foundation.organisation.models import Chain, Store
from changke.foundation.organisation.scope import Scope
from changke.foundation.periods import business_date
from changke.profiles.attributes.models import Profile
from changke.profiles.risk.models import ChurnWarning
from changke.profiles.risk.queries import rule_in_use
from changke.profiles.risk.rules import suggestion

CANDIDATES_PER_REASON = 120
"""Six times the length of the list: room for those who rest, without reading a whole chain."""

WEIGHTIEST = 2_000
"""Customers, by value at risk, among whom a list of the whole chain looks for its lines. It holds twenty; to look
through a million for somebody's birthday would take longer than reading the page."""


@dataclass(frozen=True)
class Line:
    """One line of the day's list, ready for page, API and command line. Money in minor units."""

    customer_id: int
    name: str
    phone_masked: str
    has_phone: bool
    stage: str
    value_group: str | None
    adviser_id: int | None
    adviser: str
    store: str
    reason: str
    also: tuple[str, ...]
    suggestion: str
    numbers: dict[str, int | str]
    value_at_risk_minor: int
    deadline: dt.datetime | None
    outcome: str | None
    last: rules.Followup | None = None
    """The last follow-up, of whichever day. What one taps next is said to come after it."""


@dataclass(frozen=True)
class DayList:
    day: dt.date
    lines: tuple[Line, ...]
    closed_until: dt.date | None = None
    """Where every store in view is closed that day: the next day on which one opens. What is due moves there."""

    @property
    def done(self) -> int:
        """Lines somebody has dealt with today, whatever came of it."""
        return sum(line.outcome is not None for line in self.lines)


def today(
    scope: Scope, *, chain: Chain, now: dt.datetime, mine: int | None = None, length: int = rules.LIST_LENGTH
) -> DayList:
    """Whom the stores of the scope should look after on the day of `now`; with `mine`, an adviser's customers only."""
    scope = scope.at_home()  # who came from elsewhere is called by her own store, not by two
    zone = _zone(scope, chain)
    day = business_date(now, zone)
    open_days = _open_days(scope)
    closed = {store for store, days in open_days.items() if not rules.is_open(day, days)}
    found = list(_candidates(scope, chain, now, day, mine, closed))
    alive = set(
        Customer.objects.filter(pk__in={one.customer_id for one in found}, **LIVING).values_list("pk", flat=True)
    )
    candidates = [one for one in found if one.customer_id in alive]
    followups = last_followups(alive, day, zone)
    entries = rules.day_list(candidates, followups=followups, today=day, length=length)
    all_closed = bool(open_days) and len(closed) == len(open_days)
    until = min(rules.opens_next(day, days) for days in open_days.values()) if all_closed else None
    return DayList(day, tuple(_lines(entries)), until)


def _open_days(scope: Scope) -> dict[int, list[int]]:
    """The weekdays on which each store in view opens."""
    return dict(Store.objects.for_scope(scope).filter(is_open=True).values_list("pk", "opening_days"))


def _zone(scope: Scope, chain: Chain) -> str:
    """The day of the list is the day in its stores, as on their customers' pages; where they differ, the chain's."""
    stores = Store.objects.for_scope(scope) if scope.store_ids is not None else Store.objects.none()
    zones = set(stores.values_list("time_zone", flat=True))
    return zones.pop() if len(zones) == 1 else chain.time_zone


def _candidates(
    scope: Scope, chain: Chain, now: dt.datetime, day: dt.date, mine: int | None, closed: Collection[int]
) -> Iterator[rules.Candidate]:
    # Whom only a withdrawn batch knew has no profile, or soon none; `today` leaves the last of them out by name. To ask
    # here would join a million customers to find the hundred that matter.
    seen = Profile.objects.for_scope(scope)
    if mine is not None:
        seen = seen.filter(adviser_id=mine)
    yield from _first_orders(seen, now, day)
    weightiest = mine is None and scope.whole_chain
    if weightiest:
        seen = seen.filter(value_at_risk__gte=_floor())
    if closed:  # nobody is there to call: who is due waits for the next opening day, a first order does not
        seen = seen.exclude(home_store_id__in=list(closed))
    lost_on = day - dt.timedelta(days=chain.lost_after_days)
    silent_on = day - dt.timedelta(days=chain.silent_after_days)
    # Profiles hold dates, so the list is right from midnight on, before the night's run has come to this customer.
    overdue = Q(expected_next_visit_on__lt=day, last_active_on__gt=lost_on)
    yield from _of("vip_overdue", seen.filter(overdue, value_group="high"), day)
    rule = rule_in_use()
    yield from _warned(seen, day)
    if rule is None:  # else it has said so earlier, and two alarms about one silence are one too many
        week = silent_on - dt.timedelta(days=rules.NEWLY_SILENT_DAYS - 1)
        yield from _of("newly_silent", seen.filter(last_active_on__range=(week, silent_on)), day)
    fortnight = day - dt.timedelta(days=rules.OVERDUE_DAYS)
    # As expressions, or PostgreSQL adds the index of everybody who was here lately to the few of this fortnight, and
    # that of everybody expected in it to the weightiest.
    late = seen.annotate(
        last_here=Coalesce("last_active_on", "last_active_on"),
        expected=Coalesce("expected_next_visit_on", "expected_next_visit_on"),
    )
    expected = "expected" if weightiest else "expected_next_visit_on"
    late = late.filter(**{f"{expected}__range": (fortnight, day - dt.timedelta(days=1))}, own_gaps__gte=1)
    yield from _of("overdue", late.filter(last_here__gt=silent_on), day)
    if scope.store_ids is not None:
        seen = seen.filter(whom(scope))  # the index of birthdays is by store
    yield from _birthdays(seen.filter(last_active_on__gt=lost_on), day, indexed=not weightiest)


def _floor() -> int:
    """What must be at risk to be looked at for a list of the whole chain."""
    rows = Profile.objects.order_by("-value_at_risk", "customer_id").values_list("value_at_risk", flat=True)
    return next(iter(rows[WEIGHTIEST : WEIGHTIEST + 1]), 0)


def _first_orders(seen: "object", now: dt.datetime, day: dt.date) -> Iterator[rules.Candidate]:
    """From the receipts of the last hours. The profile may be a second behind; she comes with it."""
    since = now - dt.timedelta(hours=rules.GOLDEN_HOURS)
    fresh = seen.filter(first_purchase_on__gte=day - dt.timedelta(days=2), purchases=1)  # type: ignore[attr-defined]
    receipts = (
        Receipt.objects.filter(customer__in=records_of(fresh.values("customer_id")), kind=ReceiptKind.SALE)
        .filter(
            withdrawn_by__isnull=True, business_date__gte=day - dt.timedelta(days=2), happened_at__range=(since, now)
        )
        .order_by("happened_at", "id")
        .values_list(PERSON_OF, "happened_at", "cash_minor")[:CANDIDATES_PER_REASON]
    )
    found = list(receipts)
    value = dict(Profile.objects.filter(pk__in=[row[0] for row in found]).values_list("customer_id", "value_at_risk"))
    for customer, happened_at, cash in found:
        deadline = happened_at + dt.timedelta(hours=rules.GOLDEN_HOURS)
        yield rules.Candidate(customer, "first_order", value.get(customer, 0), {"spent_minor": cash}, deadline)


def _of(reason: str, profiles: "object", day: dt.date) -> Iterator[rules.Candidate]:
    rows = profiles.order_by("-value_at_risk", "customer_id").values_list(  # type: ignore[attr-defined]
        "customer_id", "value_at_risk", "last_active_on", "usual_gap_days", "expected_next_visit_on"
    )
    for customer, value, last, gap, expected in rows[:CANDIDATES_PER_REASON]:
        numbers = {"silent_days": (day - last).days, "usual_gap_days": gap or 0}
        if expected is not None:
            numbers["overdue_days"] = max((day - expected).days, 0)
        yield rules.Candidate(customer, reason, value, numbers)


def _the_dearest_each(found: Iterable[ChurnWarning]) -> list[ChurnWarning]:
    """Of each customer the first: she may have let several things go, and is called once."""
    first: dict[int, ChurnWarning] = {}
    for one in found:
        first.setdefault(one.customer_id, one)
    return list(first.values())


def _warned(seen: "object", day: dt.date) -> Iterator[rules.Candidate]:
    """Open warnings of the last days, the dearest first; their customers among those who are seen."""
    since = day - dt.timedelta(days=rules.WARNED_DAYS)
    rows = ChurnWarning.objects.filter(
        ended_on__isnull=True,
        opened_on__gt=since,
        customer_id__in=seen.values("customer_id"),  # type: ignore[attr-defined]
    ).select_related("rule", "line__category", "line__item")
    found = _the_dearest_each(rows.order_by("-value_at_risk_minor", "customer_id", "pk")[:CANDIDATES_PER_REASON])
    groups = dict(
        Profile.objects.filter(pk__in=[one.customer_id for one in found]).values_list("customer_id", "value_group")
    )
    for one in found:
        numbers: dict[str, int | str] = {
            "silent_days": (day - one.silent_since).days,
            "outlook_bp": one.outlook_bp,
            "horizon_days": one.horizon_days,
            "cause": one.cause,
            "fired_by": one.fired,
        }
        if one.line is not None:
            numbers |= {"line": str(one.line), "gap_days": one.gap_days or one.line.cycle_days}
        else:
            numbers["rule_threshold"] = one.rule.threshold
        if one.line is None and one.rule.latest_days is not None:
            numbers["latest_days"] = one.rule.latest_days
        if one.expected_on is not None:
            numbers["expected_on"] = one.expected_on.isoformat()
        yield rules.Candidate(
            one.customer_id,
            "at_risk",
            one.value_at_risk_minor,
            numbers,
            suggestion=suggestion(
                cause=one.cause,
                purchases=one.purchases,
                value_group=groups.get(one.customer_id),
                of_line=one.line is not None,
            ),
        )


def _birthdays(profiles: Any, day: dt.date, *, indexed: bool) -> Iterator[rules.Candidate]:
    """`indexed`: whether to begin with everybody born in these days; else with the profiles, where they are fewer."""
    names = "customer__birth_month", "customer__birth_day"
    born_in, born_on = names if indexed else ("month", "number")
    profiles = profiles.annotate(month=Coalesce(names[0], names[0]), number=Coalesce(names[1], names[1]))
    days = [day + dt.timedelta(days=ahead) for ahead in range(rules.BIRTHDAY_AHEAD_DAYS + 1)]
    born = Q()
    for ahead in days:
        born |= Q(**{born_in: ahead.month, born_on: ahead.day})
        if (ahead.month, ahead.day) == (2, 28) and (ahead + dt.timedelta(days=1)).month == 3:
            born |= Q(**{born_in: 2, born_on: 29})
    rows = profiles.filter(born).order_by("-value_at_risk", "customer_id")
    wanted = rows.values_list("customer_id", "value_at_risk", "month", "number")
    for customer, value, month, number in wanted[:CANDIDATES_PER_REASON]:
        yield rules.Candidate(customer, "birthday", value, {"birthday": f"{month:02}-{number:02}"})


@dataclass(frozen=True)
class Week:
    """What somebody's follow-ups of the last seven days brought. `spent_minor` is cash in after them."""

    customers: int
    came_back: int
    spent_minor: int


def week_of(staff_id: int, *, now: dt.datetime, today: dt.date) -> Week:
    """The follow-ups of one person in the last seven days, and who came after hers. It counts what came after, not what
    came because of it: that is for an experiment to say."""
    rows = (
        Event.objects.filter(kind="followup.recorded", staff=staff_id, withdrawn_by__isnull=True)
        .filter(business_date__gt=today - dt.timedelta(days=7), customer__isnull=False)
        .order_by("happened_at", "id")
        .values_list(PERSON_OF, "happened_at", KT("data__outcome"))
    )
    reached: dict[int, dt.datetime] = {}
    for customer, at, outcome in rows:
        if outcome == "done":
            reached.setdefault(customer, at)
        elif outcome == "reopened":
            reached.pop(customer, None)
    after = Receipt.objects.filter(
        customer__in=records_of(list(reached)),
        withdrawn_by__isnull=True,
        business_date__gt=today - dt.timedelta(days=7),
    ).exclude(kind=ReceiptKind.RETURN)
    came = [row for row in after.values_list(PERSON_OF, "happened_at", "cash_minor") if reached[row[0]] < row[1] <= now]
    return Week(len(reached), len({row[0] for row in came}), sum(row[2] for row in came))


def last_followups(customers: Collection[int], day: dt.date, zone: str) -> dict[int, rules.Followup]:
    """The last follow-up of each. A month back is enough: longer than any rest, and postponing reaches 60 days."""
    since = day - dt.timedelta(days=90)
    rows = (
        Event.objects.filter(kind="followup.recorded", customer__in=records_of(customers), business_date__gte=since)
        .filter(withdrawn_by__isnull=True)
        .order_by("happened_at", "id")
        .values_list(PERSON_OF, KT("data__outcome"), KT("data__until"), "id", "staff__name", "happened_at")
    )
    return {
        customer: rules.Followup(
            outcome, business_date(at, zone), dt.date.fromisoformat(until) if until else None, pk, by or "", at
        )
        for customer, outcome, until, pk, by, at in rows
        if customer is not None
    }


def _lines(entries: list[rules.Entry]) -> Iterator[Line]:
    ids = [entry.customer_id for entry in entries]
    phones = phones_of(ids)
    people = {
        row["id"]: row
        for row in Customer.objects.filter(pk__in=ids).values(
            "id", "name", "adviser_id", adviser_name=F("adviser__name"), store_name=F("home_store__name")
        )
    }
    about = {
        row[0]: row for row in Profile.objects.filter(pk__in=ids).values_list("customer_id", "stage", "value_group")
    }
    for entry in entries:
        person, phone = people[entry.customer_id], phones.get(entry.customer_id, "")
        yield Line(
            customer_id=entry.customer_id,
            name=person["name"],
            phone_masked=masked_phone(phone) if phone else "",
            has_phone=bool(phone),
            stage=about[entry.customer_id][1],
            value_group=about[entry.customer_id][2],
            adviser_id=person["adviser_id"],
            adviser=person["adviser_name"] or "",
            store=person["store_name"] or "",
            reason=entry.reason,
            also=entry.also,
            suggestion=entry.suggestion,
            numbers=dict(entry.numbers),
            value_at_risk_minor=entry.value_at_risk_minor,
            deadline=entry.deadline,
            outcome=entry.outcome,
            last=entry.last,
        )


CONTACTS = Q(withdrawn_by__isnull=True) & (
    Q(kind="followup.recorded")
    | (Q(kind="phone.unmasked") & ~Q(data__reason="verify"))
    | Q(kind="note.written", batch__isnull=False)
)
"""Events that say that somebody of the shop turned to a customer: a follow-up, a call, a follow-up that another system
noted and a file brought. Whoever only compared a number with the one in front of her turned to nobody."""

PROMISES_FOR_DAYS = 180
"""A follow-up that was put off longer ago than this is no promise any more."""

# The last word on each customer was "later", and later has passed.
BROKEN = """
SELECT person FROM (
  SELECT DISTINCT ON (person) CASE WHEN record.merged_into_id IS NULL
    THEN record.id ELSE record.merged_into_id END AS person, event.data
  FROM facts_event AS event JOIN facts_customer AS record ON record.id = event.customer_id
  WHERE event.kind = 'followup.recorded' AND event.business_date >= %(since)s AND event.withdrawn_by_id IS NULL
  ORDER BY person, event.happened_at DESC, event.id DESC
) AS last WHERE data ->> 'outcome' = 'postponed' AND (data ->> 'until')::date < %(today)s
ORDER BY person LIMIT %(most)s
"""


def broken_promises(today: dt.date, *, most: int = 10_000) -> list[int]:
    """Customers whom somebody meant to turn to on a day that has passed, and nobody did."""
    since = today - dt.timedelta(days=PROMISES_FOR_DAYS)
    with connection.cursor() as sql:
        sql.execute(BROKEN, {"since": since, "today": today, "most": most})
        return [row[0] for row in sql.fetchall()]
