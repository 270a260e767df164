"""How far predictions are: up to which transaction they know the facts, and which run wrote everybody's."""

from django.db import connection, transaction

from changke.foundation.cursors import Cursor

CURSOR = "profiles.value"

EVERYBODY = "profiles.value.everybody"
"""Where it is written down in which transaction a run over everybody ended. It reads nothing; it is a mark like the
others, so that whoever copied predictions sees that they are of another run."""

UNDER_WAY = 0
"""Instead of a transaction, while a run writes; and after one that was killed, until the next one ends."""

# Read by whoever follows beside us, so never moved back; but after a restore transaction ids count anew.
MOVE = """
INSERT INTO foundation_cursor AS mark (name, read_below) VALUES (%(name)s, %(below)s::text::xid8)
ON CONFLICT (name) DO UPDATE SET read_below = CASE
  WHEN mark.read_below > pg_snapshot_xmax(pg_current_snapshot()) THEN EXCLUDED.read_below
  ELSE GREATEST(mark.read_below, EXCLUDED.read_below) END
"""
ENDED = """
INSERT INTO foundation_cursor (name, read_below) VALUES (%(name)s, pg_current_xact_id())
ON CONFLICT (name) DO UPDATE SET read_below = EXCLUDED.read_below
"""


def predicted_from() -> int:
    """The transaction id up to which facts have been taken into predictions."""
    return _read(CURSOR) or 0


def everybody_in() -> int | None:
    """The transaction in which everybody's predictions were last completed; `UNDER_WAY` while they are written, None
    where no run has said so yet."""
    return _read(EVERYBODY)


def begin_everybody() -> None:
    """A run is about to write: until it ends, rows of two runs stand side by side."""
    Cursor.objects.update_or_create(name=EVERYBODY, defaults={"read_below": UNDER_WAY})


def end_everybody(snapshot: int | None) -> None:
    """Everybody's predictions are written, and know every fact before `snapshot`; None: not all of them do."""
    with transaction.atomic(), connection.cursor() as sql:
        if snapshot is not None:
            sql.execute(MOVE, {"name": CURSOR, "below": str(snapshot)})
        sql.execute(ENDED, {"name": EVERYBODY})


def _read(name: str) -> int | None:
    position = Cursor.objects.filter(name=name).first()
    return position.read_below if position else None
