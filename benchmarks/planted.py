"""How well the product sees what was planted in the invented chain: who has left, why, and who let one line go.

    python -m benchmarks.planted FOLDER [--customers 20000]

A chain is invented into a data folder of its own and computed as `changke demo` does it; the truth about each customer
is kept beside it and only read here. Who is gone: the chance of a purchase and the stage, against "she will come
again". Why: the causes found for open warnings, against the planted reason. A reason leaves words in some cases only,
so no more than that share can be found; the table says how many left any. Lines of services: `benchmarks.let_go`.
What a message does, and to whom: `benchmarks.uplift`.
"""

import argparse
import datetime as dt
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks import let_go, uplift

from changke.engine import synthetic
from changke.foundation.database import launcher

NOW = dt.datetime(2026, 11, 21, 4, tzinfo=dt.UTC)
SEED = 42
CAUSE_OF = {
    "complaint": "complaint", "oversold": "oversold", "price": "price", "moved": "moved", "needs_changed": "needs",
    "adviser_left": "staff_left",
}  # fmt: skip
"""Planted reason -> the cause that is found for it. Who never was won left no reason behind."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--customers", type=int, default=20_000)
    options = parser.parse_args()
    data = options.folder / "planted"
    shutil.rmtree(data, ignore_errors=True)
    os.environ |= {"DATA_DIR": str(data), "DATABASE_ROLE": "owner", "DJANGO_SETTINGS_MODULE": "changke.settings"}
    with launcher.running(data, say=print):
        import django  # noqa: PLC0415 -- settings read the environment set above

        django.setup()
        from changke.foundation.database import rows_seen  # noqa: PLC0415
        from changke.foundation.organisation.scope import CHAIN_WIDE  # noqa: PLC0415

        with rows_seen.seeing(CHAIN_WIDE):
            _compute(data, options.customers)
            world = synthetic.invent(SEED, today=NOW.date(), customers=options.customers, until=NOW)
            _who_is_gone(world.truth)
            _why(world)
            _lines(world)
    uplift.table(40, 8_000)
    shutil.rmtree(data, ignore_errors=True)


def _compute(data: Path, customers: int) -> None:
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import transaction  # noqa: PLC0415

    from changke.interfaces import analytics  # noqa: PLC0415
    from changke.interfaces.demo import create_demo  # noqa: PLC0415
    from changke.interfaces.demo.warning import choose_rule  # noqa: PLC0415

    call_command("prepare", verbosity=0)
    with transaction.atomic():
        create_demo(now=NOW, secrets=data / "secrets", customers=customers, seed=SEED)
    choose_rule(now=NOW)
    analytics.refresh(now=NOW)


def _who_is_gone(truth: synthetic.Truth) -> None:
    """Of customers who meant to come again. Customers are numbered as they were written."""
    from changke.profiles.lifecycle.models import Standing  # noqa: PLC0415
    from changke.profiles.value.models import Prediction  # noqa: PLC0415

    outlook = dict(Prediction.objects.values_list("pk", "p_active_bp"))
    stage = dict(Standing.objects.filter(model="m4").values_list("customer_id", "stage"))
    first = min(outlook, default=1) if not stage else min(stage)
    returning = [
        k for k, kind in enumerate(truth.kind) if kind in {"casual", "regular", "vip"} and k + first in outlook
    ]
    here = truth.is_active[returning]
    chance = np.array([outlook[k + first] for k in returning])
    print("| who comes again, of those who came more than once or meant to | |")
    print("| --- | --- |")
    print(f"| customers; of them will come again | {len(here):,}; {here.mean():.1%} |")
    print(f"| AUC of the chance of a purchase | {_auc(chance, here):.3f} |")
    days = (np.datetime64(NOW.date()) - truth.last_seen_on[returning]).astype(float)
    print(f"| AUC of days silent, fewest first | {_auc(-days, here):.3f} |")
    print("\n| stage | customers | of them gone | share of all gone |")
    print("| --- | --- | --- | --- |")
    stands = [stage.get(k + first, "-") for k in returning]
    for name, number in Counter(stands).most_common():
        inside = np.array([one == name for one in stands])
        gone = ~here[inside]
        print(f"| {name} | {number:,} | {gone.mean():.1%} | {gone.sum() / max((~here).sum(), 1):.1%} |")


def _why(world: synthetic.World) -> None:
    from changke.facts.customers.models import Customer  # noqa: PLC0415
    from changke.profiles.risk.models import ChurnWarning  # noqa: PLC0415
    from changke.profiles.risk.rules import TOPICS  # noqa: PLC0415

    first = Customer.objects.order_by("pk").values_list("pk", flat=True)[0]
    spoke = {
        (k, TOPICS.get(topic)) for k, topic in zip(world.events.customer.tolist(), world.events.topic, strict=True)
    }
    rows: list[tuple[str, list[str], bool]] = []
    gone = 0
    for customer, causes in ChurnWarning.objects.filter(ended_on__isnull=True).values_list("customer_id", "causes"):
        k = customer - first
        if k >= len(world.truth.kind):  # written down a second time
            continue
        gone += not world.truth.is_active[k]
        why = world.truth.churn_reason[k]
        rows.append((why, [one["cause"] for one in causes], (k, CAUSE_OF.get(why, "-")) in spoke))
    print(f"\nopen warnings: {len(rows):,}; {gone / max(len(rows), 1):.1%} of them have left for good")
    print("\n| planted reason | warned | left words about it | found | found first | named first, of them right |")
    print("| --- | --- | --- | --- | --- | --- |")
    for reason, cause in CAUSE_OF.items():
        with_it = [(causes, said) for why, causes, said in rows if why == reason]
        found = sum(cause in causes for causes, _ in with_it)
        leading = sum(causes[:1] == [cause] for causes, _ in with_it)
        named = [why == reason for why, causes, _ in rows if causes[:1] == [cause]]
        said = sum(said for _, said in with_it)
        print(
            f"| {reason} | {len(with_it)} | {_of(said, len(with_it))} | {_of(found, len(with_it))}"
            f" | {_of(leading, len(with_it))} | {len(named)}, {_of(sum(named), len(named))} |"
        )
    none = [causes for why, causes, _ in rows if why in {"", "not_won"}]
    print(f"\nno reason planted: {len(none)}; a cause is named for {_of(sum(map(bool, none)), len(none))}")


def _lines(world: synthetic.World) -> None:
    """A year of nights over what the database holds, and the warnings that stand open in it."""
    from changke.facts.customers.models import Customer  # noqa: PLC0415
    from changke.profiles.lifecycle.services.mirror import mirror_file, open_mirror  # noqa: PLC0415
    from changke.profiles.risk.models import ChurnWarning  # noqa: PLC0415
    from changke.profiles.risk.queries import purchase_days  # noqa: PLC0415
    from changke.profiles.risk.services.line_days import read_line_days  # noqa: PLC0415

    first = Customer.objects.order_by("pk").values_list("pk", flat=True)[0]
    position = {name: place for place, name in enumerate(world.categories.name)}
    with open_mirror(mirror_file()) as (duck, _):
        days = duck.sql(purchase_days(world.today)).fetchnumpy()
        read = read_line_days(duck, world.today)
    invented = read.customer_id - first < len(world.customers)  # the others are written down a second time
    of_category = dict(_categories(position))
    line = np.array([of_category[key] for key in read.line.tolist()])
    held = let_go.Held(
        (read.customer_id - first)[invented], line[invented], read.date.astype("datetime64[D]").astype(int)[invented]
    )
    bought = (days["customer_id"] - first, days["date"].astype("datetime64[D]").astype(int))
    nights = let_go.nights_until(world.today)
    played = let_go.play(held, bought, let_go.judged_before(held, nights[0]), nights)
    print("\nlines of services, a year of nights:\n")
    print(let_go.table({name: let_go.count(one, held, world, nights) for name, one in played.items()}))
    rows = ChurnWarning.objects.filter(line__isnull=False, customer__lt=first + len(world.customers))
    standing = let_go.Played({
        (customer - first, of_category[category], let_go.number(since)): let_go.number(world.today)
        for customer, category, since in rows.values_list("customer_id", "line__category", "silent_since")
    })  # fmt: skip
    kinds = zip(let_go.KINDS, let_go.count(standing, held, world, nights).kinds, strict=True)
    print("\nopen in the database: " + ", ".join(f"{number} {kind}" for kind, number in kinds))


def _categories(position: dict[str, int]) -> list[tuple[int, int]]:
    """Ids of the database, and positions in the world."""
    from changke.facts.catalog.models import Category  # noqa: PLC0415

    return [(pk, position[name]) for pk, name in Category.objects.values_list("pk", "name") if name in position]


def _of(some: int, number: int) -> str:
    return f"{some / number:.0%}" if number else "-"


def _auc(score: Any, yes: Any) -> float:
    """The chance that one who comes scores above one who does not; ties count half."""
    _, place, number = np.unique(score, return_inverse=True, return_counts=True)
    middle = np.cumsum(number) - (number - 1) / 2
    ranks = middle[place]
    came = int(yes.sum())
    return float((ranks[yes].sum() - came * (came + 1) / 2) / (came * (len(yes) - came)))


if __name__ == "__main__":
    main()
