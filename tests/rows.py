"""Row-level security as it is in a shop: the tests' own server lets its superuser see everything, the role `app` not.

A conftest that imports the fixtures `roles` and `as_app` makes every test below work as that role: the requests of a
test see what their person may see, the test itself the whole chain.
"""

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from changke.foundation.database import grants, rows_seen
from changke.foundation.database.config import ROLES
from changke.foundation.database.connections import conninfo
from changke.foundation.organisation.scope import CHAIN_WIDE

APP, READER = ROLES["app"], ROLES["reader"]


@pytest.fixture(scope="session")
def roles(django_db_setup: None) -> None:
    """The roles of a real installation with their rights, in the tests' server. Over a connection of their own, because
    a test's transaction may be open: once made they stay."""
    with psycopg.connect(conninfo("owner"), autocommit=True) as server:
        known = {name for (name,) in server.execute("SELECT rolname FROM pg_roles")}
        for name, attributes in ((APP, ""), (READER, "BYPASSRLS")):
            if name not in known:
                create = sql.SQL("CREATE ROLE {} NOLOGIN {}").format(sql.Identifier(name), sql.SQL(attributes))
                server.execute(create)
        grants.apply(server, app=APP, reader=READER)


def become(role: str) -> None:
    """Until the transaction of the test ends."""
    with connection.cursor() as cursor:
        cursor.execute("DISCARD TEMP")  # tables that an earlier test of this session made as somebody else
        cursor.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))


@pytest.fixture(autouse=True)
def as_app(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test that speaks to the database does so as the role `app`."""
    if request.node.get_closest_marker("django_db") is None and "cast" not in request.fixturenames:
        yield
        return
    request.getfixturevalue("roles")
    request.getfixturevalue("db")
    become(APP)
    with rows_seen.seeing(CHAIN_WIDE):
        yield
