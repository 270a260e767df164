"""Computed rows into the wide table. Bulk and single customers go the same way, so they cannot write differently.

The caller fills the temporary table `fresh` in its transaction; `merge` takes it over. A row that is older than the
stored one, by day or by snapshot, changes nothing; neither does a row that says the same. Who moved to another home
store may have an earlier day there: then the snapshot alone decides.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from changke.profiles.attributes.catalogue import COLUMNS

OWN = ("customer_id", "as_of", "snapshot", "stage")
"""Columns of the table that are no attributes."""

FRESH = (*OWN, *COLUMNS, "stages", "cause")
"""A fresh row: `stages` is her stage in each model, `cause` why she was computed (NULL: time passed)."""

PREPARE = """
CREATE TEMPORARY TABLE IF NOT EXISTS fresh (LIKE profiles_profile, stages text[] NOT NULL, cause text)
ON COMMIT DELETE ROWS;
DELETE FROM fresh; -- a caller may keep one transaction open over several calls
"""

_TAKEN = (*OWN, *COLUMNS)
_SAME = tuple(name for name in _TAKEN if name not in ("customer_id", "snapshot"))

MERGE = f"""
INSERT INTO profiles_profile ({", ".join(_TAKEN)})
SELECT {", ".join(_TAKEN)} FROM fresh ORDER BY customer_id
ON CONFLICT (customer_id) DO UPDATE SET {", ".join(f"{name} = EXCLUDED.{name}" for name in _TAKEN[1:])}
WHERE profiles_profile.snapshot <= EXCLUDED.snapshot
  AND (profiles_profile.as_of <= EXCLUDED.as_of
       OR profiles_profile.home_store_id IS DISTINCT FROM EXCLUDED.home_store_id)
  AND ({", ".join(f"profiles_profile.{name}" for name in _SAME)})
      IS DISTINCT FROM ({", ".join(f"EXCLUDED.{name}" for name in _SAME)})
"""  # noqa: S608 -- names of the registry

COPY = f"COPY fresh ({', '.join(FRESH)}) FROM STDIN"


def prepare() -> None:
    """Make the temporary table of this session, empty."""
    with connection.cursor() as sql:
        sql.execute(PREPARE)


def fill_rows(rows: Iterable[Sequence[Any]]) -> None:
    """Put rows in the order of FRESH into the temporary table."""
    with connection.cursor() as sql, sql.copy(COPY) as copy:
        for row in rows:
            copy.write_row(row)


def fill_csv(lines: Iterable[bytes]) -> None:
    """The same from lines of CSV, in which an empty field is unknown: nothing is parsed on the way."""
    with connection.cursor() as sql, sql.copy(f"{COPY} (FORMAT csv)") as copy:
        copy.write(b"".join(lines))


def merge() -> int:
    """Take the fresh rows over. Returns how many were new or had changed."""
    with connection.cursor() as sql:
        sql.execute(MERGE)
        return int(sql.rowcount)


def drop(customer_ids: Sequence[int]) -> None:
    """Forget customers who are no longer among the living facts."""
    with connection.cursor() as sql:
        sql.execute("DELETE FROM profiles_profile WHERE customer_id = ANY(%s)", [list(customer_ids)])
