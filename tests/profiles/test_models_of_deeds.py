"""Stage models that ask what was done in a window: every engine, every day and one customer alone say the same."""

import copy
import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from changke.facts.customers.models import Customer
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.queries import the_chain
from changke.profiles.lifecycle import queries
from changke.profiles.lifecycle.models import Standing
from changke.profiles.lifecycle.rules import LANGUAGES, ModelError
from changke.profiles.lifecycle.services import (
    bring_into_use,
    dry_run,
    explain,
    publish_models,
    refresh_all,
    refresh_customers,
    replay,
)
from tests.profiles.world import NOW, TODAY, Book, make_chain, make_stores

pytestmark = pytest.mark.django_db(transaction=True)
SAID = dict.fromkeys(LANGUAGES, "…")


def model(when: Any, key: str = "deeds") -> dict[str, Any]:
    """Whoever it fits is in, everybody else out."""
    return {
        "key": key, "words": SAID,
        "stages": [{"key": "in", "words": SAID}, {"key": "out", "words": SAID}],
        "ask": [{"stage": "in", "when": when, "reason": SAID}, {"stage": "out", "reason": SAID}],
    }  # fmt: skip


MANY_DEEDS = {
    "or": [
        {"measure": "count", "deed": {"kind": "purchase"}, "days": 120, "op": ">=", "value": 3},
        {"measure": "sum", "deed": {"kind": "use"}, "days": 365, "op": ">", "value": 20_000},
        {"measure": "count", "deed": {"kind": "return"}, "since": "visit", "op": ">", "value": 0},
        {"first": {"kind": "visit"}, "then": {"kind": "purchase"}, "within": 10, "days": 200},
        {"not": {"measure": "count", "deed": {"kind": "visit"}, "op": ">", "value": 1}},
        {
            "and": [
                {"measure": "count", "deed": {"kind": "event", "of": "app.opened"}, "days": 60, "op": ">=", "value": 1},
                {"consent": "marketing", "channel": "sms"},
            ]
        },
        {"measure": "count", "deed": {"kind": "purchase", "category": "面部"}, "days": 365, "op": ">", "value": 1},
        {"measure": "sum", "deed": {"kind": "use", "item": "I2"}, "op": ">=", "value": 500},
        {"and": [{"tag": "敏感肌"}, {"not": {"tag": 'O\'Brien "50%" $1 🌸'}}]},
    ]
}
"""Some of every kind, for the tests of engines."""


def bought(days: int, at_least: int = 2) -> dict[str, Any]:
    return {"measure": "count", "deed": {"kind": "purchase"}, "days": days, "op": ">=", "value": at_least}


@pytest.fixture
def store() -> Store:
    queries._read.cache_clear()  # time stands still: what another test published has the same number and moment
    make_chain()
    publish_models(the_chain(), now=NOW)
    return make_stores(1)[0]


@pytest.fixture
def two(store: Store) -> list[Customer]:
    """One bought 10 and 40 days ago, the other once, 5 days ago."""
    people = []
    for place, days in enumerate(((10, 40), (5,)), start=1):
        one = Book().customer(store, TODAY - dt.timedelta(days=400), name=f"Customer {place}")
        for ago in days:
            receipt = Book().receipt(one, store, TODAY - dt.timedelta(days=ago), cash_minor=10_000)
            receipt.save(force_insert=True)
        people.append(one)
    return people


def test_dry_run_night_follower_explanation_and_past_agree(two: list[Customer], tmp_path: Path) -> None:
    mirror, ids = tmp_path / "mirror.duckdb", [one.pk for one in two]
    refresh_all(now=NOW, mirror=mirror, months=0)
    said = dry_run(model(bought(90)))
    assert dict(said.after) == {"in": 1, "out": 1}
    assert [one.examples for one in said.moves if one.will == "in"] == [(ids[0],)]
    bring_into_use(model(bought(90)), chain=the_chain(), now=NOW)
    expected = {ids[0]: "in", ids[1]: "out"}
    refresh_all(now=NOW, mirror=mirror, months=0)
    assert dict(Standing.objects.filter(model="deeds").values_list("customer", "stage")) == expected
    Standing.objects.filter(model="deeds").delete()
    for one in ids:  # alone over PostgreSQL; then both by column
        refresh_customers([one], now=NOW)
    assert dict(Standing.objects.filter(model="deeds").values_list("customer", "stage")) == expected
    told = explain(ids[0], TODAY, now=NOW, model="deeds")
    assert told.stage == "in"
    first = TODAY - dt.timedelta(days=10)  # the day of the second purchase; before it she was out
    assert [(one.stage, one.first) for one in told.bands][-1] == ("in", first)
    late = explain(ids[0], TODAY + dt.timedelta(days=50), now=NOW, model="deeds")
    assert (late.stage, late.bands[-1].first) == ("out", TODAY + dt.timedelta(days=50)), "40 days ago plus 90"
    days = [TODAY - dt.timedelta(days=ago) for ago in (11, 10)]
    past = replay(model(bought(90), key="fresh"), now=NOW, days=days, mirror=mirror)
    assert [dict(one.after) for one in past] == [{"out": 2}, {"in": 1, "out": 1}]
    assert dry_run(model(bought(90))).moving == 0


@pytest.mark.parametrize(("when", "path", "said"), [
    ({"tag": ""}, "ask[0].when.tag", "1 to 200 characters"),
    ({"and": [bought(30), {"segment": "vip"}]}, "ask[0].when.and[1]", "write the group's condition here"),
    ({"not": {"consent": "marketing"}}, "ask[0].when.not.consent", "unknown consent 'marketing' by ''"),
    ({**bought(30), "deed": {"kind": "event", "of": "stage.changed"}}, "ask[0].when.deed", "of her facts ourselves"),
    ({**bought(30), "deed": {"kind": "event", "of": "shoe.lost"}}, "ask[0].when.deed.of", "unknown kind of event"),
    ({"first": {"kind": "event", "of": "app.opened"}, "then": {"kind": "visit"}, "within": 3}, "ask[0].when.first",
     "do not ask what came after one"),
    ({**bought(30), "days": 0}, "ask[0].when.days", "1 to 36500 days"),
])  # fmt: skip
def test_what_stages_do_not_ask_is_refused_by_name_with_what_to_do(
    store: Store, when: Any, path: str, said: str
) -> None:
    with pytest.raises(ModelError) as refusal:
        dry_run(copy.deepcopy(model(when)))
    assert refusal.value.path == path
    assert said in refusal.value.problem
