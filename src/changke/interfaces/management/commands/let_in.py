from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.urls import reverse

from changke.foundation.access.models import Staff
from changke.foundation.audit.rules import system
from changke.foundation.login.services.reset import make_reset_link
from changke.foundation.login.services.second_factor import forget
from changke.interfaces.management.base import ShopCommand


class Command(ShopCommand):
    help = "Let somebody in who has forgotten the password or lost the phone, where nobody else is there to do it."
    example = "changke let_in owner --lost-phone"

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="USERNAME", help="the log-in name")
        parser.add_argument(
            "--lost-phone",
            action="store_true",
            help="also take the second factor away: the next log-in sets up another",
        )

    def run(self, *, username: str, lost_phone: bool, **options: Any) -> dict[str, Any]:
        person = Staff.objects.filter(username__iexact=username, is_active=True).first()
        if person is None:
            raise CommandError(f"nobody who works here has the log-in name {username}")
        now, by = datetime.now(UTC), system("changke let_in")
        if lost_phone:
            forget(person, by=by, now=now)
        made = make_reset_link(person, by=by, now=now)
        path = reverse("reset", args=[made.token])
        self.say(f"{person.name} sets a new password at the address of your site, followed by")
        self.say(f"  {path}")
        self.say("once, within 30 minutes.")
        return {"username": person.username, "path": path, "until": made.link.expires_at, "lost_phone": lost_phone}
