"""`changke referrals`: looked at, said and taken off, as text and as data."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from changke.facts.customers.models import Customer
from changke.facts.referrals.models import Referral
from changke.profiles.lifecycle.services import refresh_customers
from tests.cast import NOW, Cast

pytestmark = pytest.mark.django_db


def told(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command("referrals", *arguments, "--json", stdout=out, stderr=StringIO())
    found: dict[str, Any] = json.loads(out.getvalue().splitlines()[-1])
    return found


def of_segments(*words: str) -> dict[str, Any]:
    out = StringIO()
    call_command("segments", *words, "--json", stdout=out, stderr=StringIO())
    found: dict[str, Any] = json.loads(out.getvalue().splitlines()[-1])
    return found


def test_segments_ask_for_it_and_exports_carry_it(cast: Cast, tmp_path: Path) -> None:
    for brought in (cast.qiu, cast.bai):
        told(str(brought.pk), "--by", str(cast.vera.pk))
    told(str(cast.mo.pk), "--by", str(cast.bai.pk))
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)
    assert of_segments("--count", "referred_customers >= 2")["customers"] == 1
    assert of_segments("--count", "referral_value > 0")["customers"] == 2
    assert of_segments("--count", "referral_value_365d > 0 and purchases = 0")["customers"] == 1
    assert of_segments("--count", "was_brought = true")["customers"] == 3
    assert of_segments("--count", "was_brought = false and referred_customers > 0")["customers"] == 1
    target = tmp_path / "customers.parquet"
    call_command("export", "customers", "--to", str(target), stdout=StringIO(), stderr=StringIO())
    wanted = "SELECT referred_customers, referral_value, referral_value_365d FROM"
    [row] = duckdb.sql(f"{wanted} '{target}' WHERE name = '薇拉'").fetchall()
    assert [float(one) for one in row] == [2, 57_600, 57_600]


def test_said_by_phone_or_number_and_told(cast: Cast) -> None:
    assert told() == {"referrers": []}
    said = told("13800000002", "--by", str(cast.vera.pk), "--on", "2026-01-05")
    assert (said["customer_id"], said["referrer_id"], said["brought_on"]) == (cast.qiu.pk, cast.vera.pk, "2026-01-05")
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)
    hers = told(str(cast.vera.pk))
    assert hers["brought"] == [{"customer_id": cast.qiu.pk, "on": "2026-01-05", "spent_minor": 57_600}]
    assert hers["referral_value_minor"] == 57_600
    [top] = told("--most", "5")["referrers"]
    assert (top["customer_id"], top["referred_customers"]) == (cast.vera.pk, 1)
    assert told(str(cast.qiu.pk), "--off")["referrer_id"] is None
    assert Referral.objects.count() == 2


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--off"], "say whom it is about"),
        (["99999999"], "there is no customer"),
        (["13800000002", "--by", "nobody"], "there is no customer nobody"),
        (["13800000002", "--by", "13800000002"], "Nobody brought herself"),
        (["13800000002", "--off"], "Nobody is named"),
        (["13800000002", "--by", "13800000003", "--on", "2100-01-01"], "future"),
    ],
)
def test_what_cannot_be_is_refused_in_words(cast: Cast, arguments: list[str], problem: str) -> None:
    with pytest.raises(CommandError, match=problem):
        told(*arguments)
    assert not Referral.objects.exists()
