"""The value pages: the grid and its people, the model card, the chain's numbers, the box on a customer's page."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from changke.facts.customers.models import Customer
from changke.foundation.access.models import Grant, Staff
from changke.foundation.audit.models import AuditLine
from changke.profiles.lifecycle.services import refresh_customers
from changke.profiles.value.grid import grid
from changke.profiles.value.models import Prediction, ValueFit, ValueRules
from changke.profiles.value.services.lines import count_lines
from changke.profiles.value.services.settings import change_value_rules
from tests.cast import NOW, Cast
from tests.interfaces.api.test_value import buy_a_line
from tests.profiles.value.night import a_night, a_night_over_the_cast, told_apart

pytestmark = pytest.mark.django_db

HOLDOUT = {
    "cut": "2026-01-03", "horizon_days": 60, "customers": 900, "active_said": 0.31, "active_came": 0.3, "auc": 0.8,
    "naive_auc": 0.7, "brier": 0.16, "band_gap": 0.02, "rmse": 1.2, "naive_rmse": 1.5, "purchases_said": 420.0,
    "purchases_came": 400.0, "inside": 0.83, "spend_said": 9000.0, "spend_came": 10_000.0,
    "bands": [{"customers": 90, "said": place / 10, "came": place / 11} for place in range(10)],
    "thirds": [
        {"customers": 300, "said": said, "days_inside": days, "money_inside": 0.8, "none": none, "width": 1.0,
         "score": 2.0, "naive_score": 3.0}
        for said, days, none in ((0.9, 0.91, 1.0), (0.82, 0.8, 0.4), (0.8, 0.78, 0.0))
    ],
}  # fmt: skip
NUMBERS = {
    "horizon_days": "60", "margin_percent": "", "discount_percent": "10", "worth_years": "3", "calendar": "chinese",
    "target_age_from": "", "target_age_until": "",
    "recency_days": "", "frequency": "", "money": "",
}  # fmt: skip


@pytest.fixture
def night(cast: Cast) -> ValueFit:
    return a_night_over_the_cast()


def signed_in(person: Staff) -> Client:
    client = Client()
    client.force_login(person)  # type: ignore[arg-type]
    return client


def everybody_in_cells(client: Client) -> set[str]:
    """Names behind every cell that the grid shows as not empty."""
    page = client.get(reverse("value"))
    hrefs = [one["href"] for row in page.context["rows"] for one in row["cells"] if one["href"]]
    return {row["customer"].name for href in hrefs for row in client.get(href).context["rows"]}


def test_every_cell_leads_to_its_people_and_to_nobody_elses(night: ValueFit, cast: Cast) -> None:
    buyers = {one.name for one in (cast.ying, cast.qiu, cast.vera, cast.mo, cast.lan)}
    assert everybody_in_cells(signed_in(cast.hq)) == buyers
    assert everybody_in_cells(signed_in(cast.manager)) == buyers - {cast.lan.name}, "her home is the other store"
    assert signed_in(cast.manager).get(reverse("value")).context["total"].customers == 4


def test_cells_and_groups_add_up(night: ValueFit, cast: Cast) -> None:
    page = signed_in(cast.hq).get(reverse("value"), {"show": "value"})
    worth = sum(Prediction.objects.values_list("value_year_minor", flat=True))
    assert page.context["total"].value_minor == worth
    assert sum(one["cell"].value_minor for one in page.context["groups"]) == worth
    by_money = [grid(money=money).total.customers for money in range(1, 6)]
    assert sum(by_money) == 5


def test_bands_of_ones_own_divide_the_grid(night: ValueFit, cast: Cast) -> None:
    """Silent days: Ying 1, Vera 12, Qiu 22, Mo 61, Lan 200. A bound belongs to the longer silence."""
    change_value_rules({"bands": {"recency_days": [12, 61], "frequency": [2, 6]}}, now=NOW)
    found = grid()
    assert (found.recency, found.frequency, found.money) == (3, 3, 5)
    assert {place: cell.customers for place, cell in found.cells.items()} == {
        (3, 1): 1,  # Ying
        (2, 3): 1,  # Vera
        (2, 2): 1,  # Qiu
        (1, 3): 1,  # Mo
        (1, 1): 1,  # Lan
    }
    client = signed_in(cast.hq)
    text = client.get(reverse("value")).content.decode()
    assert "12" in text
    assert "61" in text
    (row,) = client.get(reverse("value-people"), {"r": "2", "f": "3"}).context["rows"]
    assert row["customer"].pk == cast.vera.pk


@pytest.mark.parametrize("query", ["", "r=1", "r=x&f=1", "r=0&f=1", "f=3", "r=1&f=99999999999999999999"])
def test_a_cell_that_is_none_is_not_there(night: ValueFit, cast: Cast, query: str) -> None:
    assert signed_in(cast.hq).get(f"{reverse('value-people')}?{query}").status_code == 404


@pytest.mark.parametrize("after", ["x", "1~", "9" * 30 + "~1", "~", "1~2~3"])
def test_a_position_that_is_none_begins_at_the_top(night: ValueFit, cast: Cast, after: str) -> None:
    answer = signed_in(cast.hq).get(reverse("value-people"), {"r": "1", "f": "1", "after": after})
    assert answer.status_code == 200


def test_before_the_first_night_the_pages_say_so(cast: Cast) -> None:
    refresh_customers([one.pk for one in (cast.vera, cast.mo)], now=NOW)
    client = signed_in(cast.hq)
    assert client.get(reverse("value")).status_code == 200
    assert client.get(reverse("value-model")).status_code == 200
    box = client.get(reverse("customer-value", args=[cast.vera.pk]))
    assert "customer-profit" in (said := box.content.decode()), "what was earned stands in the receipts"
    assert said.count("<section") == 1, "and nothing is expected yet"
    assert everybody_in_cells(client) == {cast.vera.name, cast.mo.name}


def test_ages_and_the_years_left(night: ValueFit, cast: Cast) -> None:
    Customer.objects.filter(pk=cast.vera.pk).update(birth_year=1996)
    Customer.objects.filter(pk=cast.mo.pk).update(birth_year=1986)
    change_value_rules({"target_age_from": 25, "target_age_until": 38}, now=NOW)
    young, old = signed_in(cast.hq).get(reverse("value")).context["ages"]
    assert (young.first, young.last, young.customers, young.years) == (30, 34, 1, 8)  # 30 years old in 2026
    assert young.life_minor > young.value_minor * 5
    assert (old.first, old.years, old.life_minor) == (40, 0, 0)


def test_the_card_says_what_held_it_and_that_nobody_knows_how_good_it_is(night: ValueFit, cast: Cast) -> None:
    page = signed_in(cast.hq).get(reverse("value-model"))
    assert page.context["card"] is None
    assert any(one["why"] for one in page.context["models"])
    assert all(one["says"] for one in page.context["models"])


def test_the_card_draws_what_was_said_and_what_came(night: ValueFit, cast: Cast) -> None:
    ValueFit.objects.update(holdout=HOLDOUT)
    page = signed_in(cast.hq).get(reverse("value-model"))
    card = page.context["card"]
    came, said = card["chart"]["series"]
    assert (came["values"][9], said["values"][9]) == (81.8, 90.0)
    assert card["of_days"] == "+5.0%"
    assert card["of_money"] == "-10.0%"
    assert "80.0%" in page.content.decode()


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("stores: alike (logarithm of the evidence -4.0)", "情况相近"),
        ("stores: differ, but the chain's model met the newest past as well (...)", "门店之间有差异"),
        ("stores: fewer than two with customers enough", "数据还太少"),
        ("", ""),  # a fit of before
    ],
)
def test_the_card_says_why_stores_have_no_models_of_their_own(
    night: ValueFit, cast: Cast, why: str, words: str
) -> None:
    ValueFit.objects.update(parameters={**night.parameters, "why_stores": why})
    context = signed_in(cast.hq).get(reverse("value-model")).context
    assert (context["own_stores"], context["stores"]) == (0, [])
    assert words in str(context["why_alike"])
    assert bool(context["why_alike"]) is bool(words)


def test_the_card_says_what_stores_expect_of_newcomers(night: ValueFit, cast: Cast) -> None:
    told_apart(night)
    page = signed_in(cast.hq).get(reverse("value-model"))
    (one,) = page.context["stores"]
    assert (page.context["own_stores"], page.context["worth"], one["customers"], one["own"]) == (1, 100, 50, "33%")
    assert float(one["days"]) > float(page.context["chain"]["days"]), "they were told apart by coming sooner"
    assert "来自本店的比重" in page.content.decode()


def test_an_earlier_fit_can_be_looked_at(night: ValueFit, cast: Cast) -> None:
    later = a_night(NOW)
    client = signed_in(cast.hq)
    assert client.get(reverse("value-model")).context["fit"].pk == later.pk
    assert client.get(reverse("value-model"), {"fit": night.pk}).context["fit"].pk == night.pk
    assert client.get(reverse("value-model"), {"fit": "x"}).context["fit"].pk == later.pk


def test_her_box_says_chance_money_and_value(night: ValueFit, cast: Cast) -> None:
    text = signed_in(cast.clerk).get(reverse("customer-value", args=[cast.vera.pk])).content.decode()
    assert re.search(r"\d+%", text)
    assert "¥" in text
    assert (
        reverse("customer-value", args=[cast.vera.pk])
        in signed_in(cast.clerk).get(reverse("customer", args=[cast.vera.pk])).content.decode()
    )


def test_the_numbers_are_saved_with_a_line_and_everybody_is_computed_anew(night: ValueFit, cast: Cast) -> None:
    sent = NUMBERS | {"margin_percent": "55", "calendar": "none", "recency_days": "30、90", "money": "100, 500.5"}
    answer = signed_in(cast.hq).post(reverse("value-numbers"), sent)
    assert answer.status_code == 303
    rules = ValueRules.objects.get()
    assert (rules.horizon_days, rules.margin_percent, rules.calendar) == (60, 55, "none")
    assert rules.bands == {"recency_days": [30, 90], "money": [10_000, 50_050]}
    assert AuditLine.objects.filter(action="value_rules.changed").count() == 1
    page = signed_in(cast.hq).get(reverse("value-numbers"))
    assert page.context["form"]["money"].value() == "100, 500.5"


@pytest.mark.parametrize(
    "wrong",
    [
        {"horizon_days": "3"},
        {"horizon_days": ""},
        {"margin_percent": "101"},
        {"calendar": "martian"},
        {"recency_days": "90, 30"},
        {"recency_days": "soon"},
        {"money": "1.234"},
        {"frequency": "0"},
        {"frequency": "1,2,3,4,5,6,7,8,9"},
        {"target_age_from": "25"},
        {"target_age_from": "40", "target_age_until": "30"},
    ],
)
def test_what_is_no_number_of_a_chain_is_refused_beside_its_field(
    night: ValueFit, cast: Cast, wrong: dict[str, str]
) -> None:
    answer = signed_in(cast.hq).post(reverse("value-numbers"), NUMBERS | wrong)
    assert answer.status_code == 422
    errors = answer.context["form"].errors
    assert set(errors) <= set(wrong) | {"target_age_until"}, "beside the field that was typed in"
    assert errors
    assert all(name not in words for name, some in errors.items() for words in some), "by no name of the code"
    assert not ValueRules.objects.exists()


def test_only_who_edits_settings_changes_the_numbers(night: ValueFit, cast: Cast) -> None:
    assert signed_in(cast.manager).get(reverse("value-numbers")).status_code == 403
    assert signed_in(cast.manager).post(reverse("value-numbers"), NUMBERS).status_code == 403


KEPT, WIDE, NARROW, SURE = "keep what they promise", "wider than", "too narrow", "hardly ever come"
MONEY = "Of the money too few lie inside"


@pytest.mark.parametrize(
    ("inside", "money", "none", "says"),
    [
        ((0.84, 0.76, 0.8), 0.8, 0.0, {KEPT}),
        ((0.95, 0.8, 0.8), 0.8, 1.0, {KEPT, SURE}),
        ((0.95, 0.8, 0.8), 0.8, 0.2, {WIDE}),
        ((0.9, 0.7, 0.8), 0.8, 1.0, {NARROW, SURE}),
        ((0.7, 0.9, 0.8), 0.8, 0.0, {NARROW, WIDE}),
        ((0.84, 0.76, 0.8), 0.55, 0.0, {MONEY}),
    ],
)
def test_the_card_says_what_the_intervals_held(
    night: ValueFit, cast: Cast, inside: tuple[float, ...], money: float, none: float, says: set[str]
) -> None:
    names = ("customers", "said", "money_inside", "width", "score", "naive_score")
    thirds = [dict.fromkeys(names, 0.8) | {"days_inside": one, "none": 0.0} for one in inside]
    thirds[0]["none"] = none
    thirds[2]["money_inside"] = money
    ValueFit.objects.update(holdout={**HOLDOUT, "thirds": thirds})
    page = signed_in(cast.hq).get(reverse("value-model"), headers={"accept-language": "en"})
    card = page.context["card"]["intervals"]
    with override("en"):
        told = " ".join(map(str, card["meaning"]))
    assert {one for one in (KEPT, WIDE, NARROW, SURE, MONEY) if one in told} == says
    assert [float(row["days"].rstrip("%")) / 100 for row in card["rows"]] == pytest.approx(inside)
    assert "value-intervals" in page.content.decode()


def test_a_card_of_an_older_fit_has_no_thirds_and_says_nothing_of_them(night: ValueFit, cast: Cast) -> None:
    ValueFit.objects.update(holdout={name: value for name, value in HOLDOUT.items() if name != "thirds"})
    page = signed_in(cast.hq).get(reverse("value-model"))
    assert page.context["card"]["intervals"] is None
    assert "value-intervals" not in page.content.decode()


def test_product_lines_say_their_ages_and_how_long_one_stays(cast: Cast) -> None:
    buy_a_line(cast, NOW)
    count_lines(today=NOW.date())
    page = english(signed_in(cast.hq), "value-lines")
    for said in ("脱毛", "36–36", "product life 0 years", "of 2 who ever did", "nobody bought it the year before"):
        assert said in page, said
    assert "of 1 who ever did" in english(signed_in(cast.manager), "value-lines")


def test_an_adviser_is_told_that_few_are_left_out(cast: Cast) -> None:
    buy_a_line(cast, NOW)
    count_lines(today=NOW.date())
    assert "left out" not in english(signed_in(cast.manager), "value-lines")
    Grant.objects.filter(staff=cast.manager).update(sees="assigned")
    page = english(signed_in(cast.manager), "value-lines")
    assert "lines and ages with fewer than 5 customers are left out" in page
    assert "No product line has enough customers to be told of" in page
    assert "脱毛" not in page


def test_before_the_first_night_no_line_was_counted(cast: Cast) -> None:
    assert "No product line was counted yet" in english(signed_in(cast.hq), "value-lines")


def english(client: Client, page: str) -> str:
    return client.get(reverse(page), headers={"accept-language": "en"}).content.decode()
