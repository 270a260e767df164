"""The roles `app` and `reader` on a real database: facts can be added, never changed."""

import shutil
from collections.abc import Iterator

import psycopg
import pytest

from changke.foundation.database import grants, launcher
from changke.foundation.database.append_only import FROZEN_FUNCTION, GUARD_FUNCTION, guard
from changke.foundation.database.config import ROLES, Embedded
from tests.server import data_folder

TABLES = f"""
CREATE TABLE setting (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, value int);
CREATE TABLE sale (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, amount int, withdrawn_by_id bigint,
  txid xid8 NOT NULL DEFAULT pg_current_xact_id());
CREATE TABLE line (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sale_id bigint REFERENCES sale);
{GUARD_FUNCTION} {FROZEN_FUNCTION} {guard("sale")} {guard("line", function="changke_frozen")}
CREATE SCHEMA live;
CREATE VIEW live.sales AS SELECT * FROM sale WHERE withdrawn_by_id IS NULL;
INSERT INTO sale (amount) VALUES (100);
INSERT INTO line (sale_id) VALUES (1);
INSERT INTO setting (value) VALUES (1);
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Embedded]:
    folder = data_folder("grants")
    with launcher.running(folder) as embedded:
        with psycopg.connect(embedded.connection("owner").conninfo) as owner:
            owner.execute(TABLES)
            grants.apply(owner, app=ROLES["app"], reader=ROLES["reader"])
            grants.apply(owner, app=ROLES["app"], reader=ROLES["reader"])  # as every upgrade does
        yield embedded
    shutil.rmtree(folder, ignore_errors=True)


ALLOWED = [
    ("app", "INSERT INTO sale (amount) VALUES (7)"),
    ("app", "INSERT INTO line (sale_id) VALUES (1)"),
    ("app", "UPDATE sale SET withdrawn_by_id = 1, txid = pg_current_xact_id() WHERE withdrawn_by_id IS NULL"),
    ("app", "UPDATE setting SET value = 2"),
    ("app", "DELETE FROM setting"),
    ("app", "SELECT * FROM live.sales"),
    ("app", "CREATE TEMPORARY TABLE staging (id int)"),
    ("reader", "SELECT * FROM sale"),
    ("reader", "SELECT * FROM live.sales"),
    ("reader", "SELECT last_value FROM sale_id_seq"),
]
REFUSED = [
    ("app", "UPDATE sale SET amount = 1"),
    ("app", "DELETE FROM sale"),
    ("app", "UPDATE line SET sale_id = 2"),
    ("app", "DELETE FROM line"),
    ("app", "TRUNCATE sale CASCADE"),
    ("app", "ALTER TABLE sale DISABLE TRIGGER ALL"),
    ("app", "DROP TABLE line"),
    ("reader", "INSERT INTO setting (value) VALUES (3)"),
    ("reader", "UPDATE setting SET value = 3"),
    ("reader", "DELETE FROM setting"),
]


@pytest.mark.parametrize(("role", "statement"), ALLOWED)
def test_allowed(server: Embedded, role: str, statement: str) -> None:
    with psycopg.connect(server.connection(role).conninfo) as connection:
        connection.execute(statement)
        connection.rollback()


@pytest.mark.parametrize(("role", "statement"), REFUSED)
def test_refused_before_any_trigger_is_asked(server: Embedded, role: str, statement: str) -> None:
    refused = pytest.raises(psycopg.errors.InsufficientPrivilege)
    with psycopg.connect(server.connection(role).conninfo) as connection, refused:
        connection.execute(statement)


def test_the_application_may_count_a_table_anew_after_a_load(server: Embedded) -> None:
    with psycopg.connect(server.connection("app").conninfo, autocommit=True) as app:
        app.execute("ANALYZE sale")
        counted = app.execute("SELECT reltuples FROM pg_class WHERE relname = 'sale'").fetchone()
    assert counted == (1.0,)


def test_the_trigger_holds_even_against_the_owner(server: Embedded) -> None:
    refused = pytest.raises(psycopg.errors.IntegrityConstraintViolation)
    with psycopg.connect(server.connection("owner").conninfo) as owner, refused:
        owner.execute("UPDATE sale SET amount = 1")


def test_guarded_tables_are_found_by_their_triggers(server: Embedded) -> None:
    with psycopg.connect(server.connection("owner").conninfo) as owner:
        found = {one.table: one.changeable for one in grants.guarded_tables(owner)}
    assert found == {"sale": ("withdrawn_by_id", "txid"), "line": ()}


def test_the_administrators_script_runs_as_it_is_printed(server: Embedded) -> None:
    with psycopg.connect(server.connection("owner").conninfo) as owner:
        script = grants.administrator_script(owner, database="changke")
    with psycopg.connect(server.connection("superuser").conninfo) as admin:
        admin.execute("ALTER ROLE changke_app RENAME TO was_app")
        admin.execute("ALTER ROLE changke_reader RENAME TO was_reader")
        admin.execute(script)
        may = admin.execute(
            "SELECT has_table_privilege('changke_app', 'sale', 'INSERT'),"
            " has_table_privilege('changke_app', 'sale', 'UPDATE'),"
            " has_table_privilege('changke_reader', 'sale', 'SELECT')"
        ).fetchone()
        assert may == (True, False, True)
        admin.rollback()
