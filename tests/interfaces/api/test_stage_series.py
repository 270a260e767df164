"""Over the API: who stood where at each month end, what they brought, where they went; what one customer brought."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from changke.foundation.access.services import issue_key
from tests.cast import NOW, Cast
from tests.clock import Clock
from tests.interfaces.api.conftest import Caller

pytestmark = pytest.mark.django_db
FEBRUARY, MARCH = "2026-02-28", "2026-03-04"


@pytest.fixture
def caller(computed_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Caller]:
    Clock(monkeypatch, NOW)

    def make(role: str) -> Caller:
        stores = [] if role == "hq" else [computed_cast.jing_an]
        return Caller(issue_key(name=role, role=role, stores=stores, now=NOW).secret)

    return make


def of(told: dict[str, Any], day: str, stage: str) -> dict[str, Any]:
    here = next(one for one in told["days"] if one["day"] == day)
    found: dict[str, Any] = next(one for one in here["stages"] if one["stage"] == stage)
    return found


def test_the_series_tells_every_month_end_and_the_last_day(caller: Callable[[str], Caller]) -> None:
    told = caller("hq").get("/stages/m4/series").json()
    days = [one["day"] for one in told["days"]]
    assert (told["model"], told["currency"], days[-2:]) == ("m4", "CNY", [FEBRUARY, MARCH])
    assert [one["since"] for one in told["days"]] == [None, *days[:-1]]
    assert of(told, MARCH, "intro") == {
        "stage": "intro", "customers": 2, "value_minor": 28_800,
        "margin_minor": 22_800, "revenue_minor": 28_800, "margin_known_minor": 28_800,
    }  # fmt: skip
    lost = of(told, MARCH, "lost")
    assert (lost["customers"], lost["margin_minor"], lost["revenue_minor"]) == (1, None, 0)


def test_the_series_is_cut_to_the_days_and_stores_asked_for(caller: Callable[[str], Caller]) -> None:
    hq = caller("hq")
    one = hq.get("/stages/m4/series", since=FEBRUARY, until=FEBRUARY).json()
    assert [day["day"] for day in one["days"]] == [FEBRUARY]
    assert sum(stage["customers"] for stage in one["days"][0]["stages"]) == 5, "Ying came in March"
    hers = caller("manager").get("/stages/m4/series", since=MARCH).json()
    assert of(hers, MARCH, "lost")["customers"] == 0, "Lan's home is the other store"
    there = hq.get("/stages/m4/series", since=MARCH, store="XH").json()
    assert [stage["stage"] for stage in there["days"][0]["stages"] if stage["customers"]] == ["lost"]


def test_flows_say_from_where_to_where(caller: Callable[[str], Caller]) -> None:
    told = caller("hq").get("/stages/m4/flows", since=MARCH).json()
    went = {(one["from_stage"], one["to_stage"]): one["customers"] for one in told}
    assert went[("mature", "silent")] == 1, "Mo"
    assert went[("", "intro")] == 1, "Ying was not known in February"
    assert {(one["since"], one["day"]) for one in told} == {(FEBRUARY, MARCH)}
    assert sum(went.values()) == 6
    hers = caller("manager").get("/stages/m4/flows", since=MARCH).json()
    assert sum(one["customers"] for one in hers) == 5


@pytest.mark.parametrize("path", ["/stages/m99/series", "/stages/m8/series", "/stages/m99/flows"])
def test_a_model_that_is_not_in_use_has_no_series(caller: Callable[[str], Caller], path: str) -> None:
    assert caller("hq").get(path).status_code == 404


def test_what_cannot_be_a_day_or_a_store_is_refused(caller: Callable[[str], Caller]) -> None:
    assert caller("hq").get("/stages/m4/series", since="soon").status_code == 422
    assert caller("manager").get("/stages/m4/series", store="XH").status_code == 404


def test_what_one_customer_brought(caller: Callable[[str], Caller], computed_cast: Cast) -> None:
    told = caller("manager").get(f"/value/customers/{computed_cast.qiu.pk}/profit").json()
    assert told == [
        {"day": day, "margin_minor": margin, "revenue_minor": revenue, "margin_known_minor": revenue}
        for day, margin, revenue in (("2026-01-31", 22_800, 28_800), (FEBRUARY, 22_800, 28_800), (MARCH, None, 0))
    ]
    one = caller("hq").get(f"/value/customers/{computed_cast.qiu.pk}/profit", months=1).json()
    assert one == []
    assert caller("manager").get(f"/value/customers/{computed_cast.lan.pk}/profit").status_code == 404
    for months in (0, 121):
        answer = caller("hq").get(f"/value/customers/{computed_cast.qiu.pk}/profit", months=months)
        assert answer.status_code == 422


def test_the_command_line_tells_the_same(caller: Callable[[str], Caller]) -> None:
    out = StringIO()
    call_command("stages", "--series", "m4", "--json", stdout=out)
    told = json.loads(out.getvalue().strip().splitlines()[-1])
    intro = of(told, MARCH, "intro")
    assert intro == of(caller("hq").get("/stages/m4/series").json(), MARCH, "intro")
    assert {
        name: value
        for name, value in next(one for one in told["flows"] if one["to"] == "silent" and one["day"] == MARCH).items()
        if name != "value_minor"
    } == {"since": FEBRUARY, "day": MARCH, "from": "mature", "to": "silent", "customers": 1}
    with pytest.raises(CommandError, match="m4"):
        call_command("stages", "--series", "m99")
