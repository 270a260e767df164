import secrets
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from changke.foundation.access.models import Role
from changke.foundation.access.services import add_staff
from changke.foundation.audit.rules import system
from changke.foundation.organisation.models import Chain
from changke.foundation.organisation.services import found_chain
from changke.interfaces.management.base import ShopCommand

BY = system("changke found")


class Command(ShopCommand):
    help = "Found your chain without opening the first page: its name, currency and time zone, and the owner's log-in."
    example = 'changke found "Jia Beauty" --currency CNY --owner anna'

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the chain's name")
        parser.add_argument("--currency", default="CNY", help="the one currency of the chain (CNY); it stays")
        parser.add_argument("--time-zone", default="Asia/Shanghai", help="Asia/Shanghai unless given")
        parser.add_argument("--owner", default="owner", metavar="USERNAME", help="the owner's log-in name (owner)")

    def run(self, *, name: str, currency: str, time_zone: str, owner: str, **options: Any) -> dict[str, Any]:
        if Chain.objects.exists():
            raise CommandError("this data folder holds a chain already: choose another with --data")
        password, now = secrets.token_urlsafe(12), datetime.now(UTC)
        with transaction.atomic():
            found_chain(name=name, currency=currency, time_zone=time_zone, by=BY, now=now)
            add_staff(username=owner, name=owner, role=Role.OWNER, password=password, by=BY, now=now)
        self.say(f"{name} is founded. Log-in: {owner}   password: {password}")
        return {"chain": name, "currency": currency, "owner": owner, "password": password}
