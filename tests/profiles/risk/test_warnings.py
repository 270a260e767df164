"""Who is warned of, once per silence, by which number; how a warning ends; what may have driven her away."""

import datetime as dt
from typing import Any

import numpy as np
import pytest
from django.db import connection

from changke.decisions.next_best_action.services import record_followup
from changke.facts.catalog.models import Item
from changke.facts.customers.models import Customer
from changke.facts.customers.queries import PERSON_OF
from changke.facts.customers.services.merge import merge
from changke.facts.events import services as events
from changke.facts.events.models import Event
from changke.facts.purchases.models import Receipt
from changke.facts.purchases.rules import Paid
from changke.facts.purchases.services.record import NewLine, record_receipt
from changke.foundation.batches.models import Batch
from changke.foundation.cursors import Window
from changke.foundation.database.append_only import current_xid
from changke.profiles.risk.models import ChurnWarning
from changke.profiles.risk.rules import Wanted, suggestion
from changke.profiles.risk.services.causes import find_causes
from changke.profiles.risk.services.choose import use
from changke.profiles.risk.services.warn import Warned, follow, warn
from tests.cast import NOW, TODAY, Cast, ago, at, buys, know_everybody

pytestmark = pytest.mark.django_db
LOST = 180


@pytest.fixture
def shop(cast: Cast) -> Cast:
    know_everybody()
    return cast


def days() -> dict[str, Any]:
    """What the mirror would hand over: the living purchase days."""
    rows = set(
        Receipt.objects.filter(kind__in=("sale", "use"), withdrawn_by__isnull=True, customer__isnull=False)
        .values_list(PERSON_OF, "business_date")
    )  # fmt: skip
    who, day = zip(*sorted(rows), strict=True) if rows else ((), ())
    return {"customer_id": np.array(who, int), "date": np.array(day, "datetime64[D]")}


def night(on: dt.date = TODAY) -> Warned:
    now = NOW + (on - TODAY)
    done = warn(days(), today=on, lost_after_days=LOST, now=now)
    find_causes(today=on)
    return done


def of(customer: Customer) -> ChurnWarning | None:
    return ChurnWarning.objects.filter(customer=customer).order_by("-opened_on").first()


def warned() -> set[str]:
    return set(ChurnWarning.objects.filter(ended_on__isnull=True).values_list("customer__name", flat=True))


def test_without_a_rule_nobody_is_warned_of(shop: Cast) -> None:
    assert night() == Warned()
    assert not ChurnWarning.objects.exists()


@pytest.mark.parametrize(
    ("silent_days", "names"),
    [
        (62, set()),  # Mo, 61 days, is not there yet
        (61, {"莫愁"}),
        (48, {"莫愁"}),  # fourteen days ago she would have been, that is soon enough
        (47, set()),  # longer ago: silent before anybody chose the rule
        (9, {"薇拉", "秋月"}),  # 12 and 22 days
        (200, set()),  # Lan is lost
    ],
)
def test_who_crosses_the_rule_in_two_weeks_is_warned_of(shop: Cast, silent_days: int, names: set[str]) -> None:
    use(Wanted("fixed", silent_days), now=NOW)
    night()
    assert warned() == names


def test_a_warning_says_why_and_happens_once(shop: Cast) -> None:
    use(Wanted("fixed", 55), now=NOW)
    assert night().raised == 1
    one = of(shop.mo)
    assert one is not None
    assert (one.silent_since, one.opened_on, one.purchases) == (ago(61), TODAY, 6)
    assert one.expected_on == ago(61) + dt.timedelta(days=24)  # her own three weeks, drawn to the chain's pace
    assert 0 < one.outlook_bp == one.outlook_opened_bp < one.outlook_then_bp < 10_000
    assert one.value_at_risk_minor == 6 * 58_800
    event = Event.objects.get(kind="warning.raised")
    assert (event.customer_id, event.store_id, event.data["silent_since"]) == (
        shop.mo.pk,
        shop.jing_an.pk,
        str(ago(61)),
    )
    assert night() == Warned(raised=0, refreshed=0, ended=0)
    use(Wanted("fixed", 60), now=NOW)
    assert night().raised == 0
    assert Event.objects.filter(kind="warning.raised").count() == 1


def test_newcomers_count_only_where_the_rule_says_so(shop: Cast) -> None:
    use(Wanted("fixed", 20, least_purchases=3), now=NOW)
    night()
    assert warned() == set()
    use(Wanted("fixed", 20, least_purchases=2), now=NOW)
    night()
    assert warned() == {"秋月"}


def test_the_outlook_warns_from_the_first_purchase_on(shop: Cast) -> None:
    use(Wanted("outlook", 9_999, minimum_silence_days=20), now=NOW)
    night()
    assert warned() == {"秋月"}  # on her 20th silent day, two days ago; Ying has not been silent for so long
    use(Wanted("outlook", 9_999, minimum_silence_days=7), now=NOW)
    night(TODAY + dt.timedelta(days=6))
    assert {"莹莹", "薇拉"} <= warned()
    ying = of(shop.ying)
    assert ying is not None
    assert ying.purchases == 1


def test_the_fall_warns_by_how_far_it_fell(shop: Cast) -> None:
    use(Wanted("fall", 9_999, minimum_silence_days=10), now=NOW)
    night()
    assert "薇拉" in warned()
    ChurnWarning.objects.all().delete()
    use(Wanted("fall", 1, minimum_silence_days=10), now=NOW)
    night()
    assert warned() == set()


@pytest.mark.parametrize(
    ("threshold", "latest", "fired_by"),
    [
        (9_999, 120, "outlook"),  # on the first day it may, long before the last
        (1, 60, "latest"),  # so small a chance is not reached: the last day was yesterday
        (1, 62, None),  # she has been silent for 61 days
    ],
)
def test_a_rule_with_a_last_day_says_which_of_its_parts_warned(
    shop: Cast, threshold: int, latest: int, fired_by: str | None
) -> None:
    use(Wanted("outlook", threshold, minimum_silence_days=55, latest_days=latest), now=NOW)
    night()
    one = of(shop.mo)
    assert (one.fired if one else None) == fired_by
    if fired_by:
        assert Event.objects.get(kind="warning.raised").data["fired_by"] == fired_by


def test_a_warning_from_before_was_raised_by_the_kind_of_its_rule(shop: Cast) -> None:
    use(Wanted("fixed", 55), now=NOW)
    night()
    ChurnWarning.objects.update(fired_by="")
    one = of(shop.mo)
    assert one is not None
    assert one.fired == "fixed"


def test_outlook_and_money_follow_every_night(shop: Cast) -> None:
    use(Wanted("fixed", 55), now=NOW)
    night()
    before = of(shop.mo)
    assert night(TODAY + dt.timedelta(days=20)).refreshed == 1
    after = of(shop.mo)
    assert before is not None
    assert after is not None
    assert after.outlook_bp < before.outlook_bp == after.outlook_opened_bp


def current_xid_number() -> int:
    with connection.cursor() as sql:
        sql.execute("SELECT pg_current_xact_id()::text::bigint")
        return int(sql.fetchone()[0])


def test_she_buys_and_the_warning_ends_by_itself(shop: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    use(Wanted("fixed", 55), now=NOW)
    night()
    buys(shop.vera, shop.facial, 58_800, on=TODAY, store=shop.jing_an, key="another")
    bought = buys(shop.mo, shop.facial, 58_800, on=TODAY, store=shop.jing_an, key="back")
    assert follow(NOW) == 0  # our own transaction has not ended: it will be read then
    monkeypatch.setattr(
        "changke.profiles.risk.services.warn.open_window", lambda _: Window(0, current_xid_number() + 1)
    )
    assert follow(NOW) == 1
    one = of(shop.mo)
    assert one is not None
    assert (one.ended, one.ended_on) == ("came_back", TODAY)
    assert Event.objects.get(kind="warning.closed").data["ended"] == "came_back"
    batch = Batch.objects.create(kind="load", created_at=NOW)
    Receipt.objects.filter(pk=bought.pk).update(withdrawn_by=batch, txid=current_xid())
    night()
    assert warned() == {"莫愁"}  # as silent as before


def test_who_came_after_somebody_reached_her_did_not_come_by_herself(shop: Cast) -> None:
    use(Wanted("fixed", 55), now=NOW)
    night()
    record_followup(
        shop.mo, reason="at_risk", outcome="done", by=shop.clerk, source_key="tap", chain=shop.chain,
        now=NOW + dt.timedelta(hours=1),
    )  # fmt: skip
    buys(shop.mo, shop.facial, 58_800, on=TODAY + dt.timedelta(days=3), store=shop.jing_an, key="back")
    assert night(TODAY + dt.timedelta(days=4)).ended == 1
    one = of(shop.mo)
    assert one is not None
    assert (one.ended, one.ended_on) == ("came_after", TODAY + dt.timedelta(days=3))


def test_who_stays_away_is_lost_on_the_chains_day(shop: Cast) -> None:
    use(Wanted("fixed", 55), now=NOW)
    night()
    assert night(ago(61) + dt.timedelta(days=LOST - 1)).ended == 0
    night(ago(61) + dt.timedelta(days=LOST + 3))
    one = of(shop.mo)
    assert one is not None
    assert (one.ended, one.ended_on) == ("lost", ago(61) + dt.timedelta(days=LOST))


def test_somebody_writes_down_that_she_is_lost(shop: Cast) -> None:
    use(Wanted("fixed", 55), now=NOW)
    night()
    event = record_followup(
        shop.mo, reason="at_risk", outcome="lost", because="moved", by=shop.clerk, source_key="tap", chain=shop.chain,
        now=NOW,
    )  # fmt: skip
    one = of(shop.mo)
    assert one is not None
    assert (one.ended, event.data["because"]) == ("lost", "moved")
    assert night().raised == 0


def test_whoever_is_merged_into_another_has_no_warning_of_her_own(shop: Cast) -> None:
    use(Wanted("fixed", 55), now=NOW)
    night()
    merge(shop.mo.pk, shop.vera.pk, now=NOW)
    assert night().ended == 1
    one = of(shop.mo)
    assert one is not None
    assert one.ended == "gone"


def test_an_empty_shop_and_one_customer(shop: Cast) -> None:
    use(Wanted("outlook", 5_000), now=NOW)
    none = {"customer_id": np.zeros(0, int), "date": np.zeros(0, "datetime64[D]")}
    assert warn(none, today=TODAY, lost_after_days=LOST, now=NOW) == Warned()
    one = {"customer_id": np.array([shop.ying.pk]), "date": np.array([str(ago(20))], "datetime64[D]")}
    assert warn(one, today=TODAY, lost_after_days=LOST, now=NOW).raised in {0, 1}


def told(customer: Customer, kind: str, on: dt.date, **data: object) -> None:
    moment = NOW + (on - TODAY)
    events.record(kind, customer=customer, data=data, source_key=f"{kind}:{on}:{data}", happened_at=moment, now=moment)


def causes(customer: Customer) -> list[str]:
    night()
    one = of(customer)
    assert one is not None
    assert one.cause == (one.causes[0]["cause"] if one.causes else "")
    return [fact["cause"] for fact in one.causes]


@pytest.fixture
def ruled(shop: Cast) -> Cast:
    use(Wanted("fixed", 55), now=NOW)
    return shop


def test_where_no_fact_speaks_no_cause_is_named(ruled: Cast) -> None:
    assert causes(ruled.mo) == []


@pytest.mark.parametrize(
    ("kind", "days_ago", "data", "found"),
    [
        ("complaint.received", 60, {}, ["complaint"]),
        ("complaint.received", 91, {}, ["complaint"]),  # thirty days before her last purchase
        ("complaint.received", 92, {}, []),
        ("complaint.received", 60, {"topic": "价格"}, ["price"]),
        ("note.written", 60, {"topic": "搬家"}, ["moved"]),
        ("note.written", 60, {"topic": "备注"}, []),
        ("note.written", 60, {"topic": "顾问离职"}, ["staff_left"]),
        ("customer.changed", 30, {"fields": ["city", "name"]}, ["moved"]),
        ("customer.changed", 30, {"fields": ["name"]}, []),
    ],
)
def test_what_was_told_is_a_cause(
    ruled: Cast, kind: str, days_ago: int, data: dict[str, object], found: list[str]
) -> None:
    told(ruled.mo, kind, ago(days_ago), **data)
    assert causes(ruled.mo) == found


def test_the_weightiest_cause_leads_and_each_names_its_fact(ruled: Cast) -> None:
    told(ruled.mo, "note.written", ago(50), topic="搬家")
    told(ruled.mo, "complaint.received", ago(60))
    assert causes(ruled.mo) == ["complaint", "moved"]
    one = of(ruled.mo)
    assert one is not None
    complaint = Event.objects.get(kind="complaint.received")
    assert one.causes[0] == {"cause": "complaint", "fact": f"event:{complaint.pk}", "on": str(ago(60))}


def test_who_served_her_has_left(ruled: Cast) -> None:
    for turn in range(3):
        record_receipt(
            store=ruled.jing_an,
            customer=ruled.mo,
            staff=ruled.clerk,
            lines=[NewLine(amount_minor=100, item=ruled.facial)],
            tenders=[Paid("cash", 100)],
            source_key=f"served-{turn}",
            happened_at=at(ago(61)),
            now=NOW,
        )
    assert causes(ruled.mo) == []
    ruled.clerk.is_active = False
    ruled.clerk.save()
    assert causes(ruled.mo) == ["staff_left"]


def test_a_large_card_on_the_last_day_was_perhaps_too_much(ruled: Cast) -> None:
    small = Item.objects.create(code="C1", name="小卡", kind="card", price_minor=100_000)
    buys(ruled.mo, small, 117_599, on=ago(61), store=ruled.jing_an, key="card")
    assert causes(ruled.mo) == []  # not twice the 588.00 that she spends on a day
    buys(ruled.mo, small, 1, on=ago(61), store=ruled.jing_an, key="one fen more")
    assert causes(ruled.mo) == ["oversold"]


@pytest.mark.parametrize(("was", "now", "found"), [(50_000, 54_999, []), (50_000, 55_000, ["price"])])
def test_the_same_thing_became_dearer(ruled: Cast, was: int, now: int, found: list[str]) -> None:
    mask = Item.objects.create(code="M1", name="面膜", kind="product")
    for key, on, price in (("was", ago(90), was), ("now", ago(61), now)):
        record_receipt(
            store=ruled.jing_an, customer=ruled.mo,
            lines=[NewLine(amount_minor=price, item=mask, unit_price_minor=price)],
            tenders=[Paid("cash", price)], source_key=key, happened_at=at(on), now=NOW,
        )  # fmt: skip
    assert causes(ruled.mo) == found


def test_money_given_back_after_the_last_purchase(ruled: Cast) -> None:
    Receipt.objects.create(
        kind="return", customer=ruled.mo, store=ruled.jing_an, number="r", cash_minor=10_000, consumed_minor=10_000,
        items=1, happened_at=NOW, business_date=ago(40), recorded_at=NOW, source_key="r",
    )  # fmt: skip
    assert causes(ruled.mo) == ["gave_back"]


def followed_up(customer: Customer, on: dt.date, outcome: str) -> None:
    moment = NOW + (on - TODAY)
    events.record(
        "followup.recorded", customer=customer, store=customer.home_store,
        data={"reason": "at_risk", "outcome": outcome}, source_key=f"called:{customer.pk}:{on}", happened_at=moment,
        now=moment,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("noted_days_ago", "calls", "found"),
    [
        (61, [], ["objection"]),  # on the day of her last purchase
        (40, [], ["objection"]),
        (40, [(30, "not_reached"), (20, "not_reached")], ["objection"]),
        (40, [(50, "done")], ["objection"]),  # reached before she said it
        (40, [(39, "done")], []),
        (71, [], []),  # she bought after it
    ],
)
def test_an_objection_is_a_cause_until_somebody_answers_it(
    ruled: Cast, noted_days_ago: int, calls: list[tuple[int, str]], found: list[str]
) -> None:
    told(ruled.mo, "note.written", ago(noted_days_ago), topic="异议")
    for days_ago, outcome in calls:
        followed_up(ruled.mo, ago(days_ago), outcome)
    assert causes(ruled.mo) == found


@pytest.mark.parametrize(
    ("others_reached", "hers", "found"),
    [
        (5, [], ["ignored"]),
        (4, [], []),  # the store writes down too little to say
        (5, [(50, "not_reached")], []),  # somebody tried
        (5, [(50, "postponed")], ["ignored"]),  # nobody called yet
        (5, [(62, "done")], ["ignored"]),  # before she last bought
        (5, [(61, "done")], []),
    ],
)
def test_whom_nobody_turned_to_was_perhaps_ignored(
    ruled: Cast, others_reached: int, hers: list[tuple[int, str]], found: list[str]
) -> None:
    for number in range(others_reached):
        other = Customer.objects.create(
            name=f"别人{number}", home_store=ruled.jing_an, known_on=ago(90), recorded_at=NOW
        )
        followed_up(other, ago(50), "done")
    for days_ago, outcome in hers:
        followed_up(ruled.mo, ago(days_ago), outcome)
    assert causes(ruled.mo) == found
    if found:
        last = Receipt.objects.filter(customer=ruled.mo).order_by("-business_date", "-pk")[0]
        warning = of(ruled.mo)
        assert warning is not None
        assert warning.causes[-1]["fact"] == f"receipt:{last.pk}"
        # What is done about the warning does not take its cause away.
        followed_up(ruled.mo, TODAY + dt.timedelta(days=1), "not_reached")
        find_causes(today=TODAY + dt.timedelta(days=1))
        assert ChurnWarning.objects.get(pk=warning.pk).cause == "ignored"


@pytest.mark.parametrize(
    ("about", "what"),
    [
        ({"cause": "complaint", "purchases": 9, "value_group": "high"}, "apologise_and_mend"),
        ({"cause": "objection", "purchases": 1, "value_group": "high"}, "answer_objection"),
        ({"cause": "ignored", "purchases": 1, "value_group": "high"}, "make_time_for_her"),
        ({"cause": "", "purchases": 1, "value_group": "high"}, "invite_second_visit"),
        ({"cause": "", "purchases": 2, "value_group": "high"}, "call_and_book"),
        ({"cause": "", "purchases": 2, "value_group": None}, "call_and_ask"),
    ],
)
def test_what_to_do_follows_from_the_cause_then_from_who_she_is(about: dict[str, Any], what: str) -> None:
    assert suggestion(**about) == what
