"""Commands of the product in processes of their own, as from a terminal in a shop."""

import atexit
import functools
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"
AS_IN_A_SHOP = Path(__file__).parents[1] / "as_in_a_shop"
STARTS_SECONDS = 60
STOPS_SECONDS = 40
ENDS_SECONDS = 120

Done = subprocess.CompletedProcess[str]


def environment(**extra: str) -> dict[str, str]:
    """A terminal of an English speaker in a shop; nothing of the test run's own database and libraries."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE", "DATA_DIR", "PG"))}
    return plain | {"PYTHONPATH": f"{AS_IN_A_SHOP}{os.pathsep}{SOURCE}", "LANG": "en_US.UTF-8", "LC_ALL": ""} | extra


def changke(*words: object, **extra: str) -> Done:
    """One command, as a fork of a process that has loaded the libraries (`ready.py`); what is ours it loads itself."""
    said = list(map(str, words))
    with tempfile.NamedTemporaryFile("r") as out, tempfile.NamedTemporaryFile("r") as err:
        ready = _ready()
        assert ready.stdin is not None
        assert ready.stdout is not None
        asked = {"words": said, "environment": environment(**extra), "out": out.name, "err": err.name}
        ready.stdin.write(json.dumps(asked) + "\n")
        ready.stdin.flush()
        answered, _, _ = select.select([ready.stdout], [], [], ENDS_SECONDS)
        assert answered, f"changke {' '.join(said)}: not within {ENDS_SECONDS} s"
        return subprocess.CompletedProcess(said, int(ready.stdout.readline()), out.read(), err.read())


def changke_from_nothing(*words: object, **extra: str) -> Done:
    """The same in an interpreter of its own."""
    return subprocess.run(
        [sys.executable, "-m", "changke.interfaces.cli", *map(str, words)],
        check=False, capture_output=True, text=True, cwd="/", env=environment(**extra), timeout=ENDS_SECONDS,
    )  # fmt: skip


@functools.cache
def _ready() -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, str(AS_IN_A_SHOP / "ready.py")],
        env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/",
    )  # fmt: skip
    atexit.register(process.kill)
    return process


def last_line(done: Done) -> dict[str, object]:
    assert done.returncode == 0, done.stderr
    result: dict[str, object] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], bool], what: str, seconds: float = STOPS_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)
