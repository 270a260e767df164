import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import get_language

from changke.foundation.audit.rules import By
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import CHAIN_WIDE, Scope
from changke.interfaces.exporters import FORMATS
from changke.interfaces.exporters.queries import file_of
from changke.interfaces.exporters.services import ask, run
from changke.interfaces.exporters.shape import DATASETS
from changke.interfaces.management.base import ShopCommand


class Command(ShopCommand):
    help = "Write everything of one kind into a file: customers, purchases with their lines, notes, the audit trail."
    example = 'changke export customers --to customers.xlsx --store JA --reason "mailing of June"'

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("dataset", metavar="WHAT", choices=list(DATASETS), help=", ".join(DATASETS))
        parser.add_argument("--to", required=True, metavar="FILE", type=Path, help="ends in " + ", ".join(suffixes()))
        parser.add_argument("--store", metavar="CODE", action="append", default=[], help="repeat it; else the chain")
        parser.add_argument("--filters", default="", metavar="QUERY", help="of the customer list: stage=silent&tag=VIP")
        parser.add_argument("--phones", action="store_true", help="whole phone numbers, not masked ones")
        parser.add_argument("--reason", default="", help="needed above 1,000 rows; stands in the audit trail")

    def run(
        self, *, dataset: str, to: Path, store: list[str], filters: str, phones: bool, reason: str, **options: Any
    ) -> dict[str, Any]:
        now = datetime.now(UTC)
        key = suffixes().get(to.suffix.lower())
        if key is None:
            raise CommandError(f"{to} should end in {', '.join(suffixes())}")
        stores = dict(Store.objects.filter(code__in=store).values_list("code", "pk"))
        if missing := set(store) - set(stores):
            raise CommandError(f"there is no store {', '.join(sorted(missing))}")
        made = ask(
            dataset=dataset,
            format=key,
            filters=filters,
            scope=Scope(frozenset(stores.values())) if store else CHAIN_WIDE,
            shows_phones=phones,
            reason=reason,
            maker="system:export",
            by=By("system", None, "changke export"),
            language=get_language() or "zh-hans",
            now=now,
        )
        run(made.pk, now=now)
        made.refresh_from_db()
        shutil.move(file_of(made, now=now), to)
        self.say(f"{to}  {made.total}")
        return {"file": str(to), "rows": made.total, "bytes": made.size_bytes}


def suffixes() -> dict[str, str]:
    return {one.SUFFIX: key for key, one in FORMATS.all.items()}
