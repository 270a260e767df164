"""Stages that ask what stands in the chain's own fields: by night, after a change, in words; and who may not."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from changke.facts.customers.models import Customer
from changke.facts.fields.models import Field, FieldValue
from changke.facts.fields.services import FieldInUse, change_field, define, retire, set_values
from changke.foundation.organisation.queries import the_chain
from changke.profiles.attributes.models import Profile
from changke.profiles.lifecycle.models import StageModel, Standing
from changke.profiles.lifecycle.rules import ModelError
from changke.profiles.lifecycle.services import (
    bring_into_use,
    compare,
    dry_run,
    explain,
    fold,
    refresh_all,
    refresh_customers,
    replay,
    some,
    switch_off,
)
from tests.kept import keeping
from tests.profiles.world import NOW, TODAY, build

pytestmark = pytest.mark.django_db(transaction=True)

DAY = dt.timedelta(days=1)


def said(text: str) -> dict[str, str]:
    return dict.fromkeys(("zh-hans", "en", "zh-hant"), text)


def model(field: str = "skin", value: str = "油性", children: int = 1) -> dict[str, Any]:
    oily: dict[str, Any] = {"attribute": f"custom.{field}", "op": "=", "value": value}
    family: dict[str, Any] = {"attribute": "custom.children", "op": ">=", "value": children}
    return {
        "key": "care",
        "words": said("Care"),
        "stages": [
            {"key": "family", "words": said("Family")},
            {"key": "oily", "words": said("Oily")},
            {"key": "rest", "words": said("Rest")},
        ],
        "ask": [
            {"stage": "family", "when": family, "reason": said("{custom.children} children")},
            {"stage": "oily", "when": oily, "reason": said(f"Skin: {{custom.{field}}}, {{visits}} visits")},
            {"stage": "rest", "reason": said("Nothing known")},
        ],
    }


@keeping
def invented() -> list[Customer]:
    build(customers=60)
    define(key="skin", kind="choice", labels={"en": "Skin"}, choices=["干性", "油性"], now=NOW)
    define(key="children", kind="number", labels={"en": "Children"}, now=NOW)
    found = list(Customer.objects.filter(is_active=True).order_by("pk"))
    for place, person in enumerate(found):
        if place % 2 == 0:
            set_values(person.pk, {"skin": "油性" if place % 4 == 0 else "干性"}, now=NOW)
        if place % 5 == 0:
            set_values(person.pk, {"children": place % 3}, now=NOW)
    return found


@pytest.fixture
def people() -> list[Customer]:
    return invented()


@pytest.fixture
def file(people: list[Customer], tmp_path: Path) -> Path:
    """The mirror after a night in which the model was asked."""
    path = tmp_path / "mirror.duckdb"
    refresh_all(now=NOW, mirror=path, months=0)
    bring_into_use(model(), chain=the_chain(), now=NOW)
    refresh_all(now=NOW, mirror=path, months=0)
    return path


def stands() -> dict[int, str]:
    return dict(Standing.objects.filter(model="care").order_by("customer").values_list("customer", "stage"))


def expected(people: list[Customer]) -> dict[int, str]:
    family = [one for place, one in enumerate(people) if place % 5 == 0 and place % 3 >= 1]
    oily = [one for place, one in enumerate(people) if place % 4 == 0 and one not in family]
    return {one.pk: "family" if one in family else "oily" if one in oily else "rest" for one in people}


def test_the_night_and_every_other_way_place_alike(
    people: list[Customer], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_night = stands()
    assert by_night == expected(people)
    assert set(by_night.values()) == {"family", "oily", "rest"}
    assert compare(now=NOW, sample=1000, mirror=file).agrees
    for several in (10_000, 2):
        monkeypatch.setattr(some, "SEVERAL", several)
        assert refresh_customers(list(by_night), now=NOW).changed == 0
    assert stands() == by_night


def test_a_field_that_is_filled_or_emptied_moves_her_at_once_and_the_night_agrees(
    people: list[Customer], file: Path
) -> None:
    fold(NOW)
    vera, wang = people[1], people[4]
    set_values(vera.pk, {"children": 2}, now=NOW)
    set_values(wang.pk, {"skin": None}, now=NOW)
    assert fold(NOW).customers == 3, "and who brought one of them"
    assert (stands()[vera.pk], stands()[wang.pk]) == ("family", "rest")
    set_values(wang.pk, {"skin": "油性"}, now=NOW)  # not followed: the night finds it in the mirror
    refresh_all(now=NOW + DAY, mirror=file, months=0)
    assert (stands()[vera.pk], stands()[wang.pk]) == ("family", "oily")


def test_where_no_model_asks_a_field_is_no_news(people: list[Customer], file: Path) -> None:
    fold(NOW)
    switch_off("care", now=NOW)
    set_values(people[1].pk, {"children": 2}, now=NOW)
    assert fold(NOW).customers == 0


def test_the_reason_names_what_stands_there(people: list[Customer], file: Path) -> None:
    oily = people[4]
    visits = Profile.objects.get(pk=oily.pk).visits
    found = explain(oily.pk, TODAY, now=NOW, model="care")
    assert found.reason("en") == f"Skin: 油性, {visits} visits"
    assert [(line.attribute, line.known, line.asked, line.holds) for line in found.asked[1].lines] == [
        ("custom_skin", "油性", "油性", True)
    ]
    assert [band.stage for band in found.bands] == ["oily"], "of past days it says what is known today"


def test_other_rules_are_tried_over_today_and_over_the_past(people: list[Customer], file: Path) -> None:
    by_night = list(stands().values())
    tried = dry_run(model(children=3))
    assert sum(move.customers for move in tried.moves if move.was == "family") == by_night.count("family")
    past = {one.day: one for one in replay(model(value="干性"), now=NOW, months=1, mirror=file)}
    assert past[TODAY].differing > 0


def test_a_field_that_a_model_asks_for_stays_and_is_everybodys(people: list[Customer], file: Path) -> None:
    skin = Field.objects.get(key="skin")
    for refused in (
        lambda: retire(skin, now=NOW),
        lambda: change_field(skin, {"roles": ["owner"]}, now=NOW),
    ):
        with pytest.raises(FieldInUse, match="Care asks for this field"):
            refused()
    change_field(skin, {"labels": {"en": "Her skin"}}, now=NOW)
    switch_off("care", now=NOW)
    with pytest.raises(FieldInUse):  # it may be switched on again
        retire(skin, now=NOW)
    StageModel.objects.filter(key="care").delete()
    assert retire(skin, now=NOW).retired_at == NOW


@pytest.mark.parametrize("field", ["never", "secret", "old"])
def test_what_nobody_has_or_not_everybody_sees_is_refused(people: list[Customer], field: str) -> None:
    define(key="secret", kind="text", labels={"en": "Secret"}, roles=["owner"], now=NOW)
    retire(define(key="old", kind="text", labels={"en": "Old"}, now=NOW), now=NOW)
    with pytest.raises(ModelError, match=f"custom.{field}"):
        bring_into_use(model(field=field), chain=the_chain(), now=NOW)
    assert not StageModel.objects.filter(key="care").exists()


def test_what_stands_on_a_record_that_is_read_as_another_is_not_hers_twice(people: list[Customer], file: Path) -> None:
    into, merged = people[1], people[5]
    assert FieldValue.objects.filter(customer=merged, number__gte=1).exists()
    fold(NOW)
    Customer.objects.filter(pk=merged.pk).update(merged_into=into)
    refresh_all(now=NOW, mirror=file, months=0)
    assert stands()[into.pk] == "rest", "joining carries fields over, reading does not"
    assert merged.pk not in stands()
