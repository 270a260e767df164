"""The tags that stood, and those that had come off, before the triggers of 0038 wrote them down.

So many tags in each transaction; killed, it begins again and finds what is there.
"""

# ruff: noqa: S608 -- names of our own tables
from django.db import connection, migrations, transaction

from changke.facts.customers.spells import FORMER, STANDING, spells
from changke.foundation.database.rows_seen import seeing
from changke.foundation.organisation.scope import CHAIN_WIDE

CHUNK = 20_000


@seeing(CHAIN_WIDE)
def write_down(apps, schema_editor):
    for table, told in (("facts_tag", STANDING), ("facts_formertag", FORMER)):
        some = f"(SELECT * FROM {table} WHERE id BETWEEN %(first)s AND %(last)s FOR SHARE)"
        with connection.cursor() as sql:
            sql.execute(f"SELECT min(id), max(id) FROM {table}")
            first, last = sql.fetchone()
        for start in range(first or 0, (last or -1) + 1, CHUNK):
            with transaction.atomic(), connection.cursor() as sql:
                sql.execute(spells(some, **told), {"first": start, "last": start + CHUNK - 1})
    with connection.cursor() as sql:
        sql.execute("ANALYZE facts_tagspell")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("facts", "0038_from_when_to_when_tags_were_worn")]
    operations = [migrations.RunPython(write_down, migrations.RunPython.noop)]
