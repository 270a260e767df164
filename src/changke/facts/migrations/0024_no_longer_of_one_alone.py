from django.db import migrations


class Migration(migrations.Migration):
    """The index that kept a phone to one record goes; another has taken over."""

    dependencies = [("facts", "0023_found_by_one_shared_by_others")]
    operations = [migrations.RemoveConstraint("identifier", "identifier_blind_once")]
