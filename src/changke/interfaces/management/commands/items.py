from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import get_language

from changke.facts.catalog.models import Category, Item, ItemKind
from changke.facts.catalog.queries import Wanted, count_in_need, items_of
from changke.facts.catalog.rules import percent
from changke.foundation.audit.rules import system
from changke.foundation.money import to_major
from changke.foundation.organisation.queries import the_chain
from changke.interfaces import words
from changke.interfaces.catalogue.planning import plan_of
from changke.interfaces.catalogue.work import Done, carry_out, would
from changke.interfaces.importers.problems import UnreadableFile
from changke.interfaces.management.base import ShopCommand

BY = system("changke items")
MOST = 100_000
MOST_SAID = 50
"""Rows named in the terminal; all of them with --json."""


class Command(ShopCommand):
    help = (
        "What the chain offers: list it, or add and change items by a sheet (CSV, Excel or Parquet; columns code, "
        "name, kind, category, price, cost, cycle, margin, in use, in Chinese or English; an empty cell says nothing). "
        "It counts for receipts from then on; those that are in stay as they were reckoned."
    )
    example = "changke items --load items.xlsx --dry-run"

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--load", type=Path, metavar="FILE", help="add and change what this sheet says")
        parser.add_argument("--dry-run", action="store_true", help="with --load: say what it would do, and do nothing")
        parser.add_argument("--find", default="", metavar="TEXT", help="only items with this in their name or code")
        parser.add_argument("--kind", choices=list(ItemKind.values), default="", help="only items of this kind")
        parser.add_argument("--category", default="", metavar="NAME", help="only items of this category")
        parser.add_argument(
            "--attention", action="store_true", help="only items in use of kind other, or of unknown margin"
        )
        parser.add_argument("--most", type=int, metavar="N", default=200, help="how many (200)")

    def run(self, *, load: Path | None, dry_run: bool, **options: Any) -> dict[str, Any]:
        if load is not None:
            return self._load(load, dry_run)
        if dry_run:
            raise CommandError("--dry-run belongs to --load FILE")
        return self._list(**options)

    def _load(self, file: Path, dry_run: bool) -> dict[str, Any]:
        if not file.is_file():
            raise CommandError(f"there is no file {file}")
        try:
            plan = plan_of(file.resolve(), file.name, currency=the_chain().currency)
        except UnreadableFile as refused:
            raise CommandError(refused.words(get_language() or "zh-hans")) from None
        done = would(plan) if dry_run else carry_out(plan, by=BY, now=datetime.now(UTC))
        self._told(done, dry_run)
        return {"dry_run": dry_run, **asdict(done)}

    def _told(self, done: Done, dry_run: bool) -> None:
        how = "would be " if dry_run else ""
        self.say(
            f"items: {done.created:,} {how}added, {done.changed:,} {how}changed, {done.same:,} stand there already; "
            f"categories: {done.categories_created:,} {how}added, {done.categories_changed:,} {how}changed; "
            f"{len(done.bad):,} rows refused"
        )
        for heading in done.unread:
            self.say(f"column not read: {heading}")
        for one in done.bad[:MOST_SAID]:
            place = " ".join(filter(None, (one.sheet, f"row {one.line}", one.column, f"“{one.value}”")))
            self.say(f"  {place}: {one.reason}")
        if len(done.bad) > MOST_SAID:
            self.say(f"  and {len(done.bad) - MOST_SAID:,} more: --json names all of them")

    def _list(self, *, find: str, kind: str, category: str, attention: bool, most: int, **_: Any) -> dict[str, Any]:
        rows = items_of(Wanted(text=find, kind=kind, category=category, care=attention))
        currency = the_chain().currency
        told = []
        for item in rows[: min(max(most, 1), MOST)]:
            margin = item.category.margin_basis_points if item.category else None
            told.append(
                {
                    "code": item.code,
                    "name": item.name,
                    "kind": item.kind,
                    "category": item.category.name if item.category else "",
                    "price_minor": item.price_minor,
                    "unit_cost_minor": item.unit_cost_minor,
                    "category_margin_basis_points": margin,
                    "usual_cycle_days": item.usual_cycle_days,
                    "is_active": item.is_active,
                }
            )
            costs = "–" if item.unit_cost_minor is None else f"{to_major(item.unit_cost_minor, currency):,.2f}"
            price = "–" if item.price_minor is None else f"{to_major(item.price_minor, currency):,.2f}"
            share = f" ({percent(margin)} %)" if margin is not None else ""
            self.say(
                f"{item.code:<16} {words.ITEM_KINDS[item.kind]} {price:>12} {costs:>12}  {item.name}"
                f"  {item.category.name if item.category else ''}{share}{'' if item.is_active else '  (off)'}"
            )
        total, in_need = Item.objects.count(), count_in_need()
        self.say(f"{len(told):,} of {total:,} items, {Category.objects.count():,} categories")
        if in_need:
            self.say(f"{in_need:,} need attention: changke items --attention")
        return {"items": told, "total": total, "in_need": in_need}
