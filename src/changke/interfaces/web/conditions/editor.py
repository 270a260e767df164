"""One editor of a condition on a page: rows or text, what its buttons do, and what was wrong where.

A form may hold several, told apart by their prefix. A button or a choice that changes the shape of the rows sends
`edit` = `prefix:verb:path`; the page answers with this editor alone, or without a script as a whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext

from changke.engine.definitions import Column
from changke.interfaces.web.conditions import mistakes
from changke.interfaces.web.conditions.rows import (
    BEYOND,
    Group,
    Reading,
    Row,
    Sent,
    Tree,
    added,
    asked,
    dropped,
    grouped,
    opened,
    sent,
)
from changke.profiles.conditions import ConditionError, TextError, print_tree, read_condition, read_text
from changke.profiles.conditions.deeds import KINDS
from changke.profiles.conditions.reader import Beyond

ROWS, TEXT = "rows", "text"
EDIT = "edit"
"""Name of the inputs that change the shape of an editor."""


@dataclass(frozen=True)
class Offered:
    """What rows offer beyond attributes, where that may be asked at all. What stands in a row stays choosable."""

    whats: tuple[str, ...] = BEYOND
    kinds: tuple[str, ...] = KINDS
    """Of deeds that are counted."""
    chained: tuple[str, ...] = KINDS
    """Of deeds of which one follows another."""
    by: tuple[str, ...] = ("", "category", "item")
    """Of what a purchase or a use may be."""


@dataclass(frozen=True)
class Language:
    """What may be asked on this page: the words of the chain for segments, what has a column for stages."""

    attributes: Mapping[str, Column]
    settings: Mapping[str, int]
    currency: str
    beyond: Beyond | None = None
    offered: Offered = Offered()

    @property
    def reading(self) -> Reading:
        return Reading(self.attributes, self.settings, self.currency, self.printed, self.parsed)

    def printed(self, tree: Tree) -> str:
        return print_tree(tree, self.attributes, currency=self.currency)

    def parsed(self, text: str) -> Tree:
        tree, _condition = read_text(
            text, self.attributes, currency=self.currency, settings=self.settings, beyond=self.beyond
        )
        return tree

    def check(self, tree: Tree) -> None:
        """Raises ConditionError."""
        read_condition(tree, self.attributes, settings=self.settings, beyond=self.beyond)


@dataclass(frozen=True)
class Spot:
    """A mistake of the text: what is told, and the line cut where it happened."""

    told: str
    before: str
    at: str
    after: str


@dataclass
class Editor:
    prefix: str
    language: Language
    mode: str = ROWS
    group: Group = field(default_factory=Group)
    text: str = ""
    spot: Spot | None = None
    tree: Tree | None = None
    """What is asked, once it was read. None: nothing yet, or something cannot be read."""

    @property
    def wrong(self) -> bool:
        return self.spot is not None or any(row.problem for row in self.group.rows())

    def read(self, *, strict: bool) -> "Editor":
        """Understand what stands in it."""
        if self.mode == TEXT:
            self._read_text(strict=strict)
        else:
            self._read_rows(strict=strict)
        return self

    def _read_text(self, *, strict: bool) -> None:
        self.tree = self.spot = None
        if not self.text.strip() and not strict:
            return
        try:
            self.tree = self.language.parsed(self.text)
        except TextError as error:
            self.spot = spot(self.text, error)

    def _read_rows(self, *, strict: bool) -> None:
        if strict and not self.group.items:
            self.group = added(self.group)
        self.tree = None
        tree = asked_checked(self.group, self.language, strict=strict)
        if not self.wrong:
            self.tree = tree

    def done(self, verb: str, path: str) -> "Editor":
        """What a button asks for."""
        match verb:
            case "drop":
                self.group = dropped(self.group, path)
            case "add":
                self.group = added(self.group, path)
            case "group":
                self.group = grouped(self.group)
            case "text" if self.mode == ROWS:
                self.read(strict=False)
                if not self.wrong:
                    self.mode, self.text = TEXT, self.language.printed(self.tree) if self.tree else ""
            case "rows" if self.mode == TEXT:
                self.read(strict=False)
                if self.spot is None:
                    self.mode = ROWS
                    self.group = opened(self.tree, self.language.reading) if self.tree else Group(items=[Row()])
        return self


def asked_checked(group: Group, language: Language, *, strict: bool) -> Tree | None:
    """The tree of the rows, each of them tried by itself, so that a refusal finds its row."""
    reading = language.reading
    for row in group.rows():
        try:
            tree = asked(Group(items=[row]), reading, strict=strict)
            if tree:
                language.check(tree)
        except TextError as error:
            row.problem = (mistakes.AT_NEAR if error.nearest else mistakes.AT, {
                "line": error.line, "column": error.column, "expected": mistakes.expected(error.expected),
                "nearest": error.nearest,
            })  # fmt: skip
        except ConditionError as error:
            row.problem = (mistakes.EXPECTED, {"expected": mistakes.expected(error.problem)})
    return None if any(row.problem for row in group.rows()) else asked(group, reading, strict=strict)


def spot(text: str, error: TextError) -> Spot:
    """Where a text stops being a condition."""
    lines = text.split("\n")
    line = lines[error.line - 1] if error.line <= len(lines) else ""
    here = min(error.column - 1, len(line))
    behind = line[here:]
    wrong = behind.split(" ", 1)[0] or behind[:1]
    template = mistakes.AT_NEAR if error.nearest else mistakes.AT
    said = gettext(template) % {
        "line": error.line, "column": error.column, "expected": mistakes.expected(error.expected),
        "nearest": error.nearest,
    }  # fmt: skip
    return Spot(said, line[:here], wrong, line[here + len(wrong) :])


def of_tree(prefix: str, tree: Mapping[str, Any] | None, language: Language) -> Editor:
    """The editor of what is asked already; of nothing, one empty row."""
    group = opened(tree, language.reading) if tree else Group(items=[Row()])
    return Editor(prefix, language, group=group, tree=dict(tree) if tree else None)


def of_form(prefix: str, data: Sent, language: Language) -> Editor:
    """The editor as it was sent, with what a button of its own asked for."""
    mode = TEXT if data.getlist(f"{prefix}.mode") == [TEXT] else ROWS
    text = (data.getlist(f"{prefix}.text") or [""])[0].replace("\x00", "").replace("\r\n", "\n")
    editor = Editor(prefix, language, mode, sent(data, prefix), text)
    for name, verb, path in edits(data):
        if name == prefix:
            editor.done(verb, path)
    return editor


def edits(data: Sent) -> list[tuple[str, str, str]]:
    """Prefix, verb and path of the buttons that were pressed: one, from a page."""
    found = [one.split(":") for one in data.getlist(EDIT)]
    return [(one[0], one[1], one[2]) for one in found if len(one) == 3]


def has_edit(data: QueryDict) -> bool:
    return bool(edits(data))
