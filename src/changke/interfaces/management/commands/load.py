from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import get_language

from changke.facts.catalog.models import ItemKind
from changke.foundation.batches.models import Batch
from changke.interfaces.importers import columns, pipeline
from changke.interfaces.importers.pipeline import Outcome, SourceFile
from changke.interfaces.importers.presets import all_presets
from changke.interfaces.importers.problems import UnreadableFile
from changke.interfaces.importers.sources import SOURCES
from changke.interfaces.importers.undo import leaving
from changke.interfaces.management.base import ShopCommand
from changke.interfaces.progress import Steps
from changke.interfaces.shops import source_named

DECISIONS = ("update", "merge", "skip", "refuse")
ANOTHER = "another"


class Command(ShopCommand):
    help = (
        "Load CSV, XLSX or Parquet files; several are one batch. Safe to repeat: what is known is skipped, what cannot "
        "be used is named row by row in an error file that can be mended and loaded again."
    )
    example = "changke load sales.xlsx --as purchases --create --json"

    def arguments(self, parser: CommandParser) -> None:
        presets = ", ".join([*SOURCES, *all_presets()])
        parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
        parser.add_argument(
            "--as", dest="kind", choices=columns.KINDS, default="", help="what the rows are (else guessed)"
        )
        parser.add_argument("--create", action="store_true", help="create unknown stores, staff and items")
        parser.add_argument(
            "--item", action="append", default=[], metavar="NAME=KIND",
            help=f"what a new item is ({', '.join(ItemKind)}), where the file does not say it; repeat it",
        )  # fmt: skip
        parser.add_argument("--store", metavar="CODE", default="", help="the store of rows that name none")
        parser.add_argument("--preset", metavar="NAME", help=f"a file that Changke knows: {presets}")
        parser.add_argument(
            "--column", action="append", default=[], metavar="FIELD=HEADING", help="what a column means; repeat it"
        )
        parser.add_argument(
            "--known", choices=DECISIONS, default="", help="what rows of a customer file do to known customers: update"
        )
        parser.add_argument(
            "--other-name", choices=(*DECISIONS, ANOTHER), default="",
            help="the same for rows with a known customer's phone under another name; another: a person of her own",
        )  # fmt: skip
        parser.add_argument(
            "--source",
            default="",
            metavar="NAME",
            help="the system the file comes from, or the name of one of several web shops",
        )
        parser.add_argument("--encoding", metavar="NAME", help="UTF-8, GBK, ... (else detected)")
        parser.add_argument(
            "--numbers-restart", choices=("daily",), default="", help="receipt numbers repeat every day"
        )
        parser.add_argument(
            "--accept-currency", action="store_true", help="take another currency's amounts as the chain's"
        )
        parser.add_argument(
            "--continue", dest="resume", type=int, metavar="BATCH", help="finish a load that was killed"
        )
        parser.add_argument("--undo", type=int, metavar="BATCH", help="withdraw everything a batch brought")

    def run(self, *, files: list[Path], resume: int | None, undo: int | None, **options: Any) -> dict[str, Any]:
        now = datetime.now(UTC)
        if undo is not None:
            return self._undo(known_batch(undo), now)
        batch = known_batch(resume) if resume is not None else self._start(files, options, now)
        try:
            with Steps() as steps:
                outcome = pipeline.run(batch.pk, now=now, progress=lambda done, total, words: steps(words, done, total))
        except UnreadableFile as error:
            raise CommandError(error.words(get_language() or "zh-hans")) from error
        self._print(outcome)
        return outcome.as_json()

    def _start(self, files: list[Path], options: dict[str, Any], now: datetime) -> Batch:
        if not files:
            raise CommandError("which file? changke load sales.xlsx --as purchases")
        for file in files:
            if not file.is_file():
                raise CommandError(f"there is no file {file}")
        return pipeline.start(
            [SourceFile(file.resolve(), file.name) for file in files],
            kind=options["kind"],
            now=now,
            preset=options["preset"],
            create=options["create"],
            store=options["store"],
            mapping=mapping_of(options["column"]),
            kinds=kinds_of(options["item"]),
            decisions={
                group: options[name]
                for group, name in (("", "known"), ("phone_other_name", "other_name"))
                if options[name]
            },
            source=source_named(options["source"]),
            encoding=options["encoding"],
            numbers_restart=options["numbers_restart"],
            accept_currency=options["accept_currency"],
            language=get_language() or "zh-hans",
        )

    def _undo(self, batch: Batch, now: datetime) -> dict[str, Any]:
        brought = leaving(batch.pk)
        withdrawn = pipeline.undo(batch.pk, now=now)
        self.say(
            f"batch {batch.pk} is withdrawn: {withdrawn:,} facts leave every number, {brought.customers:,} customers "
            f"whom only it knew are hidden, {brought.profiles:,} profiles take their former values where nobody "
            f"changed them since, {brought.consents:,} consents and refusals are told no more; no fact is deleted"
        )
        return {
            "batch": batch.pk, "withdrawn": withdrawn, "hidden": brought.customers, "profiles": brought.profiles,
            "tags": brought.tags, "own_fields": brought.own, "consents": brought.consents,
        }  # fmt: skip

    def _print(self, outcome: Outcome) -> None:
        self.say(
            f"batch {outcome.batch}: {outcome.total:,} rows, {outcome.created:,} created, {outcome.updated:,} updated, "
            f"{outcome.skipped:,} skipped, {outcome.refused:,} refused"
        )
        if outcome.kept:
            self.say(f"{outcome.kept:,} rows wait in the batch for the room of card balances; nothing of them is lost")
        if outcome.error_file:
            self.say(f"refused rows with their reasons: {outcome.error_file}")


def known_batch(number: int) -> Batch:
    batch = Batch.objects.filter(pk=number).first()
    if batch is None:
        raise CommandError(f"there is no batch {number}")
    return batch


def mapping_of(columns: list[str]) -> dict[str, str]:
    """`amount=实收金额` -> field to heading, as the pipeline takes it."""
    mapping = {}
    for column in columns:
        field, found, heading = column.partition("=")
        if not found:
            raise CommandError(f"--column {column}: write FIELD=HEADING, for example --column amount=实收金额")
        mapping[field] = heading
    return mapping


def kinds_of(items: list[str]) -> dict[str, str]:
    """`补水十次卡=card` -> name to kind. A name may hold an equals sign, a kind does not."""
    kinds = {}
    for item in items:
        name, _, kind = item.rpartition("=")
        if not name or kind not in ItemKind.values:
            raise CommandError(f"--item {item}: write NAME=KIND with one of {', '.join(ItemKind)}")
        kinds[name] = kind
    return kinds
