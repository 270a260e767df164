"""Stage models that ask for tags: dry run, night, follower, one alone, past days and words say the same."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from changke.facts.customers.models import Customer
from changke.facts.customers.services.merge import merge, unmerge
from changke.facts.customers.services.ruled_tags import Ruled, put_on, take_back
from changke.facts.customers.services.tags import add_tag, remove_tag
from changke.foundation.cursors import Window, open_window
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.queries import the_chain
from changke.profiles.lifecycle import queries
from changke.profiles.lifecycle.models import Standing
from changke.profiles.lifecycle.services import (
    bring_into_use,
    dry_run,
    explain,
    fold,
    publish_models,
    refresh_all,
    refresh_customers,
    replay,
)
from changke.profiles.lifecycle.services.changes import oldest_day
from tests.profiles.test_models_of_deeds import bought, model
from tests.profiles.world import NOW, TODAY, Book, make_chain, make_stores

pytestmark = pytest.mark.django_db(transaction=True)

ODD = 'O\'Brien "50%" $1 \\ 🌸'
WHEN: dict[str, Any] = {"and": [{"tag": ODD}, {"not": bought(5, at_least=1)}]}


@pytest.fixture
def store() -> Store:
    queries._read.cache_clear()  # time stands still: what another test published has the same number and moment
    make_chain()
    publish_models(the_chain(), now=NOW)
    return make_stores(1)[0]


@pytest.fixture
def two(store: Store) -> list[Customer]:
    """One wore the tag from 20 to 10 days ago and from 3 on, the other never did."""
    people = [Book().customer(store, TODAY - dt.timedelta(days=40), name=f"Customer {n}") for n in (1, 2)]
    for days, deed in ((20, add_tag), (10, remove_tag), (3, add_tag)):
        deed(people[0], ODD, now=NOW - dt.timedelta(days=days))
    return people


def stages() -> dict[int, str]:
    return dict(Standing.objects.filter(model="tags").values_list("customer", "stage"))


def test_everything_agrees_and_a_tag_restages_her_at_once(two: list[Customer], tmp_path: Path) -> None:
    mirror, (one, other) = tmp_path / "mirror.duckdb", [person.pk for person in two]
    refresh_all(now=NOW, mirror=mirror, months=0)
    said = dry_run(model(WHEN, key="tags"))
    assert dict(said.after) == {"in": 1, "out": 1}
    assert [move.examples for move in said.moves if move.will == "in"] == [(one,)]
    bring_into_use(model(WHEN, key="tags"), chain=the_chain(), now=NOW)
    refresh_all(now=NOW, mirror=mirror, months=0)
    assert stages() == {one: "in", other: "out"}
    Standing.objects.filter(model="tags").delete()
    for pk in (one, other):
        refresh_customers([pk], now=NOW)
    assert stages() == {one: "in", other: "out"}
    add_tag(two[1], ODD, now=NOW)
    remove_tag(two[0], ODD, now=NOW)
    assert fold(NOW).customers == 2
    assert stages() == {one: "out", other: "in"}
    told = explain(one, TODAY, now=NOW, model="tags")
    assert [(band.stage, (TODAY - band.first).days) for band in told.bands] == [
        ("out", 40), ("in", 20), ("out", 10), ("in", 3), ("out", 0)
    ]  # fmt: skip
    assert told.asked[0].lines[0].text == 'tag has "O\'Brien \\"50%\\" $1 \\\\ 🌸"'
    days = [TODAY - dt.timedelta(days=ago) for ago in (11, 10, 3)]
    past = replay(model(WHEN, key="fresh"), now=NOW, days=days, mirror=mirror)
    assert [day.after.get("in", 0) for day in past] == [1, 0, 1]
    refresh_all(now=NOW, mirror=mirror, months=0)
    assert stages() == {one: "out", other: "in"}, "the night says what the follower said"
    assert dry_run(model(WHEN, key="tags")).moving == 0


def test_what_a_merged_record_wore_is_hers_until_it_is_parted(two: list[Customer]) -> None:
    bring_into_use(model({"tag": ODD}, key="tags"), chain=the_chain(), now=NOW)
    one, other = (person.pk for person in two)
    link = merge(one, other, now=NOW)
    fold(NOW)
    assert stages() == {other: "in"}
    past = explain(other, TODAY - dt.timedelta(days=15), now=NOW, model="tags")
    assert past.stage == "in", "what came off of the other record is her past"
    remove_tag(two[1], ODD, now=NOW)
    fold(NOW)
    assert stages() == {other: "out"}
    unmerge(link.batch_id, now=NOW)
    fold(NOW)
    assert stages() == {one: "out", other: "out"}, "taken off while they were one, it came off of both"


def test_charts_of_the_past_are_filled_again_only_where_it_was_otherwise(two: list[Customer]) -> None:
    one, other = two
    seen = open_window("anybody").below

    def oldest() -> dt.date | None:
        nonlocal seen
        since, seen = seen, open_window("anybody").below
        return oldest_day(Window(since, seen))

    add_tag(other, "乙", now=NOW)
    assert oldest() is None, "no model asks for tags"
    bring_into_use(model({"tag": ODD}, key="tags"), chain=the_chain(), now=NOW)
    add_tag(other, ODD, now=NOW)
    assert oldest() == TODAY
    remove_tag(one, ODD, now=NOW)
    assert oldest() is None, "until today she wore it: the past stays as it was"
    put_on([Ruled(one.pk, "丙", "rule", "receipt:7")], now=NOW - dt.timedelta(days=60))
    assert oldest() == TODAY - dt.timedelta(days=60), "a load of old tags is told late"
    take_back(["receipt:7"])
    assert oldest() == TODAY - dt.timedelta(days=60), "it was never true"
