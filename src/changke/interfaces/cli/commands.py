"""All commands on one page: what each is for and what it needs before it runs."""

from collections.abc import Callable
from dataclasses import dataclass

from changke.interfaces.cli import bench, up, web


@dataclass(frozen=True)
class Command:
    """One verb of the command line.

    `own` commands manage processes and run before Django is loaded; all others are Django commands of the same name,
    run as `role` with the database up. `starts` marks those that may begin a new data folder.
    """

    name: str
    summary: str
    role: str = "app"
    own: Callable[[list[str]], int] | None = None
    starts: bool = False


GROUPS: dict[str, list[Command]] = {
    "Run": [
        Command("up", "serve: database, site and worker, until Ctrl-C", own=up.up, starts=True),
        Command("demo", "the same with an invented chain in it, to look around", own=up.demo, starts=True),
    ],
    "Fill": [
        Command("found", "found your chain without opening the first page"),
        Command("let_in", "a new password or second factor, where nobody else can help"),
        Command("grants", "who has which role where, beside the position: list, give, take back"),
        Command("items", "what the chain offers: list it, add and change it by a sheet"),
        Command("load", "load files: purchases, customers, visits; or undo a load"),
    ],
    "Look": [
        Command("today", "whom to look after today, and why"),
        Command("explain", "where one customer stands on a day, and why"),
        Command("stages", "the lifecycle models: list, try other rules, publish, switch on and off"),
        Command("value", "what is expected of customers: how well it was learned; learn anew"),
        Command("together", "what goes together, what newcomers begin with, seasons, what groups have most"),
        Command("referrals", "who brought whom and what it was worth: look, say it, take it off"),
        Command(
            "segments", "the groups of the chain: list, count a condition, print who is in one, save, freeze, drop"
        ),
        Command("scores", "scores of your own models: define, load a file of them, undo a load"),
        Command("duplicates", "records that may be of one person: look for them, list them"),
        Command("risk", "which rule warns of customers who leave: ask the past, choose"),
        Command("refresh", "compute all customers anew (the worker does it every night)"),
    ],
    "Keep": [
        Command("person", "a customer's data as a file; what erasing takes; erase her"),
        Command("publish", "facts and profiles as a file for analysts, under pseudonyms"),
        Command("prepare", "create or upgrade the tables, without serving", role="owner", starts=True),
        Command("doctor", "check the installation and say what mends it", role="app"),
        Command("backup", "everything into one file", role="reader"),
        Command("keys", "the key of phones and addresses: copy it, put it back, change it"),
        Command("restore", "everything back from that file", role="owner", starts=True),
        Command("confirm", "after a restore or copy: this one may write to customers"),
        Command("bench", "measure what we claim (a checkout only, long)", own=bench.bench),
    ],
    "Parts of `up`, for a service manager": [
        Command("web", "the site alone", own=web.web),
        Command("worker", "the background work alone"),
        Command("create_demo", "the invented chain, without serving it"),
    ],
}
COMMANDS = {command.name: command for group in GROUPS.values() for command in group}
