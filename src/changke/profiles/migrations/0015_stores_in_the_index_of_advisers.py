from django.db import migrations, models

from changke.foundation.database.online import AddIndexOnline


class Migration(migrations.Migration):
    """An adviser's customers, and those of a value group in a stage, are read from an index alone.

    The rule of rows asks for the store of each; an index without it was passed over for one of everybody.
    """

    atomic = False

    dependencies = [("profiles", "0014_who_may_be_leaving")]

    operations = [
        AddIndexOnline(
            model_name="profile",
            index=models.Index(
                fields=["adviser_id", "-value_at_risk", "customer"],
                include=["home_store_id", "stage", "value_group"],
                name="profile_adviser_worth",
            ),
        ),
        AddIndexOnline(
            model_name="profile",
            index=models.Index(
                fields=["value_group", "stage"],
                include=["home_store_id", "customer"],
                name="profile_group_stage_person",
            ),
        ),
    ]
