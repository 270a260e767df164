from typing import Any

from django.core.management.base import CommandParser

from changke.interfaces.exporters.datasets import together
from changke.interfaces.exporters.shape import Ask, Column
from changke.interfaces.management.base import ShopCommand
from changke.interfaces.management.commands.today import scope_of_store
from changke.profiles.affinity.queries import affinity_fits
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
        "how many came back, `seasons` of each item by month, `groups` and what they have most; `model`: the "
        "weights behind what is proposed, and how well they did. Counted every night."
    )
    example = "changke together pairs --store JA"

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", nargs="?", choices=[*SETS, "model"], default="pairs")
        parser.add_argument("--store", metavar="CODE", help="one store (else the whole chain)")

    def run(self, *, what: str, store: str | None, **options: Any) -> dict[str, Any]:
        if what == "model":
            return self._model()
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

    def _model(self) -> dict[str, Any]:
        found = affinity_fits()
        if not found:
            self.say("nothing was learned yet: `changke refresh`, or wait for the night")
        for one in found[:1]:
            self.say(
                f"{one.observation_end}: {one.customers:,} customers, {one.items:,} services and goods, {one.lines:,}"
                f" things had on a day, learnt from {one.baskets:,} next purchases"
            )
            if one.fallback:
                self.say(f"  could not learn freely: {one.fallback}")
            if card := one.holdout:
                self.say(
                    f"  from {card['cut']} on, {card['within_days']} days: {card['hit']:.1%} of {card['customers']:,}"
                    f" purchases had one of {card['top']} proposed (her most frequent {card['own_hit']:.1%}, what sells"
                    f" {card['popular_hit']:.1%}); {card['said']:.1%} said to be taken, {card['came']:.1%} were"
                )
            else:
                self.say("  no report card: the past is too short, or too few came again")
        names = ("observation_end", "fitted_at", "first_day", "customers", "items", "lines", "baskets", "parameters",
                 "fallback", "holdout", "examined_on")  # fmt: skip
        return {"fits": [{name: getattr(one, name) for name in names} for one in found]}


def _told(columns: tuple[Column, ...], row: dict[str, Any]) -> list[str]:
    return [
        f"{row[one.key]}" if one.kind != "int" else f"{one.key}={row[one.key]}"
        for one in columns
        if not one.key.endswith("code")
    ]
