"""A real installation for benchmarks that speak HTTP: embedded PostgreSQL, `changke web` in processes of its own."""

import http.client
import itertools
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from changke.foundation.database import launcher

STARTS_SECONDS = 120


@contextmanager
def installation(folder: Path, *, prepare: Callable[[], Any]) -> Iterator[Any]:
    """What `prepare` made in the empty database of an installation. Refuses where nothing is durable."""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ |= {"DATA_DIR": str(folder), "DATABASE_ROLE": "owner", "DJANGO_SETTINGS_MODULE": "changke.settings"}
    with launcher.running(folder, say=print):
        if command(["prepare", "--data", str(folder)]).wait():
            raise SystemExit("the tables could not be made")
        import django  # noqa: PLC0415 -- settings read the environment set above

        django.setup()
        from django.db import connection  # noqa: PLC0415

        with connection.cursor() as sql:
            for setting in ("fsync", "synchronous_commit", "full_page_writes", "wal_sync_method"):
                sql.execute(f"SHOW {setting}")
                (value,) = sql.fetchone()
                print(f"{setting} = {value}")
                if value == "off":
                    raise SystemExit("a benchmark without durability measures nothing")
        from changke.foundation.database.rows_seen import seeing  # noqa: PLC0415
        from changke.foundation.organisation.scope import CHAIN_WIDE  # noqa: PLC0415

        with seeing(CHAIN_WIDE):
            yield prepare()


@contextmanager
def site(folder: Path, *, prepare: Callable[[], Any]) -> Iterator[tuple[int, Any]]:
    """Port of the running site of such an installation, and what `prepare` made."""
    with installation(folder, prepare=prepare) as made:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        serving = command(["web", "--data", str(folder), "--port", str(port)])
        try:
            _wait(port, serving)
            yield port, made
        finally:
            serving.terminate()
            serving.wait()


def command(words: list[str]) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "DATABASE_ROLE": "app"}
    return subprocess.Popen([sys.executable, "-m", "changke.interfaces.cli", *words], env=environment)


def _wait(port: int, serving: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + STARTS_SECONDS
    while time.monotonic() < deadline and serving.poll() is None:
        try:
            asking = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            asking.request("GET", "/login/")
            asking.getresponse().read()
        except OSError:
            time.sleep(0.3)
        else:
            return
    raise SystemExit("the site did not open")


def children_cpu() -> float:
    """CPU seconds so far of the processes that this one started and theirs, those that ended apart."""
    parents: dict[int, tuple[int, int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended meanwhile
            fields = stat.read_text().rpartition(")")[2].split()
            parents[int(stat.parent.name)] = int(fields[1]), int(fields[11]) + int(fields[12])
    ticks, family = 0, {os.getpid()}
    while family:
        family = {pid for pid, (parent, _) in parents.items() if parent in family}
        ticks += sum(parents[pid][1] for pid in family)
    return ticks / os.sysconf("SC_CLK_TCK")


@dataclass
class Sent:
    """What came of the requests of all threads."""

    milliseconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    seconds: float = 0.0

    def percentile(self, share: float) -> float:
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


Request = tuple[str, bytes, dict[str, str]]
"""Path, body, headers."""


def send(port: int, requests: Iterator[Request], *, threads: int, seconds: float, per_second: float = 0) -> Sent:
    """Send until the time or the requests are over, over one open connection per thread.

    With `per_second` each request has a moment at which it is due, and its milliseconds count from there: a site that
    falls behind cannot hide it by being asked less.
    """
    sent, lock, places = Sent(), threading.Lock(), itertools.count()
    begin = time.perf_counter()
    end = begin + seconds

    def run() -> None:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while time.perf_counter() < end:
            with lock:
                following, place = next(requests, None), next(places)
            if following is None:
                return
            path, body, headers = following
            start = begin + place / per_second if per_second else time.perf_counter()
            time.sleep(max(0.0, start - time.perf_counter()))
            line.request("POST", path, body, {"Content-Type": "application/json"} | headers)
            answer = line.getresponse()
            answer.read()
            took = (time.perf_counter() - start) * 1000
            with lock:
                sent.milliseconds.append(took)
                sent.statuses[answer.status] = sent.statuses.get(answer.status, 0) + 1

    workers = [threading.Thread(target=run) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    sent.seconds = time.perf_counter() - begin
    return sent
