"""Our own small launcher of an embedded PostgreSQL: no service to install, no port to open, no process left behind.

The server listens on a Unix socket only, in a folder closed to other users, and asks every role for a generated
password. Whoever uses it holds a shared lock; the last one to leave stops it. The lock is the kernel's, so that a
process killed with -9 leaves nothing to clean up: the server it left running is found by the next start and stopped
by the next stop.

What each part prevents was seen once: see `docs/decisions` on the embedded server.
"""

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql

from changke.foundation.database import binaries as programs
from changke.foundation.database.binaries import Binaries
from changke.foundation.database.config import (
    DATABASE_NAME,
    PORT,
    ROLES,
    Embedded,
    embedded_file,
    read_embedded,
)
from changke.foundation.database.grants import LEAKPROOF
from changke.foundation.database.service_user import SERVICE_HOME, ServiceUser, choose
from changke.foundation.keys import make_master_key, make_secret_key, write_secret

RETRY_SECONDS = 30  # after a kill -9 orphaned back-ends may hold the shared memory for some seconds
START_SECONDS = 600  # a crash recovery replays up to max_wal_size; pg_ctl's own 60 s would give up on it
STOP_SECONDS = 60
LAST_LINES = 3
SOCKET_PATH_BYTES = 107  # of sun_path on Linux; macOS has 103
NEEDED_MEGABYTES = 300  # an empty cluster, its write-ahead log and the first migration

Say = Callable[[str], None]


class ServerDoesNotStart(Exception):
    """The embedded server did not come up; the message carries its own last words."""


@contextmanager
def running(data_dir: Path, *, say: Say = lambda _: None) -> Iterator[Embedded]:
    """The embedded server of `data_dir`, started if nobody did yet and stopped if nobody else uses it afterwards.

    `say` is told what takes longer than a moment (first start, recovery).
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    users = _open_lock(data_dir / "database.users")
    try:
        with _alone(data_dir):
            fcntl.flock(users, fcntl.LOCK_SH)
            make_secret_key(data_dir)
            make_master_key(os.environ, data_dir)
            embedded = start(data_dir, say=say)
        yield embedded
    finally:
        with _alone(data_dir):
            fcntl.flock(users, fcntl.LOCK_UN)
            with suppress(BlockingIOError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                stop(data_dir)
        os.close(users)


def start(data_dir: Path, *, say: Say = lambda _: None) -> Embedded:
    """Start the server, or find it running. Creates cluster, roles and database where they are missing."""
    embedded = read_embedded(data_dir)
    if _answers(embedded):
        _ensure_roles(embedded)
        return embedded
    user = choose(embedded.cluster)
    embedded = _settle(data_dir, embedded, user)
    if not (embedded.cluster / "PG_VERSION").exists():
        say("creating the database server's files")
        _create_cluster(embedded, user)
    binaries = _binaries_for(embedded, user)
    _configure(embedded, user, binaries)
    _launch(embedded, user, binaries, say)
    _ensure_roles(embedded)
    return embedded


def stop(data_dir: Path) -> None:
    """Stop the server and wait until it is gone; harmless where none runs."""
    embedded = read_embedded(data_dir)
    if not (embedded.cluster / "postmaster.pid").exists():
        return
    user = choose(embedded.cluster)
    binaries = _binaries_for(embedded, user)
    for mode in ("fast", "immediate"):  # immediate: recovered at the next start, no committed row is lost
        if _pg_ctl(embedded, user, binaries, "stop", "-m", mode, "-t", str(STOP_SECONDS)).returncode == 0:
            return


def is_running(data_dir: Path) -> bool:
    """Whether the embedded server of this data folder answers."""
    return _answers(read_embedded(data_dir))


def binaries_of(data_dir: Path) -> Binaries:
    """The programs that fit the cluster of `data_dir` (or a new one), for backup and restore."""
    return programs.find(major=_major(read_embedded(data_dir).cluster))


# Where things lie


def _settle(data_dir: Path, embedded: Embedded, user: ServiceUser) -> Embedded:
    """Decide where cluster and socket lie, make the passwords at the first start, and remember all of it."""
    cluster = embedded.cluster
    if not cluster.exists():
        _require_disk(data_dir)
        cluster = _home(data_dir, user) / "postgres"
    passwords = dict(embedded.passwords)
    for role in (*ROLES, "superuser"):
        passwords.setdefault(role, secrets.token_urlsafe(32))
    settled = Embedded(cluster=cluster, socket=_socket_folder(cluster, embedded.socket), passwords=passwords)
    write_secret(
        embedded_file(data_dir),
        json.dumps(
            {
                "cluster": _relative(settled.cluster, data_dir),
                "socket": _relative(settled.socket, data_dir),
                "passwords": passwords,
            },
            indent=2,
        ),
    )
    settled.socket.mkdir(exist_ok=True)
    user.give(settled.socket)
    return settled


def _home(data_dir: Path, user: ServiceUser) -> Path:
    """The data folder, or where its user can reach it: /var/lib/changke/<digest of the data folder's path>."""
    if user.can_reach(data_dir):
        return data_dir
    home = SERVICE_HOME / hashlib.sha256(str(data_dir).encode()).hexdigest()[:12]
    home.mkdir(parents=True, exist_ok=True)
    for folder in (SERVICE_HOME, home):
        folder.chmod(0o755)
    return home


def _socket_folder(cluster: Path, remembered: Path) -> Path:
    """Beside the cluster, unless that path is longer than the kernel takes for a socket."""
    beside = cluster.parent / "run"
    if len(os.fsencode(beside / f".s.PGSQL.{PORT}.lock")) <= SOCKET_PATH_BYTES - 5:
        return beside
    if remembered != beside and remembered.exists():
        return remembered
    return Path(tempfile.mkdtemp(prefix="changke-"))


def _relative(path: Path, data_dir: Path) -> str:
    return str(path.relative_to(data_dir) if path.is_relative_to(data_dir) else path)


def _require_disk(data_dir: Path) -> None:
    free = shutil.disk_usage(data_dir).free // 2**20
    if free < NEEDED_MEGABYTES:
        raise ServerDoesNotStart(
            f"{free} MB are free at {data_dir}, the first start needs {NEEDED_MEGABYTES}: "
            f"free some, or choose another disk with --data"
        )


def _binaries_for(embedded: Embedded, user: ServiceUser) -> Binaries:
    binaries = programs.find(major=_major(embedded.cluster))
    if user.can_reach(Path(binaries.program("postgres"))):
        return binaries
    SERVICE_HOME.mkdir(parents=True, exist_ok=True)
    SERVICE_HOME.chmod(0o755)
    return programs.copy_to(SERVICE_HOME, binaries)


def _major(cluster: Path) -> int | None:
    try:
        return int((cluster / "PG_VERSION").read_text())
    except FileNotFoundError:
        return None


# Creating


def _create_cluster(embedded: Embedded, user: ServiceUser) -> None:
    """initdb beside the final place, then rename: a first start that was killed leaves no half cluster."""
    binaries = _binaries_for(embedded, user)
    unfinished = embedded.cluster.with_name(".postgres.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    user.give(unfinished)
    # initdb wants the password in a file that its user can read, and the cluster's folder empty.
    password = embedded.socket / ".password"
    write_secret_for(user, password, embedded.passwords["superuser"])
    # Deterministic and equal on every system: no index breaks when the machine's C library is upgraded. Plain C would
    # not see Chinese characters as letters, and pg_trgm would find none.
    locale = ["--locale=C.UTF-8"]
    if binaries.major >= 17:
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    try:
        done = _run(
            user,
            [
                binaries.program("initdb"),
                f"--pgdata={unfinished}",
                "--username=postgres",
                "--encoding=UTF8",
                *locale,
                "--auth=scram-sha-256",
                f"--pwfile={password}",
                "--data-checksums",
                "--no-instructions",
            ],
        )
    finally:
        password.unlink(missing_ok=True)
    if done.returncode:
        raise ServerDoesNotStart(f"initdb failed in {unfinished}: {_last_line(done.stderr or done.stdout)}")
    with (unfinished / "postgresql.conf").open("a") as conf:
        conf.write("\n# Written by Changke at every start; your own settings go to own.conf, which wins.\n")
        conf.write("include_if_exists = 'changke.conf'\ninclude_if_exists = 'own.conf'\n")
    unfinished.rename(embedded.cluster)


def write_secret_for(user: ServiceUser, file: Path, text: str) -> None:
    """A secret file in a folder of the service user's, readable by that user alone."""
    write_secret(file, text)
    if not user.is_us:
        os.chown(file, user.uid, user.gid)
        os.chown(file.parent, user.uid, user.gid)


def _ensure_roles(embedded: Embedded) -> None:
    """Roles, database and their rights; asked at every start, because a first start may have been killed here."""
    passwords = embedded.passwords
    with psycopg.connect(embedded.connection("superuser", dbname="postgres").conninfo, autocommit=True) as server:
        known = {name for (name,) in server.execute("SELECT rolname FROM pg_roles")}
        attributes = {"owner": "CREATEDB", "app": "", "reader": "BYPASSRLS"}
        for role, name in ROLES.items():
            if name not in known:
                create = sql.SQL("CREATE ROLE {name} LOGIN {attributes} PASSWORD {password}")
                server.execute(
                    create.format(
                        name=sql.Identifier(name),
                        attributes=sql.SQL(attributes[role]),
                        password=sql.Literal(passwords[role]),
                    )
                )
        server.execute(sql.SQL("GRANT pg_read_all_data TO {}").format(sql.Identifier(ROLES["reader"])))
        exists = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE_NAME]).fetchone()
        if not exists:
            create_database(server, DATABASE_NAME)
    mark_leakproof(embedded, DATABASE_NAME)


def mark_leakproof(embedded: Embedded, name: str) -> None:
    """What only the superuser may say of the comparisons by which names are searched (see `grants.LEAKPROOF`)."""
    with psycopg.connect(embedded.connection("superuser", dbname=name).conninfo, autocommit=True) as server:
        for function in LEAKPROOF:
            marked = server.execute("SELECT proleakproof FROM pg_proc WHERE oid = %s::regprocedure", [function])
            if marked.fetchone() == (False,):
                server.execute(sql.SQL("ALTER FUNCTION {} LEAKPROOF").format(sql.SQL(function)))


def create_database(server: psycopg.Connection, name: str) -> None:
    """An empty database of the owner's that only our roles may enter. `server`: the superuser, in autocommit."""
    names = {"name": sql.Identifier(name), **{role: sql.Identifier(known) for role, known in ROLES.items()}}
    for statement in (
        "CREATE DATABASE {name} OWNER {owner}",
        "REVOKE ALL ON DATABASE {name} FROM PUBLIC",
        "GRANT CONNECT, TEMPORARY ON DATABASE {name} TO {app}, {reader}",
    ):
        server.execute(sql.SQL(statement).format(**names))


def _configure(embedded: Embedded, user: ServiceUser, binaries: Binaries) -> None:
    """Settings that follow the machine, written anew at every start."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    settings = {
        "listen_addresses": "",
        "port": PORT,
        "unix_socket_directories": str(embedded.socket).replace("'", "''"),
        "unix_socket_permissions": "0700",
        "max_connections": 100,
        # An eighth of the memory, because the mirror's DuckDB and the web processes live on the same machine.
        "shared_buffers": f"{max(64, min(2048, memory // 8))}MB",
        "effective_cache_size": f"{max(256, memory // 2)}MB",
        "maintenance_work_mem": f"{max(64, min(512, memory // 16))}MB",
        "work_mem": f"{max(4, min(32, memory // 512))}MB",
        "max_wal_size": "2GB",
        # These binaries know pglz alone, which takes more of a night's writing than the disk: docs/decisions/0104
        "wal_compression": "off",
        "checkpoint_timeout": "15min",
        "random_page_cost": "1.1",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # A week of logs, overwritten; neither statements nor details, because they would carry names and phones.
        "logging_collector": "on",
        "log_directory": "log",
        "log_filename": "postgresql-%a.log",
        "log_rotation_age": "1d",
        "log_rotation_size": "0",
        "log_truncate_on_rotation": "on",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
    }
    if binaries.major >= 16:
        settings["reserved_connections"] = 3  # so that `doctor` still gets in when the pool is exhausted
    file = embedded.cluster / "changke.conf"
    file.write_text("".join(f"{name} = '{value}'\n" for name, value in settings.items()))
    if not user.is_us:
        os.chown(file, user.uid, user.gid)


# Starting


def _launch(embedded: Embedded, user: ServiceUser, binaries: Binaries, say: Say) -> None:
    """pg_ctl start until the server answers."""
    if _forget_dead_postmaster(embedded):
        say("the database server was not stopped cleanly; it repairs itself")
    deadline = time.monotonic() + RETRY_SECONDS
    while True:
        started = _pg_ctl(embedded, user, binaries, "start", "-l", str(embedded.cluster / "start.log"))
        if started.returncode == 0 or _answers(embedded):
            return
        if time.monotonic() > deadline:
            raise ServerDoesNotStart(
                f"PostgreSQL does not start: {_last_words(embedded) or _last_line(started.stderr)}"
            )
        if _postmaster(embedded):  # runs, but nobody can talk to it: its socket was swept away with /tmp
            _pg_ctl(embedded, user, binaries, "stop", "-m", "fast", "-t", str(STOP_SECONDS))
        time.sleep(0.5)


def _answers(embedded: Embedded) -> bool:
    """Whether the server at the remembered socket is ours and takes connections."""
    if not embedded.passwords or not (embedded.socket / f".s.PGSQL.{PORT}").exists():
        return False
    try:
        with psycopg.connect(embedded.connection("superuser", dbname="postgres").conninfo, connect_timeout=5) as server:
            found = server.execute("SHOW data_directory").fetchone()
    except psycopg.OperationalError:
        return False
    return found is not None and Path(found[0]).resolve() == embedded.cluster.resolve()


def _postmaster(embedded: Embedded) -> int | None:
    """The process that the cluster's lock file names, if a process of that number lives."""
    try:
        pid = int((embedded.cluster / "postmaster.pid").read_text().split()[0])
        os.kill(pid, 0)
    except (FileNotFoundError, IndexError, ValueError, ProcessLookupError):
        return None
    except PermissionError:
        return pid
    return pid


def _forget_dead_postmaster(embedded: Embedded) -> bool:
    """After a crash: remove the lock file where its number now belongs to another program. True after a crash.

    PostgreSQL removes it by itself when the number is free, but not when it was given anew (a restarted container).
    """
    file = embedded.cluster / "postmaster.pid"
    if not file.exists():
        return False
    pid = _postmaster(embedded)
    name = Path(f"/proc/{pid}/comm")
    if pid is not None and name.exists() and "postgres" not in name.read_text():
        file.unlink()
    return True


def _pg_ctl(
    embedded: Embedded, user: ServiceUser, binaries: Binaries, action: str, *options: str
) -> subprocess.CompletedProcess[str]:
    command = [binaries.program("pg_ctl"), action, "-D", str(embedded.cluster), "-w"]
    if "-t" not in options:
        command += ["-t", str(START_SECONDS)]
    return _run(user, [*command, *options])


def _run(user: ServiceUser, command: list[str]) -> subprocess.CompletedProcess[str]:
    # Files, not pipes: the server inherits them, and a pipe would be read until the server ends.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    environ |= {"LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": "/"}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        done = subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=environ,
            cwd="/",
            start_new_session=True,  # Ctrl-C in the terminal is for us, who then stop the server in order
            **user.spawn(),
        )
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, out.read(), err.read())


def _last_words(embedded: Embedded) -> str:
    """What the server wrote before it gave up: its last line names the file, those before it the mistake."""
    logs = [embedded.cluster / "start.log", *(embedded.cluster / "log").glob("*.log")]
    written = [file for file in logs if file.exists()]
    if not written:
        return ""
    text = max(written, key=lambda file: file.stat().st_mtime).read_text(errors="replace")
    return "; ".join(line.partition("] ")[2] or line for line in text.strip().splitlines()[-LAST_LINES:])


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""


# Locks


def _open_lock(file: Path) -> int:
    return os.open(file, os.O_RDWR | os.O_CREAT, 0o600)


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """One process at a time starts or stops the server."""
    lock = _open_lock(data_dir / "database.lock")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
