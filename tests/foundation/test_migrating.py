"""Of the classes of a migration only the changed one is made anew, and who reads rows gets all of them anew."""

import pytest
from django.db import models
from django.db.migrations.state import ModelState

from changke.foundation.database.migrating import LeanState


@pytest.fixture
def state() -> LeanState:
    """A customer and a receipt that points to her; then she gets a name."""
    shop = LeanState()
    number = ("id", models.BigAutoField(primary_key=True))
    shop.add_model(ModelState("shop", "Customer", [number]))
    shop.apps  # noqa: B018  from here on the classes are there
    shop.add_model(
        ModelState("shop", "Receipt", [number, ("customer", models.ForeignKey("shop.Customer", models.CASCADE))])
    )
    shop.receipt = shop.apps.get_model("shop", "Receipt")  # type: ignore[attr-defined]
    shop.add_field("shop", "customer", "name", models.TextField(default=""), True)
    return shop


def pointed_at(state: LeanState) -> type[models.Model]:
    found: type[models.Model] = state.apps.get_model("shop", "Receipt")._meta.get_field("customer").related_model
    return found


def test_the_neighbours_of_what_changed_stay_as_they_are(state: LeanState) -> None:
    assert state.apps.get_model("shop", "Customer")._meta.get_field("name")
    assert state.apps.get_model("shop", "Receipt") is state.receipt  # type: ignore[attr-defined]


def test_who_reads_rows_finds_classes_that_know_each_other(state: LeanState) -> None:
    assert pointed_at(state) is not state.apps.get_model("shop", "Customer")
    state.clear_delayed_apps_cache()  # as RunPython does
    assert pointed_at(state) is state.apps.get_model("shop", "Customer")


def test_a_key_that_changes_takes_those_along_who_point_to_it(state: LeanState) -> None:
    """Else the schema editor would leave their columns as they were, without a word."""
    state.alter_field("shop", "customer", "id", models.TextField(primary_key=True), True)
    customer = state.apps.get_model("shop", "Customer")
    assert [one.related_model.__name__ for one in customer._meta.related_objects] == ["Receipt"]
    pointing = state.apps.get_model("shop", "Receipt")._meta.get_field("customer")
    assert pointing.target_field.get_internal_type() == "TextField"


def test_a_copy_puts_off_too(state: LeanState) -> None:
    copy = state.clone()
    assert isinstance(copy, LeanState)
    assert copy.is_delayed
