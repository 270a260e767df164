from django.db import migrations, models

from changke.foundation.database.online import AddIndexOnline


class Migration(migrations.Migration):
    """Those whom somebody brought."""

    atomic = False

    dependencies = [("profiles", "0024_whether_she_was_brought")]
    operations = [
        AddIndexOnline(
            model_name="profile",
            index=models.Index(fields=["customer"], condition=models.Q(was_brought=True), name="profile_brought"),
        ),
    ]
