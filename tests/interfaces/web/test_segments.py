"""Segments as pages: built from rows or text, counted while one types, shown from all sides; who may not, may not."""

import html
import re

import pytest
from django.test import Client

from changke.facts.customers.models import Customer
from changke.facts.customers.services.tags import add_tag
from changke.facts.fields.services import define, set_values
from changke.interfaces.web.segments import day
from changke.profiles.segments.models import Segment, SegmentMember, Why
from changke.profiles.segments.services.members import refresh_members
from changke.profiles.segments.services.save import freeze, save_segment
from tests.cast import NOW, Cast, ago, know_everybody
from tests.clock import Clock

pytestmark = pytest.mark.django_db
HX = {"HTTP_HX_REQUEST": "true"}
NEW = "/segments/new/"


@pytest.fixture
def shop(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Cast:
    Clock(monkeypatch, NOW)
    know_everybody()
    return cast


@pytest.fixture
def hq(client: Client, shop: Cast) -> Client:
    client.force_login(shop.hq)
    return client


@pytest.fixture
def manager(shop: Cast) -> Client:
    client = Client()
    client.force_login(shop.manager)
    return client


def rows(*asked: dict[str, object], word: str = "and", **more: str) -> dict[str, object]:
    """A form whose condition stands in rows."""
    found: dict[str, object] = {"ask.mode": "rows", "ask.word": word, "is_tracked": "1", **more}
    for place, row in enumerate(asked):
        found |= {f"ask.{place}.{name}": value for name, value in row.items()}
    return found


BOUGHT = {"what": "purchases", "op": ">=", "value": "1"}


def test_rows_become_a_segment_with_its_members(hq: Client) -> None:
    answer = hq.post(NEW, rows(BOUGHT, {"what": "#tag", "op": "not", "value": "黑名单"}, name="买过的", save="1"))
    assert answer.status_code == 303
    one = Segment.objects.get()
    assert (one.name, one.text) == ("买过的", 'purchases >= 1 and not tag has "黑名单"')
    assert SegmentMember.objects.filter(segment=one).count() > 0
    page = hq.get(answer["Location"]).content.decode()
    assert "买过的" in page
    assert "薇拉" in page

    assert page.count("不少于") >= 2, "the sentence, and why each is in it"
    assert "SELECT" in page, "the statement behind the number"


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"what": "stage", "op": "in", "value": ["silent", "lost"]}, "stage in (silent, lost)"),
        ({"what": "silent_days", "op": "known"}, "silent_days is known"),
        ({"what": "silent_days", "op": "unknown"}, "silent_days is unknown"),
        ({"what": "net_spend", "op": ">=", "value": "3000"}, "net_spend >= 3000.00"),
        ({"what": "known_on", "op": "<", "value": "2026-01-31"}, "known_on < 2026-01-31"),
        ({"what": "city", "op": "in", "value": "上海，杭州"}, 'city in ("上海", "杭州")'),
        ({"what": "#consent", "op": "is", "value": "marketing sms"}, "consent has marketing by sms"),
        ({"what": "#consent", "op": "not", "value": "profiling"}, "not consent has profiling"),
        (
            {"what": "#count", "kind": "purchase", "by": "", "window": "days", "days": "90", "op": ">=", "value": "2"},
            "count(purchase in 90 days) >= 2",
        ),
        (
            {"what": "#sum", "kind": "purchase", "window": "visit", "op": "=", "value": "0"},
            "sum(purchase since visit) = 0.00",
        ),
        (
            {"what": "#count", "kind": "event", "of": "complaint.received", "window": "", "op": ">", "value": "0"},
            'count(event "complaint.received") > 0',
        ),
        (
            {"what": "#sequence", "op": "is", "window": "", "kind": "visit", "within": "30", "thenkind": "purchase"},
            "sequence(visit then purchase within 30 days)",
        ),
        (
            {
                "what": "#sequence",
                "op": "not",
                "window": "days",
                "days": "365",
                "kind": "event",
                "of": "complaint.received",
                "within": "14",
                "thenkind": "visit",
            },
            'not sequence(event "complaint.received" then visit within 14 days in 365 days)',
        ),
        ({"what": "#text", "value": "not (visits > 3 or visits is unknown)"}, "not (visits > 3 or visits is unknown)"),
    ],
)
def test_each_kind_of_row_says_what_it_shows_and_comes_back_as_it_was(
    hq: Client, row: dict[str, object], text: str
) -> None:
    hq.post(NEW, rows(row, name="One", save="1"))
    one = Segment.objects.get()
    assert one.text == text
    page = hq.get(f"/segments/{one.key}/edit/").content.decode()
    what = str(row["what"])
    assert what == "#text" or f'value="{what}" selected' in page, "the row is a row again"
    again = hq.post(f"/segments/{one.key}/edit/", rows(row, name="One", save="1"))
    assert again.status_code == 303
    assert Segment.objects.get().text == text


def test_a_group_within_the_whole_and_a_not_around_it(hq: Client) -> None:
    form = rows(BOUGHT, name="Group", save="1") | {
        "ask.1.word": "or not", "ask.1.0.what": "visits", "ask.1.0.op": ">", "ask.1.0.value": "99",
        "ask.1.1.what": "#tag", "ask.1.1.op": "is", "ask.1.1.value": "贵宾",
    }  # fmt: skip
    assert hq.post(NEW, form).status_code == 303
    one = Segment.objects.get()
    assert one.text == 'purchases >= 1 and not (visits > 99 or tag has "贵宾")'
    page = hq.get(f"/segments/{one.key}/edit/").content.decode()
    assert '<option value="or not" selected>' in page
    assert 'name="ask.1.1.value"' in page


def test_the_count_follows_while_one_types(hq: Client, shop: Cast) -> None:
    told = hq.post(NEW, rows(BOUGHT), **HX).content.decode()
    assert "<html" not in told
    assert "data-count" in told
    assert "薇拉" in told, "a sample of them"
    half = hq.post(NEW, rows(BOUGHT, {"what": "visits", "op": ">", "value": ""}), **HX).content.decode()
    assert "data-count" in half, "a row that is not filled in yet is not asked yet"
    assert Segment.objects.count() == 0


def test_buttons_add_and_drop_and_turn_rows_into_text_and_back(hq: Client) -> None:
    more = hq.post(NEW, rows(BOUGHT, edit="ask:add:-"), **HX).content.decode()
    assert 'name="ask.1.what"' in more
    group = hq.post(NEW, rows(BOUGHT, edit="ask:group:-"), **HX).content.decode()
    assert 'name="ask.1.0.what"' in group
    fewer = hq.post(NEW, rows(BOUGHT, {"what": "visits"}, edit="ask:drop:1"), **HX).content.decode()
    assert 'name="ask.1.what"' not in fewer
    text = hq.post(NEW, rows(BOUGHT, edit="ask:text:-"), **HX).content.decode()
    assert ">purchases &gt;= 1</textarea>" in text
    back = hq.post(NEW, {"ask.mode": "text", "ask.text": "visits > 2", "edit": "ask:rows:-"}, **HX).content.decode()
    assert '<option value="visits" selected>' in back
    plain = hq.post(NEW, rows(BOUGHT, edit="ask:add:-", name="Kept")).content.decode()
    assert "<html" in plain, "without a script it is the whole page"
    assert 'value="Kept"' in plain


@pytest.mark.parametrize(
    ("text", "said", "marked"),
    [
        ("purchasess >= 1", "第1行第1列", "purchasess"),
        ("visits > 1 and\nstage = ", "第2行", ""),
        ("segment has nobody", "nobody", "nobody"),
        ("visits > lots", "第1行第10列", "lots"),
    ],
)
def test_a_mistake_in_the_text_points_at_its_place_and_nothing_is_lost(
    hq: Client, text: str, said: str, marked: str
) -> None:
    answer = hq.post(NEW, {"ask.mode": "text", "ask.text": text, "name": "Bad", "save": "1"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert said in page
    assert f"<mark>{marked or ' '}</mark>" in page
    assert 'value="Bad"' in page
    assert text.split("\n")[0].replace(">", "&gt;") in page
    assert Segment.objects.count() == 0


@pytest.mark.parametrize(
    "row",
    [
        {"what": "visits", "op": ">", "value": "many"},
        {"what": "visits", "op": ">", "value": ""},
        {"what": "gone", "op": "=", "value": "1"},
        {"what": "#count", "kind": "purchase", "window": "days", "days": "0", "op": ">", "value": "1"},
        {"what": "#sum", "kind": "visit", "window": "", "op": ">", "value": "1"},
        {"what": "#segment", "op": "is", "value": "nobody"},
        {"what": "#text", "value": "visits >"},
        {"what": "", "value": ""},
    ],
)
def test_a_row_that_means_nothing_is_told_so_when_saving(hq: Client, row: dict[str, object]) -> None:
    answer = hq.post(NEW, rows(BOUGHT, row, name="Bad", save="1"))
    assert answer.status_code == 422
    assert 'class="error"' in answer.content.decode()
    assert Segment.objects.count() == 0


def test_a_name_that_is_taken_and_a_circle_are_refused(hq: Client) -> None:
    save_segment(None, name="Bought", text="purchases >= 1", now=NOW)
    taken = hq.post(NEW, rows(BOUGHT, name="Bought", save="1"))
    assert taken.status_code == 422
    circle = hq.post(
        "/segments/bought/edit/", rows({"what": "#segment", "op": "is", "value": "bought"}, name="Bought", save="1")
    )
    assert circle.status_code == 422
    assert Segment.objects.get().text == "purchases >= 1"


def test_frozen_at_once_and_frozen_later(hq: Client) -> None:
    hq.post(NEW, rows(BOUGHT, name="Now", frozen="1", save="1"))
    assert Segment.objects.get(name="Now").is_static
    one = save_segment(None, name="Bought", text="purchases >= 1", now=NOW)
    assert hq.post(f"/segments/{one.key}/freeze/", {"name": "Later"}).status_code == 303
    later = Segment.objects.get(name="Later")
    assert later.is_static
    assert SegmentMember.objects.filter(segment=later).count() == SegmentMember.objects.filter(segment=one).count()
    assert hq.get(f"/segments/{later.key}/edit/").status_code == 303, "a frozen list asks nothing"
    assert hq.get(f"/segments/{later.key}/").status_code == 200


def test_the_list_counts_shows_the_trend_and_says_who_made_it(hq: Client, shop: Cast) -> None:
    hq.post(NEW, rows(BOUGHT, name="Bought", save="1"))
    save_segment(None, name="Quiet", text="visits >= 0", is_tracked=False, now=NOW)
    page = hq.get("/segments/").content.decode()
    assert "李运营" in page
    assert "+0" in page, "what the saving brought is no movement"
    assert "不跟踪" in page


def test_a_segment_that_asks_for_something_gone_says_so_and_opens_as_text(hq: Client) -> None:
    one = save_segment(None, name="Other", text="visits > 1", now=NOW)
    Segment.objects.filter(pk=one.pk).update(tree={"attribute": "gone", "op": ">", "value": 1}, text="gone > 1")
    assert hq.get("/segments/").status_code == 200
    assert "notice bad" in hq.get("/segments/other/").content.decode()
    page = hq.get("/segments/other/edit/").content.decode()
    assert "gone &gt; 1</textarea>" in page


def test_the_list_of_customers_the_file_and_the_change_of_many_go_by_it(hq: Client, shop: Cast) -> None:
    add_tag(shop.vera, "要回访", now=NOW)
    followed = save_segment(None, name="Tagged", text='tag has "要回访"', now=NOW)
    asked = save_segment(None, name="Asked", text='tag has "要回访"', is_tracked=False, now=NOW)
    for one in (followed, asked):
        page = hq.get(f"/customers/?segment={one.key}").content.decode()
        assert "薇拉" in page
        assert "岚岚" not in page
        change = hq.get(f"/customers/bulk/?segment={one.key}").content.decode()
        assert "1 位" in change, "one customer is meant"
    assert hq.get("/customers/?segment=nobody").status_code == 404
    assert hq.get("/customers/bulk/?segment=nobody").status_code == 404
    made = hq.post("/exports/", {"dataset": "customers", "format": "csv", "filters": "segment=tagged"})
    assert made.status_code == 303


def test_parts_that_follow_by_themselves(hq: Client) -> None:
    save_segment(None, name="Bought", text="purchases >= 1", now=NOW)
    freeze(name="Twice", text="purchases >= 2", now=NOW)
    assert "¥" in hq.get("/segments/bought/portrait/").content.decode()
    shared = hq.get("/segments/bought/overlap/?other=twice").content.decode()
    assert "text=segment+has+bought+and+segment+has+twice" in shared
    begun = hq.get(NEW, {"text": "segment has bought and not segment has twice"}).content.decode()
    assert begun.count('<option value="#segment" selected>') == 2
    assert hq.get("/segments/bought/overlap/?other=nobody").status_code == 404


def test_who_may_not_edit_sees_and_a_store_sees_its_own(hq: Client, manager: Client, shop: Cast) -> None:
    one = save_segment(None, name="All", text="purchases >= 0", now=NOW)
    page = manager.get("/segments/all/").content.decode()
    everybody = hq.get("/segments/all/").content.decode()
    others = [c for c in Customer.objects.exclude(home_store=shop.jing_an) if f"/customers/{c.pk}/" in everybody]
    assert others, "headquarters sees somebody of another store"
    assert all(f"/customers/{c.pk}/" not in page for c in others)
    assert "/segments/all/edit/" not in page
    assert "/segments/new/" not in manager.get("/segments/").content.decode()
    for path in (NEW, "/segments/all/edit/"):
        assert manager.get(path).status_code == 403
        assert manager.post(path, rows(BOUGHT, name="M", save="1")).status_code == 403
    for path in ("/segments/all/freeze/", "/segments/all/drop/"):
        assert manager.post(path).status_code == 403
    assert Segment.objects.get().pk == one.pk


def test_a_hidden_field_hides_who_is_in_a_segment_that_asks_it(hq: Client, manager: Client, shop: Cast) -> None:
    define(key="income", kind="number", labels={"en": "Income"}, roles=["hq", "owner"], now=NOW)
    set_values(shop.vera.pk, {"income": 9}, now=NOW)
    save_segment(None, name="Rich", text="custom.income > 1", now=NOW)
    assert hq.get("/customers/?segment=rich").status_code == 200
    assert "notice bad" in manager.get("/segments/rich/").content.decode()
    assert manager.get("/customers/?segment=rich").status_code == 409
    assert manager.get("/segments/rich/portrait/").status_code == 409
    assert manager.get("/customers/bulk/?segment=rich").status_code == 409


def test_who_came_and_who_went_stand_there_by_name(hq: Client, shop: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    one = save_segment(None, name="Tagged", text='tag has "新标签"', now=NOW)
    later = NOW.replace(microsecond=1)
    add_tag(shop.vera, "新标签", now=later)
    refresh_members([one], now=later)
    page = hq.get("/segments/tagged/").content.decode()
    assert page.count("薇拉") >= 2, "among the members and among those who came last"
    assert 'data-chart="bar"' in page
    assert "+1" in hq.get("/segments/").content.decode()


def test_a_day_says_who_was_in_it_who_came_and_who_went_and_why(hq: Client, manager: Client, shop: Cast) -> None:
    add_tag(shop.lan, "新标签", now=NOW)
    one = save_segment(None, name="Tagged", text='tag has "新标签"', now=NOW)
    add_tag(shop.vera, "新标签", now=NOW)
    later = NOW.replace(microsecond=1)
    refresh_members([one], now=later, ids=[shop.vera.pk], why=Why.FACT)
    page = hq.get("/segments/tagged/day/").content.decode()
    assert (page.count("薇拉"), page.count("岚岚")) == (2, 2), "among those who came and who are in it"
    assert "因为有新的记录" in page
    assert "岚岚" not in manager.get("/segments/tagged/day/").content.decode()
    before = hq.get(f"/segments/tagged/day/?day={ago(2)}").content.decode()
    assert "薇拉" not in before
    assert "notice" in before
    for typed in ("x", "9999-12-31", "0001-01-01"):
        assert hq.get(f"/segments/tagged/day/?day={typed}").status_code == 200
    told = hq.get(f"/customers/{shop.vera.pk}/?kind=segment").content.decode()
    assert "Tagged" in told
    define(key="income", kind="number", labels={"en": "Income"}, roles=["hq", "owner"], now=NOW)
    save_segment(one, name="Tagged", text="custom.income > 1 or purchases >= 0", now=later)
    closed = manager.get("/segments/tagged/day/").content.decode()
    assert "notice bad" in closed
    assert "薇拉" not in closed


def test_each_list_of_a_day_is_turned_on_its_own(hq: Client, shop: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day, "SHOWN", 2)
    save_segment(None, name="All", text="visits >= 0", key="everybody", now=NOW)

    def turned(which: str) -> tuple[list[str], str]:
        """The names of every page, and the addresses in between."""
        address, names = "/segments/everybody/day/", []
        for _ in range(9):
            page = hq.get(address).content.decode()
            part = re.search(rf'<section[^>]* id="{which}".*?</section>', page, re.DOTALL)
            assert part
            names += re.findall(r'class="strong cut" href="[^"]*">([^<]*)<', part[0])
            onward = re.search(r'rel="next" href="([^"]*)"', part[0])
            if onward is None:
                return names, part[0]
            address = "/segments/everybody/day/" + html.unescape(onward[1])
        raise AssertionError("it never ends")

    inside, last_page = turned("inside")
    assert len(inside) == len(set(inside)) == 6
    assert "5–6 / 6" in " ".join(last_page.split())
    assert 'href="?#inside"' in last_page, "back to the first"
    assert sorted(turned("entered")[0]) == sorted(inside)
    for typed in (
        "x",
        "2026-01-01~1~1",
        "2026-01-01T00:00:00+00:00~99999999999999999999~1",
        "9999-12-31T23:59:59-23:00~1~1",
    ):
        assert hq.get("/segments/everybody/day/", {"inside": typed, "left": typed}).status_code == 200


def test_dropping_asks_who_still_needs_it(hq: Client) -> None:
    save_segment(None, name="Inner", text="visits > 1", now=NOW)
    save_segment(None, name="Outer", text="segment has inner", now=NOW)
    hq.post("/segments/inner/drop/")
    assert Segment.objects.count() == 2
    hq.post("/segments/outer/drop/")
    hq.post("/segments/inner/drop/")
    assert Segment.objects.count() == 0
