from argparse import BooleanOptionalAction
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import get_language

from changke.foundation.audit.rules import system
from changke.foundation.batches.models import Batch
from changke.foundation.batches.registry import kind_of
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.interfaces.bulk import shown, undo_words, work
from changke.interfaces.bulk.change import FIELDS, Wish
from changke.interfaces.bulk.whom import Whom
from changke.interfaces.management.base import ShopCommand


class Command(ShopCommand):
    help = (
        "Change many customers alike: a field, the adviser, the home store, tags. The customers are those of the list "
        "with the same filter in its address. Without --yes it only says what would happen."
    )
    example = "changke bulk_edit --filter 'stage=lost&store=3' --add-tag 唤醒 --yes"

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--filter", metavar="QUERY", default="", help="what stands behind ? in the list's address")
        parser.add_argument("--customer", type=int, action="append", default=[], metavar="ID", help="repeat it")
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="FIELD=VALUE",
            help=f"fields: {', '.join(FIELDS)}; empty clears",
        )
        parser.add_argument("--add-tag", action="append", default=[], metavar="TAG")
        parser.add_argument("--remove-tag", action="append", default=[], metavar="TAG")
        parser.add_argument("--yes", action=BooleanOptionalAction, default=False, help="do it")
        parser.add_argument("--undo", type=int, metavar="BATCH", help="say what an undo takes back; with --yes do it")

    def run(self, *, undo: int | None, yes: bool, **options: Any) -> dict[str, Any]:
        now = datetime.now(UTC)
        if undo is not None:
            return self._undo(undo, yes=yes, now=now)
        pairs = [text.partition("=") for text in options["set"]]
        if wrong := [name for name, mark, _ in pairs if not mark]:
            raise CommandError(f"--set {wrong[0]}: write FIELD=VALUE, for example --set source=大众点评")
        wish = Wish({name: value for name, _, value in pairs}, options["add_tag"], options["remove_tag"])
        whom = Whom.asked(options["filter"], options["customer"], CHAIN_WIDE)
        preview = work.preview(whom, wish)
        self.say(f"{preview.count:,} customers: {'; '.join(shown.wish(wish))}")
        for sample in preview.samples:
            for each in sample.differences:
                self.say(f"  {sample.customer.name or sample.customer.pk}: {each.field} {each.before} -> {each.after}")
        if not yes:
            self.say("nothing was changed; say --yes to do it")
            return {"customers": preview.count}
        language = get_language() or "zh-hans"
        batch = work.start(whom, wish, by=system("bulk_edit"), created_by=None, language=language, now=now)
        work.run(batch.pk, now)
        batch.refresh_from_db()
        self.say(f"batch {batch.pk}: {batch.updated_count:,} changed, {batch.skipped_count:,} had it already")
        self.say(f"what became of each: {work.result_file(batch.pk)}")
        return {"batch": batch.pk, "changed": batch.updated_count, "same": batch.skipped_count}

    def _undo(self, number: int, *, yes: bool, now: datetime) -> dict[str, Any]:
        batch = Batch.objects.filter(pk=number, kind=work.KIND).first()
        if batch is None:
            raise CommandError(f"there is no bulk change {number}")
        said = undo_words.said(kind_of(batch.kind).before_undo(batch.pk))
        for line in said.goes:
            self.say(f"taken back: {line.words} {line.count:,}")
        for line in said.stays:
            self.say(f"stays: {line.words} {line.count:,}, {line.reason}")
        if not yes:
            self.say("nothing was taken back; say --yes to do it")
            return {"batch": number}
        return {"batch": number, "customers": work.undo(number, now)}
