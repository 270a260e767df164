"""The lifecycle page: counts, flows, leaks, and the people behind each number."""

import datetime as dt

import pytest
from django.test import Client

from changke.foundation.access.models import Staff
from changke.interfaces.web.lifecycle import series
from changke.profiles.lifecycle.models import StageProfit
from changke.profiles.lifecycle.queries import Count, Flow
from changke.profiles.value.profit import Profit
from tests.cast import NOW, Cast
from tests.clock import Clock

JAN, FEB, MAR = dt.date(2026, 1, 31), dt.date(2026, 2, 28), dt.date(2026, 3, 4)
TABLE = {
    FEB: {"growth": Count(FEB, "growth", 40, 4_000), "silent": Count(FEB, "silent", 10, 900)},
    MAR: {"growth": Count(MAR, "growth", 30, 3_000), "silent": Count(MAR, "silent", 20, 1_900)},
}
pytestmark = pytest.mark.django_db


def test_a_stage_says_its_share_and_whether_its_change_is_good_news() -> None:
    growth, silent = series.stages_now(["growth", "silent"], TABLE, [FEB, MAR])
    assert (growth.customers, growth.share, growth.change, growth.is_good) == (30, 0.6, -0.25, False)
    assert (silent.customers, silent.share, silent.change, silent.is_good) == (20, 0.4, 1.0, False)


def test_fewer_lost_is_good_news() -> None:
    table = {FEB: {"lost": Count(FEB, "lost", 10, 0)}, MAR: {"lost": Count(MAR, "lost", 5, 0)}}
    (lost,) = series.stages_now(["lost"], table, [FEB, MAR])
    assert (lost.grew, lost.is_good) == (False, True)


def test_the_first_month_has_no_change() -> None:
    assert series.stages_now(["growth"], TABLE, [MAR])[0].change is None


def test_leaks_are_moves_to_worse_stages_ranked_by_value() -> None:
    def flow(was: str, now: str, customers: int, value: int, day: dt.date = MAR) -> Flow:
        return Flow(FEB, day, was, now, customers, value)

    found = series.leaks(
        [
            flow("growth", "silent", 10, 500),
            flow("growth", "growth", 30, 9_000),  # stayed
            flow("silent", "lost", 5, 800),
            flow("silent", "silent", 5, 10),
            flow("silent", "growth", 3, 700),  # came back
            flow("lost", "silent", 2, 999),  # on her way back
            flow("", "silent", 1, 5_000),  # newly known: nobody was lost
            flow("growth", "silent", 99, 99_999, day=FEB),  # another interval
        ],
        on=MAR,
    )
    assert [(leak.from_stage, leak.to_stage, leak.share) for leak in found] == [
        ("silent", "lost", 5 / 13),
        ("growth", "silent", 0.25),
    ]


def signed_in(person: Staff) -> Client:
    client = Client()
    client.force_login(person)  # type: ignore[arg-type]
    return client


def test_the_page_counts_the_cast(computed_cast: Cast) -> None:
    page = signed_in(computed_cast.owner).get("/lifecycle/")
    counts = {one["now"].stage: one["now"].customers for one in page.context["stages"]}
    assert counts == {"intro": 2, "growth": 1, "mature": 1, "silent": 1, "lost": 1}
    assert page.context["total"] == 6


def test_a_manager_sees_her_store_only(computed_cast: Cast) -> None:
    page = signed_in(computed_cast.manager).get("/lifecycle/")
    assert page.context["total"] == 5  # Lan's home is the other store
    people = signed_in(computed_cast.manager).get("/lifecycle/people/?model=m1&stage=lost")
    assert people.context["rows"] == []


@pytest.mark.parametrize("model", ["m1", "m2", "m4"])
def test_every_model_has_its_page_and_its_people(computed_cast: Cast, model: str) -> None:
    client = signed_in(computed_cast.owner)
    stages = client.get(f"/lifecycle/?model={model}").context["stages"]
    for one in stages:
        page = client.get(f"/lifecycle/people/?model={model}&stage={one['now'].stage}")
        assert len(page.context["rows"]) == one["now"].customers
        assert all(row["reason"] for row in page.context["rows"])


def test_a_flow_leads_to_those_who_went_that_way(computed_cast: Cast) -> None:
    """Mo was growing at the end of February and is silent since the second of March."""
    client = signed_in(computed_cast.owner)
    leaks = client.get("/lifecycle/").context["leaks"]
    assert [(one["leak"].from_stage, one["leak"].to_stage) for one in leaks] == [("mature", "silent")]
    page = client.get(leaks[0]["href"])
    assert [row["customer"].pk for row in page.context["rows"]] == [computed_cast.mo.pk]
    assert client.get("/lifecycle/people/?model=m4&stage=silent&from=growth").context["rows"] == []


def test_newly_known_customers_are_listed(computed_cast: Cast) -> None:
    page = signed_in(computed_cast.owner).get("/lifecycle/people/?model=m4&stage=intro&from=new")
    assert [row["customer"].pk for row in page.context["rows"]] == [computed_cast.ying.pk]


def test_an_earlier_day_can_be_asked(computed_cast: Cast) -> None:
    page = signed_in(computed_cast.owner).get(f"/lifecycle/?day={FEB.isoformat()}")
    assert (page.context["day"], page.context["is_today"], page.context["newer"]) == (FEB, False, MAR)
    assert all(not one["href"] for one in page.context["stages"])


def test_profit_is_shown_with_how_much_of_the_revenue_it_rests_on(computed_cast: Cast) -> None:
    """Every facial costs 60 yuan; in the days of March Ying bought one for 288."""
    page = signed_in(computed_cast.owner).get("/lifecycle/?show=profit")
    assert page.context["known"] == "100%"
    month, intro, *_others, together, share = page.context["month_rows"][-1]
    assert ("2026" in month, intro, together, share) == (True, "¥228", "¥228", "100%")
    assert "利润依据 100% 的营收" in page.content.decode()
    assert "/numbers/profit_by_month/" in page.content.decode()
    each = signed_in(computed_cast.owner).get("/lifecycle/?show=each")
    assert each.context["month_rows"][-1][1] == "¥114", "Bai stands beside her and bought nothing"
    assert each.context["months"]["stacked"] is False
    manager = signed_in(computed_cast.manager).get("/lifecycle/?show=profit&model=m1")
    assert sum(sum(one["values"]) for one in manager.context["months"]["series"]) > 0


def test_where_no_profit_is_known_none_is_shown(computed_cast: Cast) -> None:
    StageProfit.objects.update(margin_minor=None, known_minor=0)
    page = signed_in(computed_cast.owner).get("/lifecycle/?show=profit")
    assert page.context["known"] == ""
    assert "还没有已知的利润" in page.content.decode()
    assert {cell for row in page.context["month_rows"] for cell in row[1:-2]} == {"–", "¥0"}


def test_a_stage_without_receipts_brought_nothing_and_one_of_unknown_profit_says_so() -> None:
    brought = {FEB: {"growth": Profit(None, 100, 0), "silent": Profit(30, 40, 40)}}
    february, march = series.profit_rows(["growth", "silent"], TABLE, brought, [FEB, MAR])
    assert (february.stages, february.together) == ({"growth": None, "silent": 30}, 30)
    assert february.known_share == 40 / 140
    assert (march.stages, march.together, march.known_share) == ({"growth": 0, "silent": 0}, 0, None)
    each, _march = series.profit_rows(["growth", "silent", "lost"], TABLE, brought, [FEB, MAR], each=True)
    assert each.stages == {"growth": None, "silent": 3, "lost": None}, "nobody is lost: there is no profit per customer"
    assert each.together == 1


def test_her_page_says_what_she_brought_month_by_month(computed_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(monkeypatch, NOW)
    client = signed_in(computed_cast.clerk)
    page = client.get(f"/customers/{computed_cast.qiu.pk}/value/")
    rows = page.context["profit"]["rows"]
    assert [row[1:] for row in rows] == [["¥228", "¥288"], ["¥228", "¥288"], ["–", "¥0"]]
    assert "这些月份共 ¥456，依据 100% 的营收" in page.content.decode()
    assert client.get(f"/customers/{computed_cast.bai.pk}/value/").context["profit"] is None, "she never bought"


@pytest.mark.parametrize(
    "query", ["", "model=m9&stage=lost", "model=m4&stage=nowhere", "model=m4&stage=lost&from=nowhere"]
)
def test_a_question_without_meaning_is_not_found(computed_cast: Cast, query: str) -> None:
    assert signed_in(computed_cast.owner).get(f"/lifecycle/people/?{query}").status_code == 404
