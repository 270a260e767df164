"""Two web shops of one kind number their orders alike: a file says whose it is, or is not taken."""

from pathlib import Path

import pytest

from changke.facts.purchases.models import Receipt
from changke.foundation.audit.rules import HOUSE
from changke.interfaces.importers.problems import UnreadableFile
from changke.interfaces.shops import shops_of, source_named
from changke.interfaces.webhooks.models import WebhookAddress
from changke.interfaces.webhooks.services.addresses import change_address, make_address
from tests.interfaces.importers.conftest import NOW, Load

EXPORT = [Path(__file__).parent / "samples" / "shopify" / "orders_export.csv"]

pytestmark = pytest.mark.django_db


def connect(*names: str) -> list[WebhookAddress]:
    return [
        make_address(source="shopify", name=name, secret="s" * 32, created_by=None, by=HOUSE, now=NOW)[0]
        for name in names
    ]


def sources() -> list[str]:
    rows = Receipt.objects.filter(withdrawn_by=None, number="#1001").order_by("pk")
    return list(rows.values_list("source", flat=True))


def test_orders_of_two_shops_with_one_number_are_two_orders(load: Load) -> None:
    load(EXPORT, "", create=True)
    outcome = load(EXPORT, "", create=True, source="shopify-seaside")
    assert outcome.created == 5
    assert sources() == ["shopify", "shopify-seaside"]
    again = load(EXPORT, "", create=True, source="shopify-seaside")
    assert (again.created, again.skipped) == (0, 5)


def test_of_several_shops_a_file_has_to_say_which(load: Load) -> None:
    connect("城里店", "海边店")
    with pytest.raises(UnreadableFile) as refused:
        load(EXPORT, "", create=True)
    assert "城里店, 海边店" in refused.value.words("en")
    assert not Receipt.objects.filter(number="#1001").exists()


def test_a_shop_is_meant_by_its_name_and_its_file_meets_what_it_told_itself(load: Load) -> None:
    town, seaside = connect("城里店", "海边店")
    assert [source_named(one) for one in ("城里店", "海边店", "an old till", "")] == [
        "shopify", f"shopify-{seaside.pk}", "an old till", "",
    ]  # fmt: skip
    assert shops_of({"shopify"}) == [(town.receipt_source, "城里店"), (seaside.receipt_source, "海边店")]
    load(EXPORT, "", create=True, source=source_named("海边店"))
    assert sources() == [seaside.receipt_source]


def test_with_one_shop_nothing_is_asked(load: Load) -> None:
    _, closed = connect("城里店", "海边店")
    change_address(closed, is_active=False, by=HOUSE, now=NOW)
    assert load(EXPORT, "", create=True).created == 5
    assert sources() == ["shopify"]
