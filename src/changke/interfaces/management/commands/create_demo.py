from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from changke.foundation.organisation.models import Chain
from changke.interfaces import analytics
from changke.interfaces.demo import Login, create_demo
from changke.interfaces.demo.logins import kept_logins
from changke.interfaces.demo.segments import save_segments
from changke.interfaces.demo.warning import choose_rule
from changke.interfaces.management.base import ShopCommand
from changke.interfaces.progress import Progress, Steps
from changke.profiles.attributes.queries import last_bulk_run


class Command(ShopCommand):
    help = "Write the invented chain into an empty data folder and compute it. `changke demo` does that and serves it."
    example = "changke create_demo --customers 2000"

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customers", type=int, default=20_000, help="how many (20,000)")

    def run(self, *, customers: int, **options: Any) -> dict[str, Any]:
        now = datetime.now(UTC)
        secrets = settings.DATA_DIR / "secrets"
        if not Chain.objects.exists():
            self.say("inventing a chain: three years of 12 stores, once")
            # One transaction, against the habit of short ones: a first start that is interrupted leaves an empty
            # data folder rather than half a chain, and nobody else is here yet.
            with Progress("writing the chain") as progress, transaction.atomic():
                create_demo(now=now, secrets=secrets, customers=customers, advance=progress.to)
        logins = kept_logins(secrets)
        if not logins:
            raise CommandError("this data folder holds a chain of your own: start it with `changke up`")
        if last_bulk_run() is None:  # later days are the worker's, so that a second start takes seconds
            choose_rule(now=now)
            with Steps() as steps:
                analytics.refresh(now=now, progress=steps)
            save_segments(now=datetime.now(UTC))
        self._print(logins)
        return {"logins": [login.username for login in logins]}

    def _print(self, logins: list[Login]) -> None:
        self.say("\nLog-in of the demo:")
        for login in logins:
            self.say(f"  {login.username:<8} {login.password}")
