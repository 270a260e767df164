"""Tests run on a real PostgreSQL (see `server.py`), in a real chain (see `cast.py`)."""

import os

import pytest
from django.conf import settings
from django.db import connections

from changke.foundation.database.config import databases
from tests import server


def pytest_configure() -> None:
    """Before any test asks for a database."""
    url = server.start()
    settings.CONNECTIONS = databases({"DATABASE_URL": url}, settings.DATA_DIR)
    mine = settings.CONNECTIONS.owner.django()
    for where in (settings.DATABASES["default"], connections["default"].settings_dict):
        where.update(mine)
        where["CONN_MAX_AGE"] = 0
    os.environ["DATABASE_URL"] = url


@pytest.fixture(scope="session", autouse=True)
def _plain_static_files() -> None:
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
