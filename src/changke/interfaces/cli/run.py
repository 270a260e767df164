"""Read the words after `changke`, bring up what the command needs, and hand over."""

import difflib
import json
import os
import sys
from importlib.metadata import version

from django.core.management import execute_from_command_line

from changke.interfaces.cli.commands import COMMANDS, GROUPS, Command
from changke.interfaces.cli.session import EXPECTED, CannotRun, database

INTERRUPTED = 130  # what shells report for a process ended by Ctrl-C


def main(words: list[str]) -> int:
    """The exit code of the command that `words` say."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "changke.settings")
    try:
        words = take_data_folder(words)
        if not words or words[0] in ("-h", "--help", "help"):
            print(overview())
            return 0
        if words[0] == "--version":
            print(f"changke {version('changke')}")
            return 0
        return run(find(words[0]), words[1:])
    except EXPECTED as error:
        print(f"changke: {error}", file=sys.stderr)
        if words[:1] == ["doctor"] and "--json" in words:  # not even the database came up: its only finding
            finding = {"check": "database", "status": "failed", "found": str(error), "remedy": ""}
            print(json.dumps({"ok": False, "findings": [finding]}, ensure_ascii=False))
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def run(command: Command, words: list[str]) -> int:
    """One command with its own words, and its exit code."""
    try:
        return _hand_over(command, words)
    except SystemExit as end:  # how argparse and Django end, --help included
        return end.code if isinstance(end.code, int) else int(end.code is not None)


def _hand_over(command: Command, words: list[str]) -> int:
    if command.own:
        return command.own(words)
    os.environ["DATABASE_ROLE"] = command.role
    asked = ["changke", command.name, *words]
    if "-h" in words or "--help" in words:
        execute_from_command_line(asked)
    else:
        with database(starts=command.starts):
            execute_from_command_line(asked)
    return 0


def take_data_folder(words: list[str]) -> list[str]:
    """`--data DIR` may stand anywhere; it becomes DATA_DIR, which children and settings read."""
    rest: list[str] = []
    remaining = iter(words)
    for word in remaining:
        if word == "--data":
            folder = next(remaining, "")
        elif word.startswith("--data="):
            folder = word.removeprefix("--data=")
        else:
            rest.append(word)
            continue
        if not folder or folder.startswith("--"):
            raise CannotRun("--data wants a folder: changke up --data /srv/changke")
        os.environ["DATA_DIR"] = folder
    return rest


def find(name: str) -> Command:
    """The command of that name, or the refusal with what was probably meant."""
    if name in COMMANDS:
        return COMMANDS[name]
    meant = difflib.get_close_matches(name, COMMANDS, n=1)
    hint = f"did you mean `changke {meant[0]}`?" if meant else "`changke --help` lists the commands"
    raise CannotRun(f"there is no command {name!r}; {hint}")


def overview() -> str:
    """What `changke` alone prints."""
    lines = ["changke: who your customers are now, and whom to look after today", ""]
    for group, commands in GROUPS.items():
        lines += [f"{group}:", *(f"  {command.name:<11} {command.summary}" for command in commands), ""]
    lines += [
        "Each takes --help, which shows an example, and --data DIR (else DATA_DIR, else ./data).",
        "DATABASE_URL makes all of them use a PostgreSQL of your own.",
    ]
    return "\n".join(lines)
