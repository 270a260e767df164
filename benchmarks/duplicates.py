"""Finding duplicates among everybody, with twins that were planted, as the nightly job does it.

    python -m benchmarks.duplicates FOLDER --customers 1000000 [--purchases 1000000] [--times 2] [--explain]

The search runs in a process of its own and as the role of the application, so with row-level security; twice by
default, because the first time every pair has to be written (of a folder that was searched before, nothing is new any
more). The baseline runs in the same way without row-level
security: two joins by hand, of phone with phone and of name and birthday with name and birthday, whose pairs are only
counted. Purchases do not matter here; the folder is filled once and keeps its twins, so it should be one of its own.

CPU seconds count the database with all its workers, and the process; they are what a busy machine can say.
"""

import argparse
import datetime as dt
import json
import os
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

from benchmarks.filled import filled
from benchmarks.load import server_cpu
from benchmarks.told import tell

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
AT_MOST_SECONDS = 60
PLANTED = "planted:"
"""In `source` of a twin: what kind she is and whose twin, so that the truth stands beside what was planted."""

JOIN_PHONES = """
SELECT count(*) FROM facts_identifier AS one JOIN facts_identifier AS other
ON other.kind = 'phone' AND other.blind = one.blind AND other.customer_id > one.customer_id WHERE one.kind = 'phone'
"""
JOIN_NAMES = """
SELECT count(*) FROM facts_customer AS one JOIN facts_customer AS other
ON other.name = one.name AND other.birth_year = one.birth_year AND other.birth_month = one.birth_month
  AND other.birth_day = one.birth_day AND other.id > one.id
"""


@dataclass(frozen=True)
class Kind:
    """Twins of one kind. `rule`: by which they have to be proposed; empty where they must not be, or cannot be."""

    key: str
    share: int
    """Of so many customers one has a twin of this kind."""
    rule: str
    same: frozenset[str] = field(default_factory=frozenset)


KINDS = (
    Kind("same phone, same name", 300, "phone_name", frozenset({"phone", "name"})),
    Kind("same phone, her daughter", 300, "phone", frozenset({"phone"})),
    Kind("number in clear is her phone", 1_000, "phone_name", frozenset({"clear", "name"})),
    Kind("same WeCom id", 1_000, "account", frozenset({"wecom"})),
    Kind("same union id", 1_000, "account", frozenset({"unionid"})),
    Kind("same e-mail", 1_000, "email", frozenset({"email"})),
    Kind("same name and birthday", 300, "name_birthday", frozenset({"name", "birthday"})),
    Kind("same phone, merged already", 1_000, "", frozenset({"phone", "name", "merged"})),
    Kind("same phone, refused before", 1_000, "", frozenset({"phone", "name", "refused"})),
    Kind("same name, nothing else", 1_000, "", frozenset({"name"})),
)
SHOPS, AT_A_SHOP = 20, 50
"""Phones of shops that stand in the record of everybody who had none, and in how many records each."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--purchases", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=2)
    parser.add_argument("--explain", action="store_true", help="print the plans of the search")
    parser.add_argument("--child", choices=("search", "baseline", "explain"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        return _child(arguments.child)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with filled(arguments.folder, arguments.customers, arguments.purchases):
        _rights()
        _plant(arguments.customers)
        return _measure(arguments)


def _rights() -> None:
    """The roles of a real installation: the search is measured as what it runs as."""
    from django.conf import settings  # noqa: PLC0415 -- Django is set up by then

    from changke.interfaces.management.commands.prepare import grant  # noqa: PLC0415

    grant(settings.CONNECTIONS)


def _measure(arguments: argparse.Namespace) -> int:
    data = arguments.folder / f"server_{arguments.customers}_{arguments.purchases}"
    if arguments.explain:
        print("\n".join(_in_a_child("explain", "app", data)["plans"]))
    print(f"load average of the machine: {os.getloadavg()[0]:.1f}")
    print(f"\n{'':44}{'seconds':>9}{'CPU, database':>15}{'CPU, process':>14}{'together':>10}{'peak MB':>9}")
    raw = _in_a_child("baseline", "reader", data)
    _tell("by hand: phones, names with birthdays", raw)
    print(f"{'':4}{raw['phones']:,} pairs of phones, {raw['names']:,} of names with birthdays")
    runs = []
    for number in range(arguments.times):
        runs.append(_in_a_child("search", "app", data))
        _tell(f"the search, {'everything is new' if not number else 'again'}", runs[-1])
        print(f"{'':4}{runs[-1]['pairs']:,} pairs, {runs[-1]['new']:,} new, {runs[-1]['gone']:,} gone")
    worst, wall = max(_cpu(run) for run in runs), max(run["seconds"] for run in runs)
    print(f"ratio of CPU to the joins by hand: {worst / _cpu(raw):.2f}")
    right = _compare_with_the_truth()
    print(f"at most {AT_MOST_SECONDS} s: {worst:.1f} CPU s, {wall:.1f} s of wall time")
    tell(
        customers=arguments.customers, cpu_seconds=worst, cpu_at_most_seconds=AT_MOST_SECONDS, seconds=wall,
        ratio_cpu=worst / _cpu(raw), pairs=runs[-1]["pairs"], right=right,
    )  # fmt: skip
    return int(not right or worst > AT_MOST_SECONDS)


def _cpu(run: dict[str, Any]) -> float:
    return float(run["database"] + run["cpu"])


def _tell(words: str, run: dict[str, Any]) -> None:
    print(
        f"{words:44}{run['seconds']:>9.1f}{run['database']:>15.1f}{run['cpu']:>14.1f}{_cpu(run):>10.1f}"
        f"{run['peak_mb']:>9}",
        flush=True,
    )


def _in_a_child(part: str, role: str, data: Path) -> dict[str, Any]:
    before = server_cpu(data)
    words = [sys.executable, "-m", "benchmarks.duplicates", str(data), "--child", part]
    done = subprocess.run(
        words, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | {"DATABASE_ROLE": role}
    )
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer | {"database": server_cpu(data) - before}


def _child(part: str) -> int:
    import django  # noqa: PLC0415 -- settings read the environment of the parent

    django.setup()
    from changke.foundation.database.rows_seen import seeing  # noqa: PLC0415
    from changke.foundation.organisation.scope import CHAIN_WIDE  # noqa: PLC0415

    begin, cpu = time.perf_counter(), time.process_time()
    with seeing(CHAIN_WIDE):
        answer = {"search": _search, "baseline": _by_hand, "explain": _plans}[part]()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    taken = {"seconds": time.perf_counter() - begin, "cpu": time.process_time() - cpu, "peak_mb": peak}
    print(json.dumps(answer | taken))
    return 0


def _search() -> dict[str, Any]:
    from changke.facts.duplicates.services import find_duplicates  # noqa: PLC0415

    searched = find_duplicates(now=NOW)
    return {"pairs": searched.pairs, "new": searched.new, "gone": searched.gone}


def _by_hand() -> dict[str, Any]:
    from django.db import connection  # noqa: PLC0415

    counts = []
    with connection.cursor() as sql:
        for statement in (JOIN_PHONES, JOIN_NAMES):
            sql.execute(statement)
            counts.append(sql.fetchone()[0])
    return {"phones": counts[0], "names": counts[1]}


def _plans() -> dict[str, Any]:
    """Each statement of the search, run once more with its plan."""
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    from changke.facts.duplicates.queries import alike  # noqa: PLC0415

    with CaptureQueriesContext(connection) as queries:
        alike()
    plans = []
    with connection.cursor() as sql:
        for query in queries.captured_queries:
            statement = query["sql"].removeprefix("SET LOCAL changke.stores = '*'; ").strip()
            if not statement.startswith(("SELECT", "WITH")):
                continue
            plans.append(f"{query['time']} s: {statement[:300]}")
            sql.execute("EXPLAIN (ANALYZE, BUFFERS) " + statement.replace("%", "%%"), [])
            plans += [f"    {line[:220]}" for (line,) in sql.fetchall()]
    return {"plans": plans}


def _plant(customers: int) -> None:
    """Phones for everybody, and the twins; once for each folder."""
    from django.db import connection  # noqa: PLC0415

    from changke.facts.customers.models import Customer, Identifier  # noqa: PLC0415
    from changke.facts.customers.services.names import NewName, write_many  # noqa: PLC0415

    if not Identifier.objects.exists():
        start = time.perf_counter()
        # The invented phones repeat; one identifier finds one person, so they are numbered.
        write_many(NewName(pk, "phone", _phone(pk)) for pk in range(1, customers + 1))
        write_many(NewName(pk, "external", f"C{pk:08}", "till") for pk in range(1, customers + 1))
        print(f"phones and numbers: {time.perf_counter() - start:.0f} s")
    if Customer.objects.filter(source__startswith=PLANTED).exists():
        return
    for number, kind in enumerate(KINDS):
        originals = list(range(1 + 7 * number, customers + 1, kind.share))
        for some in _some(originals, 2_000):
            _plant_some(kind, some)
    everybody = list(range(11, customers + 1, max(customers // (SHOPS * AT_A_SHOP), 1)))
    for number, some in enumerate(_some(everybody, AT_A_SHOP)):
        phone = f"+8615{number:09}"
        write_many(NewName(pk, "phone", phone, shared=place > 0) for place, pk in enumerate(some))
    with connection.cursor() as sql:
        sql.execute("VACUUM ANALYZE facts_customer, facts_identifier, facts_mergelink, facts_duplicate")


def _some(numbers: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for place in range(0, len(numbers), size):
        yield numbers[place : place + size]


def _phone(pk: int) -> str:
    return f"+8613{pk:09}"


def _plant_some(kind: Kind, originals: Sequence[int]) -> None:
    from changke.facts.customers.models import Customer  # noqa: PLC0415
    from changke.facts.customers.services.merge import merge  # noqa: PLC0415
    from changke.facts.customers.services.names import NewName, write_many  # noqa: PLC0415
    from changke.facts.duplicates.models import Duplicate, State  # noqa: PLC0415

    known = Customer.objects.filter(pk__in=originals).order_by("pk")
    twins = Customer.objects.bulk_create(
        Customer(
            # A hurried hand: a space more. Whoever is somebody else has another name, or another day of birth.
            name=f"{one.name[0]} {one.name[1:]}" if "name" in kind.same else f"{one.name[0]}晓{one.pk % 97}",
            birth_year=one.birth_year if "birthday" in kind.same else None,
            birth_month=one.birth_month if "birthday" in kind.same else None,
            birth_day=one.birth_day if "birthday" in kind.same else None,
            home_store_id=one.home_store_id,
            source=f"{PLANTED}{kind.key}:{one.pk}",
            known_on=one.known_on,
            recorded_at=NOW,
        )
        for one in known
    )
    names: list[NewName] = []
    for original, twin in zip(originals, twins, strict=True):
        if "phone" in kind.same:
            names.append(NewName(twin.pk, "phone", _phone(original), shared=True))
        else:
            names.append(NewName(twin.pk, "phone", f"+8618{twin.pk:09}"))
        if "clear" in kind.same:
            names.append(NewName(twin.pk, "card", _phone(original)[3:]))
        for sealed in {"wecom", "unionid", "email"} & kind.same:
            value = f"p{original}@example.com" if sealed == "email" else f"{sealed}-{original}"
            names.append(NewName(original, sealed, value))
            names.append(NewName(twin.pk, sealed, value, shared=True))
        if "merged" in kind.same:
            merge(twin.pk, original, why="by_hand", now=NOW)
    write_many(names)
    if "refused" in kind.same:
        Duplicate.objects.bulk_create(
            Duplicate(
                one_id=original, other_id=twin.pk, rule="phone_name", score=95, why=["phone", "name"],
                found_at=NOW, decided_at=NOW, state=State.NOT_SAME,
            )
            for original, twin in zip(originals, twins, strict=True)
        )  # fmt: skip


def _compare_with_the_truth() -> bool:
    """What was planted against what is proposed now."""
    from changke.facts.customers.models import Customer  # noqa: PLC0415
    from changke.facts.duplicates.models import Duplicate, State  # noqa: PLC0415

    proposed = {(one, other): rule for one, other, rule in _rows_of(Duplicate, state=State.PROPOSED)}
    rules = {kind.key: kind.rule for kind in KINDS}
    planted: dict[tuple[int, int], str] = {}
    twins = Customer.objects.filter(source__startswith=PLANTED).order_by()
    for twin, source in twins.values_list("pk", "source").iterator():
        _, kind, original = source.split(":")
        if int(original) != twin:  # whoever was merged has given her source to the one that stayed
            planted[int(original), twin] = kind
    found = Counter(kind for pair, kind in planted.items() if proposed.get(pair) == rules[kind] != "")
    anyhow = Counter(kind for pair, kind in planted.items() if pair in proposed)
    print(f"\n{'planted':34}{'twins':>8}{'proposed':>10}{'by the rule':>13}{'':2}")
    right = True
    for kind, many in Counter(planted.values()).items():
        fits = found[kind] == many if rules[kind] else not anyhow[kind] or "nothing else" in kind
        right &= fits
        print(f"{kind:34}{many:>8,}{anyhow[kind]:>10,}{found[kind]:>13,}  {rules[kind] or 'not to be proposed'}")
    wanted = {pair for pair, kind in planted.items() if rules[kind]}
    others = Counter(rule for pair, rule in proposed.items() if pair not in wanted)
    # Two twins of one person are a pair as well; nobody planted it as such.
    of_one: dict[int, list[int]] = {}
    for original, twin in wanted:
        of_one.setdefault(original, []).append(twin)
    siblings = {pair for twins in of_one.values() for pair in combinations(sorted(twins), 2)} & proposed.keys()
    recall = sum(pair in proposed for pair in wanted) / len(wanted)
    print(
        f"recall {recall:.4f} of {len(wanted):,}; proposed besides: {dict(others)}, of these {len(siblings):,} siblings"
    )
    print("namesakes with one birthday are many in an invented chain: it has fewer names than a real one")
    return right


def _rows_of(model: Any, **wanted: Any) -> Iterator[tuple[int, int, str]]:
    yield from model.objects.filter(**wanted).order_by().values_list("one_id", "other_id", "rule").iterator()


if __name__ == "__main__":
    raise SystemExit(main())
