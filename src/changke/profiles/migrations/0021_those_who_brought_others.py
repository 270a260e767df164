from django.db import migrations, models

from changke.foundation.database.online import AddIndexOnline


class Migration(migrations.Migration):
    """Those who brought others, in the order of what these spent."""

    atomic = False

    dependencies = [("profiles", "0020_whom_she_brought")]
    operations = [
        AddIndexOnline(
            model_name="profile",
            index=models.Index(
                fields=["-referral_value", "customer"],
                include=["home_store_id"],
                condition=models.Q(referred_customers__gt=0),
                name="profile_referral",
            ),
        ),
    ]
