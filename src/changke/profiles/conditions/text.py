"""The one readable form of a condition: parsed to the tree, printed from it; a mistake points at its place.

    stage = silent and spend_365d >= 3000 and tag has "敏感肌"
    count(purchase of category "面部" in 90 days) >= 2 and not count(event "complaint.received" since visit) > 0
    sequence(purchase of item "A" then visit within 30 days in 365 days)
    consent has marketing by sms or segment has vip
    silent_days >= setting.lost_after_days and birthday is known and stage in (lost, silent)

`and` binds closer than `or`; `not` closest. Money is written in whole units of the chain's currency.
"""

import datetime as dt
import difflib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from changke.engine.definitions import Column
from changke.foundation.money import to_major, to_minor
from changke.profiles.conditions.deeds import KINDS, WITH_LINES
from changke.profiles.conditions.reader import DEEPEST, Beyond, ConditionError, read_condition
from changke.profiles.conditions.tree import COMPARISONS, Condition, Value

LONGEST_TEXT = 20_000
"""Characters: 200 questions of a hundred each."""

LONGEST_NUMBER = 6
"""Digits of a number of days."""

TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<string>"(?:[^"\\]|\\.)*")|(?P<op><=|>=|!=|=|<|>)|(?P<mark>[(),])"""
    r"""|(?P<number>-?\d+(?:\.\d+)?(?![\w-]))|(?P<word>[^\s"()<>=!,]+)"""
)
RESERVED = frozenset({"and", "or", "not", "in", "is", "has", "known", "unknown", "true", "false", "of", "then"})
Tree = dict[str, Any]


class TextError(ValueError):
    """A text that is no condition: line and column (from 1), what was expected there, the nearest name there is."""

    def __init__(self, line: int, column: int, expected: str, nearest: str = "") -> None:
        self.line, self.column, self.expected, self.nearest = line, column, expected, nearest
        meant = f"; did you mean {nearest}?" if nearest else ""
        super().__init__(f"line {line}, column {column}: expected {expected}{meant}")


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    at: int


def parse(text: str, attributes: Mapping[str, Column], *, currency: str) -> Tree:
    """The tree that the text says. Raises TextError."""
    return _Parser(text, attributes, currency).whole()


def read_text(
    text: str,
    attributes: Mapping[str, Column],
    *,
    currency: str,
    settings: Mapping[str, Value] | None = None,
    beyond: Beyond | None = None,
) -> tuple[Tree, Condition]:
    """The tree and the condition. Raises TextError, for what the tree's reader refuses too, with its place."""
    parser = _Parser(text, attributes, currency)
    tree = parser.whole()
    try:
        return tree, read_condition(tree, attributes, settings=settings, beyond=beyond)
    except ConditionError as error:
        path = error.path
        while path not in parser.places and path:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        named = re.search(r"^unknown (\w+) '(.*?)'", error.problem)
        known: Collection[str] | None = None
        if named and beyond:
            known = {"segment": beyond.segments, "item": beyond.items, "category": beyond.categories}.get(named[1])
        nearest = _nearest(named[2], known or ()) if named else ""
        raise parser.error(parser.places.get(path, 0), error.problem, nearest) from None


def print_tree(tree: Mapping[str, Any], attributes: Mapping[str, Column], *, currency: str) -> str:
    """The text that `parse` reads as this tree. The tree was read before, so it means something."""
    return _printed(tree, attributes, currency, "")


def _printed(tree: Mapping[str, Any], attributes: Mapping[str, Column], currency: str, around: str) -> str:
    for word in ("and", "or"):
        if word in tree:
            said = f" {word} ".join(_printed(part, attributes, currency, word) for part in tree[word])
            return f"({said})" if around and len(tree[word]) > 1 else said
    if "not" in tree:
        if "known" in tree["not"]:
            return f"{tree['not']['known']} is unknown"
        return f"not {_printed(tree['not'], attributes, currency, 'not')}"
    if "known" in tree:
        return f"{tree['known']} is known"
    if "tag" in tree:
        return f"tag has {_quoted(tree['tag'])}"
    if "segment" in tree:
        return f"segment has {_word(tree['segment'])}"
    if "consent" in tree:
        by = f" by {tree['channel']}" if tree.get("channel") else ""
        return f"consent has {_word(tree['consent'])}{by}"
    if "measure" in tree:
        window = f" in {tree['days']} days" if "days" in tree else " since visit" if "since" in tree else ""
        value = tree["value"]
        if isinstance(value, Mapping):
            said = f"setting.{value['setting']}"
        else:
            said = str(to_major(value, currency)) if tree["measure"] == "sum" else str(value)
        return f"{tree['measure']}({_deed(tree['deed'])}{window}) {tree['op']} {said}"
    if "first" in tree:
        window = f" in {tree['days']} days" if "days" in tree else ""
        return f"sequence({_deed(tree['first'])} then {_deed(tree['then'])} within {tree['within']} days{window})"
    column = attributes[tree["attribute"]]
    if tree["op"] == "in":
        values = ", ".join(_value(one, column, currency) for one in tree["value"])
        return f"{tree['attribute']} in ({values})"
    return f"{tree['attribute']} {tree['op']} {_value(tree['value'], column, currency)}"


def _deed(tree: Mapping[str, str]) -> str:
    for by in ("item", "category"):
        if by in tree:
            return f"{tree['kind']} of {by} {_quoted(tree[by])}"
    return f"event {_quoted(tree['of'])}" if tree["kind"] == "event" else tree["kind"]


def _value(value: object, column: Column, currency: str) -> str:
    if isinstance(value, Mapping):
        return f"setting.{value['setting']}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(to_major(value, currency)) if column.type == "money" else str(value)
    return str(value) if column.type == "date" else _word(str(value))


def _word(text: str) -> str:
    """Bare where it reads back as it is."""
    plain = re.fullmatch(r"[a-z_][a-z0-9_]*", text) is not None and text not in RESERVED
    return text if plain else _quoted(text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


class _Parser:
    def __init__(self, text: str, attributes: Mapping[str, Column], currency: str) -> None:
        self.text, self.attributes, self.currency = text, attributes, currency
        self.places: dict[str, int] = {}
        self.marks: dict[int, Mapping[str, int]] = {}
        if len(text) > LONGEST_TEXT:
            raise self.error(LONGEST_TEXT, f"at most {LONGEST_TEXT} characters")
        self.tokens = list(self.split())
        self.place = 0

    def split(self) -> list[Token]:
        found, at = [], 0
        while at < len(self.text):
            match = TOKEN.match(self.text, at)
            if match is None:
                what = 'a closing "' if self.text[at] == '"' else "a word, a number or a comparison"
                raise self.error(at, what)
            if match.lastgroup != "space":
                found.append(Token(str(match.lastgroup), match.group(), at))
            at = match.end()
        return [*found, Token("end", "", len(self.text))]

    def error(self, at: int, expected: str, nearest: str = "") -> TextError:
        before = self.text[:at]
        return TextError(before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1, expected, nearest)

    @property
    def now(self) -> Token:
        return self.tokens[self.place]

    def refuse(self, expected: str, among: Collection[str] = ()) -> TextError:
        return self.error(self.now.at, expected, _nearest(self.now.text, among))

    def take(self) -> Token:
        token = self.now
        self.place += 1
        return token

    def is_word(self, *words: str) -> bool:
        return self.now.kind in {"word", "mark"} and self.now.text in words

    def skip(self, word: str, expected: str = "") -> None:
        if not self.is_word(word):
            raise self.refuse(expected or f"'{word}'", [word])
        self.place += 1

    def whole(self) -> Tree:
        if self.now.kind == "end":
            raise self.refuse("a condition")
        tree = self.joined("or", 0)
        if self.now.kind != "end":
            raise self.refuse("'and', 'or' or the end", ["and", "or"])
        self.locate(tree, "condition")
        return tree

    def locate(self, tree: Tree, path: str) -> None:
        """Give every spot that a refusal may name its place in the text."""
        for suffix, at in self.marks.get(id(tree), {}).items():
            self.places[path + suffix] = at
        for word in ("and", "or"):
            for number, part in enumerate(tree.get(word, ())):
                self.locate(part, f"{path}.{word}[{number}]")
        if "not" in tree:
            self.locate(tree["not"], f"{path}.not")

    def joined(self, word: str, depth: int) -> Tree:
        """Parts of `or`, each of them parts of `and`."""
        if depth > DEEPEST:
            raise self.refuse(f"nothing nested deeper than {DEEPEST}")
        at = self.now.at
        parts = [self.joined("and", depth) if word == "or" else self.one(depth)]
        while self.is_word(word):
            self.place += 1
            parts.append(self.joined("and", depth) if word == "or" else self.one(depth))
        return parts[0] if len(parts) == 1 else self.marked({word: parts}, {"": at})

    def marked(self, tree: Tree, places: Mapping[str, int]) -> Tree:
        self.marks[id(tree)] = places
        return tree

    def one(self, depth: int) -> Tree:
        if depth > DEEPEST:
            raise self.refuse(f"nothing nested deeper than {DEEPEST}")
        places = {"": self.now.at}
        if self.is_word("not"):
            self.place += 1
            return self.marked({"not": self.one(depth + 1)}, places)
        if self.is_word("("):
            self.place += 1
            tree = self.joined("or", depth + 1)
            self.skip(")", "')'")
            return tree
        if self.now.kind != "word":
            raise self.refuse("an attribute, tag, consent, segment, count(, sum(, sequence(, 'not' or '('")
        return self.marked(self.leaf(places), places)

    def leaf(self, places: dict[str, int]) -> Tree:
        match self.now.text, self.tokens[self.place + 1].text:
            case "tag" | "consent" | "segment" as word, "has":
                self.place += 2
                return self.has(word, places)
            case "count" | "sum" as measure, "(":
                self.place += 2
                return self.counted(measure, places)
            case "sequence", "(":
                self.place += 2
                return self.sequence(places)
        return self.compared(places)

    def has(self, word: str, places: dict[str, int]) -> Tree:
        places[f".{word}"] = self.now.at
        if word != "consent":
            return {word: self.name()}
        tree: Tree = {"consent": self.name()}
        if self.is_word("by"):
            self.place += 1
            tree["channel"] = self.name()
        return tree

    def counted(self, measure: str, places: dict[str, int]) -> Tree:
        tree: Tree = {"measure": measure, "deed": self.deed(".deed", places)}
        if self.is_word("in"):
            self.place += 1
            tree["days"] = self.days(".days", places)
        elif self.is_word("since"):
            self.place += 1
            self.skip("visit")
            tree["since"] = "visit"
        self.skip(")", "'in 90 days', 'since visit' or ')'")
        tree["op"] = self.operator()
        places[".value"] = self.now.at
        tree["value"] = self.number(money=measure == "sum")
        return tree

    def sequence(self, places: dict[str, int]) -> Tree:
        tree: Tree = {"first": self.deed(".first", places)}
        self.skip("then")
        tree["then"] = self.deed(".then", places)
        self.skip("within")
        tree["within"] = self.days(".within", places)
        if self.is_word("in"):
            self.place += 1
            tree["days"] = self.days(".days", places)
        self.skip(")")
        return tree

    def deed(self, path: str, places: dict[str, int]) -> Tree:
        places[path] = self.now.at
        if not self.is_word(*KINDS):
            raise self.refuse(f"one of {', '.join(KINDS)}", KINDS)
        kind = self.take().text
        if kind == "event":
            return {"kind": kind, "of": self.name()}
        if kind not in WITH_LINES or not self.is_word("of"):
            return {"kind": kind}
        self.place += 1
        if not self.is_word("item", "category"):
            raise self.refuse("'item' or 'category'", ["item", "category"])
        by = self.take().text
        places[f"{path}.{by}"] = self.now.at
        return {"kind": kind, by: self.name()}

    def days(self, path: str, places: dict[str, int]) -> int:
        places[path] = self.now.at
        if self.now.kind != "number" or not self.now.text.isdigit() or len(self.now.text) > LONGEST_NUMBER:
            raise self.refuse("a number of days")
        found = int(self.take().text)
        if not self.is_word("days", "day"):
            raise self.refuse("'days'", ["days"])
        self.place += 1
        return found

    def compared(self, places: dict[str, int]) -> Tree:
        name = self.now.text
        if name not in self.attributes:
            more = ("tag", "consent", "segment", "count", "sum", "sequence")
            raise self.refuse("the name of an attribute", [*self.attributes, *more])
        self.place += 1
        column = self.attributes[name]
        if self.is_word("is"):
            self.place += 1
            if not self.is_word("known", "unknown"):
                raise self.refuse("'known' or 'unknown'", ["known", "unknown"])
            known = {"known": name}
            return known if self.take().text == "known" else {"not": self.marked(known, places)}
        if self.is_word("in"):
            self.place += 1
            self.skip("(")
            values: list[object] = []
            while True:
                places[f".value[{len(values)}]"] = self.now.at
                values.append(self.value(column))
                if not self.is_word(","):
                    break
                self.place += 1
            self.skip(")", "',' or ')'")
            return {"attribute": name, "op": "in", "value": values}
        op = self.operator()
        places[".value"] = self.now.at
        return {"attribute": name, "op": op, "value": self.value(column)}

    def operator(self) -> str:
        if self.now.kind != "op":
            raise self.refuse(f"one of {' '.join(COMPARISONS)}, 'in' or 'is'")
        return self.take().text

    def name(self) -> str:
        match self.now.kind:
            case "string":
                return self.string()
            case "word" if self.now.text not in RESERVED:
                return self.take().text
        raise self.refuse("a name or a text in quotes")

    def string(self) -> str:
        try:
            found: str = json.loads(self.now.text, strict=False)
        except ValueError:
            raise self.refuse('a text in quotes whose \\ stands before " or \\') from None
        self.place += 1
        return found

    def number(self, *, money: bool) -> object:
        if self.now.kind == "word" and self.now.text.startswith("setting."):
            return {"setting": self.take().text.removeprefix("setting.")}
        if self.now.kind != "number":
            raise self.refuse("a number")
        text = self.now.text
        try:
            found = to_minor(text, self.currency) if money else int(text)
        except ValueError:
            raise self.refuse("an amount of money" if money else "a whole number") from None
        self.place += 1
        return found

    def value(self, column: Column) -> object:
        token = self.now
        if token.kind == "word" and token.text.startswith("setting."):
            return {"setting": self.take().text.removeprefix("setting.")}
        match column.type:
            case "int" | "days":
                return self.number(money=False)
            case "money":
                return self.number(money=True)
            case "bool":
                if not self.is_word("true", "false"):
                    raise self.refuse("true or false", ["true", "false"])
                return self.take().text == "true"
            case "date":
                try:
                    found = dt.date.fromisoformat(token.text).isoformat()
                except ValueError:
                    raise self.refuse("a day such as 2026-02-28") from None
                self.place += 1
                return found
        return self.name()


def _nearest(text: str, among: Collection[str]) -> str:
    found = difflib.get_close_matches(text, among, n=1, cutoff=0.6)
    return found[0] if found else ""
