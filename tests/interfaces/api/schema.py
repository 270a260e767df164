"""Every route of the API asked in thousands of ways, with the key of each role and with none.

    python -m tests.interfaces.api.schema FOLDER [--cases 40] [--seconds 3600] [--roles owner staff]

Made up from the OpenAPI document: right bodies, wrong ones, strange texts and numbers; every second id in a path is one
that exists. No answer may be a 5xx, and without a key every route has to refuse. Routes are asked by turns, so that a
run whose time is over has asked all of them; it says how far it came.

The database is that of a real installation, asked as the role `app`; the site is called in the process of the asker,
one process per role, because the way over the network would cost as much as the answers.
"""

import argparse
import datetime as dt
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import schemathesis
from benchmarks.site import installation
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import InvalidArgument, Unsatisfiable
from schemathesis import GenerationMode

NOW = dt.datetime.now(dt.UTC)
ROLES = ("owner", "hq", "manager", "staff", "analyst")
NOBODY = "without a key"
A_TURN = 10
"""Cases of a route before the next one is asked."""
REAL_IDS = 12
"""Numbers from one on: most tables of the small chain have rows there."""
OUT_OF_REACH = 1_000_000
"""Where the numbers of the askers' own keys begin: who could name his own would take it from himself, and be answered
nothing but 401 from then on."""
ITS_KEY = "SCHEMA_KEY"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cases", type=int, default=40, help="for each route and role")
    parser.add_argument("--seconds", type=float, default=86_400, help="fewer cases if they are not done by then")
    parser.add_argument("--roles", nargs="+", default=[*ROLES, NOBODY])
    parser.add_argument("--within", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.within:
        return _as_one_role(options.roles[0], os.environ[ITS_KEY], options.cases, options.seconds)
    folder = options.folder.resolve() / "schema"
    shutil.rmtree(folder, ignore_errors=True)
    end = time.monotonic() + options.seconds
    failed = 0
    with installation(folder, prepare=_keys) as keys:
        for place, role in enumerate(options.roles):
            seconds = (end - time.monotonic()) / (len(options.roles) - place)
            words = ["-m", "tests.interfaces.api.schema", str(folder), "--within", "--roles", role]
            words += ["--cases", str(options.cases), "--seconds", str(seconds)]
            environment = {**os.environ, "DATABASE_ROLE": "app", ITS_KEY: keys[role]}
            failed += subprocess.run([sys.executable, *words], env=environment, check=False).returncode != 0
    print("wrong answers are named above" if failed else "no 5xx, and no route that answers without a key")
    return int(failed > 0)


def _as_one_role(role: str, key: str, cases: int, seconds: float) -> int:
    """All routes by turns with this key, within this process."""
    from changke import wsgi  # noqa: PLC0415 -- sets Django up
    from changke.interfaces.api.v1.service import api  # noqa: PLC0415 -- Django is set up by now

    document = schemathesis.openapi.from_dict(api.get_openapi_schema())
    document.app = _from_here(wsgi.application)
    operations: list[Any] = [found.ok() for found in document.get_all_operations()]  # type: ignore[union-attr]
    answers: Counter[int] = Counter()
    wrong: list[str] = []
    turns, end = 0, time.monotonic() + seconds
    while turns * A_TURN < cases and time.monotonic() < end:
        for operation in operations:
            ask_in_many_ways(operation, role, key, turns, answers, wrong)
        turns += 1
    told = f"{turns * A_TURN} of {cases} cases of each of {len(operations)} routes"
    spent = f"{time.process_time():,.0f} s of the processor here"
    print(f"{role}: {sum(answers.values()):,} requests, {told}, {spent}: {dict(sorted(answers.items()))}", flush=True)
    print("\n".join(wrong[:50]), end="\n" if wrong else "", flush=True)
    return int(bool(wrong))


def _from_here(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """The site as a server would call it: with the address that asks."""

    def asked(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        return application({"REMOTE_ADDR": "127.0.0.1", **environ}, start)

    return asked


def _keys() -> dict[str, str]:
    """A small chain, and a key of each role; the stores' roles have the first store."""
    from django.db import connection  # noqa: PLC0415

    from changke.facts.customers.services.register import register  # noqa: PLC0415
    from changke.foundation.access.services import issue_key  # noqa: PLC0415
    from changke.foundation.database.rows_seen import seeing  # noqa: PLC0415
    from changke.foundation.organisation.scope import CHAIN_WIDE  # noqa: PLC0415
    from changke.foundation.organisation.services import add_store, found_chain  # noqa: PLC0415
    from changke.profiles.lifecycle.services import publish_models, refresh_customers  # noqa: PLC0415

    with seeing(CHAIN_WIDE):
        chain = found_chain(name="花漾", now=NOW)
        stores = [add_store(code=code, name=code, now=NOW) for code in ("JA", "XH")]
        publish_models(chain, now=NOW)
        people = [
            register(name=f"张{n}", phone=f"1380000{n:04}", home_store=stores[n % 2], now=NOW).pk for n in range(10)
        ]
        refresh_customers(people, now=NOW)
        for number in range(REAL_IDS):
            issue_key(name=f"key {number}", role="staff", stores=stores[:1], now=NOW)
        with connection.cursor() as sql:
            sql.execute("SELECT setval(pg_get_serial_sequence('foundation_apikey', 'id'), %s)", [OUT_OF_REACH])
        keys = {
            role: issue_key(name=role, role=role, stores=[] if role in {"owner", "hq"} else stores[:1], now=NOW).secret
            for role in ROLES
        }
    return {**keys, NOBODY: ""}


def ask_in_many_ways(operation: Any, role: str, key: str, turn: int, answers: "Counter[int]", wrong: list[str]) -> None:
    """Ten cases; every third turn those that the document calls wrong."""
    quietly, dice = list(HealthCheck), random.Random(f"{role} {operation.path} {turn}")
    mode = GenerationMode.NEGATIVE if turn % 3 == 1 else GenerationMode.POSITIVE

    @seed(turn)
    @settings(max_examples=A_TURN, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=quietly)
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        case.cookies = {}
        case.headers = {name: value for name, value in (case.headers or {}).items() if name.lower() != "authorization"}
        if key:
            case.headers["Authorization"] = f"Bearer {key}"
        for name, value in (case.path_parameters or {}).items():
            if isinstance(value, int) and dice.random() < 0.5:
                case.path_parameters[name] = dice.randint(1, REAL_IDS)
        status = case.call(base_url="http://127.0.0.1").status_code
        answers[status] += 1
        # A made-up id may lead to an address that does not exist, for everybody.
        if status >= 500 or (not key and status not in {401, 404}):
            asked = f"{case.path_parameters!r:.100} {case.query!r:.200} {case.body!r:.300}"
            wrong.append(f"{role} {operation.method.upper()} {operation.path}: {status} for {asked}")

    # A route that takes nothing has nothing that could be made up wrongly.
    with suppress(Unsatisfiable, InvalidArgument):
        ask()


if __name__ == "__main__":
    sys.exit(main())
