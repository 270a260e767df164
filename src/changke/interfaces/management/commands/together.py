from typing import Any

from django.core.management.base import CommandParser

from changke.interfaces.exporters.datasets import together
from changke.interfaces.exporters.shape import Ask, Column
from changke.interfaces.management.base import ShopCommand
from changke.interfaces.management.commands.today import scope_of_store
from changke.profiles.affinity.together import stands_on

SETS = {
    "pairs": (together.PAIRS, together.pairs),
    "starters": (together.STARTERS, together.starters),
    "seasons": (together.SEASONS, together.seasons),
    "groups": (together.GROUPS, together.groups),
}


class Command(ShopCommand):
    help = (
        "What goes together: `pairs` had by the same customers or on one day, `starters` that newcomers begin with and "
        "how many came back, `seasons` of each item by month, `groups` and what they have most. Counted every night."
    )
    example = "changke together pairs --store JA"

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", nargs="?", choices=list(SETS), default="pairs")
        parser.add_argument("--store", metavar="CODE", help="one store (else the whole chain)")

    def run(self, *, what: str, store: str | None, **options: Any) -> dict[str, Any]:
        scope = scope_of_store(store)
        basis = stands_on(scope)
        if basis.as_of is None:
            self.say("nothing was counted yet: `changke refresh`, or wait for the night")
            return {"as_of": None, what: []}
        self.say(f"{basis.as_of}: {basis.receipts:,} receipts of two years, {basis.with_lines:,} say what was had")
        columns, rows = SETS[what]
        found = [dict(zip((one.key for one in columns), row, strict=True)) for row in rows(Ask(scope))]
        for row in found:
            self.say("  ".join(_told(columns, row)))
        if not found:
            self.say("too few to say: see the page for how many it takes")
        return {
            "as_of": basis.as_of, "receipts": basis.receipts, "with_lines": basis.with_lines,
            "first_on": basis.first_on, what: found,
        }  # fmt: skip


def _told(columns: tuple[Column, ...], row: dict[str, Any]) -> list[str]:
    return [
        f"{row[one.key]}" if one.kind != "int" else f"{one.key}={row[one.key]}"
        for one in columns
        if not one.key.endswith("code")
    ]
