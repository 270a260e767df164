"""Every route of the API asked in thousands of ways, with the key of each role and with none, against a real site.

    python -m tests.interfaces.api.schema FOLDER [--cases 40] [--seconds 3600] [--roles owner staff]

Made up from the OpenAPI document: right bodies, wrong ones, strange texts and numbers. No answer may be a 5xx, and
without a key every route has to refuse. Routes are asked by turns, so that a run whose time is over has asked all of
them; it says how far it came.
"""

import argparse
import datetime as dt
import shutil
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import schemathesis
from benchmarks.site import site
from hypothesis import HealthCheck, Phase, given, seed, settings

NOW = dt.datetime.now(dt.UTC)
ROLES = ("owner", "hq", "manager", "staff", "analyst")
NOBODY = "without a key"
A_TURN = 10
"""Cases of a route before the next one is asked."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cases", type=int, default=40, help="for each route and role")
    parser.add_argument("--seconds", type=float, default=86_400, help="fewer cases if they are not done by then")
    parser.add_argument("--roles", nargs="+", default=[*ROLES, NOBODY])
    options = parser.parse_args()
    folder = options.folder.resolve() / "schema"
    shutil.rmtree(folder, ignore_errors=True)
    wrong: list[str] = []
    end = time.monotonic() + options.seconds
    with site(folder, prepare=_keys) as (port, keys):
        from changke.interfaces.api.v1.service import api  # noqa: PLC0415 -- Django is set up by now

        document = schemathesis.openapi.from_dict(api.get_openapi_schema())
        document.config.update(base_url=f"http://127.0.0.1:{port}")
        operations: list[Any] = [found.ok() for found in document.get_all_operations()]  # type: ignore[union-attr]
        for place, role in enumerate(options.roles):
            its_end = time.monotonic() + (end - time.monotonic()) / (len(options.roles) - place)
            answers: Counter[int] = Counter()
            turns = 0
            while turns * A_TURN < options.cases and time.monotonic() < its_end:
                for operation in operations:
                    ask_in_many_ways(operation, role, keys[role], turns, answers, wrong)
                turns += 1
            told = f"{turns * A_TURN} of {options.cases} cases of each of {len(operations)} routes"
            print(f"{role}: {sum(answers.values()):,} requests, {told}: {dict(sorted(answers.items()))}", flush=True)
    print("\n".join(wrong) or "no 5xx, and no route that answers without a key")
    return 1 if wrong else 0


def _keys() -> dict[str, str]:
    """A small chain, and a key of each role; the stores' roles have the first store."""
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
        keys = {
            role: issue_key(name=role, role=role, stores=[] if role in {"owner", "hq"} else stores[:1], now=NOW).secret
            for role in ROLES
        }
    return {**keys, NOBODY: ""}


def ask_in_many_ways(operation: Any, role: str, key: str, turn: int, answers: "Counter[int]", wrong: list[str]) -> None:
    quietly = list(HealthCheck)

    @seed(turn)
    @settings(max_examples=A_TURN, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=quietly)
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        case.cookies = {}
        case.headers = {name: value for name, value in (case.headers or {}).items() if name.lower() != "authorization"}
        if key:
            case.headers["Authorization"] = f"Bearer {key}"
        status = case.call(timeout=60).status_code
        answers[status] += 1
        # A made-up id may lead to an address that does not exist, for everybody.
        if status >= 500 or (not key and status not in {401, 404}):
            wrong.append(f"{role} {operation.method.upper()} {operation.path}: {status} for {case.body!r:.300}")

    ask()


if __name__ == "__main__":
    sys.exit(main())
