"""Statements as they are asked. A read of a page is listened to while it runs: what it asked of the database is laid
out to be read, with its values in their places, so that it runs as it stands against PostgreSQL.

Nothing is copied: whoever changes a read changes what is shown of it.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
import sqlglot
from django.db import connection
from psycopg import sql as composed
from sqlglot.errors import SqlglotError

from changke.engine.definitions import Statement
from changke.foundation.database.rows_seen import SETTING

HER = 4_611_686_018_427_387_901
"""Stands for one customer while a read about one is listened to; shown as `:customer_id`. Nobody has this number."""

_WHOSE = re.compile(rf"^SET LOCAL {re.escape(SETTING)} = '[^']*'; ")
_READ = re.compile(r"\b(?:FROM|JOIN)\s+\"?([a-z_]+)\"?(?:\.\"?([a-z_]+)\"?)?", re.I)

NAMES_AND_SETTINGS = frozenset(
    {
        "facts_item", "facts_category", "facts_field", "facts_score", "profiles_stagemodel", "profiles_valuerules",
        "profiles_segment", "profiles_riskrule",
    }
)  # fmt: skip
"""Tables that say how something is called or set. A statement that reads nothing else gives no number."""


def heard(read: Callable[[], object]) -> list[str]:
    """The statements that a read asked of facts and profiles, each once, in their order. It runs as it does on its
    page: what that costs, this costs."""
    found: dict[str, None] = {}

    def listen(execute: Callable[..., Any], statement: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        result = execute(statement, params, many, context)
        told = _plain(statement, params, context["connection"].connection)
        if _counts(told):
            found.setdefault(laid_out(told))
        return result

    with connection.execute_wrapper(listen):
        read()
    return list(found)


def _plain(statement: Any, params: Any, raw: Any) -> str:
    """With every value in its place, and without whose rows it may see."""
    with psycopg.ClientCursor(raw) as cursor:
        text = cursor.mogrify(statement, params)
    return _WHOSE.sub("", text).strip()


def _counts(told: str) -> bool:
    if not re.match(r"(?:SELECT|WITH)\b", told, re.I):
        return False
    named = {one.lower() if not two else f"{one}.{two}".lower() for one, two in _READ.findall(told)}
    tables = {one for one in named if one.startswith(("facts_", "profiles_", "live."))}
    return bool(tables - NAMES_AND_SETTINGS)


def filled(statement: str, values: Mapping[str, object], *, dialect: str = "postgres") -> str:
    """A statement of ours with `%(name)s` or `$name` and what is bound to it, laid out; what has no value stands as
    `:name`."""

    def value(found: re.Match[str]) -> str:
        name = found.group(1) or found.group(2)
        return literal(values[name]) if name in values else f":{name}"

    return laid_out(re.sub(r"%\((\w+)\)s|\$([a-z_]\w*)", value, statement).replace("%%", "%"), dialect)


def composed_of(statement: Statement, values: Mapping[str, object]) -> str:
    """A composed statement with what is bound to it, laid out; what has no value stands as `:name`."""

    def value(found: re.Match[str]) -> str:
        name = statement.parameters[int(found.group(1)) - 1]
        return literal(values[name]) if name in values else f":{name}"

    return laid_out(re.sub(r"\$(\d+)", value, statement.sql))


def literal(value: object) -> str:
    connection.ensure_connection()
    return composed.Literal(value).as_string(connection.connection)


def laid_out(statement: str, dialect: str = "postgres") -> str:
    """One part a line, in PostgreSQL's words. What cannot be parsed stands as it was asked."""
    text = statement.replace(str(HER), ":customer_id")
    try:
        told = sqlglot.transpile(text, read=dialect, write="postgres", pretty=True)[0]
    except SqlglotError:
        return text
    return re.sub(r"%\((\w+)\)s", r":\1", told)
