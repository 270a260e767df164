from django.db import migrations


class Migration(migrations.Migration):
    """Every silence grows each night: room on the page lets the update stay there and touch no index."""

    dependencies = [("profiles", "0001_profiles_stages_series")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE profiles_profile SET (fillfactor = 50); ALTER TABLE profiles_standing SET (fillfactor = 90)",
            "ALTER TABLE profiles_profile RESET (fillfactor); ALTER TABLE profiles_standing RESET (fillfactor)",
        )
    ]
