import datetime as dt
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import get_language

from changke.facts.scores import rules
from changke.facts.scores.models import Score
from changke.facts.scores.queries import Held, held
from changke.facts.scores.services import define_score
from changke.foundation.audit.rules import system
from changke.foundation.batches.models import Batch
from changke.interfaces.management.base import ShopCommand
from changke.interfaces.scores import work

BY = system("changke scores")


class Command(ShopCommand):
    help = (
        "Scores that models of your own give your customers: list them, define one, load a file (Parquet, CSV, Excel: "
        "customer or customer_id, scored_on, one column per score), undo a load. Without a word it lists."
    )
    example = "changke scores --load churn.parquet --on 2026-11-01"

    def arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--load", type=Path, metavar="FILE", help="what a model says of whom")
        what.add_argument("--define", metavar="KEY", help="a new score, with --kind and --name")
        what.add_argument("--undo", type=int, metavar="BATCH", help="take back what a load brought")
        parser.add_argument("--on", type=dt.date.fromisoformat, metavar="DAY", help="with --load: of which day; today")
        parser.add_argument("--kind", choices=rules.KINDS, default="chance", help="with --define (chance)")
        parser.add_argument("--name", default="", help="with --define")

    def run(
        self, *, load: Path | None, define: str | None, undo: int | None, on: dt.date | None, **options: Any
    ) -> dict[str, Any]:
        now = datetime.now(UTC)
        if define is not None:
            return self._define(define, options["kind"], options["name"], now)
        if load is not None:
            return self._load(load, on, now)
        if undo is not None:
            return self._undo(undo, now)
        return self._list()

    def _define(self, key: str, kind: str, name: str, now: datetime) -> dict[str, Any]:
        one = define_score(key=key, kind=kind, labels={get_language() or "zh-hans": name or key}, by=BY, now=now)
        self.say(f"score.{one.key} is there: files may carry it, conditions may ask it")
        return {"key": one.key, "kind": one.kind}

    def _load(self, file: Path, on: dt.date | None, now: datetime) -> dict[str, Any]:
        if not file.is_file():
            raise CommandError(f"there is no file {file}")
        language = get_language() or "zh-hans"
        batch = work.start(
            file.resolve(), file.name, scored_on=on, role=None, by=BY, created_by=None, language=language, now=now
        )
        work.run(batch.pk, now)
        batch.refresh_from_db()
        if batch.message:
            raise CommandError(batch.message)
        self.say(
            f"batch {batch.pk}: {batch.total or 0:,} rows, {batch.created_count:,} values new, "
            f"{batch.skipped_count:,} stood there already, {batch.refused_count:,} rows with something refused"
        )
        for one in batch.options.get("problems") or ():
            self.say(f"  {one['count']:>8,}  {one['column']}: {work.said_why(one['reason'], one['places'])}")
        if batch.error_file:
            self.say(f"what was refused: {batch.error_file}")
        return {
            "batch": batch.pk, "rows": batch.total, "created": batch.created_count, "skipped": batch.skipped_count,
            "refused": batch.refused_count, "error_file": batch.error_file,
        }  # fmt: skip

    def _undo(self, number: int, now: datetime) -> dict[str, Any]:
        if not Batch.objects.filter(pk=number, kind=work.KIND).exists():
            raise CommandError(f"there is no load of scores {number}")
        gone = work.undo(number, now)
        self.say(f"batch {number} is withdrawn: {gone:,} values are taken back; what stood before stands again")
        return {"batch": number, "withdrawn": gone}

    def _list(self) -> dict[str, Any]:
        known, language, found = held(), get_language() or "zh-hans", []
        for one in Score.objects.all():
            stands = known.get(one.pk, Held(0, None))
            found.append(
                {
                    "key": one.key,
                    "kind": one.kind,
                    "name": one.label(language),
                    "values": stands.values,
                    "latest": stands.latest,
                    "retired": one.retired_at is not None,
                }
            )
            self.say(
                f"score.{one.key:<24} {one.kind:<8} {stands.values:>12,}  {stands.latest or '–'}  {found[-1]['name']}"
            )
        if not found:
            self.say("no score yet: changke scores --define churn --kind chance --name 流失概率")
        return {"scores": found}
