
from django.db import migrations, models

from changke.foundation.database.online import AddIndexOnline


class Migration(migrations.Migration):
    """How many of a value group stand in each stage, and where the found ones stand: read from an index alone."""

    atomic = False

    dependencies = [("profiles", "0010_what_is_predicted")]

    operations = [
        AddIndexOnline(
            model_name="profile",
            index=models.Index(fields=["value_group", "stage"], include=["home_store_id"], name="profile_group_stage"),
        ),
        AddIndexOnline(
            model_name="profile",
            index=models.Index(
                fields=["customer"], include=["stage", "home_store_id", "value_at_risk"], name="profile_person"
            ),
        ),
    ]
