"""The real data sets, through the presets that ship. Skipped where the folder is not there (see CHANGKE_DATA)."""

import os
from pathlib import Path

import pytest
from django.db.models import Sum

from changke.facts.customers.models import Customer
from changke.facts.purchases.models import Line, Receipt
from tests.interfaces.importers.conftest import Load, counts

DATA = Path(os.environ.get("CHANGKE_DATA") or Path(__file__).resolve().parents[3].parent / "shared" / "data")

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DATA.is_dir(), reason="the folder of real data sets is absent; set CHANGKE_DATA"),
]


def test_cdnow_keeps_its_equal_rows(load: Load) -> None:
    file = DATA / "cdnow" / "cdnow_master.parquet"
    options = {"preset": "cdnow", "create": True, "accept_currency": True, "store": ""}
    assert counts(load([file], **options)) == (69_659, 0, 0, 0)
    assert Customer.objects.count() == 23_570
    assert Receipt.objects.aggregate(Sum("cash_minor"))["cash_minor__sum"] == 250_031_563
    assert counts(load([file], **options)) == (0, 0, 69_659, 0)


def test_the_complete_journey_has_its_baskets(load: Load) -> None:
    file = DATA / "complete_journey" / "transactions_sample.parquet"
    outcome = load([file], preset="complete_journey", create=True, accept_currency=True, store="")
    assert counts(outcome) == (75_000, 0, 0, 0)
    assert (Receipt.objects.count(), Customer.objects.count()) == (47_243, 2_377)


@pytest.mark.skipif(not os.environ.get("CHANGKE_SLOW"), reason="takes minutes; set CHANGKE_SLOW=1")
def test_online_retail_loads_every_line(load: Load) -> None:
    """Five lines "adjust bad debt" carry a negative unit price: they are no sale and are named."""
    file = DATA / "online_retail_2" / "online_retail_2.parquet"
    outcome = load([file], preset="online_retail_2", create=True, accept_currency=True, store="")
    assert counts(outcome) == (1_044_842, 0, 0, 5)
    assert Line.objects.count() == 1_044_842
    assert Line.objects.filter(receipt__customer=None).count() == 235_287 - 5
    assert Customer.objects.count() == 5_942
