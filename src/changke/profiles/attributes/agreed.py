"""What she said last about a purpose and a channel by a day, as an attribute: `consent_marketing_by_sms`.

Of records that are one person, under each of them that said something, as `Consented` of the conditions says it.
Whether somebody may be written to is decided again when sending.
"""

# ruff: noqa: S608 -- words of our own
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot import exp

from changke.engine.definitions import Column
from changke.engine.definitions.definition import Definition
from changke.facts.consents.rules import topics

TOPICS = [(str(purpose), str(channel)) for purpose, channel in topics()]


def consent_name(purpose: str, channel: str) -> str:
    return f"consent_{purpose}{f'_by_{channel}' if channel else ''}"


NAMES = {consent_name(*topic): topic for topic in TOPICS}


def is_consent(name: str) -> bool:
    return name in NAMES


def column_of(name: str) -> Column:
    """Silence is no yes."""
    return Column(name, "bool", "FALSE", name.replace("_", " "), line=1)


def tree_of(name: str) -> dict[str, Any]:
    """The question in the words of conditions."""
    purpose, channel = NAMES[name]
    return {"consent": purpose, **({"channel": channel} if channel else {})}


def definitions_of(names: Iterable[str]) -> list[Definition]:
    return [_definition(name, *NAMES[name]) for name in sorted(set(names) & NAMES.keys())]


def _definition(name: str, purpose: str, channel: str) -> Definition:
    query = sqlglot.parse_one(
        f"SELECT customer_id, COUNT(*) = SUM(CASE WHEN given THEN 1 ELSE 0 END) AS {name} FROM ("
        "SELECT customer_id, given, ROW_NUMBER() OVER (PARTITION BY customer_id, record_id ORDER BY place DESC) AS nth"
        f" FROM agreed WHERE purpose = '{purpose}' AND channel = '{channel}') AS said"
        " WHERE nth = 1 GROUP BY customer_id",
        read="duckdb",
    )
    assert isinstance(query, exp.Query), "we wrote a SELECT"
    column = column_of(name)
    return Definition(
        Path(f"{name}.sql"), f"of_{name}", column.words, "customer", ("agreed",), {}, (column,), query, inputs_line=1
    )
