"""Receipts that machines send: each counts once, each is judged on its own."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from changke.facts.customers.queries import by_phone
from changke.facts.models import Customer, Receipt
from changke.facts.purchases.models import WaitingReturn
from changke.foundation.database.append_only import current_xid
from changke.foundation.models import Batch
from changke.foundation.persons.queries import forget_vault
from tests.cast import Cast
from tests.interfaces.api.conftest import NOW, Caller, sale

pytestmark = pytest.mark.django_db


def send(caller: Caller, *receipts: dict[str, Any]) -> dict[str, Any]:
    answer = caller.post("/purchases", {"purchases": list(receipts)})
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def refusal(caller: Caller, receipt: dict[str, Any]) -> tuple[str, str]:
    """Code and place of the refusal of one receipt."""
    before = Receipt.objects.count()
    report = send(caller, receipt)
    assert (report["created"], report["refused"]) == (0, 1)
    assert Receipt.objects.count() == before
    error = report["results"][0]["error"]
    return error["code"], error["field"] or ""


def test_a_sale_is_recorded_with_its_lines_and_what_it_earned(hq: Caller, cast: Cast) -> None:
    report = send(hq, sale())
    receipt = Receipt.objects.get(pk=report["results"][0]["id"])
    assert (receipt.kind, receipt.cash_minor, receipt.consumed_minor, receipt.margin_minor) == (
        "sale",
        28_800,
        28_800,
        22_800,
    )
    assert receipt.customer is not None
    assert (receipt.customer.name, receipt.customer.home_store_id) == ("张三", cast.jing_an.pk)
    assert [line.item_id for line in receipt.lines.all()] == [cast.facial.pk]
    assert [(paid.kind, paid.amount_minor) for paid in receipt.tenders.all()] == [("wechat", 28_800)]


def test_the_same_sale_ten_times_counts_once(hq: Caller, cast: Cast) -> None:
    first = send(hq, sale())["results"][0]["id"]
    for _ in range(9):
        report = send(hq, sale())
        assert (report["created"], report["skipped"], report["results"][0]["id"]) == (0, 1, first)
    assert Receipt.objects.filter(number="R-1").count() == 1
    assert Customer.objects.filter(name="张三").count() == 1


def test_the_same_sale_ten_times_in_one_batch_counts_once(hq: Caller, cast: Cast) -> None:
    report = send(hq, *[sale()] * 10)
    assert (report["created"], report["skipped"], report["refused"]) == (1, 9, 0)


def test_a_number_that_comes_again_with_other_contents_is_refused(hq: Caller, cast: Cast) -> None:
    send(hq, sale())
    for other in (
        sale(lines=[{"item": "F1", "amount_minor": 28_700}], tenders=None),
        sale(customer={"phone": "13800000001"}),
        sale(customer={"phone": "13811112222"}),
        sale(lines=[{"item": "C10", "amount_minor": 28_800}]),
        sale(tenders=[{"kind": "cash", "amount_minor": 28_800}]),
        sale(happened_at=(NOW - dt.timedelta(days=3)).isoformat()),
    ):
        assert refusal(hq, other)[0] == "receipt_number_taken"
    assert by_phone("+8613811112222") is None


def test_two_with_one_number_in_one_batch_the_first_counts(hq: Caller, cast: Cast) -> None:
    report = send(hq, sale(), sale(lines=[{"item": "F1", "amount_minor": 1}], tenders=None))
    assert [one["status"] for one in report["results"]] == ["created", "refused"]


def test_a_bad_receipt_never_costs_a_good_one(hq: Caller, cast: Cast) -> None:
    report = send(hq, sale(number="A"), sale(number="B", store="??"), {"nonsense": 1}, sale(number="C"))
    assert [one["status"] for one in report["results"]] == ["created", "refused", "refused", "created"]
    assert [one["index"] for one in report["results"]] == [0, 1, 2, 3]
    assert report["results"][1]["error"]["code"] == "unknown_store"
    assert report["results"][1]["error"]["remedy"]
    assert Receipt.objects.filter(number__in=["A", "B", "C"]).count() == 2


def test_a_return_may_come_before_its_purchase(hq: Caller, cast: Cast) -> None:
    report = send(hq, sale(kind="return", number="B-1", original_number="R-1"))
    assert report["waiting"] == 1
    assert send(hq, sale())["created"] == 1
    back = Receipt.objects.get(number="B-1")
    assert (back.kind, back.original_number, back.cash_minor) == ("return", "R-1", 28_800)


def test_a_return_under_the_number_of_its_sale_is_a_receipt_of_its_own(hq: Caller, cast: Cast) -> None:
    assert send(hq, sale(), sale(kind="return", original_number="R-1"))["created"] == 2


def give_back(number: str, amount: int, **more: Any) -> dict[str, Any]:
    line = [{"item": "F1", "amount_minor": amount}]
    return sale(**{"kind": "return", "number": number, "original_number": "R-1", "lines": line, "tenders": None} | more)


def statuses(report: dict[str, Any]) -> list[str]:
    return [one["error"]["code"] if one["error"] else one["status"] for one in report["results"]]


def test_no_more_is_given_back_than_was_paid(hq: Caller, cast: Cast) -> None:
    report = send(hq, sale(), give_back("B-1", 20_000), give_back("B-2", 8_801), give_back("B-3", 8_800))
    assert statuses(report) == ["created", "created", "more_than_left", "created"]
    error = report["results"][2]["error"]
    assert (error["field"], bool(error["remedy"])) == ("lines", True)
    assert statuses(send(hq, give_back("B-4", 1))) == ["more_than_left"]
    assert statuses(send(hq, give_back("B-1", 20_000), give_back("B-3", 8_800))) == ["skipped", "skipped"]


def test_what_gives_back_too_much_costs_the_others_nothing(hq: Caller, cast: Cast) -> None:
    report = send(hq, give_back("B-1", 28_801), sale(), give_back("B-2", 28_800), sale(number="R-9"))
    assert statuses(report) == ["more_than_left", "created", "created", "created"]
    assert set(Receipt.objects.filter(kind="return").values_list("number", flat=True)) == {"B-2"}


@pytest.mark.parametrize(
    ("other", "status"),
    [
        ({"original_number": "R-404"}, "waiting"),
        ({"original_number": ""}, "created"),  # it says not what it gives back
        ({"source": "webshop"}, "waiting"),
        ({"store": "XH"}, "waiting"),
    ],
)
def test_a_return_that_names_no_receipt_we_have_is_not_judged(
    hq: Caller, cast: Cast, other: dict[str, Any], status: str
) -> None:
    assert statuses(send(hq, sale(), give_back("B-1", 99_999, **other))) == ["created", status]


@pytest.mark.parametrize("who", [{"phone": "13800000001"}, None])
def test_a_return_under_another_name_makes_no_room(hq: Caller, cast: Cast, who: dict[str, str] | None) -> None:
    report = send(hq, sale(), give_back("B-1", 28_800), give_back("B-2", 1, customer=who))
    assert statuses(report) == ["created", "created", "more_than_left"]


def test_a_return_that_waited_and_does_not_fit_goes_on_waiting_with_the_reason(hq: Caller, cast: Cast) -> None:
    assert statuses(send(hq, give_back("B-1", 20_000), give_back("B-2", 20_000))) == ["waiting", "waiting"]
    assert statuses(send(hq, sale())) == ["created"]
    assert [one.number for one in Receipt.objects.filter(kind="return")] == ["B-1"]
    assert WaitingReturn.objects.get().refusal == "more_than_left"


def test_of_what_nobody_bought_no_more_is_given_back_either(hq: Caller, cast: Cast) -> None:
    report = send(hq, sale(customer=None), *[give_back(f"B-{n}", 20_000, customer=None) for n in (1, 2)])
    assert statuses(report) == ["created", "created", "more_than_left"]


def test_a_withdrawn_return_makes_room_for_another(hq: Caller, cast: Cast) -> None:
    send(hq, sale(), give_back("B-1", 28_800))
    batch = Batch.objects.create(kind="undo", title="undo", created_at=NOW)
    Receipt.objects.filter(number="B-1").update(withdrawn_by=batch, txid=current_xid())
    assert statuses(send(hq, give_back("B-2", 28_800))) == ["created"]


def test_a_use_brings_no_money_in(hq: Caller, cast: Cast) -> None:
    report = send(
        hq, sale(kind="use", tenders=None), sale(number="R-2", tenders=[{"kind": "session", "amount_minor": 28_800}])
    )
    for one in report["results"]:
        receipt = Receipt.objects.get(pk=one["id"])
        assert (receipt.kind, receipt.cash_minor, receipt.consumed_minor) == ("use", 0, 28_800)


def test_a_card_without_catalogue_is_money_in_and_nothing_rendered(hq: Caller, cast: Cast) -> None:
    line = {"description": "十次卡", "kind": "card", "amount_minor": 198_000}
    receipt = Receipt.objects.get(pk=send(hq, sale(lines=[line], tenders=None))["results"][0]["id"])
    assert (receipt.cash_minor, receipt.consumed_minor) == (198_000, 0)


def test_a_receipt_without_a_customer_counts_for_the_store_only(hq: Caller, cast: Cast) -> None:
    assert Receipt.objects.get(pk=send(hq, sale(customer=None))["results"][0]["id"]).customer_id is None


def test_somebody_is_the_same_person_each_time_she_is_named(hq: Caller, cast: Cast) -> None:
    ways: list[dict[str, str]] = [
        {"phone": "+86 138-0000-0003"},
        {"external_id": "M-7", "source": "till"},
        {"email": "Vera@Example.com"},
        {"wecom_id": "wm-7"},
    ]
    for n, who in enumerate(ways):
        assert send(hq, *[sale(number=f"{n}-{turn}", customer=who) for turn in range(2)])["created"] == 2
        send(hq, sale(number=f"{n}-3", customer=who))
    people = [
        set(Receipt.objects.filter(number__startswith=f"{n}-").values_list("customer_id", flat=True)) for n in range(4)
    ]
    assert people[0] == {cast.vera.pk}
    assert [len(same) for same in people] == [1, 1, 1, 1]
    assert len(set.union(*people)) == 4


def test_an_early_receipt_says_that_she_was_known_earlier(hq: Caller, cast: Cast) -> None:
    send(hq, sale(customer={"id": cast.ying.pk}, happened_at="2020-05-01T12:00:00+08:00"))
    cast.ying.refresh_from_db()
    assert cast.ying.known_on == dt.date(2020, 5, 1)


def test_the_day_is_the_stores_day(hq: Caller, cast: Cast) -> None:
    report = send(hq, sale(happened_at="2026-01-31T18:30:00Z"))
    assert Receipt.objects.get(pk=report["results"][0]["id"]).business_date == dt.date(2026, 2, 1)


LINE = {"item": "F1", "amount_minor": 28_800}


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"happened_at": "2026-03-01T12:30:00"}, "invalid", "happened_at"),
    ({"happened_at": "2026-13-40T12:30:00+08:00"}, "invalid", "happened_at"),
    ({"happened_at": "2026-03-01"}, "invalid", "happened_at"),
    ({"happened_at": 1_772_000_000}, "invalid", "happened_at"),
    ({"happened_at": "1772000000"}, "invalid", "happened_at"),
    ({"happened_at": (NOW + dt.timedelta(hours=1)).isoformat()}, "invalid", "happened_at"),
    ({"happened_at": "1970-01-01T00:00:00Z"}, "invalid", "happened_at"),
    ({"happened_at": None}, "invalid", "happened_at"),
    ({"store": None}, "invalid", "store"),
    ({"store": "??"}, "unknown_store", ""),
    ({"number": None}, "invalid", "number"),
    ({"number": "x" * 81}, "invalid", "number"),
    ({"number": "a\x00b"}, "invalid", "number"),
    ({"staff": "nobody"}, "unknown_staff", ""),
    ({"currency": "USD"}, "other_currency", ""),
    ({"kind": "gift"}, "invalid", "kind"),
    ({"misspelt": 1}, "invalid", "misspelt"),
    ({"original_number": "R-0"}, "invalid", "original_number"),
    ({"lines": []}, "invalid", "lines"),
    ({"lines": "one"}, "invalid", "lines"),
    ({"lines": [LINE] * 501}, "invalid", "lines"),
    ({"lines": [{"item": "??", "amount_minor": 1}]}, "unknown_item", ""),
    ({"lines": [LINE, {"item": "F1", "amount_minor": -1}]}, "invalid", "lines[1].amount_minor"),
    ({"lines": [{"item": "F1", "amount_minor": 1_000_000_001}]}, "invalid", "lines[0].amount_minor"),
    ({"lines": [{"item": "F1", "amount_minor": 288.5}]}, "invalid", "lines[0].amount_minor"),
    ({"lines": [{"item": "F1", "amount_minor": "28800"}]}, "invalid", "lines[0].amount_minor"),
    ({"lines": [{"item": "F1", "amount_minor": True}]}, "invalid", "lines[0].amount_minor"),
    ({"lines": [{"item": "F1", "amount_minor": 10**30}]}, "invalid", "lines[0].amount_minor"),
    ({"lines": [LINE | {"quantity_milli": 0}]}, "invalid", "lines[0].quantity_milli"),
    ({"lines": [LINE | {"quantity_milli": 10**12}]}, "invalid", "lines[0].quantity_milli"),
    ({"lines": [LINE | {"unit_price_minor": -1}]}, "invalid", "lines[0].unit_price_minor"),
    ({"lines": [LINE | {"kind": "gift"}]}, "invalid", "lines[0].kind"),
    ({"lines": [LINE | {"description": "x" * 201}]}, "invalid", "lines[0].description"),
    ({"tenders": [{"kind": "wechat", "amount_minor": 1}]}, "invalid", "tenders"),
    ({"tenders": [{"kind": "shells", "amount_minor": 28_800}]}, "invalid", "tenders[0].kind"),
    ({"tenders": [{"kind": "cash", "amount_minor": -28_800}]}, "invalid", "tenders[0].amount_minor"),
    ({"kind": "use"}, "invalid", "tenders"),
    ({"customer": {}}, "invalid", "customer"),
    ({"customer": {"phone": "13800000001", "id": 1}}, "invalid", "customer"),
    ({"customer": {"phone": "1.38E+10"}}, "invalid", "customer.phone"),
    ({"customer": {"phone": "call me"}}, "invalid", "customer.phone"),
    ({"customer": {"email": "at home"}}, "invalid", "customer.email"),
    ({"customer": {"email": "a\x00@b.cn"}}, "invalid", "customer.email"),
    ({"original_number": "\x00", "kind": "return"}, "invalid", "original_number"),
    ({"customer": {"external_id": "M-1"}}, "invalid", "customer.source"),
    ({"customer": {"id": 999_999_999}}, "unknown_customer", ""),
    ({"customer": {"id": -1}}, "invalid", "customer.id"),
    ({"customer": {"id": 10**30}}, "invalid", "customer.id"),
]
"""What is wrong with the receipt -> the code of the refusal and its place."""


def test_what_no_till_prints_is_refused_at_its_place(hq: Caller, cast: Cast) -> None:
    """All in one batch, a right one last: it goes in."""
    before = Receipt.objects.count()
    wrong = [sale(**({"number": f"W{n}"} | changes)) for n, (changes, _, _) in enumerate(REFUSED)]
    report = send(hq, *wrong, sale())
    told = [(one["error"]["code"], one["error"]["field"] or "") for one in report["results"][:-1]]
    assert told == [(code, place) for _, code, place in REFUSED]
    assert (report["created"], report["refused"]) == (1, len(REFUSED))
    assert Receipt.objects.count() == before + 1
    assert Customer.objects.filter(name="张三").count() == 1


def test_something_that_is_no_receipt_at_all_is_refused_alone(hq: Caller, cast: Cast) -> None:
    report = hq.post("/purchases", {"purchases": [7, None, "sale", [], sale()]}).json()
    assert (report["created"], report["refused"]) == (1, 4)


def test_every_problem_of_a_receipt_is_told(hq: Caller, cast: Cast) -> None:
    error = send(hq, sale(kind="gift", happened_at="never"))["results"][0]["error"]
    assert {one["field"] for one in error["details"]} == {"kind", "happened_at"}


def test_emoji_and_rare_characters_in_a_name_stay(hq: Caller, cast: Cast) -> None:
    send(hq, sale(customer={"phone": "13811112222", "name": "𠮷田🌸"}))
    assert getattr(by_phone("+8613811112222"), "name", None) == "𠮷田🌸"


def test_a_shop_machine_records_in_its_own_stores_only(manager: Caller, cast: Cast) -> None:
    assert refusal(manager, sale(store="XH"))[0] == "unknown_store"
    assert refusal(manager, sale(customer={"id": cast.lan.pk}))[0] == "unknown_customer"
    assert send(manager, sale())["created"] == 1


def test_a_batch_holds_one_to_a_thousand(hq: Caller, cast: Cast) -> None:
    for count in (0, 1001):
        answer = hq.post("/purchases", {"purchases": [{}] * count})
        assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid", "purchases")


def test_a_thousand_go_in_at_once(hq: Caller, cast: Cast, django_assert_max_num_queries: Callable[[int], Any]) -> None:
    many = [sale(number=f"N{n}", customer={"phone": f"139{n:08}"}) for n in range(1000)]
    forget_vault()  # the keys are checked every two seconds: here, so that it is counted every time
    with django_assert_max_num_queries(31):
        report = send(hq, *many)
    assert (report["created"], report["refused"]) == (1000, 0)
    assert Receipt.objects.filter(number__startswith="N").count() == 1000


def test_an_id_of_ones_own_is_not_a_receipt_number(hq: Caller, cast: Cast) -> None:
    assert send(hq, sale())["created"] == 1
    assert send(hq, sale(number=None, id="R-1"))["created"] == 1


def test_what_was_withdrawn_may_be_sent_again(hq: Caller, cast: Cast) -> None:
    send(hq, sale())
    batch = Batch.objects.create(kind="undo", title="undo", created_at=NOW)
    Receipt.objects.filter(number="R-1").update(withdrawn_by=batch, txid=current_xid())
    assert send(hq, sale(lines=[{"item": "F1", "amount_minor": 1}], tenders=None))["created"] == 1


def test_a_receipt_that_never_happened_is_taken_back_and_put_back(hq: Caller, cast: Cast) -> None:
    pk = send(hq, sale())["results"][0]["id"]
    answer = hq.post(f"/purchases/{pk}/void", {"reason": "rung up twice"})
    assert (answer.status_code, answer.json()) == (200, {"id": pk, "is_void": True})
    assert Receipt.objects.get(pk=pk).withdrawn_by.options["reason"] == "rung up twice"  # type: ignore[union-attr]
    assert hq.post(f"/purchases/{pk}/void", {}).status_code == 404
    again = hq.post(f"/purchases/{pk}/restore", {}).json()
    assert again["is_void"] is False
    assert again == hq.post(f"/purchases/{pk}/restore", {}).json(), "safe to repeat"
    assert Receipt.objects.get(pk=again["id"]).number == "R-1"
    assert statuses(send(hq, sale())) == ["skipped"]


def test_what_was_recorded_on_another_day_or_given_back_is_not_taken_back(hq: Caller, cast: Cast) -> None:
    old = Receipt.objects.get(number="ying-1")
    answer = hq.post(f"/purchases/{old.pk}/void", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "receipt_not_voidable")
    pk = send(hq, sale(), give_back("B-1", 100))["results"][0]["id"]
    assert hq.post(f"/purchases/{pk}/void", {}).json()["code"] == "receipt_given_back"


def test_a_shop_machine_takes_back_in_its_own_stores_only(hq: Caller, manager: Caller, cast: Cast) -> None:
    pk = send(hq, sale(store="XH"))["results"][0]["id"]
    assert manager.post(f"/purchases/{pk}/void", {}).status_code == 404
    hq.post(f"/purchases/{pk}/void", {})
    assert manager.post(f"/purchases/{pk}/restore", {}).status_code == 404
