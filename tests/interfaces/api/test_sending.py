"""Whether the installation writes to customers, and saying that it does, over the API."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from changke.foundation.audit.models import AuditLine
from changke.foundation.instance import file
from tests.interfaces.api.conftest import Caller

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def a_folder_of_its_own(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def test_a_restored_installation_waits_until_the_owner_says_so(key_of: Callable[[str], Caller]) -> None:
    owner = key_of("owner")
    assert owner.get("/sending").json() == {"paused": True, "because": "unconfirmed"}
    assert owner.post("/sending/confirm", "").json() == {"paused": False, "because": ""}
    assert owner.post("/sending/confirm", "").status_code == 200
    assert AuditLine.objects.filter(action="sending.confirmed").count() == 1


@pytest.mark.parametrize("role", ["manager", "staff"])
def test_a_store_neither_asks_nor_confirms(
    key_of: Callable[[str], Caller], a_folder_of_its_own: Path, role: str
) -> None:
    caller = key_of(role)
    assert caller.get("/sending").status_code == caller.post("/sending/confirm", "").status_code == 403
    assert file.read(a_folder_of_its_own)[0] is None
