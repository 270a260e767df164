"""Foreign keys of facts, checked by the set instead of row by row.

PostgreSQL checks a foreign key with one look-up and one row lock for each row and key: seven for a receipt with a line
and a tender, half of what a load costs its server. A statement that brings four thousand receipts names a dozen stores.
So the tables of facts have triggers by the statement: the distinct rows that a statement refers to are looked up once,
and locked against deletion until its transaction ends, as a foreign key does. On the other side a row that is referred
to cannot be deleted, and no number is ever changed. What differs: the check comes with the statement, not with the
commit. docs/decisions/0089.

The fields say `db_constraint=False`, a migration writes the triggers, and a test holds the two together.
"""

from collections.abc import Mapping

from changke.foundation.database.past_policies import trigger_past_policies

References = Mapping[str, str]
"""Column -> table whose `id` it names."""


def check_references(table: str, references: References, *, lasting: frozenset[str] = frozenset()) -> str:
    """SQL: whoever puts rows into `table` names rows that exist. `lasting` are tables of which no row ever goes, as a
    trigger of theirs sees to: nobody needs to be kept from deleting it meanwhile."""
    return f"""{reference_check(table, references, lasting=lasting)}
CREATE TRIGGER {table}_references AFTER INSERT ON {table} REFERENCING NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION changke_references_of_{table}();
"""


def reference_check(table: str, references: References, *, lasting: frozenset[str] = frozenset()) -> str:
    """SQL: the function of that trigger.

    The numbers are put into arrays first, and looked up as an array: a join with the rows would be planned once for the
    session, and a plan made while the other table was small reads all of it for ever. For the same reason without scans
    of whole tables: an empty one is cheapest read whole.
    """
    columns = list(references)
    numbers = ", ".join(f"array_agg(DISTINCT {column}) FILTER (WHERE {column} IS NOT NULL)" for column in columns)
    arrays = ", ".join(f"of_{column}" for column in columns)
    return trigger_past_policies(
        f"changke_references_of_{table}",
        f"  SELECT {numbers} INTO {arrays} FROM fresh;\n"  # noqa: S608 names of tables of ours
        + "".join(_look_up(table, column, parent, lasting=parent in lasting) for column, parent in references.items()),
        declare="".join(f"  of_{column} bigint[];\n" for column in columns) + "  found bigint;\n",
        clause="SET enable_seqscan = off",
    )


def keep_referenced(table: str, referring: Mapping[str, References]) -> str:
    """SQL: no row of `table` goes while one of the tables refers to it, and none gets another number."""
    asked = [(child, column) for child, ways in referring.items() for column, to in ways.items() if to == table]
    function = trigger_past_policies(
        f"changke_referred_{table}",
        f"""  IF TG_OP = 'UPDATE' THEN
    RAISE EXCEPTION 'a row of {table} keeps its number' USING ERRCODE = 'foreign_key_violation';
  END IF;
"""
        + "".join(_still_asked(table, child, column) for child, column in asked),
    )
    return f"""{function}
CREATE TRIGGER {table}_referred AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION changke_referred_{table}();
CREATE TRIGGER {table}_numbered BEFORE UPDATE OF id ON {table}
  FOR EACH ROW WHEN (OLD.id <> NEW.id) EXECUTE FUNCTION changke_referred_{table}();
"""


def never_deleted(table: str) -> str:
    """SQL: no row of `table` goes, referred to or not, and none gets another number."""
    return f"""
CREATE OR REPLACE FUNCTION changke_lasting_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a row of {table} stays, under its number' USING ERRCODE = 'foreign_key_violation';
END $$;
CREATE TRIGGER {table}_lasting BEFORE DELETE ON {table}
  FOR EACH ROW EXECUTE FUNCTION changke_lasting_{table}();
CREATE TRIGGER {table}_numbered BEFORE UPDATE OF id ON {table}
  FOR EACH ROW WHEN (OLD.id <> NEW.id) EXECUTE FUNCTION changke_lasting_{table}();
"""


def _look_up(table: str, column: str, parent: str, *, lasting: bool) -> str:
    lock = "" if lasting else " FOR KEY SHARE"
    return f"""  IF of_{column} IS NOT NULL THEN
    PERFORM 1 FROM public.{parent} WHERE id = ANY(of_{column}){lock};
    GET DIAGNOSTICS found = ROW_COUNT;
    IF found < cardinality(of_{column}) THEN
      RAISE EXCEPTION '{table}.{column} names a row that is not in {parent}' USING ERRCODE = 'foreign_key_violation',
        TABLE = '{table}', COLUMN = '{column}', CONSTRAINT = '{table}_references';
    END IF;
  END IF;
"""


def _still_asked(table: str, child: str, column: str) -> str:
    return f"""  IF EXISTS (SELECT FROM gone JOIN public.{child} AS child ON child.{column} = gone.id) THEN
    RAISE EXCEPTION 'a row of {table} is still named by {child}.{column}' USING ERRCODE = 'foreign_key_violation',
      TABLE = '{child}', COLUMN = '{column}', CONSTRAINT = '{child}_references';
  END IF;
"""
