"""POST /facts: everything through one door, in whatever order it comes."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from changke.facts.customers.queries import by_phone, known_as, values_of
from changke.facts.models import Customer, Event, Receipt, Visit, WaitingReturn
from changke.facts.purchases.services.receive import settle_late
from changke.foundation.models import Batch
from changke.profiles.attributes.models import Profile
from changke.profiles.lifecycle.services import publish_models, refresh_customers
from tests.cast import Cast, ago, buys
from tests.examples import few
from tests.interfaces.api.conftest import NOW, YESTERDAY, Caller, sale

pytestmark = pytest.mark.django_db


def purchase(**changes: Any) -> dict[str, Any]:
    return sale(type="purchase", **changes)


def back(**changes: Any) -> dict[str, Any]:
    """A return of the right sale."""
    right: dict[str, Any] = {"type": "return", "number": "B-1", "original_number": "R-1", "customer": None}
    return sale(**(right | changes))


def visit(**changes: Any) -> dict[str, Any]:
    who = {"phone": "13800000003"}
    return {"type": "visit", "id": "v1", "store": "JA", "happened_at": YESTERDAY, "customer": who} | changes


def event(**changes: Any) -> dict[str, Any]:
    return {"type": "event", "id": "e1", "kind": "app.opened", "store": "JA", "happened_at": YESTERDAY} | changes


def send(caller: Caller, *facts: Any, **headers: str) -> dict[str, Any]:
    answer = caller.post("/facts", {"facts": list(facts)}, **headers)
    assert answer.status_code == 200, answer.content
    told: dict[str, Any] = answer.json()
    assert told["created"] + told["skipped"] + told["waiting"] + told["refused"] == len(facts)
    return told


def statuses(report: dict[str, Any]) -> list[str]:
    return [one["error"]["code"] if one["error"] else one["status"] for one in report["results"]]


def test_a_whole_day_goes_in_at_once_and_twice_is_once(hq: Caller, cast: Cast) -> None:
    day = [visit(), back(), event(), purchase(), visit(id="v2")]
    assert statuses(send(hq, *day)) == ["created"] * 5
    assert statuses(send(hq, *reversed(day))) == ["skipped"] * 5
    assert Visit.objects.count() == 2
    assert Event.objects.filter(kind="app.opened").count() == 1
    assert set(Receipt.objects.filter(number__in=("R-1", "B-1")).values_list("kind", flat=True)) == {"sale", "return"}


WRONG: list[tuple[Any, str, str | None]] = [
    (7, "invalid", "body"),
    (None, "invalid", "body"),
    ({}, "invalid", "type"),
    (purchase() | {"type": "gift"}, "invalid", "type"),
    (purchase() | {"type": ["purchase"]}, "invalid", "type"),
    (purchase(kind="return"), "invalid", "kind"),
    (purchase(original_number="R-0"), "invalid", "original_number"),
    (back(kind="sale"), "invalid", "kind"),
    (purchase(lines=[{"amount_minor": 288.0}]), "invalid", "lines[0].amount_minor"),
    (purchase(lines=[{"amount_minor": "288"}]), "invalid", "lines[0].amount_minor"),
    (purchase(happened_at=(NOW + dt.timedelta(minutes=30)).isoformat()), "invalid", "happened_at"),
    (purchase(store="??"), "unknown_store", None),
    (back(customer={"id": 999_999}), "unknown_customer", None),
    (visit(id=""), "invalid", "id"),
    (visit(customer={}), "invalid", "customer"),
    (event(kind="stage.changed"), "invalid", "kind"),
    (event(data={"x": float("1e300")}, kind="no.such"), "invalid", "kind"),
]


def test_each_is_refused_at_its_place_and_costs_the_others_nothing(hq: Caller, cast: Cast) -> None:
    report = send(hq, *[fact for fact, _, _ in WRONG], purchase())
    told = [(one["error"]["code"], one["error"].get("field")) for one in report["results"][:-1]]
    assert told == [(code, place) for _, code, place in WRONG]
    assert report["results"][-1]["status"] == "created"


def test_money_with_a_point_is_refused_in_the_callers_language(hq: Caller, cast: Cast) -> None:
    wrong = purchase(lines=[{"amount_minor": 288.5}])
    english = send(hq, wrong)["results"][0]["error"]["message"]
    chinese = send(hq, wrong, **{"Accept-Language": "zh-Hans"})["results"][0]["error"]["message"]
    assert english == "lines[0].amount_minor: must be a whole number"
    assert "整数" in chinese


def test_a_day_that_is_no_batch_is_refused_whole(hq: Caller, cast: Cast) -> None:
    for body in ({"facts": []}, {"facts": [{}] * 1001}, {"facts": "all"}, {}, [], {"facts": [visit()], "x": 1}):
        assert hq.post("/facts", body).status_code == 422
    assert hq.post("/facts", b"{").status_code == 400
    assert hq.post("/facts", b" " * (2 * 1024 * 1024 + 1)).status_code == 413
    same = {"Idempotency-Key": "k"}
    assert statuses(send(hq, visit(), **same)) == statuses(send(hq, visit(), **same)) == ["created"]
    assert hq.post("/facts", {"facts": [visit(id="v2")]}, **same).status_code == 409


def test_a_return_waits_for_its_purchase_and_belongs_to_whoever_bought(hq: Caller, cast: Cast) -> None:
    assert statuses(send(hq, back(customer={"phone": "13911110000"}))) == ["waiting"]
    assert statuses(send(hq, back())) == ["waiting"]
    waiting = hq.get("/waiting-returns").json()["items"]
    assert [(one["store"], one["original_number"], one["amount_minor"]) for one in waiting] == [("JA", "R-1", 28_800)]
    assert not Receipt.objects.filter(number="B-1").exists()
    assert by_phone("+8613911110000") is None, "nobody is met by a return"
    assert statuses(send(hq, purchase())) == ["created"]
    assert hq.get("/waiting-returns").json()["items"] == []
    bought, returned = (Receipt.objects.get(number=number) for number in ("R-1", "B-1"))
    assert returned.customer_id == bought.customer_id is not None
    assert statuses(send(hq, back())) == ["skipped"]


def test_what_waits_under_a_key_is_not_replaced_by_something_else(hq: Caller, cast: Cast) -> None:
    other = back(lines=[{"item": "F1", "amount_minor": 1}], tenders=None)
    assert statuses(send(hq, back(), other)) == ["waiting", "receipt_number_taken"]
    assert statuses(send(hq, other)) == ["receipt_number_taken"]
    assert WaitingReturn.objects.get().amount_minor == 28_800


def test_a_return_of_another_store_or_source_goes_on_waiting(hq: Caller, cast: Cast) -> None:
    send(hq, back(store="XH"), back(source="shop"))
    send(hq, purchase())
    assert WaitingReturn.objects.count() == 2


def test_a_purchase_that_is_refused_frees_nobody(hq: Caller, cast: Cast) -> None:
    assert statuses(send(hq, back(), purchase(customer={"id": 999_999}))) == ["waiting", "unknown_customer"]


def test_a_purchase_that_came_by_another_door_frees_its_returns_within_a_minute(hq: Caller, cast: Cast) -> None:
    assert statuses(send(hq, back(original_number="by-hand", source="hand"))) == ["waiting"]
    buys(cast.vera, cast.facial, 28_800, on=ago(1), store=cast.jing_an, key="by-hand")
    assert settle_late(now=NOW) == 1
    assert Receipt.objects.get(number="B-1").customer_id == cast.vera.pk
    assert settle_late(now=NOW) == 0


def test_a_purchase_that_will_never_come_is_decided_by_a_person(hq: Caller, manager: Caller, cast: Cast) -> None:
    send(hq, back(store="XH"))
    waiting = hq.get("/waiting-returns").json()["items"][0]["id"]
    assert manager.get("/waiting-returns").json()["items"] == []
    assert manager.post(f"/waiting-returns/{waiting}/count", {}).status_code == 404
    counted = hq.post(f"/waiting-returns/{waiting}/count", {}).json()["receipt_id"]
    assert Receipt.objects.get(pk=counted).customer_id is None
    assert hq.post(f"/waiting-returns/{waiting}/count", {}).status_code == 404


def test_a_withdrawn_purchase_is_waited_for(hq: Caller, cast: Cast) -> None:
    send(hq, purchase())
    batch = Batch.objects.create(kind="undo", title="undo", created_at=NOW)
    with connection.cursor() as sql:
        sql.execute(
            "UPDATE facts_receipt SET withdrawn_by_id = %s, txid = pg_current_xact_id() WHERE number = 'R-1'",
            [batch.pk],
        )
    assert statuses(send(hq, back())) == ["waiting"]


def test_who_was_met_without_a_name_gets_the_one_that_comes_later(hq: Caller, cast: Cast) -> None:
    send(hq, visit(customer={"phone": "13911110000"}))
    send(hq, purchase(customer={"phone": "13911110000", "name": "张三"}))
    send(hq, visit(id="v2", customer={"phone": "13911110000", "name": "李四"}))
    found = by_phone("+8613911110000")
    assert found is not None
    assert (found.name, found.pinyin, found.initials) == ("张三", "zhangsan", "zs")


# Whatever the order, whatever is repeated, however it is cut into requests: the same in the end.

ZHANG, LI = {"phone": "13911110000", "name": "张三"}, {"wecom_id": "wm-0007"}


def on(day: int) -> dict[str, str]:
    return {"happened_at": (NOW.replace(hour=4) - dt.timedelta(days=day)).isoformat()}


def worth(amount: int) -> dict[str, Any]:
    return {"lines": [{"item": "F1", "amount_minor": amount}], "tenders": None}


STORY: list[dict[str, Any]] = [
    purchase(number="1", customer=ZHANG, **on(90), **worth(30_000)),
    back(number="1", original_number="1", **on(80), **worth(10_000)),
    back(number="1b", original_number="1", customer=ZHANG, **on(70), **worth(20_000)),
    purchase(number="2", customer=ZHANG, store="XH", **on(60), **worth(50_000)),
    visit(id="1", customer=ZHANG, **on(100)),
    purchase(number="3", customer=LI, **on(30), **worth(8_000)),
    back(number="3", original_number="3", customer=LI, **on(29), **worth(3_000)),
    visit(id="2", customer=LI, store="XH", **on(31)),
    event(id="1", customer=ZHANG, **on(20)),
    event(id="2", customer=LI, kind="complaint.received", **on(110)),
    purchase(number="4", customer=None, **on(10), **worth(7_000)),
    back(number="4", original_number="4", **on(9), **worth(7_000)),
    back(number="9", original_number="never", **on(9), **worth(7_000)),
]


@pytest.fixture
def end_of(hq: Caller, cast: Cast) -> Callable[[list[list[dict[str, Any]]]], Any]:
    """What is there in the end when the story comes in these requests; then it is forgotten again."""
    publish_models(cast.chain, now=NOW)

    def tell(requests: list[list[dict[str, Any]]]) -> Any:
        with transaction.atomic():
            for facts in requests:
                assert send(hq, *facts)["refused"] == 0
            state = state_of_everything()
            transaction.set_rollback(True)
        return state

    return tell


def state_of_everything() -> Any:
    """Everything that came, without ids of ours. A home store is where we heard of her first: there order decides."""
    people = {
        one.pk: (*values_of(one.identifiers.all()).values(), one.name, one.known_on)
        for one in Customer.objects.filter(pk__in=known_as("+8613911110000") + known_as("wm-0007"))
    }
    refresh_customers(list(people), now=NOW)
    columns = [field.attname for field in Profile._meta.concrete_fields]
    same = [name for name in columns if not {"id", "txid", "customer", "home"} & set(name.split("_"))]
    with connection.cursor() as sql:
        sql.execute(
            "SELECT back.source_key, sale.source_key FROM live.returns"
            " JOIN facts_receipt AS back ON back.id = return_id"
            " LEFT JOIN facts_receipt AS sale ON sale.id = receipt_id WHERE back.source = 'api' ORDER BY 1"
        )
        attached = sql.fetchall()
    ours = {"source": "api", "withdrawn_by": None}
    money = Receipt.objects.filter(**ours).order_by("source_key")
    came = Visit.objects.filter(**ours).order_by("source_key")
    profiles = Profile.objects.filter(pk__in=people)
    rest = Event.objects.filter(kind__in=("app.opened", "complaint.received")).order_by("source_key")
    return (
        sorted(people.values()),
        [(r.source_key, r.kind, people.get(r.customer_id or 0), r.cash_minor, r.business_date) for r in money],
        [(v.source_key, people[v.customer_id], v.business_date) for v in came],
        [(e.source_key, people[e.customer_id or 0], e.business_date) for e in rest],
        attached,
        list(WaitingReturn.objects.order_by("source_key").values_list("source_key", "told")),
        sorted((people[one.pk], [getattr(one, name) for name in same]) for one in profiles),
    )


@st.composite
def deliveries(draw: st.DrawFn) -> list[list[dict[str, Any]]]:
    again = draw(st.lists(st.sampled_from(STORY), max_size=6))
    order = draw(st.permutations(STORY + again))
    cuts = sorted(draw(st.sets(st.integers(1, len(order) - 1), max_size=6)))
    return [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True)]


def test_the_order_of_arrival_does_not_matter(end_of: Callable[[list[list[dict[str, Any]]]], Any]) -> None:
    sequential = end_of([[fact] for fact in STORY])
    assert len(sequential[1]) == 8, "four sales, four returns; one waits"
    assert len(sequential[5]) == 1
    assert len(sequential[6]) == 2

    @settings(max_examples=few(20), deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(deliveries())
    def in_any_order(requests: list[list[dict[str, Any]]]) -> None:
        assert end_of(requests) == sequential

    in_any_order()
