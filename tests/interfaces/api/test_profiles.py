"""What the house understands, told to machines."""

import datetime as dt

import pytest

from changke.profiles.affinity.models import Proposal
from changke.profiles.attributes.catalogue import REGISTRY
from changke.profiles.lifecycle.services import publish_models, refresh_customers
from tests.cast import NOW as THEN
from tests.cast import TODAY, Cast
from tests.interfaces.api.conftest import NOW, Caller, sale
from tests.kept import keeping

pytestmark = pytest.mark.django_db


@pytest.fixture
def known(cast: Cast) -> Cast:
    """Vera's profile is computed as of 4 March 2026."""
    with_her_profile(cast)
    return cast


@keeping
def with_her_profile(cast: Cast) -> None:
    publish_models(cast.chain, now=THEN)
    refresh_customers([cast.vera.pk], now=THEN)


def test_a_profile_tells_every_attribute_with_type_and_meaning(known: Cast, hq: Caller) -> None:
    profile = hq.get(f"/profiles/{known.vera.pk}").json()
    assert set(profile["attributes"]) == set(REGISTRY.attributes)
    assert profile["attributes"]["purchases"]["value"] == 12
    assert profile["attributes"]["silent_days"]["value"] == 12
    assert all(one["words"] and one["type"] for one in profile["attributes"].values())
    assert (profile["as_of"], profile["stage"], profile["currency"]) == ("2026-03-04", "mature", "CNY")


def test_her_stage_on_a_past_day_is_told_with_its_reason_in_the_callers_language(known: Cast, hq: Caller) -> None:
    path = f"/profiles/{known.vera.pk}/stages?as_of=2026-03-04"
    told = {
        language: hq.send("GET", path, "", **{"Accept-Language": language}).json()
        for language in ("en", "zh-hans", "zh-hant")
    }
    assert {one["stage"] for one in told.values()} == {"mature"}
    assert len({one["reason"] for one in told.values()}) == 3
    assert told["en"]["rules"][-1]["fits"]
    assert told["en"]["history"][-1]["last"] == "2026-03-04"
    later = hq.get(f"/profiles/{known.vera.pk}/stages", as_of="2026-05-04").json()
    assert later["stage"] == "silent"


@pytest.mark.parametrize(
    ("query", "status", "place"),
    [
        ({"as_of": "2999-01-01"}, 422, "as_of"),
        ({"as_of": "soon"}, 422, "as_of"),
        ({"model": "m99"}, 422, "model"),
        ({"as_of": "1999-01-01"}, 404, None),
    ],
)
def test_a_day_or_model_that_is_not_there_is_refused(
    known: Cast, hq: Caller, query: dict[str, str], status: int, place: str | None
) -> None:
    answer = hq.get(f"/profiles/{known.vera.pk}/stages", **query)
    assert (answer.status_code, answer.json().get("field")) == (status, place)


def test_somebody_whose_profile_is_not_computed_yet_is_not_found(known: Cast, hq: Caller) -> None:
    assert hq.get(f"/profiles/{known.mo.pk}").json()["code"] == "not_found"


def test_models_tell_their_stages_in_words(known: Cast, hq: Caller) -> None:
    models = hq.get("/stages").json()
    assert {one["model"] for one in models} == {"m1", "m2", "m4"}
    assert (models[0]["model"], models[0]["is_default"]) == ("m4", True)
    assert all(stage["words"] for one in models for stage in one["stages"])


def test_a_first_order_stands_on_the_list_of_the_day_until_it_is_looked_after(known: Cast, manager: Caller) -> None:
    fresh = sale(customer={"phone": "13811112222"}, happened_at=(NOW - dt.timedelta(hours=2)).isoformat())
    manager.post("/purchases", {"purchases": [fresh]})
    customer = manager.get("/customers", phone="13811112222").json()["items"][0]["id"]
    refresh_customers([customer], now=NOW)
    line = manager.get("/today", store="JA").json()["lines"][0]
    assert (line["customer_id"], line["reason"], line["phone_masked"]) == (customer, "first_order", "138****2222")
    assert line["numbers"]["spent_minor"] == 28_800
    manager.post("/followups", {"id": "1", "customer_id": customer, "reason": "first_order", "outcome": "done"})
    today = manager.get("/today").json()
    assert (today["done"], today["lines"][0]["outcome"]) == (1, "done")


def test_proposals_are_told_with_their_reason_in_the_callers_language(known: Cast, hq: Caller) -> None:
    Proposal.objects.create(
        customer=known.vera,
        as_of=TODAY,
        items=[
            {
                "item": known.facial.pk,
                "chance_bp": 8_250,
                "reason": "due",
                "times": 12,
                "last_on": "2026-02-20",
                "cycle_days": 30,
                "alike": 3,
                "similar": 4,
                "goes_with": None,
                "recent_customers": 3,
            }
        ],
    )
    path = f"/profiles/{known.vera.pk}/proposals"
    told = {
        language: hq.send("GET", path, "", **{"Accept-Language": language}).json()
        for language in ("en", "zh-hans", "zh-hant")
    }
    assert [one["item_code"] for one in told["en"]] == ["F1"]
    assert told["en"][0]["why"] == "Usually wanted again after 30 days; she last had it on 2026-02-20"
    assert told["zh-hans"][0]["why"] == "一般 30 天后会再需要，上次是 2026-02-20"
    assert len({one[0]["why"] for one in told.values()}) == 3
    assert hq.get(f"/profiles/{known.bai.pk}/proposals").json() == []
    assert hq.get("/profiles/999999/proposals").status_code == 404
