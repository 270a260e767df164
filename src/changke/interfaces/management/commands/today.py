from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import get_language

from changke.decisions.next_best_action import rules
from changke.decisions.next_best_action.queries import Line, today
from changke.foundation.organisation.models import Chain, Store
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import CHAIN_WIDE, Scope
from changke.interfaces import words
from changke.interfaces.management.base import ShopCommand
from changke.interfaces.web import formats


class Command(ShopCommand):
    help = "Whom to look after today and why, most valuable first. The terminal's language is used."
    example = "changke today --store JA --json"

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--store", metavar="CODE", help="one store (else the whole chain)")
        parser.add_argument("--length", type=int, default=rules.LIST_LENGTH, help=f"lines ({rules.LIST_LENGTH})")

    def run(self, *, store: str | None, length: int, **options: Any) -> dict[str, Any]:
        now, chain = datetime.now(UTC), the_chain()
        found = today(scope_of_store(store), chain=chain, now=now, length=length)
        for line in found.lines:
            self._print(line, chain, now)
        if found.closed_until:
            self.say(f"{found.day}: closed; what is due moves to {found.closed_until}")
        elif not found.lines:
            self.say(f"{found.day}: nobody needs looking after today")
        lines = [{**asdict(line), "why": why(line, chain, now)} for line in found.lines]
        return {
            "day": found.day,
            "store": store,
            "done": found.done,
            "closed_until": found.closed_until,
            "lines": lines,
        }

    def _print(self, line: Line, chain: Chain, now: datetime) -> None:
        at_risk = formats.money(line.value_at_risk_minor, chain.currency, get_language() or "zh-hans")
        mark = str(words.OUTCOMES[line.outcome]) if line.outcome else ""
        label = words.REASON_LABELS[line.reason]
        self.say(f"{line.customer_id:>7}  {line.name}  {line.phone_masked}  {line.store}  {at_risk}  {mark}")
        self.say(f"         {label}: {why(line, chain, now)}  → {words.SUGGESTIONS[line.suggestion]}")


def scope_of_store(code: str | None) -> Scope:
    """One store by its code; a wrong code names the right ones."""
    if code is None:
        return CHAIN_WIDE
    store = Store.objects.filter(code__iexact=code).first()
    if store is None:
        known = ", ".join(Store.objects.values_list("code", flat=True)) or "none yet"
        raise CommandError(f"there is no store {code}; there are {known}")
    return Scope(frozenset({store.pk}))


def why(line: Line, chain: Chain, now: datetime) -> str:
    return words.why(
        line.reason, line.numbers, currency=chain.currency, counted=chain.counted, deadline=line.deadline, now=now
    )
