"""`changke value`: what was learned, learned anew, as text and as data."""

import json
from io import StringIO

import pytest
from django.core.management import call_command

from changke.facts.customers.models import Customer
from changke.foundation.organisation.models import Chain
from changke.profiles.lifecycle.services import refresh_customers
from changke.profiles.value.models import Prediction, ValueFit
from changke.profiles.value.services.lines import count_lines
from tests.cast import NOW, Cast
from tests.interfaces.api.test_value import buy_a_line
from tests.profiles.value.night import expect

pytestmark = pytest.mark.django_db(transaction=True)


def told(*arguments: str) -> dict[str, object]:
    out = StringIO()
    call_command("value", *arguments, "--json", stdout=out, stderr=StringIO())
    found: dict[str, object] = json.loads(out.getvalue().splitlines()[-1])
    return found


def test_learned_at_once_and_told(cast: Cast, settings: object, tmp_path: object) -> None:
    settings.DATA_DIR = tmp_path  # type: ignore[attr-defined]
    assert told() == {"fits": []}
    done = told("fit")
    assert done["customers"] == Prediction.objects.count() == 5
    assert set(done["seconds"]) >= {"purchase days", "fit", "predict", "write"}  # type: ignore[call-overload]
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)
    rows = told("customers", "--order", "outlook", "--most", "3")["customers"]
    chances = [one["p_active_bp"] for one in rows]  # type: ignore[attr-defined]
    assert chances == sorted(Prediction.objects.values_list("p_active_bp", flat=True), reverse=True)[:3]
    assert len(told("history")["fits"]) == ValueFit.objects.count() == 1  # type: ignore[arg-type]
    told("fit")
    assert len(told("history")["fits"]) == 2  # type: ignore[arg-type]
    assert len(told("show")["fits"]) == 1  # type: ignore[arg-type]


def test_lives_of_product_lines_are_told(cast: Cast, settings: object, tmp_path: object) -> None:
    settings.DATA_DIR = tmp_path  # type: ignore[attr-defined]
    assert told("lines") == {"as_of": None, "lines": []}
    buy_a_line(cast, NOW)
    count_lines(today=NOW.date())
    [line] = [one for one in told("lines")["lines"] if one["category"] == "脱毛"]  # type: ignore[attr-defined]
    assert (line["category"], line["customers"], line["ages"], line["bands"][0]["bought"]) == ("脱毛", 2, [36, 36], 1)


@pytest.mark.parametrize(("currency", "money"), [("CNY", "1,235"), ("JPY", "123,456")])
def test_money_is_told_in_the_whole_units_of_its_currency(
    cast: Cast, settings: object, tmp_path: object, currency: str, money: str
) -> None:
    settings.DATA_DIR = tmp_path  # type: ignore[attr-defined]
    Chain.objects.update(currency=currency)
    refresh_customers([cast.vera.pk], now=NOW)
    expect(cast.vera, 123_456)
    out = StringIO()
    call_command("value", "customers", "--most", "1", stdout=out)
    assert f" {money} worth  薇拉" in out.getvalue()
