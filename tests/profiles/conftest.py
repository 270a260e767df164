"""A committed world for the tests of a module: the mirror reads over a connection of its own."""

from collections.abc import Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker

from changke.foundation.database.statistics import analyze
from tests.kept import clear
from tests.profiles import world


@pytest.fixture(scope="module")
def committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """What this module writes is really there, and is cleared away at its end."""
    with django_db_blocker.unblock():
        try:
            yield
        finally:
            clear()


@pytest.fixture(scope="module")
def invented(committed: None) -> None:
    world.build()
    analyze(["facts_customer", "facts_receipt", "facts_visit", "facts_opening"])  # as after every large load
