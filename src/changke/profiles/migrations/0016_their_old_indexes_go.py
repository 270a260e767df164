from django.db import migrations


class Migration(migrations.Migration):
    """The two indexes that those of 0015 replace. Each is gone in a moment, in one transaction."""

    dependencies = [("profiles", "0015_stores_in_the_index_of_advisers")]

    operations = [
        migrations.RemoveIndex(model_name="profile", name="profile_adviser_value"),
        migrations.RemoveIndex(model_name="profile", name="profile_group_stage"),
    ]
