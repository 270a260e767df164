"""Whose rows a statement may see: each carries the stores of whoever asks, in the same message.

The policies of `row_security` compare rows with the setting `changke.stores`: `*` is the whole chain, `{1,2}` are
stores, unset is nobody. `{1,2} {2} {3} 7` are stores, those of them whose visitors are seen too, and those where only
the customers of adviser 7 are (`*`: everywhere). The setting travels with every statement as `SET LOCAL`, in one
message and so in one transaction with it. Nothing is left on the connection: the next request on it, or the next client
of a pool that shares it between transactions, starts with nobody again.

The stores live in a context variable: a request sets them once, threads and tasks started from it inherit them as far
as Python's contexts reach, and a thread of its own says itself for whom it works.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import ServerCursor, sql

from changke.foundation.organisation.scope import CHAIN_WIDE, NOBODY, Scope

SETTING = "changke.stores"
WHOLE_CHAIN = "*"

_stores: ContextVar[str] = ContextVar("stores whose rows are seen", default="")

# What reads or writes rows, a table made of them too. The rest (CREATE INDEX CONCURRENTLY, VACUUM) may not share a
# message with another one.
ON_ROWS = re.compile(
    r"\s*(?:SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|VALUES|TABLE|EXPLAIN|DECLARE|DO|CALL|CREATE\s+TEMP(?:ORARY)?\s+TABLE|\()",
    re.I,
)


def written(scope: Scope) -> str:
    """A scope as the setting says it."""
    if scope.store_ids is None:
        return WHOLE_CHAIN
    if not scope.by_person:
        return _listed(scope.store_ids)
    own = WHOLE_CHAIN if scope.own is None else _listed(scope.own)
    parts = (_listed(scope.store_ids), _listed(scope.visited), own, str(scope.adviser or 0))
    return " ".join(parts)


def _listed(ids: Iterable[int]) -> str:
    return "{" + ",".join(map(str, sorted(ids))) + "}"


def _ids(text: str) -> frozenset[int]:
    return frozenset(int(one) for one in text.strip("{}").split(",") if one)


@contextmanager
def seeing(scope: Scope) -> Iterator[None]:
    """Statements inside see the rows of the scope, whatever was seen outside."""
    token = _stores.set(written(scope))
    try:
        yield
    finally:
        _stores.reset(token)


@contextmanager
def seeing_nobody() -> Iterator[None]:
    """Statements inside see no row of a store until `see` says whose: the beginning of a request."""
    token = _stores.set("")
    try:
        yield
    finally:
        _stores.reset(token)


def see(scope: Scope) -> None:
    """See the scope's rows until the surrounding block ends: a request has found out who asks."""
    _stores.set(written(scope))


def now_seen() -> Scope:
    """Whose rows statements see here: for what is not read from PostgreSQL and must show no more than it would."""
    stores = _stores.get()
    if stores == WHOLE_CHAIN:
        return CHAIN_WIDE
    if not stores:
        return NOBODY
    homes, *more = stores.split(" ")
    if not more:
        return Scope(_ids(homes))
    visited, own, adviser = more
    return Scope(_ids(homes), _ids(visited), None if own == WHOLE_CHAIN else _ids(own), int(adviser) or None)


@contextmanager
def aloud() -> Iterator[None]:
    """For statements on psycopg's own connection, which no wrapper sees (prepared ones of the engine): a transaction
    that says at its beginning whose rows it sees."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1")  # carries the setting, which holds until the transaction ends
        yield


def carried(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The parts of an answer that is still being read when the request is over, made with what the request saw."""
    return _carried(_stores.get(), iter(parts))


def _carried(seen: str, parts: Iterator[bytes]) -> Iterator[bytes]:
    while True:
        token = _stores.set(seen)
        try:
            part = next(parts)
        except StopIteration:
            return
        finally:
            _stores.reset(token)
        yield part


def install(sender: object, connection: BaseDatabaseWrapper, **_: object) -> None:
    """Have every statement of a new connection carry the setting."""
    if connection.vendor == "postgresql" and _carrying not in connection.execute_wrappers:
        connection.execute_wrappers.append(_carrying)


def _carrying(
    execute: Callable[..., Any], statement: Any, params: Any, many: bool, context: dict[str, Any]
) -> Any:  # the shape Django asks of a wrapper
    stores = _stores.get()
    if not stores and not context["connection"].in_atomic_block:  # in a transaction another may have spoken before us
        return execute(statement, params, many, context)
    if isinstance(statement, str) and not ON_ROWS.match(statement):
        return execute(statement, params, many, context)
    cursor = context["cursor"].cursor
    if many or isinstance(cursor, ServerCursor):
        return _apart(execute, statement, params, many, context)
    setting = f"SET LOCAL {SETTING} = '{stores}'; "
    both = setting + statement if isinstance(statement, str) else sql.SQL(setting) + statement
    result = execute(both, params, many, context)
    cursor.nextset()  # past the answer of SET, which has no rows
    return result


def _apart(execute: Callable[..., Any], statement: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """A server-side cursor and `executemany` take one statement only. The setting goes ahead: until the end of the
    transaction, or, where none is open, for this statement, after which it is taken off the session."""
    connection: BaseDatabaseWrapper = context["connection"]
    local = connection.in_atomic_block
    with connection.connection.cursor() as ahead:
        ahead.execute("SELECT set_config(%s, %s, %s)", [SETTING, _stores.get(), local])
    try:
        return execute(statement, params, many, context)
    finally:
        if not local:
            with connection.connection.cursor() as after:
                after.execute("SELECT set_config(%s, '', false)", [SETTING])
