from django.db import migrations, models

from changke.foundation.database.online import AddUniqueOnline


class Migration(migrations.Migration):
    """One is found by a phone; each of the others has it once. Built beside whoever writes."""

    atomic = False
    dependencies = [("facts", "0022_phones_that_several_have")]
    operations = [
        AddUniqueOnline(
            "identifier",
            models.UniqueConstraint(
                fields=["kind", "blind"],
                name="identifier_finds_one",
                condition=models.Q(blind__isnull=False, shared=False),
            ),
        ),
        AddUniqueOnline(
            "identifier",
            models.UniqueConstraint(
                fields=["kind", "blind", "customer"], name="identifier_shared_once", condition=models.Q(shared=True)
            ),
        ),
    ]
