from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandParser

from changke.facts.duplicates.queries import open_pairs
from changke.facts.duplicates.services import find_duplicates
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.interfaces import words
from changke.interfaces.management.base import ShopCommand


class Command(ShopCommand):
    help = "Records that may be of one person: look for them now, or list those that wait for a decision."
    example = "changke duplicates list --most 20"

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=["find", "list"], help="look at everybody, or list what was found")
        parser.add_argument("--most", type=int, default=50, metavar="N", help="of `list`: so many (default 50)")

    def run(self, *, verb: str, most: int, **options: Any) -> dict[str, Any]:
        if verb == "find":
            found = find_duplicates(now=datetime.now(UTC))
            self.say(
                f"{found.pairs} pairs wait for a decision, {found.new} of them new; {found.gone} are none any more"
            )
            return {"pairs": found.pairs, "new": found.new, "gone": found.gone}
        rows = open_pairs(CHAIN_WIDE)
        pairs = []
        for one in rows[: max(most, 0)]:
            self.say(f"#{one.one_id} {one.one}  =?  #{one.other_id} {one.other}  {words.DUPLICATES[one.rule]}")
            pairs.append(
                {"id": one.pk, "customers": [one.one_id, one.other_id], "rule": one.rule, "score": one.score,
                 "why": one.why, "found_at": one.found_at}
            )  # fmt: skip
        total = rows.count()
        self.say(f"{total} in all")
        return {"total": total, "pairs": pairs}
