"""A restored or copied installation writes to nobody before somebody says that it is the one in use."""

import datetime as dt
import json
import shutil
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.rules import system
from changke.foundation.instance import file
from changke.foundation.instance.queries import sending_paused
from changke.foundation.instance.rules import Paused
from changke.foundation.instance.services import confirm, settle
from tests.cast import Cast

NOW = dt.datetime(2026, 3, 1, 4, tzinfo=dt.UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    return tmp_path / "data"


def test_a_new_installation_needs_nobodys_word(folder: Path) -> None:
    settle(now=NOW)
    assert sending_paused() is None


def test_data_without_a_file_that_knows_them_wait(folder: Path, cast: Cast) -> None:
    settle(now=NOW)
    assert sending_paused() is Paused.UNCONFIRMED


def test_confirmed_once_it_goes_on_and_the_trail_says_who(folder: Path, cast: Cast) -> None:
    assert confirm(by=system("changke confirm"), now=NOW)
    assert sending_paused() is None
    assert not confirm(by=system("changke confirm"), now=NOW), "there is nothing to confirm a second time"
    assert AuditLine.objects.filter(action="sending.confirmed").count() == 1


def test_tables_made_anew_are_another_database_also_under_the_same_name(folder: Path, cast: Cast) -> None:
    confirm(by=system("changke confirm"), now=NOW)
    with connection.cursor() as sql:
        sql.execute("ALTER TABLE foundation_chain RENAME TO was")
        sql.execute("CREATE TABLE foundation_chain (LIKE was INCLUDING ALL)")
    assert sending_paused() is Paused.OTHER_DATABASE


def test_a_copied_folder_waits_and_a_moved_one_does_not(
    folder: Path, cast: Cast, tmp_path: Path, settings: Settings
) -> None:
    confirm(by=system("changke confirm"), now=NOW)
    settings.DATA_DIR = Path(shutil.copytree(folder, tmp_path / "copy"))
    assert sending_paused() is Paused.COPIED_FOLDER
    settings.DATA_DIR = folder.rename(tmp_path / "moved")
    assert sending_paused() is None


def test_each_confirmation_is_a_further_epoch_of_the_same_installation(folder: Path, cast: Cast) -> None:
    confirm(by=system("changke confirm"), now=NOW)
    first, _ = file.read(folder)
    shutil.copy(folder / file.NAME, folder / "copy")
    (folder / "copy").rename(folder / file.NAME)
    confirm(by=system("changke confirm"), now=NOW)
    second, _ = file.read(folder)
    assert first
    assert second
    assert (first.epoch, second.epoch, second.instance) == (1, 2, first.instance)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", json.dumps({"instance": "a", "database": 1}), "\x00"])
def test_a_file_that_cannot_be_read_confirms_nothing(folder: Path, cast: Cast, text: str) -> None:
    folder.mkdir()
    (folder / file.NAME).write_text(text)
    assert sending_paused() is Paused.UNCONFIRMED


def test_only_who_may_restore_is_told_and_may_confirm(folder: Path, cast: Cast) -> None:
    manager, owner = Client(), Client()
    manager.force_login(cast.manager)
    owner.force_login(cast.owner)
    confirm_url = reverse("confirm_sending")
    assert confirm_url not in manager.get(reverse("me")).content.decode()
    assert manager.post(confirm_url).status_code == 403
    assert sending_paused() is Paused.UNCONFIRMED
    assert confirm_url in owner.get(reverse("me")).content.decode()
    assert owner.post(confirm_url, {"next": reverse("me")}).url == reverse("me")  # type: ignore[attr-defined]
    assert sending_paused() is None
    assert confirm_url not in owner.get(reverse("me")).content.decode()
