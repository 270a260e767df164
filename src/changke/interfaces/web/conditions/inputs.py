"""A row of a condition as the inputs that a template loops over."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from changke.engine.definitions import Column
from changke.facts.customers.queries import tag_names
from changke.interfaces import words
from changke.interfaces.web.conditions import mistakes
from changke.interfaces.web.conditions.editor import TEXT, Editor
from changke.interfaces.web.conditions.rows import (
    BEYOND,
    CONSENT,
    COUNT,
    KNOWING,
    SEGMENT,
    SEQUENCE,
    SUM,
    TAG,
    THEN,
    USUAL_DAYS,
    USUAL_WITHIN,
    WINDOWS,
    Group,
    Row,
)
from changke.interfaces.web.conditions.rows import TEXT as AS_TEXT
from changke.interfaces.web.conditions.speech import CARD, OWN, SCORED, Speech
from changke.interfaces.web.conditions.values import ORDERED, operators_of
from changke.interfaces.web.customers.named import EVENTS, consents
from changke.profiles.conditions.deeds import AMOUNTS, WITH_LINES

Option = tuple[str, str]
Words = str | Promise

ASKED: dict[str, Words] = {
    TAG: pgettext_lazy("condition", "Tag"),
    SEGMENT: pgettext_lazy("condition", "Segment"),
    CONSENT: pgettext_lazy("condition", "Consent"),
    COUNT: pgettext_lazy("condition", "How often"),
    SUM: pgettext_lazy("condition", "How much"),
    SEQUENCE: pgettext_lazy("condition", "One after another"),
}
WHETHER: dict[str, tuple[Words, Words]] = {
    TAG: (_("wears"), _("does not wear")),
    SEGMENT: (_("is in"), _("is not in")),
    CONSENT: (_("said yes to"), _("did not say yes to")),
    SEQUENCE: (_("did"), _("did not do")),
}
DEED_WORDS: dict[str, Words] = {
    "purchase": pgettext_lazy("condition", "bought"),
    "use": pgettext_lazy("condition", "used a card"),
    "return": pgettext_lazy("condition", "gave back"),
    "visit": pgettext_lazy("condition", "came"),
    "event": pgettext_lazy("condition", "had"),
}
BY_WORDS: dict[str, Words] = {
    "": pgettext_lazy("condition", "anything"),
    "category": pgettext_lazy("condition", "of the category"),
    "item": pgettext_lazy("condition", "this one"),
}
WINDOW_WORDS: dict[str, Words] = {
    "days": pgettext_lazy("condition", "in the last"),
    "": pgettext_lazy("condition", "ever"),
    "visit": pgettext_lazy("condition", "since her last visit"),
}
KNOWN_WORDS: dict[str, Words] = {
    "known": pgettext_lazy("condition", "is known"),
    "unknown": pgettext_lazy("condition", "is unknown"),
}
MOST_TAGS = 300


@dataclass(frozen=True)
class Input:
    """kind: select, checks, input or hidden. `shapes`: choosing another changes which inputs there are."""

    kind: str
    name: str
    label: str
    value: str = ""
    options: Sequence[Option] = ()
    ticked: Sequence[str] = ()
    type: str = "text"
    unit: str = ""
    shapes: bool = False
    wide: bool = False


@dataclass(frozen=True)
class RowShown:
    path: str
    name: str
    what: str
    inputs: tuple[Input, ...]
    follows: bool
    error: str


@dataclass(frozen=True)
class GroupShown:
    path: str
    name: str
    word: str
    """and, or; with "not" behind it where the group is negated."""
    items: tuple["RowShown | GroupShown", ...]
    is_group: bool = True


@dataclass(frozen=True)
class EditorShown:
    """What the component takes."""

    prefix: str
    url: str
    mode: str
    group: GroupShown
    whats: Sequence[tuple[str, Sequence[Option]]]
    """Groups of what may be asked."""
    text: str
    spot: object
    hint: str
    many: bool
    names: Sequence[str] = field(default_factory=tuple)


class Inputs:
    """Turns the rows of one request into inputs; choices are read once."""

    def __init__(self, editor: Editor, speech: Speech) -> None:
        self.editor, self.speech = editor, speech
        self.attributes, self.offered = editor.language.attributes, editor.language.offered

    def shown(self, url: str) -> EditorShown:
        group = self.group(self.editor.group, "", self.editor.prefix)
        examples = "silent_days >= 60"
        if self.editor.language.beyond:
            first = "stage = silent" if "stage" in self.attributes else examples
            examples = f'{first} and spend_365d >= 3000 and tag has "…"'
        return EditorShown(
            self.editor.prefix, url, "text" if self.editor.mode == TEXT else "rows", group, list(self.whats()),
            self.editor.text, self.editor.spot, examples, len(self.editor.group.items) > 1,
        )  # fmt: skip

    def group(self, group: Group, path: str, name: str) -> GroupShown:
        items: list[RowShown | GroupShown] = []
        for place, item in enumerate(group.items):
            here = f"{path}.{place}" if path else str(place)
            if isinstance(item, Group):
                items.append(self.group(item, here, f"{name}.{place}"))
            else:
                items.append(self.row(item, here, f"{name}.{place}"))
        return GroupShown(path, name, f"{group.word} not" if group.negated else group.word, tuple(items))

    def row(self, row: Row, path: str, name: str) -> RowShown:
        inputs = tuple(self.inputs(row, name))
        error = mistakes.told(row.problem) if row.problem else ""
        return RowShown(path, f"{name}.what", row.what, inputs, bool(row.one("setting")), error)

    def whats(self) -> Iterator[tuple[str, list[Option]]]:
        """What a row may ask for, in groups."""
        offered = self.editor.language.offered.whats if self.editor.language.beyond is not None else ()
        yield "", [("", gettext("Choose"))]
        named = {name: self.speech.name_of(column) for name, column in self.attributes.items()}
        stages = [name for name in named if name == "stage" or name.startswith("stage.")]
        own = [name for name, column in self.attributes.items() if column.name.startswith(OWN)]
        scores = [name for name, column in self.attributes.items() if column.name.startswith(SCORED)]
        card = [name for name in named if name in CARD and name not in stages]
        known = {*stages, *own, *scores, *card}
        if offered:
            whether = [(what, str(ASKED[what])) for what in (TAG, SEGMENT, CONSENT) if what in offered]
            title = gettext("Stage, tags, groups") if SEGMENT in offered else gettext("Tags")
            yield title, [*((name, named[name]) for name in stages), *whether]
            done = [(what, str(ASKED[what])) for what in (COUNT, SUM, SEQUENCE) if what in offered]
            yield gettext("What she did"), done
        numbers = sorted(((name, said) for name, said in named.items() if name not in known), key=lambda one: one[1])
        yield gettext("Numbers"), numbers
        if card:
            yield gettext("Her card"), [(name, named[name]) for name in card]
        if own:
            yield gettext("Own fields"), [(name, named[name]) for name in own]
        if scores:
            yield gettext("Own scores"), [(name, named[name]) for name in scores]
        yield gettext("For experts"), [(AS_TEXT, gettext("As text"))]

    def inputs(self, row: Row, name: str) -> Iterator[Input]:
        if row.what == AS_TEXT:
            yield Input("input", f"{name}.value", gettext("As text"), row.one("value"), wide=True)
        elif row.what == SEQUENCE:
            yield from self.sequence(row, name)
        elif row.what in WHETHER:
            yield from self.whether(row, name)
        elif row.what in BEYOND:
            yield from self.deeds(row, name)
        elif row.what in self.attributes:
            yield from self.compared(row, name, self.attributes[row.what])

    def whether(self, row: Row, name: str) -> Iterator[Input]:
        yes, no = WHETHER[row.what]
        yield Input("select", f"{name}.op", gettext("Comparison"), row.one("op"), [("is", str(yes)), ("not", str(no))])
        value, label = row.one("value"), str(ASKED[row.what])
        if row.what == TAG:
            names = tag_names(MOST_TAGS)
            yield Input("input", f"{name}.value", label, value, [(one, one) for one in names])
            return
        options = list(self.speech.segments.items()) if row.what == SEGMENT else consents()
        yield Input("select", f"{name}.value", label, value, _with(value, [("", gettext("Choose")), *options]))

    def compared(self, row: Row, name: str, column: Column) -> Iterator[Input]:
        op, choices = row.one("op"), self.speech.choices_of(column)
        ops = [*operators_of(column), *([] if "in" in operators_of(column) or column.type == "bool" else ["in"])]
        op = op if op in (*ops, *KNOWING) else ("in" if choices and column.type == "text" else ops[0])
        said = [*((one, _operator(one, column)) for one in ops), *((one, str(KNOWN_WORDS[one])) for one in KNOWING)]
        yield Input("select", f"{name}.op", gettext("Comparison"), op, said, shapes=True)
        if op in KNOWING:
            return
        label = self.speech.name_of(column)
        values = row.typed.get("value", [])
        if choices and op == "in":
            yield Input("checks", f"{name}.value", label, options=choices, ticked=values)
        elif choices:
            value = values[0] if values else ""
            yield Input("select", f"{name}.value", label, value, _with(value, [("", gettext("Choose")), *choices]))
        elif op == "in":
            yield Input("input", f"{name}.value", label, ", ".join(values), wide=True)
        else:
            yield Input("input", f"{name}.value", label, row.one("value"), type=_type(column), unit=_unit(column))
        if setting := row.one("setting"):
            yield Input("hidden", f"{name}.setting", "", setting)

    def deeds(self, row: Row, name: str) -> Iterator[Input]:
        kinds = [kind for kind in self.offered.kinds if row.what == COUNT or kind in AMOUNTS]
        yield from self.window(row, name, WINDOWS)
        yield from self.deed(row, name, "", kinds)
        yield Input("select", f"{name}.op", gettext("Comparison"), row.one("op", ">="),
                    [(one, str(words.OPERATORS[one])) for one in ORDERED])  # fmt: skip
        unit = gettext("times") if row.what == COUNT else ""
        yield Input("input", f"{name}.value", gettext("Value"), row.one("value"), type="number", unit=unit)
        if setting := row.one("setting"):
            yield Input("hidden", f"{name}.setting", "", setting)

    def window(self, row: Row, name: str, windows: Sequence[str]) -> Iterator[Input]:
        window = row.one("window", "days")
        yield Input("select", f"{name}.window", gettext("When"), window,
                    [(one, str(WINDOW_WORDS[one])) for one in windows], shapes=True)  # fmt: skip
        if window == "days":
            yield Input("input", f"{name}.days", gettext("Days"), row.one("days", USUAL_DAYS), type="days",
                        unit=gettext("days"))  # fmt: skip

    def deed(self, row: Row, name: str, before: str, kinds: Sequence[str]) -> Iterator[Input]:
        kind = row.one(f"{before}kind", "purchase")
        said = [(one, str(DEED_WORDS[one])) for one in kinds]
        if kind in DEED_WORDS and kind not in kinds:
            said.append((kind, str(DEED_WORDS[kind])))
        yield Input("select", f"{name}.{before}kind", gettext("Deed"), kind, said, shapes=True)
        of, place = row.one(f"{before}of"), f"{name}.{before}of"
        if kind == "event":
            events = [(code, str(said)) for code, said in EVENTS.items()]
            yield Input("select", place, gettext("Which"), of, _with(of, [("", gettext("Choose")), *events]))
        elif kind in WITH_LINES:
            by = row.one(f"{before}by")
            ways = [(one, str(said)) for one, said in BY_WORDS.items() if one in {*self.offered.by, by}]
            if len(ways) > 1:
                yield Input("select", f"{name}.{before}by", gettext("Of what"), by, ways, shapes=True)
            if by:
                known = (
                    list(self.speech.items.items()) if by == "item" else [(one, one) for one in self.speech.categories]
                )
                yield Input("select", place, gettext("Which"), of, _with(of, [("", gettext("Choose")), *known]))

    def sequence(self, row: Row, name: str) -> Iterator[Input]:
        yes, no = WHETHER[SEQUENCE]
        yield Input("select", f"{name}.op", gettext("Comparison"), row.one("op"), [("is", str(yes)), ("not", str(no))])
        yield from self.window(row, name, ("days", ""))
        yield from self.deed(row, name, "", self.offered.chained)
        yield Input("input", f"{name}.within", gettext("and after it within"), row.one("within", USUAL_WITHIN),
                    type="days", unit=gettext("days, then"))  # fmt: skip
        yield from self.deed(row, name, THEN, self.offered.chained)


def _with(value: str, options: list[Option]) -> list[Option]:
    """What stands there stays choosable, even when it is gone."""
    return options if value in dict(options) else [*options, (value, value)]


def _operator(op: str, column: Column) -> str:
    if column.type == "date" and op in DAY_OPERATORS:
        return str(DAY_OPERATORS[op])
    return str(words.OPERATORS[op])


DAY_OPERATORS: dict[str, Words] = {
    ">=": pgettext_lazy("day", "on or after"),
    "<=": pgettext_lazy("day", "on or before"),
    ">": pgettext_lazy("day", "after"),
    "<": pgettext_lazy("day", "before"),
}


def _type(column: Column) -> str:
    return {"date": "date", "text": "text"}.get(column.type, "number")


def _unit(column: Column) -> str:
    return gettext("days") if column.type == "days" else ""
