import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from changke.facts.customers.models import Customer
from changke.foundation.audit.rules import system
from changke.foundation.audit.services import record
from changke.foundation.errors import NotFound
from changke.foundation.persons.registry import family_of
from changke.foundation.persons.services.erase import erase, preview
from changke.interfaces import person_file, words
from changke.interfaces.management.base import ShopCommand


class Command(ShopCommand):
    help = "Hand out what is kept about a customer, show what erasing her would take, or erase her for good."
    example = "changke person export 4711 --to /tmp/4711.zip --reason 'asked by e-mail'"

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=["show", "export", "erase"], help="what to do")
        parser.add_argument("customer", type=int, metavar="NUMBER", help="her number here")
        parser.add_argument("--to", type=Path, metavar="FILE", help="of `export`: the zip to write")
        parser.add_argument("--reason", default="", help="of `export` and `erase`: why; it stays in the audit trail")
        parser.add_argument("--yes", action="store_true", help="of `erase`: really")

    def run(
        self, *, verb: str, customer: int, to: Path | None, reason: str, yes: bool, **options: Any
    ) -> dict[str, Any]:
        if not Customer.objects.filter(pk=customer).exists():
            raise NotFound
        if verb == "export":
            return self._export(customer, to, reason)
        going = preview(customer)
        for one in going:
            what = str(words.PERSON_STAYS[one.stays]) if one.stays else "goes"
            self.say(f"{one.rows:>6} {person_file.title(one.key)}: {what}")
        if verb == "show":
            return {"customer_id": customer, "tables": [one.__dict__ for one in going]}
        if not yes:
            raise CommandError("this cannot be undone: say --yes")
        changed = erase(customer, reason=reason, by=system("changke person"), now=datetime.now(UTC))
        self.say(f"customer {customer} is erased")
        return {"customer_id": customer, "changed": changed}

    def _export(self, customer: int, to: Path | None, reason: str) -> dict[str, Any]:
        if to is None or not reason.strip():
            raise CommandError("say --to FILE and --reason")
        now = datetime.now(UTC)
        contents = person_file.as_zip(family_of(customer), now=now)
        try:
            descriptor = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandError(f"{to}: {error.strerror}") from error
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(contents)
        by = system("changke person")
        subject = f"customer:{customer}"
        record(by=by, action="customer.exported", subject=subject, reason=reason, customer_id=customer, now=now)
        self.say(f"{to}: everything that is kept about customer {customer}")
        return {"customer_id": customer, "file": str(to)}
