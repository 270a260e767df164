"""The embedded server starts, is found, survives being killed, and ends with its last user."""

import json
import multiprocessing
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from changke.foundation.database import launcher
from changke.foundation.database.binaries import Binaries, NoServerPrograms, copy_to, find
from changke.foundation.database.config import embedded_file, read_embedded
from changke.foundation.database.launcher import ServerDoesNotStart
from changke.foundation.database.service_user import WrongUser, choose
from tests.server import data_folder

SOURCE = Path(__file__).parents[2] / "src"
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that any user can reach; pytest's own tmp_path is closed to others."""
    path = data_folder("launcher")
    yield path
    launcher.stop(path)
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def shared() -> Iterator[Path]:
    """One folder whose cluster several sentences use, because making one takes a second."""
    path = data_folder("launcher")
    with launcher.running(path):
        pass
    yield path
    launcher.stop(path)
    shutil.rmtree(path, ignore_errors=True)


def ask(folder: Path, role: str, statement: str) -> object:
    with psycopg.connect(read_embedded(folder).connection(role).conninfo) as server:
        found = server.execute(statement).fetchone()
        return found[0] if found else None


def other_process(folder: Path) -> "subprocess.Popen[str]":
    """Another process that uses the server until it reads a line."""
    code = f"""
        import sys
        sys.path.insert(0, {str(SOURCE)!r})
        from pathlib import Path
        from changke.foundation.database import launcher
        with launcher.running(Path({str(folder)!r})):
            print("up", flush=True)
            input()
    """
    process: subprocess.Popen[str] = subprocess.Popen(
        [sys.executable, "-c", dedent(code)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def test_the_first_start_makes_a_server_that_orders_and_stores_the_same_everywhere(shared: Path) -> None:
    with launcher.running(shared):
        assert ask(shared, "owner", "SELECT datlocale FROM pg_database WHERE datname = current_database()") == "C.UTF-8"
        assert ask(shared, "owner", "SHOW server_encoding") == "UTF8"
        assert ask(shared, "owner", "SHOW timezone") == "UTC"
        assert ask(shared, "owner", "SHOW data_checksums") == "on"
        assert ask(shared, "owner", "SHOW fsync") == "on"
        assert ask(shared, "owner", "SHOW synchronous_commit") == "on"


def test_the_server_opens_no_network_port_and_trusts_nobody(shared: Path) -> None:
    with launcher.running(shared) as embedded:
        assert ask(shared, "owner", "SHOW listen_addresses") == ""
        assert stat.S_IMODE(embedded.socket.stat().st_mode) == 0o700
        wrong = dict(embedded.connection("app").parameters) | {"password": "guess"}
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(make_conninfo("", **wrong))
        assert ask(shared, "superuser", "SELECT count(*) FROM pg_hba_file_rules WHERE auth_method = 'trust'") == 0


def test_secrets_are_for_their_owner_only(shared: Path) -> None:
    assert stat.S_IMODE((shared / "secrets").stat().st_mode) == 0o700
    for file in (shared / "secrets").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


@pytest.mark.parametrize(
    ("role", "attributes"),
    [
        ("owner", {"rolsuper": False, "rolcreatedb": True, "rolbypassrls": False}),
        ("app", {"rolsuper": False, "rolcreatedb": False, "rolbypassrls": False}),
        ("reader", {"rolsuper": False, "rolcreatedb": False, "rolbypassrls": True}),
    ],
)
def test_each_role_has_the_attributes_of_its_work(shared: Path, role: str, attributes: dict[str, bool]) -> None:
    with launcher.running(shared):
        for attribute, expected in attributes.items():
            assert ask(shared, role, f"SELECT {attribute} FROM pg_roles WHERE rolname = current_user") is expected


def test_app_and_reader_make_no_tables(shared: Path) -> None:
    with launcher.running(shared):
        for role in ("app", "reader"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                ask(shared, role, "CREATE TABLE mine (id int)")


def test_the_last_user_stops_the_server_and_no_other(shared: Path) -> None:
    other = other_process(shared)
    with launcher.running(shared):
        assert launcher.is_running(shared)
    assert launcher.is_running(shared), "the other process still uses it"
    other.communicate("\n", timeout=30)
    assert not launcher.is_running(shared)
    assert not (shared / "postgres" / "postmaster.pid").exists()


def test_a_second_start_finds_the_running_server_at_once(shared: Path) -> None:
    with launcher.running(shared):
        before = ask(shared, "owner", "SELECT pg_postmaster_start_time()::text")
        began = time.monotonic()
        with launcher.running(shared):
            assert ask(shared, "owner", "SELECT pg_postmaster_start_time()::text") == before
        assert time.monotonic() - began < 2


def test_committed_rows_survive_kill_9_of_server_and_owner(folder: Path) -> None:
    owner = other_process(folder)
    with psycopg.connect(read_embedded(folder).connection("owner").conninfo) as server:
        server.execute("CREATE TABLE kept AS SELECT g FROM generate_series(1, 1000) AS g")
    postmaster = int((folder / "postgres" / "postmaster.pid").read_text().split()[0])
    owner.kill()
    owner.wait()
    os.kill(postmaster, signal.SIGKILL)
    said: list[str] = []
    with launcher.running(folder, say=said.append):
        assert ask(folder, "owner", "SELECT count(*) FROM kept") == 1000
    assert any("repairs itself" in line for line in said)
    assert not launcher.is_running(folder)


def test_a_server_left_running_by_a_killed_owner_is_stopped_by_the_next(folder: Path) -> None:
    owner = other_process(folder)
    owner.kill()
    owner.wait()
    assert launcher.is_running(folder)
    with launcher.running(folder):
        pass
    assert not launcher.is_running(folder)


def test_a_lock_file_whose_number_belongs_to_another_program_does_not_hinder(folder: Path) -> None:
    with launcher.running(folder):
        lock = (folder / "postgres" / "postmaster.pid").read_text()
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        file = folder / "postgres" / "postmaster.pid"
        file.write_text("\n".join([str(stranger.pid), *lock.splitlines()[1:]]) + "\n")
        os.chown(file, choose(folder / "postgres").uid, -1)
        with launcher.running(folder):
            assert ask(folder, "owner", "SELECT 1") == 1
    finally:
        stranger.kill()
        stranger.wait()


def test_a_first_start_that_was_killed_half_way_leaves_nothing_in_the_way(folder: Path) -> None:
    half = folder / ".postgres.unfinished"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    with launcher.running(folder):
        assert ask(folder, "owner", "SELECT 1") == 1


def test_a_moved_data_folder_starts_at_its_new_place(folder: Path) -> None:
    with launcher.running(folder / "old"):
        pass
    (folder / "old").rename(folder / "new")
    with launcher.running(folder / "new") as embedded:
        assert embedded.cluster == folder / "new" / "postgres"


def test_a_path_too_long_for_a_socket_gets_a_short_one(folder: Path) -> None:
    deep = folder / ("d" * 60) / ("e" * 60)
    with launcher.running(deep) as embedded:
        assert len(str(embedded.socket)) < 60
        assert ask(deep, "app", "SELECT 1") == 1
    again = read_embedded(deep).socket
    with launcher.running(deep) as embedded:
        assert embedded.socket == again
    shutil.rmtree(again)


def test_a_server_that_cannot_start_says_why(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with launcher.running(folder):
        pass
    monkeypatch.setattr(launcher, "RETRY_SECONDS", 0)
    (folder / "postgres" / "own.conf").write_text("shared_buffers = 'many'\n")
    with pytest.raises(ServerDoesNotStart, match="shared_buffers"), launcher.running(folder):
        pass


def test_a_full_disk_is_refused_before_anything_is_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "NEEDED_MEGABYTES", 10**9)
    with pytest.raises(ServerDoesNotStart, match="free some"), launcher.running(folder):
        pass
    assert not embedded_file(folder).exists()


@only_root
def test_as_root_the_server_belongs_to_an_unprivileged_user(shared: Path) -> None:
    with launcher.running(shared) as embedded:
        postmaster = int((embedded.cluster / "postmaster.pid").read_text().split()[0])
        assert os.stat(f"/proc/{postmaster}").st_uid == embedded.cluster.stat().st_uid != 0


@only_root
def test_as_root_a_closed_data_folder_keeps_its_server_where_its_user_reaches_it(folder: Path) -> None:
    folder.chmod(0o700)
    data_dir = folder / "data"
    with launcher.running(data_dir) as embedded:
        assert ask(data_dir, "app", "SELECT 1") == 1
        assert not embedded.cluster.is_relative_to(folder)
    remembered = json.loads(embedded_file(data_dir).read_text())["cluster"]
    assert remembered == str(embedded.cluster)
    with launcher.running(data_dir) as again:
        assert again.cluster == embedded.cluster
    shutil.rmtree(embedded.cluster.parent)


@only_root
def test_an_ordinary_user_starts_a_server_of_his_own(folder: Path) -> None:
    shutil.chown(folder, "nobody")
    nobody = multiprocessing.get_context("fork").Process(target=start_as, args=("nobody", folder))
    nobody.start()
    nobody.join(timeout=60)
    assert nobody.exitcode == 0
    assert (folder / "postgres").stat().st_uid == pwd.getpwnam("nobody").pw_uid
    assert not launcher.is_running(folder)


def start_as(name: str, folder: Path) -> None:
    # A fork, because the interpreter itself may lie where this user cannot start it.
    user = pwd.getpwnam(name)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    with launcher.running(folder):
        assert ask(folder, "app", "SELECT 1") == 1


@only_root
def test_a_cluster_of_root_is_refused_with_the_remedy(folder: Path) -> None:
    (folder / "postgres").mkdir()
    with pytest.raises(WrongUser, match="chown"):
        choose(folder / "postgres")
    (folder / "postgres").rmdir()


def test_the_wheels_programs_run_from_a_copy(folder: Path) -> None:
    original = find()
    copied = copy_to(folder, original)
    assert copied.folder != original.folder
    said = subprocess.run([copied.program("pg_dump"), "--version"], check=True, capture_output=True, text=True).stdout
    assert original.version in said
    assert copy_to(folder, original) == copied


def test_data_of_another_major_version_name_the_way_out() -> None:
    with pytest.raises(NoServerPrograms, match="postgresql-9"):
        find(major=9)


def test_programs_know_their_major_version() -> None:
    assert Binaries(Path("/x"), "18.6").major == 18
