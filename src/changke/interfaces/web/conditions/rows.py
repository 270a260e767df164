"""A condition as rows of a form, and back. Pure.

The tree opens into a list of rows and of groups of rows; what lies deeper than one level of groups, or asks what no
row can hold, stands in a row as text. A row is addressed by its place: `ask.0.op`, in a group `ask.1.0.op`.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.utils.translation import gettext_noop as _

from changke.engine.definitions import Column
from changke.foundation.money import to_major, to_minor
from changke.interfaces.web.conditions.values import ORDERED, operators_of, read, written
from changke.profiles.conditions.deeds import AMOUNTS, KINDS, WITH_LINES
from changke.profiles.conditions.reader import LONGEST_DAYS

Tree = dict[str, Any]
Problem = tuple[str, dict[str, object]]
"""A template and its places."""

TAG, CONSENT, SEGMENT, COUNT, SUM, TEXT = "#tag", "#consent", "#segment", "#count", "#sum", "#text"
SEQUENCE = "#sequence"
"""What a row asks for beyond attributes. An attribute is called by its name, nothing chosen yet is ""."""
BEYOND = (TAG, CONSENT, SEGMENT, COUNT, SUM, SEQUENCE)
WHETHER = ("is", "not")
KNOWING = ("known", "unknown")
WINDOWS = ("days", "", "visit")
USUAL_DAYS = "90"
USUAL_WITHIN = "30"
THEN = "then"
"""Before the names of what a sequence says of its second deed."""

MOST_ROWS = 100
"""Rows that a form takes. A condition of more is for the text."""

NOT_FILLED: Problem = (_("fill this in, or take it away"), {})


@dataclass
class Row:
    """One question, as typed."""

    what: str = ""
    typed: dict[str, list[str]] = field(default_factory=dict)
    problem: Problem | None = None

    def one(self, name: str, usual: str = "") -> str:
        found = self.typed.get(name)
        return found[0] if found else usual


@dataclass
class Group:
    """Rows of which all or one has to hold; `negated`: not."""

    word: str = "and"
    negated: bool = False
    items: list["Row | Group"] = field(default_factory=list)
    problem: Problem | None = None

    def rows(self) -> Iterator[Row]:
        for item in self.items:
            if isinstance(item, Group):
                yield from item.rows()
            else:
                yield item


class Sent(Protocol):
    """A form as Django hands it out."""

    def getlist(self, key: str) -> list[str]: ...
    def keys(self) -> Any: ...


@dataclass(frozen=True)
class Reading:
    """What the rows may ask for, and how their text is written and read."""

    attributes: Mapping[str, Column]
    settings: Mapping[str, int]
    currency: str
    printed: Callable[[Tree], str]
    parsed: Callable[[str], Tree]
    """Raises TextError, which is a ValueError."""


# From a tree to rows.


def opened(tree: Mapping[str, Any], reading: Reading) -> Group:
    """The rows of a whole condition."""
    if isinstance(parts := tree.get("or"), list):
        return Group("or", items=[_item(part, reading) for part in parts])
    return Group(items=[_item(part, reading) for part in tree.get("and", [tree])])


def _item(tree: Tree, reading: Reading) -> Row | Group:
    negated, inside = False, tree
    if "not" in tree and _leaf(tree, reading) is None:
        negated, inside = True, tree["not"]
    for word in ("and", "or"):
        if word in inside:
            return Group(word, negated, [_row(part, reading) for part in inside[word]])
    return Group("and", True, [_row(inside, reading)]) if negated else _row(inside, reading)


def _row(tree: Tree, reading: Reading) -> Row:
    return _leaf(tree, reading) or Row(TEXT, {"value": [reading.printed(tree)]})


def _leaf(tree: Tree, reading: Reading) -> Row | None:
    """The row of a question; None where no row can hold it."""
    negated, inside = "not" in tree, tree.get("not", tree)
    if "known" in inside and inside["known"] in reading.attributes:
        return Row(inside["known"], {"op": ["unknown" if negated else "known"]})
    whether = [WHETHER[negated]]
    if "tag" in inside:
        return Row(TAG, {"op": whether, "value": [inside["tag"]]})
    if "segment" in inside:
        return Row(SEGMENT, {"op": whether, "value": [inside["segment"]]})
    if "consent" in inside:
        return Row(CONSENT, {"op": whether, "value": [f"{inside['consent']} {inside.get('channel', '')}".strip()]})
    if "first" in inside:
        return _in_sequence(inside, whether)
    if negated:
        return None
    if "attribute" in tree:
        return _compared(tree, reading)
    return _counted(tree, reading) if "measure" in tree else None


def _compared(tree: Tree, reading: Reading) -> Row | None:
    column, value = reading.attributes.get(tree["attribute"]), tree["value"]
    if column is None:
        return None
    if tree["op"] == "in":
        if any(isinstance(one, Mapping) for one in value):
            return None
        return Row(
            tree["attribute"],
            {"op": ["in"], "value": [written(one, column, currency=reading.currency) for one in value]},
        )
    said = written(following(value, reading.settings), column, currency=reading.currency)
    return Row(tree["attribute"], {"op": [tree["op"]], "value": [said], **_setting(value)})


def _counted(tree: Tree, reading: Reading) -> Row:
    deed, value = tree["deed"], tree["value"]
    by = next((name for name in ("item", "category") if name in deed), "")
    number = following(value, reading.settings)
    said = str(to_major(number, reading.currency)) if tree["measure"] == "sum" else str(number)
    window = "days" if "days" in tree else "visit" if "since" in tree else ""
    return Row(f"#{tree['measure']}", {
        "kind": [deed["kind"]], "by": [by], "of": [deed.get("of") or deed.get(by, "")], "window": [window],
        "days": [str(tree.get("days", USUAL_DAYS))], "op": [tree["op"]], "value": [said], **_setting(value),
    })  # fmt: skip


def _in_sequence(tree: Tree, whether: list[str]) -> Row:
    typed = {"op": whether, "within": [str(tree["within"])], "window": ["days" if "days" in tree else ""]}
    typed["days"] = [str(tree.get("days", USUAL_DAYS))]
    for before, deed in (("", tree["first"]), (THEN, tree["then"])):
        by = next((name for name in ("item", "category") if name in deed), "")
        typed |= {f"{before}kind": [deed["kind"]], f"{before}by": [by]}
        typed[f"{before}of"] = [deed.get("of") or deed.get(by, "")]
    return Row(SEQUENCE, typed)


def _setting(value: object) -> dict[str, list[str]]:
    return {"setting": [str(value["setting"])]} if isinstance(value, Mapping) else {}


def following(value: Any, settings: Mapping[str, int]) -> Any:
    """The chain's number that a value names, or the value."""
    return settings.get(str(value["setting"]), "") if isinstance(value, Mapping) else value


# From a form to rows.


def sent(data: Sent, prefix: str) -> Group:
    """The rows of a form, in their order; what is missing is empty."""
    places: dict[tuple[int, ...], dict[str, list[str]]] = {}
    named = re.compile(rf"{re.escape(prefix)}((?:\.\d{{1,3}}){{0,2}})\.([a-z]+)")
    for key in data.keys():  # noqa: SIM118 -- a QueryDict, whose iteration is its keys too, says so
        if match := named.fullmatch(key):
            place = tuple(int(step) for step in match[1].split(".")[1:])
            places.setdefault(place, {})[match[2]] = [one.replace("\x00", "") for one in data.getlist(key)]
    return _group(places, ())


def _group(places: Mapping[tuple[int, ...], dict[str, list[str]]], at: tuple[int, ...]) -> Group:
    own = places.get(at, {})
    items: list[Row | Group] = []
    below = sorted({place[: len(at) + 1] for place in places if len(place) > len(at) and place[: len(at)] == at})
    for place in below[:MOST_ROWS]:
        found = places.get(place, {})
        if "what" in found:
            items.append(Row(found.pop("what")[0], found))
        elif not at:
            items.append(_group(places, place))
    word = own.get("word", ["and"])[0]
    return Group("or" if word.startswith("or") else "and", word.endswith("not"), items)


# What the buttons of a form do.


def dropped(whole: Group, path: str) -> Group:
    """Without the row or group of this path. A group that loses its last row goes with it."""
    steps = _steps(path)
    if not steps:
        return whole
    *above, last = steps
    holder = _at(whole, above)
    if holder is not None and last < len(holder.items):
        del holder.items[last]
        if not holder.items and above:
            del whole.items[above[0]]
    return whole


def added(whole: Group, path: str = "") -> Group:
    """One more row at the end of the whole, or of the group of this path."""
    holder = _at(whole, _steps(path))
    if holder is not None:
        holder.items.append(Row())
    return whole


def grouped(whole: Group) -> Group:
    """One more group, of one row, joined by the other word than the whole."""
    whole.items.append(Group("and" if whole.word == "or" else "or", items=[Row()]))
    return whole


def _steps(path: str) -> list[int]:
    return [int(step) for step in path.split(".") if step.isascii() and step.isdigit()]


def _at(whole: Group, steps: list[int]) -> Group | None:
    found: Row | Group = whole
    for step in steps:
        if not isinstance(found, Group) or step >= len(found.items):
            return None
        found = found.items[step]
    return found if isinstance(found, Group) else None


# From rows to a tree.


def asked(whole: Group, reading: Reading, *, strict: bool) -> Tree | None:
    """The tree of all rows that are filled in; every row that cannot be read is told so. None: nothing is asked.

    `strict`: an empty row is a mistake too, as when saving. While one types, it is not asked yet.
    """
    parts = []
    for item in whole.items:
        found = asked(item, reading, strict=strict) if isinstance(item, Group) else _asked(item, reading, strict=strict)
        if found:
            parts.append(found)
    if not parts:
        return None
    tree = parts[0] if len(parts) == 1 else {whole.word: parts}
    return {"not": tree} if whole.negated else tree


def _asked(row: Row, reading: Reading, *, strict: bool) -> Tree | None:
    try:
        found = _tree(row, reading)
    except _Unreadable as problem:
        row.problem = problem.problem
        return None
    if found is None and strict:
        row.problem = NOT_FILLED
    return found


class _Unreadable(ValueError):
    def __init__(self, template: str, **places: object) -> None:
        super().__init__(template)
        self.problem: Problem = (template, places)


def _tree(row: Row, reading: Reading) -> Tree | None:
    """The tree of one row; None where it is not filled in yet."""
    match row.what:
        case "":
            return None
        case "#text":
            return _parsed(row.one("value").strip(), reading)
        case "#tag" | "#segment":
            value = row.one("value").strip()
            return _whether(row, {row.what[1:]: value}) if value else None
        case "#consent":
            purpose, _space, channel = row.one("value").partition(" ")
            tree: Tree = {"consent": purpose} | ({"channel": channel} if channel else {})
            return _whether(row, tree) if purpose else None
        case "#count" | "#sum":
            return _counting(row, reading)
        case "#sequence":
            return _following(row)
    return _comparing(row, reading)


def _whether(row: Row, tree: Tree) -> Tree:
    return {"not": tree} if row.one("op") == "not" else tree


def _parsed(text: str, reading: Reading) -> Tree | None:
    return reading.parsed(text) if text else None


def _comparing(row: Row, reading: Reading) -> Tree | None:
    column = reading.attributes.get(row.what)
    if column is None:
        raise _Unreadable(_("there is no such attribute"))
    op = row.one("op")
    if op in KNOWING:
        known: Tree = {"known": row.what}
        return known if op == "known" else {"not": known}
    if op not in (*operators_of(column), "in"):
        op = operators_of(column)[0]
    texts = [text.strip() for text in row.typed.get("value", [])]
    if op == "in":
        texts = [one.strip() for text in texts for one in re.split(r"[,，、;；\n]", text)]
    texts = [text for text in texts if text]
    if not texts:
        return None
    values = [_read(text, column, reading.currency) for text in texts]
    if op == "in":
        return {"attribute": row.what, "op": op, "value": values}
    return {"attribute": row.what, "op": op, "value": _kept(row, values[0], reading.settings)}


def _kept(row: Row, value: Any, settings: Mapping[str, int]) -> Any:
    """The chain's number, where the row follows one and nobody typed another."""
    setting = row.one("setting")
    return {"setting": setting} if setting and settings.get(setting) == value else value


def _read(text: str, column: Column, currency: str) -> object:
    try:
        return read(text, column, currency=currency)
    except ValueError:
        raise _Unreadable(_("'%(typed)s' is not a value of this attribute"), typed=text[:60]) from None


def _counting(row: Row, reading: Reading) -> Tree | None:
    measure = row.what[1:]
    deed = _deed(row, "", AMOUNTS if measure == "sum" else KINDS)
    if deed is None:
        return None
    text = row.one("value").strip()
    if not text:
        return None
    try:
        value = to_minor(text, reading.currency) if measure == "sum" else int(text)
    except ValueError:
        raise _Unreadable(_("'%(typed)s' is not a number"), typed=text[:60]) from None
    tree: Tree = {"measure": measure, "deed": deed}
    match row.one("window", "days"):
        case "days":
            tree["days"] = _days(row.one("days", USUAL_DAYS))
        case "visit":
            tree["since"] = "visit"
    op = row.one("op")
    return tree | {"op": op if op in ORDERED else ">=", "value": _kept(row, value, reading.settings)}


def _following(row: Row) -> Tree | None:
    first, then = _deed(row, "", KINDS), _deed(row, THEN, KINDS)
    if first is None or then is None:
        return None
    tree: Tree = {"first": first, "then": then, "within": _days(row.one("within", USUAL_WITHIN))}
    if row.one("window", "days") == "days":
        tree["days"] = _days(row.one("days", USUAL_DAYS))
    return _whether(row, tree)


def _deed(row: Row, before: str, kinds: Collection[str]) -> dict[str, str] | None:
    """The deed that a row means; None while it does not say of what."""
    kind, by, of = (row.one(f"{before}{name}").strip() for name in ("kind", "by", "of"))
    kind = kind or "purchase"
    if kind not in kinds:
        raise _Unreadable(_("choose what is counted"))
    deed = {"kind": kind}
    if kind == "event" or (by and kind in WITH_LINES):
        if not of:
            return None
        deed["of" if kind == "event" else by] = of
    return deed


def _days(typed: str) -> int:
    days = typed.strip()
    if not (days.isascii() and days.isdigit() and 1 <= int(days[:9]) <= LONGEST_DAYS):
        raise _Unreadable(_("a window has 1 to %(most)s days"), most=f"{LONGEST_DAYS:,}")
    return int(days)
