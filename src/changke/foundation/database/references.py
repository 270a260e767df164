"""Foreign keys of facts, checked by the set instead of row by row.

PostgreSQL checks a foreign key with one look-up and one row lock for each row and key: seven for a receipt with a line
and a tender, half of what a load costs its server. A statement that brings four thousand receipts names a dozen stores.
So the tables of facts have triggers by the statement: the distinct rows that a statement refers to are looked up once,
and locked against deletion until its transaction ends, as a foreign key does. On the other side a row that is referred
to cannot be deleted, and no number is ever changed. What differs: the check comes with the statement, not with the
commit. docs/decisions/0089.

The fields say `db_constraint=False`, a migration writes the triggers, and a test holds the two together.
"""

from collections.abc import Iterator, Mapping

References = Mapping[str, str]
"""Column -> table whose `id` it names."""

PLANNED = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")
"""Off while a check is planned. Its plan is kept for the session, and one made while the other table was empty would
read all of it for ever."""


def check_references(table: str, references: References, *, lasting: frozenset[str] = frozenset()) -> str:
    """SQL: whoever puts rows into `table` names rows that exist. `lasting` are tables of which no row ever goes, as a
    trigger of theirs sees to: nobody needs to be kept from deleting it meanwhile."""
    return f"""
CREATE OR REPLACE FUNCTION changke_references_of_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  seen text := current_setting('changke.stores', true);
  asked bigint;
  found bigint;
  planned text[] := ARRAY[{_current()}];
BEGIN
  PERFORM set_config('changke.stores', '*', true), {_off()};
{"".join(_look_up(table, column, parent, lasting=parent in lasting) for column, parent in references.items())}
  PERFORM set_config('changke.stores', coalesce(seen, ''), true), {_back()};
  RETURN NULL;
END $$;
CREATE TRIGGER {table}_references AFTER INSERT ON {table} REFERENCING NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION changke_references_of_{table}();
"""


def keep_referenced(table: str, referring: Mapping[str, References]) -> str:
    """SQL: no row of `table` goes while one of the tables refers to it, and none gets another number."""
    asked = [(child, column) for child, ways in referring.items() for column, to in ways.items() if to == table]
    return f"""
CREATE OR REPLACE FUNCTION changke_referred_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  seen text := current_setting('changke.stores', true);
BEGIN
  IF TG_OP = 'UPDATE' THEN
    RAISE EXCEPTION 'a row of {table} keeps its number' USING ERRCODE = 'foreign_key_violation';
  END IF;
  PERFORM set_config('changke.stores', '*', true);
{"".join(_still_asked(table, child, column) for child, column in asked)}
  PERFORM set_config('changke.stores', coalesce(seen, ''), true);
  RETURN NULL;
END $$;
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
    refused = (
        f"RAISE EXCEPTION '{table}.{column} names a row that is not in {parent}' USING ERRCODE = "
        f"'foreign_key_violation', TABLE = '{table}', COLUMN = '{column}', CONSTRAINT = '{table}_references';"
    )
    if lasting:
        return f"""
  IF EXISTS (
    SELECT FROM (SELECT DISTINCT {column} AS id FROM fresh WHERE {column} IS NOT NULL) AS named
    WHERE NOT EXISTS (SELECT FROM public.{parent} AS there WHERE there.id = named.id)
  ) THEN
    {refused}
  END IF;
"""  # noqa: S608 names of tables of ours
    return f"""
  SELECT count(DISTINCT {column}) INTO asked FROM fresh;
  IF asked > 0 THEN
    PERFORM 1 FROM public.{parent} WHERE id IN (SELECT DISTINCT {column} FROM fresh) FOR KEY SHARE;
    GET DIAGNOSTICS found = ROW_COUNT;
    IF found < asked THEN
      {refused}
    END IF;
  END IF;
"""  # noqa: S608


def _still_asked(table: str, child: str, column: str) -> str:
    return f"""
  IF EXISTS (SELECT FROM gone JOIN public.{child} AS child ON child.{column} = gone.id) THEN
    RAISE EXCEPTION 'a row of {table} is still named by {child}.{column}' USING ERRCODE = 'foreign_key_violation',
      TABLE = '{child}', COLUMN = '{column}', CONSTRAINT = '{child}_references';
  END IF;
"""


def _current() -> str:
    return ", ".join(f"current_setting('{name}')" for name in PLANNED)


def _off() -> str:
    return ", ".join(f"set_config('{name}', 'off', true)" for name in PLANNED)


def _back() -> str:
    return ", ".join(_restored())


def _restored() -> Iterator[str]:
    for place, name in enumerate(PLANNED, start=1):
        yield f"set_config('{name}', planned[{place}], true)"
