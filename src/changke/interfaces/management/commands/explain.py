from datetime import UTC, date, datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import get_language

from changke.facts.customers.models import Customer
from changke.facts.customers.queries import by_phone, known_as
from changke.foundation.organisation.queries import the_chain
from changke.interfaces.management.base import ShopCommand
from changke.profiles.attributes.queries import days_at
from changke.profiles.lifecycle.services import Explanation, explain

SIGNS = {True: "✓", False: "✗"}


class Command(ShopCommand):
    help = "Where one customer stood on a day and why, recomputed from the facts of that day as known today."
    example = "changke explain 4711 --as-of 2026-03-01"

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "customer", metavar="CUSTOMER", help="her number here, her phone, or her id in another system"
        )
        parser.add_argument(
            "--as-of", type=date.fromisoformat, metavar="DAY", help="a day like 2026-03-01 (else today)"
        )
        parser.add_argument("--model", metavar="KEY", help="a lifecycle model (else the default one)")

    def run(self, *, customer: str, as_of: date | None, model: str | None, **options: Any) -> dict[str, Any]:
        now = datetime.now(UTC)
        who = find(customer)
        day = as_of or days_at(now, the_chain()).of(who.home_store_id)
        found = explain(who.pk, day, now=now, model=model)
        self._print(who, found)
        return as_data(who, found)

    def _print(self, who: Customer, found: Explanation) -> None:
        language = get_language() or "zh-hans"
        stages = {stage.key: stage.words[language] for stage in found.model.stages}
        self.say(f"{who.name} ({who.pk})  {found.as_of}  {found.model.words[language]}: {stages[found.stage]}")
        self.say(f"  {found.reason(language)}")
        for asked in found.asked:
            self.say(f"  {SIGNS[asked.fits]} {stages[asked.stage]}")
            for line in asked.lines:
                question = line.op if line.asked is None else f"{line.op} {line.asked}"
                known = "?" if line.known is None else line.known
                self.say(f"      {SIGNS[line.holds]} {line.text or line.attribute} = {known}   {question}")
        for band in found.bands:
            self.say(f"  {band.first} – {band.last}  {stages[band.stage]}")


def find(text: str) -> Customer:
    """By our number, by phone, or by the id of another system."""
    if text.isdecimal() and len(text) < 11 and (one := Customer.objects.filter(pk=int(text)).first()):
        return one
    if known := by_phone(text):
        return known
    found = set(known_as(text, whole=True))
    if len(found) == 1:
        return Customer.objects.get(pk=found.pop())
    raise CommandError(f"{text} names {'several customers' if found else 'no customer'}: give her number")


def as_data(who: Customer, found: Explanation) -> dict[str, Any]:
    return {
        "customer_id": who.pk,
        "name": who.name,
        "as_of": found.as_of,
        "model": found.model.key,
        "model_version": found.model.version,
        "stage": found.stage,
        "since": found.since,
        "reason": {language: found.reason(language) for language in found.rule.reason},
        "asked": [
            {
                "stage": asked.stage,
                "fits": asked.fits,
                "lines": [
                    {
                        "attribute": one.attribute,
                        "text": one.text,
                        "op": one.op,
                        "asked": one.asked,
                        "known": one.known,
                        "holds": one.holds,
                    }
                    for one in asked.lines
                ],
            }
            for asked in found.asked
        ],
        "stages": dict(found.stages),
        "attributes": dict(found.attributes),
        "bands": [{"stage": band.stage, "first": band.first, "last": band.last} for band in found.bands],
    }
