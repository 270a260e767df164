"""The wide table is what the headers say."""

from changke.profiles.attributes.catalogue import COLUMNS, REGISTRY
from changke.profiles.attributes.models import Profile


def test_one_column_per_attribute() -> None:
    own = {"customer", "as_of", "snapshot", "stage"}
    assert {field.name for field in Profile._meta.get_fields()} - own == set(REGISTRY.attributes) == set(COLUMNS)


def test_what_is_never_unknown_is_never_null() -> None:
    for name, column in REGISTRY.attributes.items():
        assert Profile._meta.get_field(name).null is (column.absent is None), name


def test_every_column_has_words() -> None:
    assert all(column.words for column in REGISTRY.attributes.values())
    assert len({column.words for column in REGISTRY.attributes.values()}) == len(REGISTRY.attributes)
