from datetime import UTC, datetime
from typing import Any

from changke.foundation.audit.rules import system
from changke.foundation.instance.queries import sending_paused
from changke.foundation.instance.services import confirm
from changke.interfaces import words
from changke.interfaces.management.base import ShopCommand


class Command(ShopCommand):
    help = (
        "Say that this installation, restored or copied, is the one that writes to customers. Until then it is silent."
    )
    example = "changke confirm --data /srv/changke"

    def run(self, **options: Any) -> dict[str, Any]:
        why = sending_paused()
        if why is None:
            self.say("nothing is paused here")
        else:
            self.say(str(words.SENDING_PAUSED[why]))
            confirm(by=system("changke confirm"), now=datetime.now(UTC))
            self.say("confirmed: this installation may write to customers")
        return {"was_paused": why}
