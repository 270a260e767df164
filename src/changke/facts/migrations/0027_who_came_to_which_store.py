import django.db.models.deletion
from django.db import migrations, models

from changke.foundation.database.online import LOCK_TIMEOUT

# Past the policies, as `changke_home` (0019): a store writes down a customer of another one whom it does not see yet.
FUNCTIONS = """
CREATE OR REPLACE FUNCTION changke_guests_come() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  seen text := current_setting('changke.stores', true);
BEGIN
  PERFORM set_config('changke.stores', '*', true);
  INSERT INTO public.facts_guest (store_id, customer_id, person_id)
  SELECT came.store_id, came.customer_id,
    CASE WHEN record.merged_into_id IS NULL THEN record.id ELSE record.merged_into_id END
  FROM (SELECT DISTINCT store_id, customer_id FROM fresh
        WHERE store_id IS NOT NULL AND customer_id IS NOT NULL AND withdrawn_by_id IS NULL) AS came
  JOIN public.facts_customer AS record ON record.id = came.customer_id
  WHERE NOT EXISTS (SELECT FROM public.facts_guest AS known
                    WHERE known.store_id = came.store_id AND known.customer_id = came.customer_id)
  ORDER BY came.store_id, came.customer_id
  ON CONFLICT (store_id, customer_id) DO NOTHING;
  PERFORM set_config('changke.stores', coalesce(seen, ''), true);
  RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION changke_guests_go() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  seen text := current_setting('changke.stores', true);
BEGIN
  PERFORM set_config('changke.stores', '*', true);
  DELETE FROM public.facts_guest AS guest
  USING (SELECT DISTINCT store_id, customer_id FROM changed WHERE withdrawn_by_id IS NOT NULL) AS gone
  WHERE guest.store_id = gone.store_id AND guest.customer_id = gone.customer_id
    AND NOT EXISTS (SELECT FROM public.facts_receipt AS fact WHERE fact.customer_id = gone.customer_id
                    AND fact.store_id = gone.store_id AND fact.withdrawn_by_id IS NULL)
    AND NOT EXISTS (SELECT FROM public.facts_visit AS fact WHERE fact.customer_id = gone.customer_id
                    AND fact.store_id = gone.store_id AND fact.withdrawn_by_id IS NULL)
    AND NOT EXISTS (SELECT FROM public.facts_opening AS fact WHERE fact.customer_id = gone.customer_id
                    AND fact.store_id = gone.store_id AND fact.withdrawn_by_id IS NULL);
  PERFORM set_config('changke.stores', coalesce(seen, ''), true);
  RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION changke_guest_read_as() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  seen text := current_setting('changke.stores', true);
BEGIN
  PERFORM set_config('changke.stores', '*', true);
  UPDATE public.facts_guest SET person_id = coalesce(NEW.merged_into_id, NEW.id) WHERE customer_id = NEW.id;
  PERFORM set_config('changke.stores', coalesce(seen, ''), true);
  RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION changke_advised(person bigint) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL UNSAFE AS $$
DECLARE
  seen text := current_setting('changke.stores', true);
  mine boolean;
BEGIN
  PERFORM set_config('changke.stores', '*', true);
  SELECT adviser_id = split_part(seen, ' ', 4)::bigint
    AND (split_part(seen, ' ', 3) = '*' OR home_store_id = ANY(split_part(seen, ' ', 3)::bigint[])) INTO mine
  FROM public.facts_customer WHERE id = person;
  PERFORM set_config('changke.stores', coalesce(seen, ''), true);
  RETURN coalesce(mine, false);
END
$$;
"""
TABLES = ("facts_receipt", "facts_visit", "facts_opening")
TRIGGERS = "".join(
    f"CREATE TRIGGER {table}_guests_come AFTER INSERT ON {table} REFERENCING NEW TABLE AS fresh"
    " FOR EACH STATEMENT EXECUTE FUNCTION changke_guests_come();\n"
    f"CREATE TRIGGER {table}_guests_go AFTER UPDATE ON {table} REFERENCING NEW TABLE AS changed"
    " FOR EACH STATEMENT EXECUTE FUNCTION changke_guests_go();\n"
    for table in TABLES
)
READ_AS = """
CREATE TRIGGER facts_customer_guest_read_as AFTER UPDATE OF merged_into_id ON facts_customer FOR EACH ROW
WHEN (OLD.merged_into_id IS DISTINCT FROM NEW.merged_into_id) EXECUTE FUNCTION changke_guest_read_as();
"""


class Migration(migrations.Migration):
    """Which stores somebody bought or was served in, written down with the fact and taken away with its withdrawal."""

    dependencies = [("facts", "0026_scores_of_the_chains_own"), ("foundation", "0018_which_customers_a_grant_shows")]
    operations = [
        migrations.CreateModel(
            name="Guest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "store",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="foundation.store",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="facts.customer",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="facts.customer",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=["store", "customer"], name="guest_once")],
                "indexes": [
                    models.Index(fields=["person", "store"], name="guest_person"),
                    models.Index(fields=["store", "person"], name="guest_store"),
                ],
            },
        ),
        migrations.RunSQL(
            f"{FUNCTIONS} SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'; {TRIGGERS} {READ_AS}", migrations.RunSQL.noop
        ),
    ]
