"""A data folder and its database for the length of one command."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from changke.foundation.database import launcher
from changke.foundation.database.binaries import OLDEST_MAJOR, NoServerPrograms
from changke.foundation.database.config import DatabaseMisconfigured, data_folder, databases, embedded_file
from changke.foundation.database.launcher import ServerDoesNotStart
from changke.foundation.database.service_user import WrongUser
from changke.foundation.keys import make_master_key, make_secret_key


class CannotRun(Exception):
    """Something of the machine is missing; the message is the one line that mends it."""


EXPECTED = (CannotRun, DatabaseMisconfigured, NoServerPrograms, ServerDoesNotStart, WrongUser)


@contextmanager
def database(*, starts: bool) -> Iterator[Path]:
    """The database that the environment names, running; started and stopped here unless somebody else has it."""
    data_dir = data_folder(os.environ)
    if os.environ.get("DATABASE_URL"):
        _writable(data_dir)
        make_secret_key(data_dir)
        make_master_key(os.environ, data_dir)
        _require_server()
        with _in_order():
            yield data_dir
        return
    if not starts and not embedded_file(data_dir).exists():
        raise CannotRun(f"nothing was started in {data_dir} yet: run `changke up` or `changke demo`, or say --data DIR")
    _writable(data_dir)
    with _in_order(), launcher.running(data_dir, say=_whisper):
        yield data_dir


def _writable(data_dir: Path) -> None:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotRun(f"the data folder {data_dir} cannot be made ({error.strerror}): see --data") from error
    if not os.access(data_dir, os.W_OK | os.X_OK):
        raise CannotRun(f"the data folder {data_dir} cannot be written: see --data")


def _require_server() -> None:
    """DATABASE_URL leads to a PostgreSQL that is there and not too old."""
    owner = databases(os.environ, data_folder(os.environ)).owner
    try:
        with psycopg.connect(owner.conninfo, connect_timeout=10) as server:
            major = server.info.server_version // 10000
    except psycopg.OperationalError as error:
        raise CannotRun(f"DATABASE_URL leads nowhere: {str(error).strip().splitlines()[-1]}") from error
    if major < OLDEST_MAJOR:
        raise CannotRun(f"DATABASE_URL leads to PostgreSQL {major}; Changke needs {OLDEST_MAJOR} or newer")


@contextmanager
def _in_order() -> Iterator[None]:
    """SIGTERM and a closed terminal end us like Ctrl-C does: through every `finally`, once.

    Said even for Ctrl-C, which a shell's background job is born deaf to.
    """

    def interrupt(number: int, frame: object) -> None:
        # An impatient second Ctrl-C must not leave the server running. A function, not SIG_IGN, which Python 3.11
        # reports as an error when the signal is already on its way.
        for again in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(again, lambda *_: None)
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    yield


def _whisper(line: str) -> None:
    print(line, file=sys.stderr)
