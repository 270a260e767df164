"""The back-test and the rule that warns, through the API."""

from collections.abc import Callable

import pytest

from changke.profiles.lifecycle.services import refresh_customers
from changke.profiles.risk import rules
from changke.profiles.risk.models import BackTest, ChurnWarning, ServiceLine
from changke.profiles.risk.services import backtests
from changke.profiles.risk.services.choose import use
from changke.profiles.risk.services.warn import warn
from tests.cast import Cast
from tests.interfaces.api.conftest import NOW, Caller
from tests.profiles.risk.past import past

pytestmark = pytest.mark.django_db


def test_the_card_of_the_warnings_is_asked_of_everybody_or_of_a_line(hq: Caller) -> None:
    assert hq.get("/risk/fits").json() == []
    hq.send("PUT", "/risk/rule", {"kind": "outlook", "threshold": 3_500})
    warn(past(60), today=NOW.date(), lost_after_days=180, now=NOW)
    (fit,) = hq.get("/risk/fits").json()
    assert (fit["customers"], fit["line"], fit["horizon_days"]) == (60, None, 90)
    assert set(fit["models"]) == {"BG/NBD", "MBG/NBD", "Pareto/NBD"}
    assert set(fit["models"]["Pareto/NBD"]) == {"r", "alpha", "s", "beta"}
    assert fit["holdout"]["customers"] <= 60
    assert hq.get("/risk/fits", line_id=7).json() == []
    assert [hq.get("/risk/fits", line_id=bad).status_code for bad in (0, -1, 2**63, "x")] == [422] * 4


def test_the_past_is_asked_and_a_row_of_the_answer_put_into_use(hq: Caller) -> None:
    assert hq.get("/risk/rule").json() is None
    made = hq.post("/risk/backtests", {"precision_percent": 55, "minimum_silence_days": 21})
    assert (made.status_code, made.json()["state"]) == (201, "waiting")
    assert hq.post("/risk/backtests", {}).json()["code"] == "backtest_running"
    backtests.run(made.json()["id"], past(300), now=NOW)
    told = hq.get(f"/risk/backtests/{made.json()['id']}").json()
    assert (told["state"], told["customers"], told["has_signal"]) == ("done", 300, True)
    assert hq.get("/risk/backtests").json() == [told]
    place = next(place for place, row in enumerate(told["rows"]) if row["kind"] == "outlook")
    chosen = hq.send("PUT", "/risk/rule", {"backtest_id": told["id"], "row": place}).json()
    assert (chosen["kind"], chosen["threshold"]) == ("outlook", told["rows"][place]["threshold"])
    assert (chosen["minimum_silence_days"], chosen["backtest_id"]) == (21, told["id"])
    assert hq.get("/risk/rule").json() == chosen
    own = hq.send("PUT", "/risk/rule", {"kind": "fixed", "threshold": 45}).json()
    assert (own["kind"], own["threshold"], own["backtest_id"]) == ("fixed", 45, None)
    latest = hq.send("PUT", "/risk/rule", {"kind": "outlook", "threshold": 5_600, "latest_days": 90}).json()
    assert (latest["threshold"], latest["latest_days"]) == (5_600, 90)
    assert {row["latest_days"] for row in told["rows"]} == {None, 60, 90, 120}
    assert hq.send("DELETE", "/risk/rule", "").status_code == 204
    assert hq.get("/risk/rule").json() is None


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field"),
    [
        ("POST", "/risk/backtests", {"horizon_days": 0}, 422, "horizon_days"),
        ("POST", "/risk/backtests", {"precision_percent": 100}, 422, "precision_percent"),
        ("POST", "/risk/backtests", {"weekly": "many"}, 422, "weekly"),
        ("PUT", "/risk/rule", {}, 422, "kind"),
        ("PUT", "/risk/rule", {"kind": "alive", "threshold": 1}, 422, "kind"),
        ("PUT", "/risk/rule", {"kind": "outlook", "threshold": 10_000}, 422, "threshold"),
        ("PUT", "/risk/rule", {"kind": "outlook", "threshold": 50, "latest_days": 14}, 422, "latest_days"),
        ("PUT", "/risk/rule", {"kind": "fixed", "threshold": 50, "latest_days": 90}, 422, "latest_days"),
        ("PUT", "/risk/rule", {"backtest_id": 999_999, "row": 0}, 404, None),
        ("GET", "/risk/backtests/999999", None, 404, None),
    ],
)
def test_what_cannot_be_is_refused(
    hq: Caller, method: str, path: str, body: object, status: int, field: str | None
) -> None:
    answer = hq.get(path) if method == "GET" else hq.send(method, path, body)
    assert (answer.status_code, answer.json().get("field")) == (status, field)
    assert not BackTest.objects.exists()


@pytest.mark.parametrize(("role", "looks", "chooses"), [("manager", 200, 403), ("analyst", 200, 403)])
def test_who_may_look_and_who_may_choose(key_of: Callable[[str], Caller], role: str, looks: int, chooses: int) -> None:
    caller = key_of(role)
    assert caller.get("/risk/rule").status_code == looks
    assert caller.get("/risk/backtests").status_code == looks
    assert caller.post("/risk/backtests", {}).status_code == chooses
    assert caller.send("PUT", "/risk/rule", {"kind": "fixed", "threshold": 45}).status_code == chooses
    assert caller.send("DELETE", "/risk/rule", "").status_code == chooses


def test_warnings_are_listed_by_value_in_pages_within_ones_stores(
    cast: Cast, hq: Caller, key_of: Callable[[str], Caller]
) -> None:
    rule = use(rules.Wanted("fixed", 55), now=NOW)
    refresh_customers([cast.mo.pk, cast.lan.pk, cast.vera.pk], now=NOW)
    for value, customer in ((300, cast.mo), (500, cast.lan), (400, cast.vera)):
        ChurnWarning.objects.create(
            customer=customer, silent_since="2026-01-02", rule=rule, opened_on="2026-03-04", opened_at=NOW,
            purchases=6, outlook_then_bp=7_100, outlook_opened_bp=1_800, outlook_bp=1_700, value_at_risk_minor=value,
            cause="price" if customer == cast.mo else "",
            causes=[{"cause": "price", "fact": "receipt:1", "on": "2026-01-02"}] if customer == cast.mo else [],
        )  # fmt: skip
    first = hq.get("/risk/warnings", limit=2).json()
    rest = hq.get("/risk/warnings", limit=2, cursor=first["next"]).json()
    assert [one["value_at_risk_minor"] for one in first["items"] + rest["items"]] == [500, 400, 300]
    assert rest["next"] is None
    assert {one["fired_by"] for one in first["items"] + rest["items"]} == {"fixed"}
    assert rest["items"][0]["causes"] == [{"cause": "price", "fact": "receipt:1", "on": "2026-01-02"}]
    mine = {one["customer_id"] for one in key_of("manager").get("/risk/warnings").json()["items"]}
    assert mine == {cast.mo.pk, cast.vera.pk}
    assert len(hq.get("/risk/warnings", cause="price").json()["items"]) == 1
    assert len(hq.get("/risk/warnings", store="XH").json()["items"]) == 1
    assert hq.get("/risk/warnings", ended="lost").json()["items"] == []
    assert hq.get("/risk/warnings", cause="weather").json()["field"] == "cause"
    assert hq.get("/risk/warnings", ended="later").json()["field"] == "ended"
    lost = {"id": "t", "customer_id": cast.mo.pk, "reason": "at_risk", "outcome": "lost", "because": "weather"}
    assert hq.post("/followups", lost).json()["field"] == "because"
    assert hq.post("/followups", lost | {"because": "moved"}).status_code == 201
    assert [one["customer_id"] for one in hq.get("/risk/warnings", ended="lost").json()["items"]] == [cast.mo.pk]


def test_lines_of_services_are_told_switched_and_warned_of(hq: Caller, cast: Cast) -> None:
    rule = use(rules.Wanted("fixed", 120), now=NOW)
    line = ServiceLine.objects.create(
        category=cast.facial.category, learned_on=NOW.date(), cycle_days=28, threads=120, latest_days=56,
        horizon_days=56, lapse_days=112, minimum_silence_days=28,
    )  # fmt: skip
    assert hq.send("PUT", "/risk/rule", {"kind": "fixed", "threshold": 120, "per_line": True}).json()["per_line"]
    assert hq.send("PUT", "/risk/rule", {"kind": "fixed", "threshold": 90}).json()["per_line"], "as the rule before"
    (told,) = hq.get("/risk/lines").json()
    assert (told["id"], told["name"], told["is_on"], told["cycle_days"]) == (line.pk, "面部护理", True, 28)
    switched = hq.send("PATCH", f"/risk/lines/{line.pk}", {"is_on": False}).json()
    assert (switched["name"], switched["is_on"]) == ("面部护理", False)
    assert hq.send("PATCH", "/risk/lines/999999", {"is_on": False}).status_code == 404
    for of in (line, None):
        ChurnWarning.objects.create(
            customer=cast.mo, line=of, silent_since=NOW.date(), rule=rule, opened_on=NOW.date(), opened_at=NOW,
            purchases=6, gap_days=22 if of else None, outlook_then_bp=1, outlook_opened_bp=1, outlook_bp=1,
        )  # fmt: skip
    of_line, whole = (hq.get(f"/risk/warnings?line_id={pk}").json()["items"] for pk in (line.pk, 0))
    assert [(one["line"], one["gap_days"], one["horizon_days"]) for one in of_line] == [
        ({"id": line.pk, "name": "面部护理"}, 22, 56)
    ]
    assert [(one["line"], one["horizon_days"]) for one in whole] == [(None, 90)]
    assert len(hq.get("/risk/warnings").json()["items"]) == 2
