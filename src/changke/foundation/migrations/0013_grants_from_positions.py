from django.db import migrations

FROM_POSITIONS = [
    """
    INSERT INTO foundation_grant ({who}_id, built_in, standing)
    SELECT id, role, true FROM foundation_{table} WHERE role IN ('owner', 'hq')
    """,
    """
    INSERT INTO foundation_grant ({who}_id, built_in, store_id, standing)
    SELECT holder.id, holder.role, works.store_id, true
    FROM foundation_{table} AS holder JOIN foundation_{table}_stores AS works ON works.{table}_id = holder.id
    WHERE holder.role NOT IN ('owner', 'hq')
    """,
]


class Migration(migrations.Migration):
    """Who has a position gets the grants that follow from it, and so do the keys."""

    dependencies = [("foundation", "0012_roles_and_grants")]
    operations = [
        migrations.RunSQL(statement.format(who=who, table=table), migrations.RunSQL.noop)
        for who, table in (("staff", "staff"), ("key", "apikey"))
        for statement in FROM_POSITIONS
    ]
