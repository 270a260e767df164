import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from changke.interfaces import analytics
from changke.interfaces.management.base import ShopCommand
from changke.interfaces.progress import Steps


class Command(ShopCommand):
    help = "Compute the attributes and stages of all customers anew. The worker does it every night by itself."
    example = "changke refresh"

    def run(self, **options: Any) -> dict[str, Any]:
        began = time.monotonic()
        with Steps() as steps:
            done = analytics.refresh(now=datetime.now(UTC), progress=steps)
        seconds = round(time.monotonic() - began, 1)
        self.say(
            f"{done.customers:,} customers as of {done.as_of} in {seconds} s; {done.changed:,} changed their stage"
        )
        return {**asdict(done), "seconds": seconds}
