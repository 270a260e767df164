from django.db import migrations


class Migration(migrations.Migration):
    """What a list filters by goes together: hardly anybody new is of high value, an adviser has one store. Told so, the
    planner sees a rare combination coming, and does not walk an order hoping to meet it."""

    dependencies = [("profiles", "0004_list_orders_within_a_stage")]
    operations = [
        migrations.RunSQL(
            "CREATE STATISTICS profile_lists (dependencies, mcv) ON stage, value_group, home_store_id, adviser_id"
            " FROM profiles_profile",
            "DROP STATISTICS profile_lists",
        )
    ]
