"""What stage models ask beyond attributes, as attributes; what they do not ask is refused by name."""

from collections.abc import Mapping
from typing import Any

from changke.engine.definitions import Column
from changke.facts.events.rules import KINDS
from changke.facts.tables import OF_OURS
from changke.profiles.attributes import agreed, happened
from changke.profiles.attributes.agreed import TOPICS, consent_name
from changke.profiles.attributes.deeds import Meant, deed_column, number_name, then_name
from changke.profiles.attributes.happened import event_name
from changke.profiles.attributes.worn import tag_column
from changke.profiles.conditions import Beyond, read_condition

BEYOND = Beyond(consents=TOPICS, events=list(KINDS))
"""Read whole, so that a mistake inside is told before what cannot be asked."""


class NotOfADay(Exception):
    """A question that stages do not ask, with the path to the spot.

    `reason` says why, and what to do instead: an English template, translated at the roof.
    """

    def __init__(self, path: str, *, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


def _refuse(path: str, kind: str) -> NotOfADay:
    match kind:
        case "segment":
            return NotOfADay(
                path,
                reason="stages do not ask for groups, which are known as of now only: write the group's condition here",
            )
        case "ours":
            return NotOfADay(
                path, reason="stages do not ask what we made of her facts ourselves: changes of stages, warnings"
            )
    return NotOfADay(path, reason="stages count events, and do not ask what came after one: ask in a segment")


def as_attributes(
    tree: object, attributes: Mapping[str, Column], settings: Mapping[str, int], path: str
) -> tuple[object, dict[str, Column]]:
    """The condition with every deed in a window as a comparison of a column, and these columns by name.

    Raises
    ------
    ConditionError
        Where it means nothing.
    NotOfADay
    """
    read_condition(tree, attributes, settings=settings, path=path, beyond=BEYOND)
    columns: dict[str, Column] = {}
    return _turned(tree, path, columns), columns


def _turned(tree: Any, path: str, columns: dict[str, Column]) -> object:
    for word in ("and", "or"):
        if word in tree:
            return {word: [_turned(one, f"{path}.{word}[{n}]", columns) for n, one in enumerate(tree[word])]}
    if "not" in tree:
        return {"not": _turned(tree["not"], f"{path}.not", columns)}
    if "tag" in tree:
        column = tag_column(tree["tag"])
        columns[column.name] = column
        return {"attribute": column.name, "op": "=", "value": True}
    if "consent" in tree:
        name = consent_name(tree["consent"], tree.get("channel", ""))
        columns[name] = agreed.column_of(name)
        return {"attribute": name, "op": "=", "value": True}
    if "segment" in tree:
        raise _refuse(path, "segment")
    if "measure" in tree and tree["deed"]["kind"] == "event":
        if (kind := tree["deed"]["of"]) in OF_OURS:
            raise _refuse(f"{path}.deed", "ours")
        name = event_name(kind, days=tree.get("days"), since_visit="since" in tree)
        columns[name] = happened.column_of(name)
        return {"attribute": name, "op": tree["op"], "value": tree["value"]}
    if "measure" in tree:
        meant = _meant(tree["deed"], f"{path}.deed")
        name = number_name(tree["measure"], meant, days=tree.get("days"), since_visit="since" in tree)
        columns[name] = deed_column(name, tree["deed"])
        return {"attribute": name, "op": tree["op"], "value": tree["value"]}
    if "first" in tree:
        both = _meant(tree["first"], f"{path}.first"), _meant(tree["then"], f"{path}.then")
        name = then_name(*both, tree["within"], days=tree.get("days"))
        columns[name] = deed_column(name, tree["first"], tree["then"])
        return {"attribute": name, "op": "=", "value": True}
    return tree


def _meant(deed: Mapping[str, str], path: str) -> Meant:
    if deed["kind"] == "event":
        raise _refuse(path, "event")
    return Meant.of(deed)
