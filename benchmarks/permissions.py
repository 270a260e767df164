"""Whether anybody ever sees a foreign row under load (T18), and what row-level security costs. A world, two tables.

    python -m benchmarks.permissions FOLDER [--requests 100000] [--seconds 3600] [--at-once 100] [--customers 200000]

Leaks: a real server (granian, two processes of four threads, so eight database connections) on loopback is asked by so
many clients at once, each request by another key or person with a random scope: pages and API, own and foreign
customers, lists, search, the day. Persons see whose home their stores are, or also who bought there, or only those
whose adviser they are. Every customer that an answer names is looked up in the facts as they were before anybody asked:
may the asker see her?

Cost: list and today page as in `benchmarks.pages`, by turns with row-level security and without it, in one run.
"""

import argparse
import http.client
import json
import os
import random
import re
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import pages
from benchmarks.filled import filled

PERSONS, KEYS = 40, 160
"""Mostly keys: a page costs the processor more than an answer of the API, and hides as much."""
A_FEW = 8
"""Rows that the API is asked for at once: a foreign one would be seen among them as well as among more."""
COST_AT_MOST = 1.25
COST_PAGES = [(words, address) for family, words, address in pages.PAGES if family in {"customers", "today"}]
NAMED = re.compile(r"/customers/(\d+)/")
COMMANDS = ["-m", "changke.interfaces.cli", "web", "--workers", "2"]


@dataclass
class Asker:
    """Somebody with a random scope, and how he shows who he is."""

    stores: frozenset[int] | None
    headers: dict[str, str]
    by_key: bool
    whom: str = "home"
    """`home`, `visited` or `assigned`, as grants say it."""
    staff_id: int | None = None

    def sees(self, her: "Known") -> bool:
        if self.stores is None:
            return True
        if self.whom == "assigned":
            return her.home in self.stores and her.adviser == self.staff_id
        return her.home in self.stores or (self.whom == "visited" and not self.stores.isdisjoint(her.came))


@dataclass(frozen=True)
class Known:
    """What decides who may see a customer."""

    home: int | None
    adviser: int | None
    came: frozenset[int]
    """Stores where she bought or was served."""


@dataclass
class Tally:
    """What the clients found, added up under a lock."""

    statuses: Counter[int] = field(default_factory=Counter)
    rows: int = 0
    foreign: int = 0
    wrong: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=3_600, help="fewer requests if they are not done by then")
    parser.add_argument("--at-once", type=int, default=100)
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--purchases", type=int, default=2_000_000)
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--only", choices=("leaks", "cost"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with filled(options.folder, options.customers, options.purchases):
        pages._people()
        _rights()
        failed = 0
        if options.only != "cost":
            failed += _leaks(options.requests, options.at_once, options.seconds)
        if options.only != "leaks":
            failed += _cost(options.customers, options.times)
        return int(failed > 0)


def _rights() -> None:
    """The roles of a real installation: without them nothing would be refused."""
    from django.conf import settings  # noqa: PLC0415 -- Django is set up by then

    from changke.interfaces.management.commands.prepare import collect_static, grant  # noqa: PLC0415

    grant(settings.CONNECTIONS)
    collect_static(Path(settings.STATIC_ROOT))


# Leaks


def _leaks(requests: int, at_once: int, seconds: float) -> int:
    askers, tally = _askers(), Tally()
    people = _people(askers)
    with _server() as port:
        begin = time.perf_counter()
        threads = [
            threading.Thread(
                target=_client, args=(port, number, requests // at_once, begin + seconds, askers, people, tally)
            )
            for number in range(at_once)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        taken = time.perf_counter() - begin
    asked = sum(tally.statuses.values())
    tally.seconds.sort()
    half, late = (tally.seconds[int(len(tally.seconds) * part)] * 1000 for part in (0.5, 0.99))
    print(f"\n{asked:,} requests, {at_once} at once: {asked / taken:,.0f}/s, p50 {half:.0f} ms, p99 {late:.0f} ms")
    print(f"answers {dict(sorted(tally.statuses.items()))}; customers named {tally.rows:,}")
    if asked < requests // at_once * at_once:
        print(f"not all of {requests:,} were asked in {seconds:.0f} s")
    print(f"foreign rows {tally.foreign}, wrong answers {len(tally.wrong)}")
    for line in tally.wrong[:10]:
        print("   ", line)
    return int(tally.foreign > 0 or bool(tally.wrong) or asked < requests // at_once * at_once)


def _people(askers: list[Asker]) -> dict[int, Known]:
    """Everybody, from the facts themselves. Each adviser among the askers gets a few hundred customers first."""
    from django.db import connection  # noqa: PLC0415 -- Django is set up by then

    with connection.cursor() as sql:
        for one in askers:
            if one.whom == "assigned":
                sql.execute(
                    "UPDATE facts_customer SET adviser_id = %s WHERE id IN (SELECT id FROM facts_customer"
                    " WHERE home_store_id = %s ORDER BY md5(id::text || %s) LIMIT 300)",
                    [one.staff_id, min(one.stores or ()), str(one.staff_id)],
                )
        sql.execute(
            "SELECT customer.id, home_store_id, adviser_id, coalesce(stores, '{}') FROM facts_customer AS customer"
            " LEFT JOIN (SELECT customer_id, array_agg(DISTINCT store_id) AS stores FROM ("
            "   SELECT customer_id, store_id FROM facts_receipt UNION SELECT customer_id, store_id FROM facts_visit"
            " ) AS was_there GROUP BY 1) AS came ON came.customer_id = customer.id"
        )
        return {pk: Known(home, adviser, frozenset(came)) for pk, home, adviser, came in sql.fetchall()}


def _askers() -> list[Asker]:
    """Persons and keys with one store to five, or the chain."""
    import datetime as dt  # noqa: PLC0415

    from django.conf import settings  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    from changke.foundation.access.services import add_staff, issue_key  # noqa: PLC0415
    from changke.foundation.organisation.models import Store  # noqa: PLC0415

    now, dice, stores = dt.datetime.now(dt.UTC), random.Random(18), list(Store.objects.order_by("id"))
    settings.ALLOWED_HOSTS = ["*"]
    found = []
    for number in range(PERSONS + KEYS):
        whole = number % 20 == 0
        mine = [] if whole else dice.sample(stores, dice.randint(1, 5))
        role = "hq" if whole else dice.choice(("manager", "staff"))
        scope = None if whole else frozenset(store.pk for store in mine)
        if number < PERSONS:
            name = f"t18-{now.timestamp():.0f}-{number}"
            whom = "home" if whole else ("home", "visited", "assigned")[number % 3]
            somebody = add_staff(username=name, name=name, role=role, stores=mine, sees=whom, now=now)
            client = Client()
            client.force_login(somebody)
            cookie = "; ".join(f"{key}={morsel.value}" for key, morsel in client.cookies.items())
            found.append(Asker(scope, {"Cookie": cookie}, by_key=False, whom=whom, staff_id=somebody.pk))
        else:
            secret = issue_key(name=f"t18-{number}", role=role, stores=mine, now=now).secret
            found.append(Asker(scope, {"Authorization": f"Bearer {secret}"}, by_key=True))
    return found


@contextmanager
def _server() -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    words = [sys.executable, *COMMANDS, "--data", os.environ["DATA_DIR"], "--port", str(port)]
    with subprocess.Popen(words, env=os.environ | {"DATABASE_ROLE": "app"}) as process:
        try:
            _wait(port)
            yield port
        finally:
            process.terminate()


def _wait(port: int) -> None:
    for _ in range(300):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server does not answer")


def _client(
    port: int, number: int, turns: int, end: float, askers: list[Asker], people: dict[int, Known], tally: Tally
) -> None:
    """One of the many: each turn another asker on the same connection."""
    dice, ids = random.Random(number), list(people)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    for _ in range(turns):
        if time.perf_counter() > end:
            break
        asker = dice.choice(askers)
        about = dice.choice(ids)
        path, single = _ask(asker, about, dice)
        begin = time.perf_counter()
        connection.request("GET", path, headers=asker.headers)
        answer = connection.getresponse()
        body = answer.read().decode()
        spent = time.perf_counter() - begin
        named = _named(body, path)
        if single:
            wanted = 200 if asker.sees(people[about]) else 404
        else:
            wanted = 200
        foreign = sum(not asker.sees(people[pk]) for pk in named if pk in people)
        with tally.lock:
            tally.statuses[answer.status] += 1
            tally.rows += len(named)
            tally.foreign += foreign
            tally.seconds.append(spent)
            if answer.status != wanted or foreign:
                tally.wrong.append(
                    f"{path}: {answer.status}, wanted {wanted}, foreign {foreign}, {asker.whom} of {asker.stores}"
                )
    connection.close()


def _ask(asker: Asker, about: int, dice: random.Random) -> tuple[str, bool]:
    """An address, and whether it is about the one customer only."""
    if asker.by_key:
        return dice.choice(
            [
                (f"/api/v1/customers?limit={A_FEW}&cursor={_cursor(about)}", False),
                (f"/api/v1/customers?phone={about % 10_000:04}&limit={A_FEW}", False),
                (f"/api/v1/customers/{about}", True),
                (f"/api/v1/customers/{about}/purchases", True),
                (f"/api/v1/profiles/{about}", True),
                (f"/api/v1/today?limit={A_FEW}", False),
            ]
        )
    return dice.choice(
        [
            ("/customers/", False),
            (f"/customers/?q={about % 10_000:04}", False),
            ("/customers/?stage=silent&order=name", False),
            (f"/customers/{about}/", True),
            ("/", False),
        ]
    )


def _cursor(after: int) -> str:
    import base64  # noqa: PLC0415

    return base64.urlsafe_b64encode(json.dumps([after]).encode()).decode()


def _named(body: str, path: str) -> set[int]:
    """The customers that an answer speaks of."""
    if not path.startswith("/api/"):
        return {int(pk) for pk in NAMED.findall(body)}
    told: Any = json.loads(body)
    rows = told.get("items", told.get("lines", [told])) if isinstance(told, dict) else told
    found = {row.get("customer_id", row.get("id")) for row in rows if isinstance(row, dict)}
    return {int(pk) for pk in found if pk is not None and "/purchases" not in path}


# Cost


def _cost(customers: int, times: int) -> int:
    """Each page by turns with and without, so that whatever else the machine does falls on both."""
    from django.conf import settings  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    from changke.foundation.access.models import Staff  # noqa: PLC0415
    from changke.foundation.database import row_security, rows_seen  # noqa: PLC0415

    settings.ALLOWED_HOSTS = ["*"]
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    clients = {name: Client() for name in ("owner", "manager3")}
    for name, client in clients.items():
        client.force_login(Staff.objects.get(username=name))
    tables = [one.table for one in row_security.protected_tables()]
    draw = pages._turns(customers)
    taken: dict[tuple[str, str, bool], list[float]] = {}

    def switch(on: bool) -> None:
        word = "ENABLE" if on else "DISABLE"
        with connection.cursor() as cursor:
            for table in tables:
                cursor.execute(f"ALTER TABLE {table} {word} ROW LEVEL SECURITY")
        while rows_seen._carrying in connection.execute_wrappers:
            connection.execute_wrappers.remove(rows_seen._carrying)
        if on:
            connection.execute_wrappers.append(rows_seen._carrying)

    try:
        for turn in range(times + 1):
            for on in (turn % 2 == 0, turn % 2 != 0):
                switch(on)
                for words, address in COST_PAGES:
                    for name, client in clients.items():
                        path = address.format_map(draw(random.Random(f"{words}{turn}")))
                        client.get(path)  # what the switch itself costs falls on nobody
                        begin = time.perf_counter()
                        answer = client.get(path)
                        spent = time.perf_counter() - begin
                        assert answer.status_code == 200, path
                        if turn:
                            taken.setdefault((words, name, on), []).append(spent * 1000)
    finally:
        switch(True)
    print(f"\n{'page':<44}{'by':<10}{'with':>8}{'without':>8}{'ratio':>8}  (p50 ms of {times})")
    with_, without = 0.0, 0.0
    worst = (0.0, "")
    for words, _address in COST_PAGES:
        for name in clients:
            on, off = (sorted(taken[words, name, flag])[times // 2] for flag in (True, False))
            print(f"{words:<44}{name:<10}{on:>8.1f}{off:>8.1f}{on / off:>8.2f}")
            with_, without = with_ + on, without + off
            worst = max(worst, (on / off, f"{words}, {name}"))
    print(f"all together: {with_ / without:.2f}; worst: {worst[0]:.2f} ({worst[1]}); promised: at most {COST_AT_MOST}")
    return int(with_ / without > COST_AT_MOST)


if __name__ == "__main__":
    raise SystemExit(main())
