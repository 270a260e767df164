"""The day's list through HTTP: who is on it and why, what a tap records, and who may tap."""

import datetime as dt
import re

import pytest
from django.test import Client
from django.urls import reverse

from changke.facts.customers.models import Customer
from changke.facts.customers.services.change import change
from changke.facts.customers.services.register import register
from changke.facts.events.models import Event
from changke.facts.visits.services.record import record_visit
from changke.foundation.access.models import Staff
from changke.foundation.access.services.grants import stand
from changke.foundation.audit.models import AuditLine
from changke.foundation.organisation.services import change_settings, change_store
from changke.foundation.persons.queries import forget_vault
from changke.interfaces.web import formats
from changke.profiles.lifecycle.services import refresh_customers
from tests.cast import NOW, TODAY, Cast, ago, at, buys, profile_everybody
from tests.clock import Clock

HTMX = {"HX-Request": "true"}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch, NOW)


def everybody_known(now: dt.datetime) -> None:
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=now)


def desk(staff: Staff, language: str = "zh-hans") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(staff)
    return client


@pytest.fixture
def clerk(cast: Cast, clock: Clock) -> Client:
    """The counter of 静安店, with everybody's profile computed."""
    profile_everybody()
    return desk(cast.clerk)


def read(client: Client, path: str = "/") -> str:
    return client.get(path).content.decode()


def tap(client: Client, customer: Customer, outcome: str, *, after: int = 0, **more: str) -> "object":
    data = {"outcome": outcome, "reason": "newly_silent", "after": str(after), **more}
    return client.post(reverse("today-tick", args=[customer.pk]), data, headers=HTMX)


def followups(customer: Customer) -> list[str]:
    rows = Event.objects.filter(kind="followup.recorded", customer=customer).order_by("pk")
    return [event.data["outcome"] for event in rows]


def last_followup(customer: Customer) -> int:
    return Event.objects.filter(kind="followup.recorded", customer=customer).latest("pk").pk


def test_the_store_sees_whom_to_look_after_and_why_in_numbers(cast: Cast, clerk: Client) -> None:
    page = read(clerk)
    assert "早上好，苏晴" in page
    assert "莹莹" in page
    assert "首次消费 ¥288，24 小时黄金触点还剩 4 小时。" in page
    assert "莫愁" in page
    assert "61 天没来" in page
    assert page.index("莹莹") < page.index("莫愁"), "a first order leads"
    assert "岚岚" not in page, "she belongs to the other store and is lost"
    assert "薇拉" not in page, "she came 12 days ago and comes monthly"


def test_the_last_hour_of_a_first_order_is_told_in_minutes(cast: Cast, clerk: Client, clock: Clock) -> None:
    clock.passes(hours=4)
    page = read(clerk)
    assert "还剩 0 小时" not in page
    assert re.search(r"24 小时黄金触点还剩 [1-5]?\d 分钟。", page)


@pytest.mark.parametrize(("language", "words"), [("en", "Good morning, 苏晴"), ("zh-hant", "早安，苏晴")])
def test_it_speaks_the_reader_s_language(cast: Cast, clerk: Client, language: str, words: str) -> None:
    assert words in read(desk(cast.clerk, language))


def test_no_phone_stands_on_the_list_in_full(cast: Cast, clerk: Client) -> None:
    page = read(clerk)
    assert "138****0004" in page
    assert "13800000004" not in page


def test_headquarters_see_the_chain_s_list_with_store_names(cast: Cast, clerk: Client, clock: Clock) -> None:
    register(name="青青", phone="13800000077", home_store=cast.xu_hui, now=NOW - dt.timedelta(hours=2))
    buys(Customer.objects.get(name="青青"), cast.facial, 28_800, on=TODAY, store=cast.xu_hui, key="qing-1")
    clock.at(at(TODAY, 16))
    everybody_known(clock.now)
    page = read(desk(cast.hq))
    assert "青青" in page
    assert "徐汇店" in page
    assert "青青" not in read(clerk)


def test_a_store_in_another_zone_has_its_own_day(cast: Cast, clock: Clock) -> None:
    """Half past midnight in Shanghai is the morning of the day before in Honolulu."""
    change_store(cast.jing_an, {"time_zone": "Pacific/Honolulu"}, now=NOW)
    clock.at(at(TODAY, 0) + dt.timedelta(minutes=30))
    everybody_known(clock.now)
    clerk = desk(cast.clerk)
    page = read(clerk)
    assert formats.long_day(ago(1), "zh-hans") in page
    assert "60 天没来" in page, "as on her page"
    said = tap(clerk, cast.mo, "postponed", days="1").content.decode()  # type: ignore[attr-defined]
    event = Event.objects.get(kind="followup.recorded", customer=cast.mo)
    assert (event.business_date, event.data["until"]) == (ago(1), TODAY.isoformat())
    assert "改天" in said
    assert "1 / " in said, "the line is ticked"
    assert "1 / " in read(desk(cast.hq)), "for whoever counts by the chain's day too"


def test_a_tap_is_a_fact_with_its_reason(cast: Cast, clerk: Client) -> None:
    answer = tap(clerk, cast.mo, "done")
    event = Event.objects.get(kind="followup.recorded", customer=cast.mo)
    assert event.data == {"reason": "newly_silent", "outcome": "done", "until": None}
    assert (event.staff, event.store, event.business_date) == (cast.clerk, cast.jing_an, TODAY)
    said = answer.content.decode()  # type: ignore[attr-defined]
    assert f'id="line-{cast.mo.pk}"' in said
    assert "已完成" in said
    assert "1 / 2" in said
    assert reverse("today-reopen", args=[cast.mo.pk, event.pk]) in said, "the toast offers to undo"


def test_a_double_tap_counts_once(cast: Cast, clerk: Client, clock: Clock) -> None:
    first = tap(clerk, cast.mo, "done")
    clock.passes(seconds=1)
    second = tap(clerk, cast.mo, "done")
    assert followups(cast.mo) == ["done"]
    assert "已完成" in second.content.decode()  # type: ignore[attr-defined]
    assert "data-toast" in first.content.decode()  # type: ignore[attr-defined]
    assert "data-toast" not in second.content.decode(), "it is said once"  # type: ignore[attr-defined]


def test_of_two_tabs_the_first_tap_holds_and_the_second_is_told(cast: Cast, clerk: Client) -> None:
    tap(clerk, cast.mo, "done")
    other = desk(cast.manager)
    said = tap(other, cast.mo, "not_reached").content.decode()  # type: ignore[attr-defined]
    assert followups(cast.mo) == ["done"]
    assert "同事已经先处理了：已完成。" in said


def test_undo_puts_the_line_back_to_do_and_can_be_tapped_anew(cast: Cast, clerk: Client, clock: Clock) -> None:
    tap(clerk, cast.mo, "done")
    clock.passes(minutes=1)
    answer = clerk.post(reverse("today-reopen", args=[cast.mo.pk, last_followup(cast.mo)]), headers=HTMX)
    said = answer.content.decode()
    assert 'hx-swap-oob="true"' in said, "the toast's answer finds its line by itself"
    assert "0 / 2" in said
    assert followups(cast.mo) == ["done", "reopened"]
    clock.passes(minutes=1)
    tap(clerk, cast.mo, "not_reached", after=last_followup(cast.mo))
    assert followups(cast.mo) == ["done", "reopened", "not_reached"]
    assert "1 / 2" in read(clerk)


def test_undoing_twice_undoes_once(cast: Cast, clerk: Client) -> None:
    tap(clerk, cast.mo, "done")
    back = reverse("today-reopen", args=[cast.mo.pk, last_followup(cast.mo)])
    clerk.post(back, headers=HTMX)
    clerk.post(back, headers=HTMX)
    assert followups(cast.mo) == ["done", "reopened"]


def test_who_was_taken_back_does_not_rest(cast: Cast, clerk: Client, clock: Clock) -> None:
    tap(clerk, cast.mo, "done")
    clock.passes(minutes=1)
    clerk.post(reverse("today-reopen", args=[cast.mo.pk, last_followup(cast.mo)]))
    clock.passes(days=1)
    assert "莫愁" in read(clerk)


def test_another_day_is_tomorrow_and_one_more_tap_makes_it_a_week(cast: Cast, clerk: Client, clock: Clock) -> None:
    said = tap(clerk, cast.mo, "postponed").content.decode()  # type: ignore[attr-defined]
    assert "改天 · 03-05" in said
    assert "7 天后" in said
    clock.passes(minutes=1)
    tap(clerk, cast.mo, "postponed", after=last_followup(cast.mo), days="7")
    last = Event.objects.get(pk=last_followup(cast.mo))
    assert last.data["until"] == "2026-03-11"
    clock.at(at(TODAY + dt.timedelta(days=2)))
    assert "莫愁" not in read(clerk)


@pytest.mark.parametrize("outcome", ["", "reopened", "married"])
def test_what_no_button_says_is_refused(cast: Cast, clerk: Client, outcome: str) -> None:
    assert tap(clerk, cast.mo, outcome).status_code == 422  # type: ignore[attr-defined]
    assert followups(cast.mo) == []


@pytest.mark.parametrize("name", ["today-tick", "today-phone"])
def test_a_customer_of_another_store_does_not_exist_here(cast: Cast, clerk: Client, name: str) -> None:
    address = reverse(name, args=[cast.lan.pk])
    assert clerk.post(address, {"outcome": "done", "reason": "overdue"}).status_code == 404
    assert desk(cast.hq).post(address, {"outcome": "done", "reason": "overdue"}).status_code in (200, 303)


def test_taking_back_needs_the_store_too(cast: Cast, clerk: Client) -> None:
    assert clerk.post(reverse("today-reopen", args=[cast.lan.pk, 1])).status_code == 404
    assert followups(cast.lan) == []


def test_without_script_a_tap_leads_back_to_the_list(cast: Cast, clerk: Client) -> None:
    answer = clerk.post(
        reverse("today-tick", args=[cast.mo.pk]), {"outcome": "done", "reason": "newly_silent", "mine": "1"}
    )
    assert (answer.status_code, answer["Location"]) == (303, "/?mine=1")


def test_dialling_shows_the_number_once_and_is_recorded(cast: Cast, clerk: Client) -> None:
    said = clerk.post(reverse("today-phone", args=[cast.mo.pk]), headers=HTMX).content.decode()
    assert "tel:+8613800000004" in said
    assert "data-dial" in said
    line = AuditLine.objects.get(action="phone.unmasked", customer_id=cast.mo.pk)
    assert (line.actor_id, line.after) == (cast.clerk.pk, {"reason": "call"})
    assert Event.objects.get(kind="phone.unmasked", customer=cast.mo).staff_id == cast.clerk.pk


def test_mine_are_those_whose_adviser_i_am(cast: Cast, clerk: Client) -> None:
    assert "今天没有你名下的客人要联系" in read(clerk, "/?mine=1")
    change(cast.mo.pk, {"adviser": cast.clerk}, now=NOW)
    everybody_known(NOW)
    page = read(clerk, "/?mine=1")
    assert "莫愁" in page
    assert "莹莹" not in page


def test_a_quiet_day_says_so_and_an_empty_chain_says_what_to_do(cast: Cast, clock: Clock) -> None:
    clock.at(at(TODAY + dt.timedelta(days=400)))
    everybody_known(clock.now)
    assert "今天没有要特别照顾的客人" in read(desk(cast.clerk))
    Customer.objects.filter(home_store=cast.xu_hui).update(home_store=cast.jing_an)
    stand(cast.clerk, "staff", [cast.xu_hui])
    assert "还没有客户" in read(desk(cast.clerk))


def test_my_week_counts_who_came_after_my_call(cast: Cast, clerk: Client, clock: Clock) -> None:
    tap(clerk, cast.mo, "done")
    clock.at(at(TODAY, 18))
    buys(cast.mo, cast.facial, 58_800, on=TODAY, store=cast.jing_an, key="mo-back")
    page = read(clerk)
    assert "¥588" in page.split("我的近七天")[1]


def test_the_list_of_the_day_reads_little(cast: Cast, clerk: Client, django_assert_max_num_queries: "object") -> None:
    forget_vault()  # the keys are checked every two seconds: here, so that it is counted every time
    with django_assert_max_num_queries(28):  # type: ignore[operator]
        clerk.get("/")


@pytest.mark.parametrize(
    ("days_silent", "listed"),
    [(59, False), (60, True), (66, True), (67, False)],  # the day before, the day, the last day of the week, after
)
def test_who_turned_silent_is_news_for_a_week(cast: Cast, clock: Clock, days_silent: int, listed: bool) -> None:
    new = register(name="小满", phone="13800000088", home_store=cast.jing_an, now=at(ago(days_silent), 9))
    buys(new, cast.card, 1_000, on=ago(days_silent), store=cast.jing_an, key="man-1")
    everybody_known(NOW)
    assert ("小满" in read(desk(cast.clerk))) is listed


@pytest.mark.parametrize(("days_ahead", "listed"), [(4, False), (3, True), (0, True), (-1, False)])
def test_a_birthday_is_listed_three_days_ahead(cast: Cast, clock: Clock, days_ahead: int, listed: bool) -> None:
    born = TODAY + dt.timedelta(days=days_ahead)
    change(cast.qiu.pk, {"birth_month": born.month, "birth_day": born.day}, now=NOW)
    everybody_known(NOW)
    assert ("秋月" in read(desk(cast.clerk))) is listed


def test_where_visits_do_not_count_nobody_is_said_to_have_been_away(cast: Cast, clock: Clock) -> None:
    """Mo came yesterday and bought nothing: the list tells of her last purchase, not of her last visit."""
    change_settings(cast.chain, {"activity_kinds": ["purchase"]}, now=NOW)
    record_visit(customer=cast.mo, store=cast.jing_an, source_key="mo-looks", happened_at=at(ago(1)), now=NOW)
    everybody_known(NOW)
    for language, said, never in (
        ("zh-hans", r"(没有消费|上次消费)", "没来"),
        ("en", r"(Bought nothing for|Last bought) 61 days", "Not seen for"),
        ("zh-hant", r"(沒有消費|上次消費)", "沒來"),
    ):
        page = read(desk(cast.clerk, language))
        assert re.search(said, page)
        assert never not in page


def test_on_a_closed_day_what_is_due_moves_to_the_next_opening_day(cast: Cast, clock: Clock) -> None:
    """Wednesdays are closed in 静安店. Ying's first order keeps its 24 hours; Mo waits until Thursday."""
    change_store(cast.jing_an, {"opening_days": [1, 2, 4, 5, 6, 7]}, now=NOW)
    everybody_known(NOW)
    page = read(desk(cast.clerk))
    assert "今天休息" in page
    assert formats.long_day(TODAY + dt.timedelta(days=1), "zh-hans") in page
    assert "莹莹" in page
    assert "莫愁" not in page
    clock.at(at(TODAY + dt.timedelta(days=1), 10))
    everybody_known(at(TODAY + dt.timedelta(days=1), 10))
    page = read(desk(cast.clerk))
    assert "今天休息" not in page
    assert "莫愁" in page


def test_where_one_store_is_open_only_the_closed_one_s_customers_wait(cast: Cast, clock: Clock) -> None:
    change_store(cast.jing_an, {"opening_days": [1, 2, 4, 5, 6, 7]}, now=NOW)
    everybody_known(NOW)
    page = read(desk(cast.hq))
    assert "今天休息" not in page
    assert "莫愁" not in page
