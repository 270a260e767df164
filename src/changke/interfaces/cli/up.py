"""`changke up` and `changke demo`: database, site and worker together, started in order, ended in order."""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from changke.interfaces.cli.address import Address, add_address_arguments, read_address
from changke.interfaces.cli.session import CannotRun, database

READY_SECONDS = 60
STOP_SECONDS = 20  # requests and the running job may finish
RESTARTS = 5  # of a part that dies; then something is wrong that another start does not mend
RESTART_PAUSE_SECONDS = 2.0


def up(words: list[str]) -> int:
    """Serve what is in the data folder until Ctrl-C."""
    return _serve(_parser("up", "changke up --data /srv/changke --host").parse_args(words), prepare=["prepare"])


def demo(words: list[str]) -> int:
    """The same with the invented chain, made at the first start."""
    return _serve(_parser("demo", "changke demo --port 8001").parse_args(words), prepare=["prepare", "create_demo"])


def _parser(name: str, example: str) -> argparse.ArgumentParser:
    summaries = {
        "up": "Serve database, site and background work until Ctrl-C.",
        "demo": "The same as `up`, with an invented chain of 12 stores and 20,000 customers in it.",
    }
    parser = argparse.ArgumentParser(
        prog=f"changke {name}",
        description=summaries[name],
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", metavar="DIR", help="the data folder (else DATA_DIR, else ./data)")
    add_address_arguments(parser)
    return parser


def _serve(options: argparse.Namespace, *, prepare: list[str]) -> int:
    address = read_address(options)
    address.require_free()
    with database(starts=True) as data_dir:
        for step in prepare:
            code = _child([step], {}).wait()
            if code:
                return code
        parts = [
            Part("web", ["web", *address.words()], address.environment()),
            Part("worker", ["worker"], address.environment()),
        ]
        with _started(parts):
            _wait_until_open(address, parts)
            _announce(address, data_dir)
            try:
                return _watch(parts)
            except KeyboardInterrupt:  # a service that was told to end has ended well
                print("\nstopping", flush=True)
                return 0


@dataclass
class Part:
    """A child process, started again when it dies."""

    name: str
    words: list[str]
    environment: dict[str, str]
    process: subprocess.Popen[bytes] = field(init=False)
    restarts: int = 0

    def start(self) -> None:
        self.process = _child(self.words, self.environment)

    @property
    def died(self) -> bool:
        return self.process.poll() is not None


def _child(words: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """A command of ours as a child in our process group, so that the terminal's Ctrl-C reaches all of us."""
    environ = {**os.environ, **environment, "CHANGKE_CHILD": "1"}
    return subprocess.Popen([sys.executable, "-m", "changke.interfaces.cli", *words], env=environ)


@contextmanager
def _started(parts: list[Part]) -> Iterator[None]:
    running: list[Part] = []
    try:
        for part in parts:
            part.start()
            running.append(part)
        yield
    finally:
        _stop(running)


def _stop(parts: list[Part]) -> None:
    for part in parts:
        if not part.died:
            part.process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for part in parts:
        try:
            part.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            part.process.kill()
            part.process.wait()


def _wait_until_open(address: Address, parts: list[Part]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not address.answers():
        for part in parts:
            if part.died:
                raise CannotRun(f"the {part.name} process ended at start; its reason stands above")
        if time.monotonic() > deadline:
            raise CannotRun(f"the site did not answer at {address.url} within {READY_SECONDS} seconds")
        time.sleep(0.1)


def _watch(parts: list[Part]) -> int:
    """Until Ctrl-C or SIGTERM (an exception, see `session`) or until a part cannot be kept alive."""
    while True:
        time.sleep(0.5)
        for part in parts:
            if not part.died:
                continue
            code = part.process.returncode
            if part.restarts >= RESTARTS:
                print(f"changke: {part.name} ended with code {code} again; see `changke doctor`", file=sys.stderr)
                return 1
            part.restarts += 1
            print(f"changke: {part.name} ended with code {code}; it is started again", file=sys.stderr)
            time.sleep(RESTART_PAUSE_SECONDS)
            part.start()


def _announce(address: Address, data_dir: Path) -> None:
    print(f"\nChangke is open:  {address.url}")
    for url in address.phone_urls():
        print(f"On the stores' phones:  {url}\n")
        print(address.picture(url))
    print(f"Data folder:  {data_dir}\nCtrl-C stops everything.\n", flush=True)
