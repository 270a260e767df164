"""What all our commands share: help with an example, `--json`, refusals said in one line."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from changke.foundation.database import rows_seen
from changke.foundation.errors import DomainError
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.interfaces import words


class ShopCommand(BaseCommand):
    """A command as people see it. Subclasses set `help` and `example` and write `run`.

    `run` prints for people through `self.say` and returns the same as data; with `--json` the data come as one object
    on the last line of stdout, and what was said before goes to stderr.
    """

    example: ClassVar[str] = ""
    prints_data: ClassVar[bool] = True
    run: Callable[..., Any]
    """Does it and returns what `--json` prints. Takes the command's own arguments by name, and `**options`."""
    requires_system_checks: list[str] = []  # `doctor` does that; here they would cost every call its time

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(
            "changke",
            subcommand,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            epilog=f"example:\n  {self.example}" if self.example else None,
            **kwargs,
        )
        hide_options_of_django(parser)
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        if self.prints_data:
            parser.add_argument(
                "--json", action="store_true", help="print the result as one JSON object, on the last line"
            )
        # Read by `changke` itself before Django starts; named here so that --help shows it.
        parser.add_argument("--data", metavar="DIR", help="the data folder (else DATA_DIR, else ./data)")
        self.arguments(parser)

    def arguments(self, parser: CommandParser) -> None:
        """The command's own arguments."""

    def run_from_argv(self, argv: list[str]) -> None:
        # With --traceback Django raises a refusal instead of printing it under the name of its class.
        try:
            super().run_from_argv([*argv, "--traceback"])
        except CommandError as refused:
            print(f"changke: {refused}", file=sys.stderr)
            sys.exit(refused.returncode)

    def handle(self, *args: Any, **options: Any) -> None:
        self.as_json = bool(options.get("json"))
        translation.activate(language_of(os.environ))
        try:
            with rows_seen.seeing(CHAIN_WIDE):  # whoever may run a command may read the data folder anyway
                result = self.run(**options)
        except DomainError as refused:
            raise CommandError(words.refusal(refused)) from refused
        if self.as_json:
            self.stdout.write(json.dumps(result, ensure_ascii=False, default=as_text))

    def say(self, line: str = "") -> None:
        """A line for people."""
        (self.stderr if self.as_json else self.stdout).write(line, lambda text: text)


def as_text(value: object) -> str:
    """Days and moments in ISO 8601, everything else as it prints."""
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def language_of(environ: Mapping[str, str]) -> str:
    """The product's language nearest to the terminal's; simplified Chinese where the terminal names none of ours."""
    name = (environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or "").lower().replace("_", "-")
    if name.startswith(("zh-tw", "zh-hk", "zh-mo", "zh-hant")):
        return "zh-hant"
    return "en" if name.startswith("en") else "zh-hans"


def hide_options_of_django(parser: argparse.ArgumentParser) -> None:
    """Django's own options still work; they are not what somebody looks for in `changke today --help`."""
    hidden = {"settings", "pythonpath", "traceback", "no_color", "force_color", "skip_checks", "verbosity", "version"}
    for action in parser._actions:  # argparse has no public way to ask for what was added
        if action.dest in hidden:
            action.help = argparse.SUPPRESS
