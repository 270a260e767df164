"""How many events of a kind happened in a window as an attribute: `event_count_app_opened_90d`, as of deeds (deeds.py).

Kinds are a closed list of dotted words, so an underscore in the place of the dot names each.
"""

# ruff: noqa: S608 -- words of our own and numbers
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot import exp

from changke.engine.definitions import Column
from changke.engine.definitions.definition import Definition
from changke.facts.events.rules import KINDS
from changke.facts.tables import OF_OURS
from changke.profiles.attributes.deeds import CAME, READS

ASKED = {kind.replace(".", "_"): kind for kind in KINDS if kind not in OF_OURS}
"""What a name says of a kind. What we made of her facts ourselves is never asked: a stage would follow from a stage."""

NAME = re.compile(rf"event_count_({'|'.join(sorted(ASKED))})(?:_(\d+)d|(_since_visit))?")


def event_name(kind: str, *, days: int | None, since_visit: bool) -> str:
    window = f"_{days}d" if days else "_since_visit" if since_visit else ""
    return f"event_count_{kind.replace('.', '_')}{window}"


def is_event(name: str) -> bool:
    return bool(NAME.fullmatch(name))


def column_of(name: str) -> Column:
    """Nothing happened is zero; only "since the last visit" of somebody who never came is unknown."""
    found = NAME.fullmatch(name)
    return Column(name, "int", None if found and found[3] else "0", name.replace("_", " "), line=1)


def kind_of(name: str) -> str:
    found = NAME.fullmatch(name)
    assert found, name
    return ASKED[found[1]]


def tree_of(name: str) -> dict[str, Any]:
    """The question in the words of conditions; it asks for more than nothing."""
    found = NAME.fullmatch(name)
    assert found, name
    window = {"days": int(found[2])} if found[2] else {"since": "visit"} if found[3] else {}
    return {"measure": "count", "deed": {"kind": "event", "of": ASKED[found[1]]}, **window, "op": ">", "value": 0}


def definitions_of(names: Iterable[str]) -> list[Definition]:
    return [_definition(name, found) for name in sorted(set(names)) if (found := NAME.fullmatch(name))]


def _definition(name: str, found: re.Match[str]) -> Definition:
    rows = f"SELECT customer_id, business_date FROM happened WHERE kind = '{ASKED[found[1]]}'"
    inputs = {"happened", *(READS["visit"] if found[3] else ())}
    if found[3]:
        text = (
            f"SELECT last.customer_id, COUNT(event.business_date) AS {name} FROM"
            f" (SELECT customer_id, MAX(business_date) AS day FROM ({CAME}) AS came GROUP BY customer_id) AS last"
            f" LEFT JOIN ({rows}) AS event ON event.customer_id = last.customer_id AND event.business_date > last.day"
            " GROUP BY last.customer_id"
        )
    else:
        window = f" WHERE DATE_DIFF('day', business_date, :today) < {int(found[2])}" if found[2] else ""
        text = f"SELECT customer_id, COUNT(*) AS {name} FROM ({rows}) AS event{window} GROUP BY customer_id"
    query = sqlglot.parse_one(text, read="duckdb")
    assert isinstance(query, exp.Query), "we wrote a SELECT"
    column = column_of(name)
    return Definition(
        Path(f"{name}.sql"), f"of_{name}", column.words, "customer", tuple(sorted(inputs)), {}, (column,), query,
        inputs_line=1,
    )  # fmt: skip
