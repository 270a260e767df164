"""The back-test and the rule that warns, through the API."""

from collections.abc import Callable

import pytest

from changke.profiles.risk.models import BackTest
from changke.profiles.risk.services import backtests
from tests.interfaces.api.conftest import NOW, Caller
from tests.profiles.risk.past import past

pytestmark = pytest.mark.django_db


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
