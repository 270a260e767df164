"""A storm of deliveries from a web shop: 30 % come twice, 10 % out of order, 1 % are signed by nobody.

    python -m benchmarks.webhooks FOLDER [--deliveries 5000] [--threads 12] [--seconds 120]

A real site (granian, two processes) on loopback answers; sender, site and database share the machine. Accepted are
deliveries that are kept durably and answered. Then they are processed in this process, as the worker does, and the
effects must be those of the distinct valid ones. Neither half lasts longer than `--seconds`: where not everything was
sent or processed by then it says so, gives the rates of what was, and does not call it right.
"""

import argparse
import base64
import datetime as dt
import hmac
import json
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.load import server_cpu
from benchmarks.site import Request, children_cpu, send, site

AT_LEAST_PER_SECOND = 1_000
AT_MOST_MS = 100
SECRET = "benchmark"
NOW = dt.datetime.now(dt.UTC)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--deliveries", type=int, default=5_000)
    parser.add_argument("--threads", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=120)
    options = parser.parse_args()
    folder = options.folder.resolve() / "webhooks"
    shutil.rmtree(folder, ignore_errors=True)
    with site(folder, prepare=_prepare) as (port, path):
        storm = list(letters(path, options.deliveries))
        cpu = children_cpu(), server_cpu(folder)
        sent = send(port, iter(storm), threads=options.threads, seconds=options.seconds)
        spent = children_cpu() - cpu[0], server_cpu(folder) - cpu[1]
        start, own = time.perf_counter(), time.process_time()
        receipts, states = _process(options.seconds)
        took, own = time.perf_counter() - start, time.process_time() - own
        processed = sum(count for state, count in states.items() if state != "received")
    bad = sum(1 for _, _, headers in storm if headers["X-Shopify-Hmac-Sha256"] == "AAAA")
    accepted = sent.statuses.get(200, 0)
    print(f"\n{'':22}{'per s':>9}{'p50 ms':>9}{'p99 ms':>9}{'worst':>9}")
    print(
        f"{'accepted':22}{accepted / sent.seconds:>9,.0f}{sent.percentile(0.5):>9.0f}{sent.percentile(0.99):>9.0f}"
        f"{max(sent.milliseconds):>9.0f}"
    )
    print(f"{'processed':22}{processed / took:>9,.0f}")
    asked = len(sent.milliseconds)
    print(f"CPU ms a delivery: site {spent[0] / asked * 1000:.1f}, database {spent[1] / asked * 1000:.1f}", end="; ")
    print(f"processing it, without the database {own / max(processed, 1) * 1000:.1f}")
    if asked < len(storm) or states.get("received"):
        print(f"not everything in {options.seconds:.0f} s: {asked:,} of {len(storm):,} sent, left {states}")
    print(f"answers {sent.statuses}; {bad:,} of {bad:,} bad ones should be 401; states {states}")
    print(f"{receipts:,} receipts of {options.deliveries:,} distinct valid deliveries")
    right = receipts == options.deliveries and sent.statuses.get(401, 0) == bad and set(sent.statuses) <= {200, 401}
    fast = accepted / sent.seconds >= AT_LEAST_PER_SECOND and sent.percentile(0.99) <= AT_MOST_MS
    return 0 if right and fast else 1


def _prepare() -> str:
    from changke.foundation.audit.rules import By  # noqa: PLC0415
    from changke.foundation.organisation.services import add_store, found_chain  # noqa: PLC0415
    from changke.interfaces.webhooks.services.addresses import make_address, map_place  # noqa: PLC0415

    by = By("system", None, "benchmark")
    found_chain(name="Benchmark", by=by, now=NOW)
    store = add_store(code="S1", name="Store", by=by, now=NOW)
    address, _ = make_address(source="shopify", name="shop", secret=SECRET, created_by=None, by=by, now=NOW)
    map_place(address, "online", store, by=by, now=NOW)
    return address.path


def letters(path: str, count: int) -> Iterator[Request]:
    """The storm, the same in every run."""
    chance = random.Random(7)
    numbers = [n for n in range(count) for _ in range(2 if chance.random() < 0.3 else 1)]
    for place in range(len(numbers) - 20):
        if chance.random() < 0.1:
            other = place + chance.randrange(20)
            numbers[place], numbers[other] = numbers[other], numbers[place]
    moment = (NOW - dt.timedelta(hours=1)).isoformat()
    for n in numbers:
        if chance.random() < 0.01:
            yield f"/hooks/{path}/", b"{}", {"X-Shopify-Hmac-Sha256": "AAAA", "X-Shopify-Topic": "orders/paid"}
        order = {
            "id": n, "name": f"#{n}", "financial_status": "paid", "currency": "CNY", "total_price": "88.00",
            "created_at": moment, "updated_at": moment, "customer": {"id": n % 5_000 + 1},
            "line_items": [{"name": "深层补水", "quantity": 1, "price": "88.00"}], "note": "x" * 1_500,
        }  # fmt: skip
        body = json.dumps(order).encode()
        digest = base64.b64encode(hmac.new(SECRET.encode(), body, "sha256").digest()).decode()
        yield f"/hooks/{path}/", body, {
            "X-Shopify-Hmac-Sha256": digest, "X-Shopify-Topic": "orders/paid", "X-Shopify-Webhook-Id": f"d{n}"
        }  # fmt: skip


def _process(seconds: float) -> tuple[int, dict[str, int]]:
    from django.db.models import Count  # noqa: PLC0415

    from changke.facts.models import Receipt  # noqa: PLC0415
    from changke.interfaces.webhooks.models import WebhookDelivery  # noqa: PLC0415
    from changke.interfaces.webhooks.services.process import process_some  # noqa: PLC0415

    end = time.perf_counter() + seconds
    while process_some(dt.datetime.now(dt.UTC)) and time.perf_counter() < end:
        pass
    states = dict(WebhookDelivery.objects.values_list("state").annotate(count=Count("pk")))
    return Receipt.objects.filter(source="shopify").count(), states


if __name__ == "__main__":
    raise SystemExit(main())
