"""Predictions, fits, the grid and the chain's numbers over the API."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from changke.facts.catalog.models import Category, Item
from changke.facts.customers.models import Customer
from changke.facts.purchases.models import Line, Receipt
from changke.foundation.access.models import Grant
from changke.profiles.attributes.models import Profile
from changke.profiles.value.models import Prediction, ValueFit
from changke.profiles.value.services.lines import count_lines
from tests.cast import Cast
from tests.interfaces.api.conftest import NOW, Caller
from tests.profiles.value.night import a_night_over_the_cast, told_apart


def line_of(caller: Caller) -> dict[str, Any]:
    [found] = [one for one in caller.get("/value/lines").json()["lines"] if one["category"] == "脱毛"]
    return dict(found)


def buy_a_line(cast: Cast, now: dt.datetime) -> None:
    """Of a product line of its own: two customers of two stores, one of them of a known age."""
    smooth = Item.objects.create(code="smooth", name="脱毛", category=Category.objects.create(name="脱毛"))
    for place, one in enumerate((cast.vera, cast.lan)):
        receipt = Receipt.objects.create(
            kind="sale", customer=one, store=one.home_store, happened_at=now, business_date=now.date(),
            recorded_at=now, source_key=f"smooth {place}",
        )  # fmt: skip
        Line.objects.create(receipt=receipt, position=1, item=smooth, amount_minor=100)
        Customer.objects.filter(pk=one.pk).update(birth_year=None if place else now.year - 36)


pytestmark = pytest.mark.django_db


@pytest.fixture
def night(cast: Cast) -> ValueFit:
    return a_night_over_the_cast()


def test_her_prediction_is_told_to_whom_she_belongs(night: ValueFit, hq: Caller, manager: Caller, cast: Cast) -> None:
    said = manager.get(f"/value/customers/{cast.vera.pk}").json()
    kept = Prediction.objects.get(pk=cast.vera.pk)
    assert said["p_active_bp"] == kept.p_active_bp
    assert said["fit_id"] == night.pk
    assert manager.get(f"/value/customers/{cast.lan.pk}").status_code == 404
    assert hq.get(f"/value/customers/{cast.lan.pk}").status_code == 200
    assert hq.get(f"/value/customers/{cast.bai.pk}").status_code == 404, "she never bought"


def test_everybodys_are_told_the_highest_first_in_pages_within_ones_stores(
    night: ValueFit, hq: Caller, manager: Caller, cast: Cast
) -> None:
    first = hq.get("/value/customers", order="expected_spend", limit=2).json()
    rest = hq.get("/value/customers", order="expected_spend", limit=9, cursor=first["next"]).json()
    told = first["items"] + rest["items"]
    kept = Prediction.objects.order_by("-expected_spend_minor", "customer_id").values_list("pk", flat=True)
    assert [one["customer_id"] for one in told] == list(kept)
    assert rest["next"] is None
    mine = {one["customer_id"] for one in manager.get("/value/customers").json()["items"]}
    assert mine == set(kept) - {cast.lan.pk}
    Profile.objects.filter(pk__in=[cast.mo.pk, cast.lan.pk]).update(stage="silent")
    silent = {one["customer_id"] for one in hq.get("/value/customers", stage="silent").json()["items"]}
    assert silent == {cast.mo.pk, cast.lan.pk}
    assert len(hq.get("/value/customers", store="XH").json()["items"]) == 1
    assert hq.get("/value/customers", order="name").status_code == 422
    assert hq.get("/value/customers", cursor="!").status_code == 422
    expected = hq.get(f"/profiles/{cast.vera.pk}").json()["expected"]
    assert expected == hq.get(f"/value/customers/{cast.vera.pk}").json()
    assert hq.get(f"/profiles/{cast.bai.pk}").json()["expected"] is None


def test_fits_and_grid(night: ValueFit, hq: Caller, manager: Caller, cast: Cast) -> None:
    (fit,) = hq.get("/value/fits").json()
    assert fit["customers"] == 5
    assert fit["parameters"]["horizon_days"] == 90
    assert (fit["chain_worth"], [one["store_id"] for one in fit["newcomers"]]) == (0, [None])
    whole, store = hq.get("/value/grid").json(), manager.get("/value/grid").json()
    assert sum(one["customers"] for one in whole["cells"]) == 5
    assert sum(one["customers"] for one in store["cells"]) == 4
    assert hq.get("/value/grid", money=0).status_code == 422


def test_a_fit_tells_of_the_stores_that_one_may_see(night: ValueFit, hq: Caller, manager: Caller, cast: Cast) -> None:
    told_apart(night)
    store = cast.jing_an.pk
    (fit,) = hq.get("/value/fits").json()
    chain, own = fit["newcomers"]
    assert (chain["store_id"], own["store_id"], own["customers"], fit["chain_worth"]) == (None, store, 50, 100)
    assert own["p_active_bp"] > chain["p_active_bp"] > 0
    assert own["expected_purchases_milli"] > chain["expected_purchases_milli"] > 0
    assert [one["store"] for one in fit["parameters"]["stores"]["own"]] == [store]
    assert manager.get("/value/fits").json()[0]["newcomers"][1] == own
    night.parameters["stores"]["own"][0]["store"] = cast.xu_hui.pk
    night.save()
    (fit,) = manager.get("/value/fits").json()
    assert (fit["newcomers"], fit["parameters"]["stores"]) == ([chain], None), "a store that is not the manager's"


def test_product_lines_are_those_of_ones_stores(hq: Caller, manager: Caller, cast: Cast) -> None:
    assert hq.get("/value/lines").json() == {"as_of": None, "lines": [], "fewest": 1}
    buy_a_line(cast, NOW)
    count_lines(today=NOW.date())
    whole = line_of(hq)
    assert (whole["category"], whole["customers"], whole["bought"], whole["expected_years"]) == ("脱毛", 2, 2, None)
    assert [(one["first"], one["last"]) for one in whole["bands"]] == [(35, 39)]
    assert (whole["age_from"], whole["age_until"], whole["life_years"]) == (36, 36, 0)
    assert line_of(manager)["customers"] == 1, "the other one's home is the other store"


def test_an_adviser_is_told_of_no_fewer_than_five(client: Client, cast: Cast) -> None:
    buy_a_line(cast, NOW)
    count_lines(today=NOW.date())
    Grant.objects.filter(staff=cast.manager).update(sees="assigned")
    client.force_login(cast.manager)
    told = client.get("/api/v1/value/lines").json()
    assert (told["fewest"], told["lines"]) == (5, [])


def test_the_numbers_change_in_part_and_refuse_as_a_whole(night: ValueFit, hq: Caller) -> None:
    assert hq.patch("/value/rules", {"margin_percent": 40}).json()["margin_percent"] == 40
    changed = hq.patch("/value/rules", {"margin_percent": None, "bands": {"money": [100, 500]}}).json()
    assert (changed["margin_percent"], changed["bands"]) == (None, {"money": [100, 500]})
    assert changed["calendar"] == "chinese"
    assert hq.patch("/value/rules", {"calendar": "none"}).json() == changed | {"calendar": "none"}
    hq.patch("/value/rules", {"calendar": "chinese"})
    for wrong in (
        {},
        {"horizon_days": 3},
        {"horizon_days": None},
        {"calendar": "martian"},
        {"calendar": None},
        {"bands": {"money": [5, 5]}},
        {"bands": {"x": [1]}},
    ):
        assert hq.patch("/value/rules", wrong).status_code == 422, wrong
    assert hq.get("/value/rules").json() == changed
