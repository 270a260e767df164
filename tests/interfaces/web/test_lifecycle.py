"""The lifecycle page: counts, flows, leaks, and the people behind each number."""

import datetime as dt

import pytest
from django.test import Client

from changke.foundation.access.models import Staff
from changke.interfaces.web.lifecycle import series
from changke.profiles.lifecycle.queries import Count, Flow
from tests.cast import Cast

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


@pytest.mark.parametrize(
    "query", ["", "model=m9&stage=lost", "model=m4&stage=nowhere", "model=m4&stage=lost&from=nowhere"]
)
def test_a_question_without_meaning_is_not_found(computed_cast: Cast, query: str) -> None:
    assert signed_in(computed_cast.owner).get(f"/lifecycle/people/?{query}").status_code == 404
