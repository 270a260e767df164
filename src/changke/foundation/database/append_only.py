"""What makes a table a table of facts: columns every fact carries, and the trigger that keeps it append-only."""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models.expressions import RawSQL

if TYPE_CHECKING:
    IntegerLike = models.Field[int, int]
else:
    IntegerLike = models.Field


class Xid8Field(IntegerLike):
    """PostgreSQL's 64-bit transaction id. Positions of cursors and of the mirror are made of it."""

    def db_type(self, connection: Any) -> str:
        return "xid8"

    def get_internal_type(self) -> str:
        return "Xid8Field"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> int | None:
        return None if value is None else int(value)

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else str(value)


def current_xid() -> RawSQL:
    return RawSQL("pg_current_xact_id()", ())


class AppendOnly(models.Model):
    """A table whose rows are added and never edited, or only as its guard says. Facts are, and the parts of a fact.

    A migration gives it its `guard`; `changke doctor` and a test look for it on every table of this class.
    """

    class Meta:
        abstract = True


class Fact(AppendOnly):
    """Columns of every fact.

    `happened_at` is the world's clock, `recorded_at` ours; late receipts are normal in shops. `business_date` is the
    day in the store's zone, fixed here once. `source_key` makes a fact known again when it comes twice.
    """

    happened_at = models.DateTimeField()
    business_date = models.DateField()
    recorded_at = models.DateTimeField()
    source_key = models.CharField(max_length=200)
    batch = models.ForeignKey("foundation.Batch", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    withdrawn_by = models.ForeignKey(
        "foundation.Batch", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    txid = Xid8Field(db_default=current_xid(), editable=False)

    class Meta:
        abstract = True


def fact_constraints(table: str) -> list[models.BaseConstraint]:
    """A source key names one living fact; a withdrawn one makes room for its mended successor."""
    return [
        models.UniqueConstraint(
            fields=["source_key"], condition=models.Q(withdrawn_by__isnull=True), name=f"{table}_source_key"
        ),
    ]


def fact_indexes(table: str) -> list[models.Index]:
    return [
        models.Index(fields=["txid"], name=f"{table}_txid"),
        models.Index(fields=["batch"], name=f"{table}_batch", condition=models.Q(batch__isnull=False)),
    ]


GUARD_FUNCTION = """
CREATE OR REPLACE FUNCTION changke_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    -- The one exception: a fact is withdrawn, once, and its transaction id renewed so that readers see it again.
    IF OLD.withdrawn_by_id IS NULL AND NEW.withdrawn_by_id IS NOT NULL
       AND NEW.txid = pg_current_xact_id()
       AND to_jsonb(NEW) - 'withdrawn_by_id' - 'txid' = to_jsonb(OLD) - 'withdrawn_by_id' - 'txid' THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'facts are corrected by a further fact, never edited (table %)', TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""

FROZEN_FUNCTION = """
CREATE OR REPLACE FUNCTION changke_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'facts are corrected by a further fact, never edited (table %)', TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""

NOTIFY_FUNCTION = """
CREATE OR REPLACE FUNCTION changke_facts_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('changke_facts', TG_TABLE_NAME);
  RETURN NULL;
END $$;
"""


def guard(table: str, *, function: str = "changke_append_only") -> str:
    """SQL that makes `table` append-only. Parts of a fact (lines, tenders) are frozen: they follow their receipt."""
    return (
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {function}();"
    )


def announce(table: str) -> str:
    """SQL that wakes whoever follows the facts; a statement, however many rows, knocks once."""
    return (
        f"CREATE TRIGGER {table}_announce AFTER INSERT OR UPDATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION changke_facts_notify();"
    )
