import shlex
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext

from changke.engine.engines.spark import MEMORY
from changke.interfaces import analytics
from changke.interfaces.management.base import ShopCommand
from changke.interfaces.progress import Steps

DUCKDB, SPARK = "duckdb", "spark"


class Command(ShopCommand):
    help = (
        "Compute the attributes and stages of all customers anew. The worker does it every night by itself. Beyond one "
        "machine Spark computes them: at once with --engine spark, or in three steps with --export, Spark, --load."
    )
    example = "changke refresh\n  changke refresh --engine spark --master spark://host:7077 --folder /shared/changke"

    def arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--engine", choices=[DUCKDB, SPARK], default=DUCKDB, help="who computes; else duckdb")
        what.add_argument("--export", metavar="FOLDER", type=Path, help="only write facts and a plan, for Spark")
        what.add_argument("--load", metavar="FOLDER", type=Path, help="only take over what Spark computed")
        parser.add_argument("--master", metavar="URL", help="with --engine spark: the cluster; else this machine")
        parser.add_argument("--memory", metavar="SIZE", help=f"with --engine spark: of its driver; else {MEMORY}")
        parser.add_argument(
            "--folder", metavar="FOLDER", type=Path,
            help="with --engine spark: where facts and answers lie, a path that the cluster sees too; kept afterwards",
        )  # fmt: skip
        parser.add_argument(
            "--without-scores", action="store_true",
            help="with --engine spark: this machine says what to expect, for Spark's machines have no Python for it",
        )  # fmt: skip

    def run(
        self, *, engine: str, export: Path | None, load: Path | None, master: str | None, memory: str | None,
        folder: Path | None, without_scores: bool, **options: Any,
    ) -> dict[str, Any]:  # fmt: skip
        if engine != SPARK and (master or memory or folder or without_scores):
            raise CommandError(gettext("--master, --memory, --folder and --without-scores belong to --engine spark."))
        began, now = time.monotonic(), datetime.now(UTC)
        with Steps() as steps:
            if export:
                analytics.export_to(export, now=now, progress=steps)
                return self._exported(export.absolute())
            if load:
                done = analytics.load_from(load, now=now, progress=steps)
            elif engine == SPARK:
                done = analytics.refresh_on_spark(
                    now=now, master=master, memory=memory or MEMORY, folder=folder, with_scores=not without_scores,
                    progress=steps,
                )  # fmt: skip
            else:
                done = analytics.refresh(now=now, progress=steps)
        seconds = round(time.monotonic() - began, 1)
        self.say(
            f"{done.customers:,} customers as of {done.as_of} in {seconds} s; {done.changed:,} changed their stage"
        )
        return {**asdict(done), "seconds": seconds}

    def _exported(self, folder: Path) -> dict[str, Any]:
        where = shlex.quote(str(folder))
        then = [f"python -m changke.engine.engines.spark {where}", f"changke refresh --load {where}"]
        self.say("\n".join([gettext("Facts and plan are written. Next, where Spark is, and then here:"), *then]))
        return {"folder": str(folder), "next": then}
