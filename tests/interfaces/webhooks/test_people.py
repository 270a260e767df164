"""Whom deliveries are about, where a web shop has two numbers and one phone."""

import datetime as dt
import itertools
from typing import Any

import pytest

from changke.facts.customers.models import Customer, Identifier
from changke.facts.customers.queries import with_phone
from changke.facts.customers.services.meet import Reference, add_identifiers, find, reference
from changke.facts.customers.services.merge import merge
from changke.facts.duplicates.models import Duplicate
from changke.facts.duplicates.services import find_duplicates
from changke.facts.purchases.models import Receipt
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.interfaces.webhooks.services.people import Someone, met
from tests.cast import Cast
from tests.interfaces.api.conftest import NOW
from tests.interfaces.webhooks.conftest import work
from tests.interfaces.webhooks.senders import Shopify, sample

pytestmark = pytest.mark.django_db

PHONE = reference("phone", "13955550001")
EMAIL = reference("email", "family@example.com")


def number(text: str, source: str = "shopify") -> Reference:
    return reference("external", text, source)


def someone(*names: Reference, name: str = "") -> Someone:
    return Someone(names, name, None, "shopify", dt.date(2026, 3, 1))


def holders() -> list[tuple[int, bool]]:
    rows = Identifier.objects.filter(kind="phone", customer__source="shopify").order_by("shared", "pk")
    return list(rows.values_list("customer_id", "shared"))


@pytest.mark.parametrize("at_once", [True, False])
def test_two_numbers_with_one_phone_are_two_who_both_have_it(cast: Cast, at_once: bool) -> None:
    mother, daughter = someone(number("71"), PHONE, name="莹莹"), someone(number("72"), PHONE, name="小莹")
    if at_once:
        one, other = met([mother, daughter], now=NOW)
    else:
        (one,), (other,) = met([mother], now=NOW), met([daughter], now=NOW)
    assert one != other
    assert holders() == [(one, False), (other, True)]
    assert met([daughter, mother, someone(PHONE)], now=NOW) == [other, one, one]
    assert holders() == [(one, False), (other, True)]
    assert with_phone("13955550001") == [one, other]
    find_duplicates(now=NOW)
    assert list(Duplicate.objects.values_list("one_id", "other_id", "rule")) == [(one, other, "phone")]


def test_in_whatever_order_and_however_divided_two_numbers_are_two(cast: Cast) -> None:
    letters = [someone(number("71"), PHONE), someone(number("72"), PHONE), someone(PHONE), someone(number("72"), EMAIL)]
    for cut in (1, 2, 4):
        for order in itertools.permutations(range(4)):
            Identifier.objects.filter(customer__source="shopify").delete()
            Customer.objects.filter(source="shopify").update(source="")
            told: dict[int, int] = {}
            for place in range(0, 4, cut):
                some = order[place : place + cut]
                told |= dict(zip(some, met([letters[one] for one in some], now=NOW), strict=True))
            assert told[0] != told[1] == told[3]
            assert told[2] in (told[0], told[1])
            found = find([number("71"), number("72"), EMAIL], scope=CHAIN_WIDE)
            assert found == {number("71"): told[0], number("72"): told[1], EMAIL: told[1]}


def test_a_number_of_another_shop_is_a_further_one_of_hers(cast: Cast) -> None:
    (one,) = met([someone(number("71"), PHONE)], now=NOW)
    assert met([someone(number("9", "youzan"), PHONE)], now=NOW) == [one]
    assert met([someone(number("9", "youzan"))], now=NOW) == [one]


def test_whom_the_shop_knows_by_phone_only_gets_its_number(cast: Cast) -> None:
    assert met([someone(number("71"), reference("phone", "13800000003"))], now=NOW) == [cast.vera.pk]
    assert find([number("71")], scope=CHAIN_WIDE) == {number("71"): cast.vera.pk}


def test_the_number_of_a_record_that_is_read_as_her_counts(cast: Cast) -> None:
    add_identifiers(cast.mo, [number("71")])
    merge(cast.mo.pk, cast.vera.pk, now=NOW)
    (new,) = met([someone(number("72"), reference("phone", "13800000003"), name="小薇")], now=NOW)
    assert new not in (cast.mo.pk, cast.vera.pk)
    assert with_phone("13800000003") == [cast.vera.pk, new]


def test_orders_of_a_family_are_each_ones_own(cast: Cast, shopify: Shopify) -> None:
    def order(n: int, customer: dict[str, Any]) -> dict[str, Any]:
        about = {"phone": "13955550001", "email": "", "location_id": 905684977}
        return sample("shopify_order") | about | {"id": n, "name": f"#{n}", "customer": customer}

    for n, buyer in ((1, 71), (2, 72), (3, 71), (4, 72)):
        shopify.send(order(n, {"id": buyer, "first_name": f"客{buyer}"}))
    work()
    shopify.send(order(5, {"id": 72}))
    work()
    bought = dict(Receipt.objects.filter(source="shopify").values_list("number", "customer_id"))
    assert bought["#1"] == bought["#3"] != bought["#2"] == bought["#4"] == bought["#5"]
