"""The command line as somebody uses it: other processes, their output, their exit codes."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from changke.foundation.database import launcher
from changke.foundation.database.config import read_embedded
from changke.interfaces.cli import run as cli
from changke.interfaces.cli.address import Address
from changke.interfaces.cli.commands import COMMANDS
from changke.interfaces.cli.session import CannotRun
from changke.interfaces.management.base import language_of
from tests.interfaces.processes import (
    STARTS_SECONDS,
    STOPS_SECONDS,
    changke,
    changke_from_nothing,
    environment,
    free_port,
    last_line,
    wait_until,
)
from tests.server import data_folder


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A data folder with tables and a chain in it."""
    path = data_folder("cli")
    assert changke_from_nothing("prepare", "--data", path).returncode == 0
    assert changke_from_nothing("found", "Jia Beauty", "--data", path).returncode == 0
    yield path
    launcher.stop(path)
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def open_folder(folder: Path) -> Iterator[Path]:
    """The same with its server running, as under `changke up`: a command finds it and leaves it."""
    with launcher.running(folder):
        yield folder


@pytest.fixture
def empty() -> Iterator[Path]:
    path = data_folder("cli")
    yield path
    launcher.stop(path)
    shutil.rmtree(path, ignore_errors=True)


# Words


def test_alone_it_lists_every_command_with_what_it_is_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    shown = capsys.readouterr().out
    for command in COMMANDS.values():
        assert f"  {command.name} " in shown
        assert command.summary in shown


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_command_explains_itself_with_an_example_and_without_a_database(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DATABASE_ROLE", "owner")
    assert cli.run(COMMANDS[name], ["--help"]) == 0
    shown = capsys.readouterr().out
    assert "example:\n  changke " in shown
    assert "--data" in shown
    assert "--pythonpath" not in shown, "options of Django are not what one looks for"
    assert list(tmp_path.iterdir()) == []


def test_a_mistyped_command_is_answered_with_the_one_that_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["docter"]) == 1
    assert "did you mean `changke doctor`?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "rest", "folder"),
    [
        (["--data", "/a", "today"], ["today"], "/a"),
        (["today", "--data=/b", "--json"], ["today", "--json"], "/b"),
        (["today"], ["today"], None),
    ],
)
def test_the_data_folder_may_be_named_anywhere(
    monkeypatch: pytest.MonkeyPatch, words: list[str], rest: list[str], folder: str | None
) -> None:
    monkeypatch.delenv("DATA_DIR", raising=False)
    assert cli.take_data_folder(words) == rest
    assert os.environ.get("DATA_DIR") == folder


def test_data_without_a_folder_is_refused() -> None:
    with pytest.raises(CannotRun, match="wants a folder"):
        cli.take_data_folder(["today", "--data"])


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh-hans"),
        ({"LANG": "zh_TW.UTF-8"}, "zh-hant"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "zh_HK.UTF-8"}, "zh-hant"),
        ({"LANG": "C.UTF-8"}, "zh-hans"),
        ({}, "zh-hans"),
    ],
)
def test_the_terminal_chooses_the_language(environ: dict[str, str], language: str) -> None:
    assert language_of(environ) == language


# What is missing is said in one line


def test_without_the_extra_the_command_names_it(empty: Path) -> None:
    # -S: an interpreter without any installed package, as after `pip install changke` alone.
    done = subprocess.run(
        [sys.executable, "-S", "-m", "changke.interfaces.cli", "up"],
        check=False, capture_output=True, text=True, env=environment(),
    )  # fmt: skip
    assert done.returncode == 2
    assert "pip install 'changke[server]'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_folder_where_nothing_was_started_says_how_to_start(empty: Path) -> None:
    done = changke("today", "--data", empty)
    assert done.returncode == 1
    assert "run `changke up` or `changke demo`" in done.stderr
    assert list(empty.iterdir()) == []


def test_a_database_url_that_leads_nowhere_is_said_in_one_line(empty: Path) -> None:
    done = changke("today", "--data", empty, DATABASE_URL="postgresql://me@127.0.0.1:1/none")
    assert done.returncode == 1
    assert done.stderr.startswith("changke: DATABASE_URL leads nowhere")
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_taken_port_is_refused_before_anything_is_started(empty: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = changke("up", "--data", empty, "--port", port)
    assert done.returncode == 1
    assert f"port {port}" in done.stderr
    assert f"--port {port + 1}" in done.stderr
    assert list(empty.iterdir()) == []


def test_a_certificate_without_its_key_is_refused(empty: Path) -> None:
    done = changke("up", "--data", empty, "--certificate", "/nowhere.pem")
    assert done.returncode == 1
    assert "belong together" in done.stderr


def test_doctor_says_in_json_too_that_there_is_nothing_to_examine(empty: Path) -> None:
    done = changke("doctor", "--json", "--data", empty)
    assert done.returncode == 1
    assert json.loads(done.stdout)["findings"][0]["status"] == "failed"


# Data


def test_doctor_examines_and_finds_the_net_in_place(open_folder: Path) -> None:
    report = last_line(changke("doctor", "--json", "--data", open_folder))
    found = {one["check"]: one for one in report["findings"]}  # type: ignore[attr-defined]
    assert report["ok"] is True
    assert {"versions", "disk", "secrets", "database", "clock", "tables", "append-only", "roles"} <= found.keys()
    assert found["roles"]["status"] == "ok"
    assert found["worker"]["remedy"] == "changke up, or changke worker"


def test_doctor_fails_when_others_may_read_the_secrets(open_folder: Path) -> None:
    (open_folder / "secrets" / "secret_key").chmod(0o644)
    try:
        done = changke("doctor", "--data", open_folder)
        assert done.returncode == 1
        assert f"chmod -R go= {open_folder / 'secrets'}" in done.stdout
    finally:
        (open_folder / "secrets" / "secret_key").chmod(0o600)


def test_prepare_is_safe_to_repeat(folder: Path) -> None:
    assert last_line(changke("prepare", "--json", "--data", folder)) == {"migrations": 0}


def test_a_file_loads_once_and_its_bad_row_is_named(open_folder: Path) -> None:
    file = open_folder / "sales.csv"
    file.write_text("单号,日期,门店,手机,实收\n1,2026-01-05,S1,13800000001,100\n2,2026-13-40,S1,13800000002,50\n")
    first = last_line(changke("load", file, "--as", "purchases", "--create", "--json", "--data", open_folder))
    assert (first["created"], first["skipped"], first["refused"]) == (1, 0, 1)
    assert Path(str(first["error_file"])).exists()
    again = last_line(changke("load", file, "--as", "purchases", "--json", "--data", open_folder))
    assert (again["created"], again["skipped"], again["refused"]) == (0, 1, 1)
    refreshed = last_line(changke("refresh", "--json", "--data", open_folder))
    assert refreshed["customers"] == 1
    told = last_line(changke("explain", "13800000001", "--as-of", "2026-01-06", "--json", "--data", open_folder))
    assert (told["model"], told["stage"]) == ("m4", "intro")
    today = changke("today", "--store", "nowhere", "--data", open_folder)
    assert today.returncode == 1
    assert "there are S1" in today.stderr


def test_a_restore_does_not_bring_back_who_was_erased(folder: Path, empty: Path) -> None:
    table = empty / "people.csv"
    table.write_text("会员号,姓名,手机\nK1,薇拉,13800000003\nK2,莫愁,13800000004\n")
    with launcher.running(folder):
        assert changke("load", table, "--as", "customers", "--create", "--data", folder).returncode == 0
        number = last_line(changke("explain", "13800000003", "--json", "--data", folder))["customer_id"]
        archive = empty / "backup.tar"
        assert changke("backup", archive, "--data", folder).returncode == 0
        assert changke("person", "erase", number, "--data", folder).returncode == 1, "not without --yes"
        assert changke("person", "erase", number, "--reason", "asked", "--yes", "--data", folder).returncode == 0
    restored = last_line(changke("restore", archive, "--replace", "--json", "--data", folder))
    assert restored["erased_again"] == 1
    with launcher.running(folder):
        assert changke("explain", "13800000003", "--data", folder).returncode == 1
        assert last_line(changke("explain", "13800000004", "--json", "--data", folder))["name"] == "莫愁"


def test_a_backup_comes_back_in_another_folder(folder: Path, empty: Path) -> None:
    (folder / "media").mkdir(exist_ok=True)
    (folder / "media" / "photo.jpg").write_bytes(b"a picture")
    archive = empty / "backup.tar"
    saved = last_line(changke("backup", archive, "--json", "--data", folder))
    assert saved["files"] == 1
    assert archive.stat().st_mode & 0o777 == 0o600
    back = empty / "back"
    assert last_line(changke("restore", archive, "--json", "--data", back))["dump_sha256"] == saved["dump_sha256"]
    assert (back / "media" / "photo.jpg").read_bytes() == b"a picture"
    assert (back / "secrets" / "secret_key").read_text() == (folder / "secrets" / "secret_key").read_text()
    kept = counts(folder)
    assert counts(back) == kept
    again = changke("restore", archive, "--data", back)
    assert again.returncode == 1
    assert "--replace" in again.stderr
    archive.write_bytes(archive.read_bytes()[:-20_000])
    damaged = changke("restore", archive, "--replace", "--data", back)
    assert damaged.returncode == 1
    assert counts(back) == kept, "a restore that fails changes nothing"
    report = last_line(changke("doctor", "--json", "--data", back))
    assert report["ok"] is True


def counts(folder: Path) -> dict[str, int]:
    with launcher.running(folder), psycopg.connect(read_embedded(folder).connection("reader").conninfo) as reader:
        tables = reader.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
        # The trail has one line more where a backup was put back.
        kept = [name for (name,) in tables if not name.startswith("foundation_audit")]
        return {name: reader.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in kept}  # type: ignore[index]


# Serving


def test_up_serves_and_ends_in_order_and_after_kill_9_nothing_is_left(folder: Path) -> None:
    port = free_port()
    for how in (signal.SIGTERM, signal.SIGKILL):
        serving = start_up(folder, port)
        worker = last_line(changke("doctor", "--json", "--data", folder))
        assert {one["check"]: one["status"] for one in worker["findings"]}["worker"] == "ok"  # type: ignore[attr-defined]
        serving.send_signal(how)
        code = serving.wait(STOPS_SECONDS)
        assert code == (0 if how == signal.SIGTERM else -signal.SIGKILL)
        wait_until(lambda: not Address("127.0.0.1", port).answers(), "the port is free again")
        wait_until(lambda: not launcher.is_running(folder), "the database has ended")


def start_up(folder: Path, port: int) -> "subprocess.Popen[bytes]":
    serving = subprocess.Popen(
        [sys.executable, "-m", "changke.interfaces.cli", "up", "--data", str(folder), "--port", str(port)],
        env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", start_new_session=True,
    )  # fmt: skip
    wait_until(lambda: Address("127.0.0.1", port).answers(), "the site answers", STARTS_SECONDS)
    worker_is_up = "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '30 seconds'"

    def working() -> bool:
        with psycopg.connect(read_embedded(folder).connection("reader").conninfo) as reader:
            return reader.execute(worker_is_up).fetchone() != (0,)

    wait_until(working, "the worker works", STARTS_SECONDS)
    return serving


def test_a_phone_is_shown_the_lan_address_and_nothing_is_shown_for_this_machine_alone() -> None:
    assert Address("127.0.0.1", 8000).phone_urls() == []
    assert Address("192.168.1.20", 8000).phone_urls() == ["http://192.168.1.20:8000"]
    assert "█" in Address.picture("http://192.168.1.20:8000")


def test_serving_a_network_makes_its_names_known_and_tls_makes_cookies_secure() -> None:
    assert "192.168.1.20" in Address("192.168.1.20", 8000).environment()["ALLOWED_HOSTS"].split(",")
    assert Address("127.0.0.1", 8000, Path("c"), Path("k")).environment()["BEHIND_HTTPS"] == "1"
