"""Columns that no table of ours has: the chain's own fields, and what customers consented to, by purpose and channel.

An own field `skin` is the column `own_skin`, recognised by its labels in every language and by its key; marketing by
SMS is `consent_marketing_sms`. Both go with rows of customers only.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from changke.facts.consents import rules as consents
from changke.facts.consents.rules import Topic
from changke.facts.fields import rules
from changke.facts.fields.models import Field
from changke.facts.fields.queries import fields_for
from changke.foundation.batches.models import Batch
from changke.foundation.money import to_major
from changke.interfaces.importers.folding import folded
from changke.interfaces.importers.normalise import dates, texts
from changke.interfaces.importers.problems import Refused

PREFIX = "own_"
KIND = "customers"


def topic_column(topic: Topic) -> str:
    purpose, channel = topic
    return f"consent_{purpose}_{channel}" if channel else f"consent_{purpose}"


TOPICS: Mapping[str, Topic] = {topic_column(topic): topic for topic in consents.topics()}


@dataclass(frozen=True)
class OwnFields:
    """The fields that whoever loads may see, by column."""

    by_column: Mapping[str, Field] = field(default_factory=dict)

    @property
    def words(self) -> dict[str, frozenset[str]]:
        """Column -> headings that mean it, folded."""
        return {
            column: frozenset(folded(word) for word in (one.key, *one.labels.values()))
            for column, one in self.by_column.items()
        }

    def fields_of(self, kind: str) -> tuple[str, ...]:
        return tuple(self.by_column) if kind == KIND else ()

    def mapped(self, fields: Iterable[str]) -> dict[str, Field]:
        return {each: self.by_column[each] for each in fields if each in self.by_column}


def own_column(column: str) -> bool:
    """Whether the name of a column is that of an own field or a consent."""
    return column.startswith(PREFIX) or column in TOPICS


def own_fields_of(batch: Batch) -> OwnFields:
    """Those in use; of somebody's load, or a machine's, only those that the role sees. A command sees all."""
    return own_fields(batch.created_by.role if batch.created_by else batch.options.get("role"))


def own_fields(role: str | None) -> OwnFields:
    """Those in use that this role sees; all of them without one."""
    return OwnFields({f"{PREFIX}{one.key}": one for one in fields_for(role)})


# What stands in a cell.

EARLIEST_DAY = dt.date(1900, 1, 1)
"""A wedding may lie before 1970; no receipt of ours does."""


def reader(one: Field, *, currency: str, exponent: int) -> Callable[[str], str]:
    """The rule of one field: the cell as it will be stored, in text; refused with what would be right."""

    def read(cell: str) -> str:
        # Dates as every other column writes them: a serial of Excel, 2026年3月1日.
        text = dates.day(cell, earliest=EARLIEST_DAY) if one.kind == "date" else texts.text(cell)
        try:
            value = rules.fit(one.rule, rules.read(one.rule, text, exponent=exponent))
        except rules.Unfit as unfit:
            raise _refused(one, unfit, currency) from None
        if value is None:
            raise Refused("own_empty")
        return str(next(each for each in rules.stored(one.kind, value) if each is not None))

    return read


def value(kind: str, cell: str) -> rules.Plain:
    """What `reader` wrote, as a value."""
    match kind:
        case "yes_no":
            return cell == "1"
        case "number" | "money":
            return int(cell)
        case "choices":
            return cell.strip("|").split("|")
    return cell


def consent(cell: str) -> str:
    """yes or no; what says neither is refused, for silence would be a no and a guess a yes."""
    word = texts.plain(cell)
    if word in SAID_YES:
        return "yes"
    if word in SAID_NO:
        return "no"
    raise Refused("consent_unclear")


SAID_YES = rules.YES | {"同意", "已同意", "接受", "已授权", "授权", "允许", "订阅", "已订阅", "已授權", "授權", "允許",
                        "訂閱", "已訂閱", "agree", "agreed", "given", "subscribed", "opt-in",
                        "ok"}  # fmt: skip
SAID_NO = rules.NO | {"不同意", "未同意", "拒绝", "拒絕", "不接受", "未授权", "未授權", "不允许", "不允許", "退订",
                      "已退订", "退訂", "已退訂", "撤回", "已撤回", "withdrawn", "refused", "unsubscribed",
                      "opt-out"}  # fmt: skip


def _refused(one: Field, unfit: rules.Unfit, currency: str) -> Refused:
    code = CODES[unfit.reason]
    places = dict(unfit.places)
    if one.kind == "money":  # its bounds are kept in the smallest unit; a person reads the other
        places |= {
            name: to_major(int(str(bound)), currency) for name, bound in places.items() if name in ("least", "most")
        }
    if code == "own_choice":
        places["choices"] = "、".join(one.choices[:MOST_NAMED]) + ("…" if len(one.choices) > MOST_NAMED else "")
    return Refused(code, **places)


MOST_NAMED = 12
CODES: Mapping[str, str] = {
    "write yes or no": "own_yes_no",
    "is required": "own_empty",
    "at most %(longest)s characters": "own_text_long",
    "at least %(shortest)s characters": "own_text_short",
    "is not a value of this kind": "own_empty",
    "is too large": "own_number_large",
    "at least %(least)s": "own_below",
    "at most %(most)s": "own_above",
    "%(word)s is not one of the choices": "own_choice",
    "is not a number": "own_not_number",
    "has too many digits after the point": "own_digits",
    "is not a day: write it as 2026-03-01": "date_wrong",
    "lies too far away": "own_day_far",
}
"""Reasons of `facts/fields/rules.py` as problems of a row. A test holds both together."""
