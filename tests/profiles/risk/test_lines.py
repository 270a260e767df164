"""Who still comes and has let one thing go: who is warned of, what of, and how it ends."""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from changke.decisions.next_best_action.services import record_followup
from changke.facts.catalog.models import Category, Item
from changke.facts.customers.models import Customer
from changke.facts.customers.queries import PERSON_OF
from changke.facts.events.models import Event
from changke.facts.purchases.models import Line as ReceiptLine
from changke.facts.purchases.models import Receipt
from changke.foundation.audit.models import AuditLine
from changke.foundation.batches.models import Batch
from changke.foundation.cursors import Window
from changke.foundation.database.append_only import current_xid
from changke.foundation.errors import NotFound
from changke.profiles.risk.models import ChurnWarning, ServiceLine
from changke.profiles.risk.queries import looks_at_lines
from changke.profiles.risk.rules import Wanted, suggestion
from changke.profiles.risk.services.choose import NoRule, look_at_lines, switch_line, use
from changke.profiles.risk.services.line_days import LineDays
from changke.profiles.risk.services.lines import warn_of_lines
from changke.profiles.risk.services.warn import Warned, follow, warn
from tests.cast import NOW, TODAY, Cast, ago, at, buys, know_everybody

pytestmark = pytest.mark.django_db
LOST = 180
RULE = Wanted("fixed", 100, per_line=True)


@dataclass(frozen=True)
class Nails:
    """The cast in a shop that does nails too, each line judged: 28 days and 14."""

    cast: Cast
    nails: Item
    facial_line: ServiceLine
    nails_line: ServiceLine

    def does_nails(self, who: Customer, *days: int) -> None:
        for day in days:
            buys(who, self.nails, 16_800, on=ago(day), store=self.cast.jing_an, key=f"nails-{who.pk}-{day}")


def a_line(category: Category, cycle: int, **fields: Any) -> ServiceLine:
    """Judged today, so that the night leaves it as it is: it warns after two cycles."""
    known = {"learned_on": TODAY, "cycle_days": cycle, "threads": 120, "latest_days": 2 * cycle, "lapse_days": 180}
    return ServiceLine.objects.create(
        category=category, **known, minimum_silence_days=cycle, horizon_days=90, **fields
    )  # fmt: skip


@pytest.fixture
def shop(cast: Cast) -> Nails:
    know_everybody()
    nails = Item.objects.create(
        code="N1", name="光疗美甲", kind="service", category=Category.objects.create(name="美甲"), price_minor=16_800
    )
    skin = cast.facial.category
    assert skin is not None
    assert nails.category is not None
    return Nails(cast, nails, a_line(skin, 28), a_line(nails.category, 14))


def bought() -> dict[str, Any]:
    rows = sorted(
        set(
            Receipt.objects.filter(kind__in=("sale", "use"), withdrawn_by__isnull=True, customer__isnull=False)
            .values_list(PERSON_OF, "business_date")
        )
    )  # fmt: skip
    who, day = zip(*rows, strict=True)
    return {"customer_id": np.array(who, int), "date": np.array(day, "datetime64[D]")}


def held() -> LineDays:
    """What the night would read: days and money by customer and line."""
    living = Receipt.objects.filter(kind__in=("sale", "use"), withdrawn_by__isnull=True, customer__isnull=False)
    person = dict(living.values_list("pk", PERSON_OF))
    money: dict[tuple[int, int, dt.date], int] = {}
    for line in ReceiptLine.objects.filter(receipt__in=living, item__kind="service").select_related("item", "receipt"):
        assert line.item is not None
        key = (line.item.category_id or -line.item.pk, person[line.receipt_id], line.receipt.business_date)
        money[key] = money.get(key, 0) + line.amount_minor
    rows = sorted((*key, amount) for key, amount in money.items())
    columns = zip(*rows, strict=True) if rows else ((), (), (), ())
    lines, who, day, amount = columns
    return LineDays(np.array(lines, int), np.array(who, int), np.array(day, "datetime64[D]"), np.array(amount, int))


def night(on: dt.date = TODAY) -> Warned:
    """As the worker does it: whole customers first."""
    now = NOW + (on - TODAY)
    warn(bought(), today=on, lost_after_days=LOST, now=now)
    return warn_of_lines(held(), bought(), today=on, now=now)


def open_ones() -> set[tuple[str, str]]:
    rows = ChurnWarning.objects.filter(ended_on__isnull=True).select_related("customer", "line__category", "line__item")
    return {(one.customer.name, str(one.line) if one.line else "") for one in rows}


def only(customer: Customer) -> ChurnWarning:
    return ChurnWarning.objects.get(customer=customer)


def test_who_comes_for_her_nails_and_has_let_her_facial_go_is_warned_of(shop: Nails) -> None:
    shop.does_nails(shop.cast.mo, 31, 17, 3)
    use(RULE, now=NOW)
    assert night().raised == 1
    assert open_ones() == {("莫愁", "面部护理")}
    one = only(shop.cast.mo)
    assert (one.silent_since, one.purchases, one.fired) == (ago(61), 6, "latest")
    assert one.gap_days == 22  # five gaps of three weeks, drawn to the line's four
    assert one.expected_on == ago(61) + dt.timedelta(days=22)
    assert one.value_at_risk_minor == 6 * 58_800  # of the facials alone
    event = Event.objects.get(kind="warning.raised")
    assert (event.customer_id, event.data["line"]) == (shop.cast.mo.pk, shop.facial_line.pk)


def test_a_second_night_warns_of_nobody_twice(shop: Nails) -> None:
    shop.does_nails(shop.cast.mo, 17, 3)
    use(RULE, now=NOW)
    night()
    assert night() == Warned()
    assert Event.objects.filter(kind="warning.raised").count() == 1


@pytest.mark.parametrize(
    ("rule", "nails", "why"),
    [
        (RULE, (), "silent in everything: she may come for both next time"),
        (RULE, (3,), "once she may have come for something else"),
        (RULE, (40, 20), "not once since it was overdue: she may have it next time"),
        (replace(RULE, per_line=False), (17, 3), "nobody asked for lines"),
        (replace(RULE, least_purchases=5), (17, 3), "six days are enough"),
        (Wanted("fixed", 100, least_purchases=5, per_line=True), (62,), "her nails were before her facial"),
    ],
)
def test_who_is_not_warned_of(shop: Nails, rule: Wanted, nails: tuple[int, ...], why: str) -> None:
    shop.does_nails(shop.cast.mo, *nails)
    use(rule, now=NOW)
    night()
    assert open_ones() == ({("莫愁", "面部护理")} if "enough" in why else set())


@pytest.mark.parametrize(
    ("facials", "warned"),
    [
        ((60,), False),  # one day is no rhythm
        ((60, 88, 116), False),  # nor are two gaps
        ((60, 88, 116, 144), True),
        ((60, 88, 136, 164), True),  # 48 days once: 60 are a quarter more
        ((60, 88, 137, 165), False),  # 49 days once: not yet
    ],
)
def test_it_must_be_longer_than_ever_of_four_days_and_more(shop: Nails, facials: tuple[int, ...], warned: bool) -> None:
    for day in facials:
        buys(shop.cast.bai, shop.cast.facial, 28_800, on=ago(day), store=shop.cast.jing_an, key=f"bai-{day}")
    shop.does_nails(shop.cast.bai, 10, 0)
    use(RULE, now=NOW)
    night()
    assert open_ones() == ({("白露", "面部护理")} if warned else set())


@pytest.mark.parametrize("silent", [55, 70, 181])
def test_only_the_last_two_weeks_count(shop: Nails, silent: int) -> None:
    """55: not due. 70: a fortnight after she was passed over. 181: long ago."""
    for turn in range(4):
        day = ago(silent + 28 * turn)
        buys(shop.cast.bai, shop.cast.facial, 28_800, on=day, store=shop.cast.jing_an, key=f"bai-{turn}")
    shop.does_nails(shop.cast.bai, silent - 20, silent - 55, silent - 56, 1)
    use(RULE, now=NOW)
    night()
    assert open_ones() == set()


@pytest.mark.parametrize("fields", [{"is_on": False}, {"refused": "few"}, {"refused": "no_signal"}], ids=str)
def test_a_line_that_is_off_or_says_nothing_warns_of_nobody(shop: Nails, fields: dict[str, Any]) -> None:
    shop.does_nails(shop.cast.mo, 17, 3)
    ServiceLine.objects.filter(pk=shop.facial_line.pk).update(**fields)
    use(RULE, now=NOW)
    night()
    assert open_ones() == set()


def test_a_threshold_warns_before_two_cycles(shop: Nails) -> None:
    """Vera comes by the month and is three months away; the outlook says so before 2 x 60 days."""
    ServiceLine.objects.filter(pk=shop.facial_line.pk).update(threshold_bp=9_990, latest_days=120, cycle_days=60)
    shop.does_nails(shop.cast.mo, 17, 3)
    use(RULE, now=NOW)
    night(TODAY - dt.timedelta(days=25))
    assert open_ones() == set()  # no nails yet: silent in everything
    night()
    assert {name for name, _ in open_ones()} <= {"莫愁", "秋月", "薇拉"}
    early = ChurnWarning.objects.filter(fired_by="outlook")
    assert {one.fired for one in early} <= {"outlook"}


def test_a_warning_of_the_whole_takes_the_place_of_lines(shop: Nails) -> None:
    shop.does_nails(shop.cast.mo, 50, 4)
    use(replace(RULE, threshold=60), now=NOW)
    night()
    assert open_ones() == {("莫愁", "面部护理")}
    later = TODAY + dt.timedelta(days=57)
    ServiceLine.objects.update(learned_on=later)  # else it would be judged again that night
    for _ in range(2):
        night(later)
        assert {line for name, line in open_ones() if name == "莫愁"} == {""}
        assert {one.ended for one in ChurnWarning.objects.filter(line__isnull=False)} == {"replaced"}


def test_nails_leave_it_open_and_a_facial_ends_it_at_once(shop: Nails, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("changke.profiles.risk.services.warn.open_window", lambda _: Window(0, 2**62))
    shop.does_nails(shop.cast.mo, 17, 3)
    use(RULE, now=NOW)
    night()
    shop.does_nails(shop.cast.mo, 0)
    assert follow(NOW) == 0
    better = Item.objects.create(code="F2", name="焕肤", kind="service", category=shop.cast.facial.category)
    buys(shop.cast.mo, better, 88_800, on=TODAY, store=shop.cast.jing_an, key="mo-better")
    assert follow(NOW) == 1
    one = only(shop.cast.mo)
    assert (one.ended, one.ended_on) == ("came_back", TODAY)
    assert Event.objects.get(kind="warning.closed").data["ended"] == "came_back"


def test_who_came_after_somebody_reached_her_is_told_apart(shop: Nails) -> None:
    cast = shop.cast
    shop.does_nails(cast.mo, 17, 3)
    use(RULE, now=NOW)
    night()
    record_followup(
        cast.mo, reason="at_risk", outcome="done", by=cast.clerk, source_key="tap-1", chain=cast.chain,
        now=at(TODAY, 15),
    )  # fmt: skip
    buys(cast.mo, cast.facial, 58_800, on=TODAY + dt.timedelta(days=1), store=cast.jing_an, key="mo-again")
    night(TODAY + dt.timedelta(days=1))
    assert only(cast.mo).ended == "came_after"


def test_a_facial_that_is_withdrawn_opens_it_again(shop: Nails) -> None:
    shop.does_nails(shop.cast.mo, 17, 3)
    use(RULE, now=NOW)
    night()
    buys(shop.cast.mo, shop.cast.facial, 58_800, on=TODAY, store=shop.cast.jing_an, key="mo-typo")
    night()
    assert open_ones() == set()
    batch = Batch.objects.create(kind="load", created_at=NOW)
    Receipt.objects.filter(source_key="mo-typo").update(withdrawn_by=batch, txid=current_xid())
    night()
    assert open_ones() == {("莫愁", "面部护理")}


def test_long_enough_away_from_it_is_lost_to_it(shop: Nails) -> None:
    shop.does_nails(shop.cast.mo, 17, 3)
    use(RULE, now=NOW)
    night()
    shop.does_nails(shop.cast.mo, -110)
    ServiceLine.objects.update(learned_on=TODAY + dt.timedelta(days=119))  # else it would be judged again that night
    night(TODAY + dt.timedelta(days=119))
    one = ChurnWarning.objects.get(customer=shop.cast.mo, line=shop.facial_line)
    assert (one.ended, one.ended_on) == ("lost", ago(61) + dt.timedelta(days=180))


def test_a_warning_that_comes_after_the_lapse_stands_for_four_weeks(shop: Nails) -> None:
    ServiceLine.objects.update(lapse_days=60)
    shop.does_nails(shop.cast.mo, 17, 3)
    use(RULE, now=NOW)
    night()
    ServiceLine.objects.update(learned_on=TODAY + dt.timedelta(days=27))
    night(TODAY + dt.timedelta(days=27))
    assert ("莫愁", "面部护理") in open_ones()
    night(TODAY + dt.timedelta(days=28))
    one = ChurnWarning.objects.get(customer=shop.cast.mo, line=shop.facial_line)
    assert (one.ended, one.ended_on) == ("lost", TODAY + dt.timedelta(days=28))


def test_a_line_whose_days_are_all_gone_ends_its_warnings(shop: Nails) -> None:
    shop.does_nails(shop.cast.mo, 17, 3)
    use(RULE, now=NOW)
    night()
    Item.objects.filter(pk=shop.cast.facial.pk).update(kind="product")
    night()
    assert only(shop.cast.mo).ended == "gone"


def test_a_service_without_a_category_is_a_line_of_its_own(shop: Nails) -> None:
    plain = Item.objects.create(code="T1", name="肩颈", kind="service")
    line = ServiceLine.objects.create(
        item=plain, learned_on=TODAY, cycle_days=28, threads=120, latest_days=56, minimum_silence_days=28,
        horizon_days=90, lapse_days=180,
    )  # fmt: skip
    for turn in range(4):
        buys(shop.cast.bai, plain, 9_900, on=ago(60 + 28 * turn), store=shop.cast.jing_an, key=f"bai-t{turn}")
    shop.does_nails(shop.cast.bai, 9, 1)
    use(RULE, now=NOW)
    night()
    assert open_ones() == {("白露", "肩颈")}
    assert str(line) == "肩颈"


def test_judging_again_leaves_somebodys_choice(shop: Nails) -> None:
    ServiceLine.objects.filter(pk=shop.facial_line.pk).update(is_on=False, learned_on=TODAY - dt.timedelta(days=7))
    use(RULE, now=NOW)
    night()
    line = ServiceLine.objects.get(pk=shop.facial_line.pk)
    assert (line.is_on, line.learned_on, line.refused) == (False, TODAY, "few")
    assert line.threads == 3, "莫愁, 秋月 and 薇拉 had it more than once"


def test_lines_are_looked_at_by_a_rule_in_use_only(shop: Nails) -> None:
    with pytest.raises(NoRule):
        look_at_lines(True, now=NOW)
    use(replace(RULE, per_line=False), now=NOW)
    assert not looks_at_lines()
    assert look_at_lines(True, now=NOW).per_line
    assert looks_at_lines()
    trail = AuditLine.objects.filter(action="risk_rule.chosen").order_by("pk").last()
    assert trail is not None
    assert (trail.before, trail.after) == ({"per_line": False}, {"per_line": True})


def test_switching_a_line_is_on_the_trail(shop: Nails) -> None:
    switch_line(shop.facial_line.pk, False, now=NOW)
    switch_line(shop.facial_line.pk, False, now=NOW)
    line = AuditLine.objects.get(action="service_line.switched")
    assert (line.before, line.after) == ({"is_on": True}, {"is_on": False})
    with pytest.raises(NotFound):
        switch_line(2**63, True, now=NOW)


def test_what_to_do_is_to_offer_it_again_unless_a_cause_says_more() -> None:
    said = {"purchases": 4, "value_group": "high", "of_line": True}
    assert suggestion(cause="", **said) == "offer_line_again"
    assert suggestion(cause="price", **said) == "offer_what_she_uses"
