"""Environment and data folder -> connections of three roles."""

import json
from pathlib import Path

import pytest

from changke.foundation.database.config import (
    DatabaseMisconfigured,
    data_folder,
    databases,
    embedded_file,
)
from changke.foundation.keys import key_file, make_secret_key, secret_key, write_secret

URL = "postgresql://me:secret@db.example.com:6432/shop?sslmode=require"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (URL, {"host": "db.example.com", "port": "6432", "dbname": "shop", "user": "me", "password": "secret"}),
        ("postgres://me@/shop?host=/run/postgresql", {"host": "/run/postgresql", "dbname": "shop", "user": "me"}),
        ("postgresql://me:p%40ss%2Fword@localhost/shop", {"password": "p@ss/word"}),
        ("postgresql://me@[::1]:5433/shop", {"host": "::1", "port": "5433"}),
        ("host=localhost dbname=shop user=me", {"host": "localhost", "dbname": "shop"}),
    ],
)
def test_a_database_url_is_read_as_libpq_reads_it(tmp_path: Path, url: str, expected: dict[str, str]) -> None:
    owner = databases({"DATABASE_URL": url}, tmp_path).owner
    assert expected.items() <= dict(owner.parameters).items()


@pytest.mark.parametrize("url", ["mysql://x", "postgresql://me@host/", "postgresql://me@[::1/shop"])
def test_an_unreadable_url_names_the_setting_and_the_form(tmp_path: Path, url: str) -> None:
    with pytest.raises(DatabaseMisconfigured, match=r"DATABASE_URL .*postgresql://user:password@host:5432/database"):
        databases({"DATABASE_URL": url}, tmp_path)


def test_one_url_is_all_three_roles_until_the_others_are_named(tmp_path: Path) -> None:
    alone = databases({"DATABASE_URL": URL}, tmp_path)
    assert alone.app == alone.owner == alone.reader
    named = databases({"DATABASE_URL": URL, "DATABASE_APP_URL": URL.replace("me:", "app:")}, tmp_path)
    assert named.app.parameters["user"] == "app"
    assert named.reader == named.owner


def test_django_gets_the_options_it_does_not_name(tmp_path: Path) -> None:
    entry = databases({"DATABASE_URL": URL}, tmp_path).owner.django()
    assert (entry["NAME"], entry["USER"], entry["HOST"], entry["PORT"]) == ("shop", "me", "db.example.com", "6432")
    assert entry["OPTIONS"] == {"sslmode": "require"}


def test_tools_get_the_password_by_environment_and_no_log_gets_it(tmp_path: Path) -> None:
    owner = databases({"DATABASE_URL": URL}, tmp_path).owner
    assert owner.environment()["PGPASSWORD"] == "secret"
    assert owner.environment()["PGSSLMODE"] == "require"
    assert "secret" not in repr(owner)


def test_without_a_url_it_is_the_data_folders_own_server(tmp_path: Path) -> None:
    write_secret(
        embedded_file(tmp_path), json.dumps({"cluster": "postgres", "socket": "/tmp/s", "passwords": {"app": "x"}})
    )
    app = databases({}, tmp_path).app
    assert app.parameters["host"] == "/tmp/s"
    assert app.parameters["user"] == "changke_app"
    assert app.parameters["password"] == "x"


def test_before_the_first_start_settings_load_and_nothing_is_written(tmp_path: Path) -> None:
    assert databases({}, tmp_path).embedded
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_role_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatabaseMisconfigured, match="owner, app, reader"):
        databases({}, tmp_path).as_role("admin")


def test_the_data_folder_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert data_folder({}) == tmp_path / "data"
    assert data_folder({"DATA_DIR": "shop"}) == tmp_path / "shop"


def test_the_signing_key_is_made_once_and_the_environment_wins(tmp_path: Path) -> None:
    assert secret_key({}, tmp_path) != secret_key({}, tmp_path), "without a data folder it lives as long as the process"
    make_secret_key(tmp_path)
    made = secret_key({}, tmp_path)
    make_secret_key(tmp_path)
    assert secret_key({}, tmp_path) == made
    assert key_file(tmp_path).stat().st_mode & 0o777 == 0o600
    (tmp_path / "other").write_text("from a file\n")
    assert secret_key({"SECRET_KEY_FILE": str(tmp_path / "other")}, tmp_path) == "from a file"
    assert secret_key({"SECRET_KEY": "given"}, tmp_path) == "given"


def test_a_signing_key_file_that_is_missing_is_not_replaced_by_a_guess(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        secret_key({"SECRET_KEY_FILE": str(tmp_path / "nowhere")}, tmp_path)
