"""Many rows by one statement: a batch of a request costs one journey to the database, however many facts it holds."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from psycopg import sql


def insert(
    table: str,
    columns: Mapping[str, str],
    rows: Sequence[tuple[Any, ...]],
    *,
    once: str = "",
    returning: Sequence[str] = (),
) -> list[tuple[Any, ...]]:
    """Insert rows whose values stand in the order of `columns` (name to PostgreSQL type).

    With `once` (the columns and condition of a unique index, as ON CONFLICT wants them) rows that are there already
    are left alone and not returned; one that another transaction is writing is waited for.
    """
    if not rows:
        return []
    by_column = [array(values) for values in zip(*rows, strict=True)]
    statement = sql.SQL("INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays}){once}{returning}").format(
        table=sql.Identifier(table),
        names=_names(columns),
        arrays=sql.SQL(", ").join(sql.SQL("%s::{}[]").format(sql.SQL(kind)) for kind in columns.values()),
        once=sql.SQL(" ON CONFLICT {} DO NOTHING").format(sql.SQL(once)) if once else sql.SQL(""),
        returning=sql.SQL(" RETURNING {}").format(_names(returning)) if returning else sql.SQL(""),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, by_column)
        return cursor.fetchall() if returning else []


def array(values: Sequence[Any]) -> str | list[Any]:
    """A column as PostgreSQL reads an array. Texts, whole numbers and moments are written here: psycopg would ask of
    every single value how to write it, which is a tenth of what a batch of facts costs."""
    present = [one for one in values if one is not None]
    if all(isinstance(one, str) for one in present):
        written = ["NULL" if one is None else _quoted(one) for one in values]
    elif all(type(one) is int for one in present):
        written = ["NULL" if one is None else str(one) for one in values]
    elif all(isinstance(one, dt.date) for one in present):  # a moment is one too
        written = ["NULL" if one is None else one.isoformat() for one in values]
    else:
        return list(values)
    return "{" + ",".join(written) + "}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _names(columns: Mapping[str, str] | Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))
