"""What is known of everybody's purchases, kept in the mirror's file from one night to the next.

Between two nights nearly nobody buys: reading ten million purchase days anew to sum them up is most of what a night's
predictions would take. Kept beside the lasting tables of the attributes, by their rules of who has to be asked again
(`profiles/attributes/services/lasting.py`), and summed up by the same code as one customer after a fact.
"""

# ruff: noqa: S608 -- the names in the statements are our own
import datetime as dt
from collections.abc import Callable

import duckdb
import numpy as np

from changke.engine.engines import duckdb as on_duckdb
from changke.engine.prediction.known import Known
from changke.foundation.organisation.queries import the_chain
from changke.profiles.attributes.queries import settings_of
from changke.profiles.attributes.services.lasting import SCHEMA, facts_of, renewed

FORM = 2
"""Goes up when `Known` or what it is made of counts otherwise: then nothing that was kept holds."""
TABLE = f"{SCHEMA}.known_{FORM}"
AGED = "T"
"""The one column that grows by a day each day; kept as it would be on the first of January 1970."""
EPOCH = dt.date(1970, 1, 1)

Ask = Callable[[], Known]


def known_of_everybody(duck: duckdb.DuckDBPyConnection, ask: Ask, *, today: dt.date) -> Known:
    """Everybody who ever bought, over an open mirror; `ask` sums up all that the connection sees."""
    with renewed(duck, settings=settings_of(the_chain()), today=today) as table:
        if table is None or not on_duckdb.has_table(duck, TABLE):
            everybody = ask()
            _write(duck, f"CREATE OR REPLACE TABLE {TABLE} AS", everybody, today)
            return everybody
        if duck.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchall():
            with facts_of(duck, table):
                again = ask()
            duck.execute(f"DELETE FROM {TABLE} WHERE customer_id IN (SELECT customer_id FROM {table})")
            _write(duck, f"INSERT INTO {TABLE} BY NAME", again, today)
        found = duck.execute(f"SELECT * FROM {TABLE} ORDER BY customer_id").fetchnumpy()
    found[AGED] = found[AGED] + float((today - EPOCH).days)
    return Known.from_columns(found)


def _write(duck: duckdb.DuckDBPyConnection, verb: str, known: Known, today: dt.date) -> None:
    """In one statement, so that a run that breaks off leaves no table that looks whole."""
    rows = {name: np.asarray(column) for name, column in known.columns().items()}
    rows[AGED] = rows[AGED] - float((today - EPOCH).days)
    duck.register("known_rows", rows)
    try:
        duck.execute(f"{verb} SELECT * FROM known_rows")
    finally:
        duck.unregister("known_rows")
