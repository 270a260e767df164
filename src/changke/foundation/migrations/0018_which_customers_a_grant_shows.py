from django.db import migrations, models

SEES = [("home", "Home"), ("visited", "Visited"), ("assigned", "Assigned")]


class Migration(migrations.Migration):
    """A grant says which customers of its node are seen; what was granted before: those at home there."""

    dependencies = [("foundation", "0017_devices_and_pins")]
    operations = [
        migrations.AddField(
            "grant", "sees", models.CharField(choices=SEES, db_default="home", default="home", max_length=10)
        ),
        migrations.AddField(
            "staff", "sees", models.CharField(choices=SEES, db_default="home", default="home", max_length=10)
        ),
        migrations.AddConstraint(
            "grant",
            models.CheckConstraint(
                condition=models.Q(("sees", "assigned"), _negated=True) | models.Q(("staff__isnull", False)),
                name="grant_of_ones_own_to_a_person",
            ),
        ),
    ]
