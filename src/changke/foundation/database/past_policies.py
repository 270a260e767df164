"""SQL of functions that look past row-level security for a moment, as a foreign key does.

What they write or check is true of the whole chain, whoever asks. The setting is not a clause of the function (SET
changke.stores), which only a superuser may write, so the body sees everybody and puts back what was.
"""


def trigger_past_policies(name: str, body: str, *, declare: str = "", clause: str = "") -> str:
    """SQL: the trigger function `name`, for triggers after a statement or a row. `body` ends its own statements;
    `declare` names its variables, `clause` is added to the head of the function."""
    return f"""
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql {clause} AS $$
DECLARE
  seen text := current_setting('changke.stores', true);
{declare}BEGIN
  PERFORM set_config('changke.stores', '*', true);
{body}  PERFORM set_config('changke.stores', coalesce(seen, ''), true);
  RETURN NULL;
END $$;
"""
