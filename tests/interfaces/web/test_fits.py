"""The model cards of what warns and what proposes: a night, its pages, the API and the commands."""

import datetime as dt
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from changke.engine.prediction.days import Days
from changke.foundation.access.models import Staff
from changke.foundation.audit.rules import system
from changke.interfaces.numbers import number
from changke.profiles.affinity.models import AffinityFit
from changke.profiles.affinity.services.propose import propose_to_everybody
from changke.profiles.lifecycle.services import publish_models
from changke.profiles.risk.models import RiskFit
from changke.profiles.risk.rules import Wanted
from changke.profiles.risk.services.choose import use, use_none
from changke.profiles.risk.services.warn import warn
from changke.profiles.value.services.learn import learn
from tests.cast import NOW, TODAY, Cast
from tests.profiles.risk.past import past

pytestmark = pytest.mark.django_db
BY = system("test")


def signed_in(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def night(cast: Cast) -> Cast:
    """A rule warns, and the night learns of 120 customers of another two years."""
    publish_models(cast.chain, now=NOW)
    use(Wanted("outlook", 3_500, horizon_days=60), by=BY, now=NOW)
    warn(past(120), today=TODAY, lost_after_days=180, now=NOW)
    propose_to_everybody(today=TODAY, now=NOW)
    return cast


@pytest.mark.parametrize("name", ["risk-model", "together-model"])
def test_before_a_night_the_card_says_why_it_is_empty(cast: Cast, name: str) -> None:
    page = signed_in(cast.hq).get(reverse(name), headers={"accept-language": "en"})
    assert page.context["fit"] is None
    assert ("Nobody chose a rule that warns" in page.content.decode()) == (name == "risk-model")


def test_the_card_of_the_warnings_is_what_the_night_warned_by(night: Cast) -> None:
    fit = RiskFit.objects.get()
    assert (fit.line, fit.observation_end, fit.horizon_days, fit.fallback) == (None, TODAY, 60, "edge")
    days = past(120)
    assert (fit.customers, fit.purchase_days) == (120, len(set(zip(*days.values(), strict=True))))
    assert set(fit.parameters) == {"BG/NBD", "MBG/NBD", "Pareto/NBD"}
    assert set(fit.parameters["MBG/NBD"]) == {"r", "alpha", "a", "b"}
    card = fit.holdout
    assert card is not None
    assert card["cut"] == (TODAY - dt.timedelta(days=60)).isoformat()
    after = days["date"] > np.datetime64(card["cut"])
    known = set(days["customer_id"][~after])
    came = known & set(days["customer_id"][after])
    assert card["customers"] == len(known)
    assert card["active_came"] == pytest.approx(len(came) / len(known), abs=1e-6), "counted by hand, not by the model"
    page = signed_in(night.hq).get(reverse("risk-model"), headers={"accept-language": "en"})
    text = page.content.decode()
    assert "The best values lie at the edge" in text, "those customers leave by the same chance, all of them"
    assert "Did those come who were said to come?" in text
    assert next(one["values"] for one in page.context["card"]["chart"]["series"])[-1] <= 100
    assert ("It ranks customers better" in text) == (card["auc"] > card["naive_auc"])


def test_a_shop_of_few_has_a_card_that_says_what_held_it(night: Cast) -> None:
    few = {name: column[:3] for name, column in past(3).items()}
    warn(few, today=TODAY, lost_after_days=180, now=NOW)
    fit = RiskFit.objects.get()
    assert fit.fallback in {"few", "nobody_came_back"}
    RiskFit.objects.update(holdout=None)
    text = signed_in(night.hq).get(reverse("risk-model"), headers={"accept-language": "en"}).content.decode()
    assert "No report card yet" in text
    assert "came back" in text
    proposals = AffinityFit.objects.get()
    assert (proposals.baskets, proposals.fallback, proposals.holdout) == (0, "few_baskets", None)
    text = signed_in(night.hq).get(reverse("together-model"), headers={"accept-language": "en"}).content.decode()
    assert "Fewer than 200 next purchases were seen" in text
    assert "No report card yet" in text


def test_the_past_is_asked_once_a_week_and_a_night_has_one_card(night: Cast) -> None:
    for later in (0, 1, 6, 7):
        day = TODAY + dt.timedelta(days=later)
        warn(past(120), today=day, lost_after_days=180, now=NOW + dt.timedelta(days=later))
    found = list(RiskFit.objects.order_by("observation_end").values_list("observation_end", "examined_on"))
    assert [(day - TODAY).days for day, _ in found] == [0, 1, 6, 7]
    assert [(day - TODAY).days for _, day in found if day] == [0, 0, 0, 7]
    client = signed_in(night.hq)
    first, last = RiskFit.objects.order_by("observation_end")[0], RiskFit.objects.latest("observation_end")
    assert client.get(reverse("risk-model")).context["fit"] == last
    assert client.get(reverse("risk-model"), {"fit": first.pk}).context["fit"] == first
    assert client.get(reverse("risk-model"), {"fit": "x"}).context["fit"] == last


def test_without_a_rule_nothing_is_learned_any_more_and_the_card_says_so(night: Cast) -> None:
    use_none(by=BY, now=NOW)
    warn(past(120), today=TODAY + dt.timedelta(days=1), lost_after_days=180, now=NOW)
    assert RiskFit.objects.count() == 1
    text = signed_in(night.hq).get(reverse("risk-model"), headers={"accept-language": "en"}).content.decode()
    assert "No rule warns any more" in text


@pytest.mark.parametrize("line", ["7", "x", "99999999999999999999", "-1"])
def test_a_line_that_has_no_card_is_not_there(night: Cast, line: str) -> None:
    assert signed_in(night.hq).get(reverse("risk-model"), {"line": line}).status_code == 404


def test_weights_with_other_parts_are_told_without_them(night: Cast) -> None:
    AffinityFit.objects.update(parameters={"parts": ["had"], "values": [1.0]})
    assert signed_in(night.hq).get(reverse("together-model")).context["parts"] == []
    assert number("proposed_chance").formula == []


def test_the_chances_say_their_formulas(night: Cast) -> None:
    chance = number("proposed_chance").formula
    assert chance[0].startswith("chance = 1 / (1 + exp(−z));  z = -2.755 + 0.5338 · had")
    assert number("risk_model").formula == [], "nothing is expected of anybody yet"
    days = Days.of(past(120), observation_end=TODAY)
    fit = learn(days, horizon_days=90, now=NOW)
    told = " ".join(number("risk_model").formula)
    for model in fit.parameters["models"]:
        assert all(f"{name} = {value:.6g}" in told for name, value in model["parameters"].items())
    assert "h = 60 ·" in told


@pytest.mark.parametrize(("command", "says"), [("risk", "60 days ahead"), ("together", "could not learn freely: few")])
def test_the_commands_say_what_the_pages_say(night: Cast, command: str, says: str) -> None:
    out: Any = StringIO()
    call_command(command, "model", stdout=out, stderr=out)
    assert says in out.getvalue()
