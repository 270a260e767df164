import json
from argparse import BooleanOptionalAction
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from changke.foundation.audit.rules import system
from changke.foundation.errors import DomainError
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.interfaces import analytics
from changke.interfaces.management.base import ShopCommand
from changke.profiles.lifecycle.catalogue import model_entries, model_entry
from changke.profiles.lifecycle.queries import by_day, counts, flows, models_in_use, profits
from changke.profiles.lifecycle.rules import ModelError
from changke.profiles.lifecycle.services import (
    DryRun,
    bring_into_use,
    dry_run,
    make_default,
    switch_off,
    switch_on,
)
from changke.profiles.lifecycle.services.spells import sample_spells
from changke.profiles.lifecycle.times import times_in
from changke.profiles.value.profit import NOTHING

BY = system("changke stages")


class Command(ShopCommand):
    help = (
        "The lifecycle models: list them, write one into a file, ask what a changed one would do today or over past "
        "months, publish it, switch models on and off. A model is asked unless --yes publishes it."
    )
    example = "changke stages --show m4 > mine.json; changke stages --file mine.json --months 12 --day 2026-02-14"

    def arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--show", metavar="MODEL", help="print its definition")
        what.add_argument("--series", metavar="MODEL", help="customers, value and profit per stage at each month end")
        what.add_argument("--times", metavar="MODEL", help="how long customers stay in each stage, taken now")
        what.add_argument("--file", metavar="FILE", type=Path, help="a definition: say what publishing it would do")
        what.add_argument("--on", metavar="MODEL", help="compute it from the next refresh on")
        what.add_argument("--off", metavar="MODEL", help="compute it no more")
        what.add_argument("--lists-by", metavar="MODEL", help="lists and the day's work go by it")
        parser.add_argument("--months", type=int, default=0, metavar="N", help="with --file: also at N past month ends")
        parser.add_argument(
            "--day", type=date.fromisoformat, action="append", default=[], metavar="YYYY-MM-DD", dest="days",
            help="with --file: also on this day of the past; again for further days",
        )  # fmt: skip
        parser.add_argument("--yes", action=BooleanOptionalAction, default=False, help="with --file: publish it")

    def run(
        self,
        *,
        show: str | None,
        series: str | None,
        file: Path | None,
        months: int,
        days: list[date],
        yes: bool,
        **which: Any,
    ) -> dict[str, Any]:
        now = datetime.now(UTC)
        if file:
            return self._file(file, months=months, days=days, yes=yes, now=now)
        if show:
            definition = self._asked(lambda: model_entry(show)).definition
            self.say(json.dumps(definition, ensure_ascii=False, indent=2))
            return {"definition": definition}
        if series:
            return self._series(series)
        if key := which["times"]:
            return self._times(key, now=now)
        chain = the_chain()
        if key := which["on"]:
            self._asked(lambda: switch_on(key, chain=chain, by=BY, now=now))
        if key := which["off"]:
            self._asked(lambda: switch_off(key, by=BY, now=now))
        if key := which["lists_by"]:
            self._asked(lambda: make_default(key, chain=chain, by=BY, now=now))
        return self._list()

    def _list(self) -> dict[str, Any]:
        found = []
        for one in model_entries():
            state = "lists go by it" if one.is_default else "in use" if one.is_in_use else "off"
            self.say(f"{one.key:<14} v{one.version:<3} {state:<15} {one.words['en']}  {one.words['zh-hans']}")
            found.append({"model": one.key, "version": one.version, "in_use": one.is_in_use, "default": one.is_default})
        return {"models": found}

    def _series(self, key: str) -> dict[str, Any]:
        self._asked(lambda: model_entry(key))
        table, brought = by_day(counts(key, CHAIN_WIDE)), profits(key, CHAIN_WIDE)
        days = []
        for day, stages in table.items():
            self.say(f"{day}")
            told = []
            for stage, one in stages.items():
                money = brought.get(day, {}).get(stage, NOTHING)
                profit = "-" if money.margin_minor is None else f"{money.margin_minor:,}"
                self.say(f"  {stage:<14} {one.customers:>9,} {one.value_minor:>15,} {profit:>15}")
                told.append({
                    "stage": stage, "customers": one.customers, "value_minor": one.value_minor,
                    "margin_minor": money.margin_minor, "revenue_minor": money.revenue_minor,
                    "margin_known_minor": money.known_minor,
                })  # fmt: skip
            days.append({"day": day.isoformat(), "stages": told})
        moved = [
            {"since": one.before.isoformat(), "day": one.day.isoformat(), "from": one.from_stage, "to": one.to_stage,
             "customers": one.customers, "value_minor": one.value_minor}
            for one in flows(key, CHAIN_WIDE)
        ]  # fmt: skip
        return {"model": key, "days": days, "flows": moved}

    def _times(self, key: str, *, now: datetime) -> dict[str, Any]:
        self._asked(lambda: model_entry(key))
        model = next((one for one in models_in_use() if one.key == key), None)
        if model is None:
            raise CommandError(f"{key} is not in use: `changke stages --on {key}`")
        sample_spells(now=now)
        told = times_in(model, CHAIN_WIDE)
        for one in told.stages:
            here = "-" if one.now_days is None else f"{one.now_days:,}"
            left = "-" if one.left_days is None else f"{one.left_days:,}"
            self.say(f"{one.stage:<14} here {here:>6} days ({one.now_of})   left after {left:>6} days ({one.left_of})")
        return {"model": key, "stages": [asdict(one) for one in told.stages]}

    def _file(self, file: Path, *, months: int, days: list[date], yes: bool, now: datetime) -> dict[str, Any]:
        try:
            definition = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CommandError(f"{file} is not a definition: {error}") from None
        if not isinstance(definition, dict):
            raise CommandError(f"{file} is not a definition: `changke stages --show m4` prints one")
        try:
            told = dry_run(definition)
            past = analytics.replay(definition, now=now, months=months, days=days) if months or days else []
        except ModelError as error:
            raise CommandError(f"{file}: {error}") from None
        self._say(told)
        for day in past:
            self.say(f"  {day.day}: {day.differing:,} of {sum(day.after.values()):,} elsewhere")
            for one in day.moves if day.day in days else ():
                self.say(f"    {one.was or '-':<14} -> {one.will:<14} {one.customers:>9,}")
        if yes:
            bring_into_use(definition, chain=the_chain(), by=BY, now=now)
            self.say("published; `changke refresh` computes everybody, or the worker does tonight")
        return {
            "customers": told.customers,
            "moving": told.moving,
            "moves": [{"was": one.was, "will": one.will, "customers": one.customers} for one in told.moves],
            "past": [{**asdict(one), "day": one.day.isoformat(), "differing": one.differing} for one in past],
            "published": yes,
        }

    def _say(self, told: DryRun) -> None:
        self.say(f"{told.moving:,} of {told.customers:,} customers change stage:")
        for one in told.moves:
            self.say(f"  {one.was or '-':<14} -> {one.will:<14} {one.customers:>9,}")

    def _asked(self, verb: Any) -> Any:
        try:
            return verb()
        except DomainError as refused:
            known = ", ".join(one.key for one in model_entries())
            raise CommandError(f"{refused} Models: {known}.") from None
