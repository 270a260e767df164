from django.db import migrations

from changke.foundation.audit.models import GUARD_FUNCTION


class Migration(migrations.Migration):
    """A line that kept a search may be blanked once it was said again without it."""

    dependencies = [("foundation", "0018_which_customers_a_grant_shows")]
    operations = [migrations.RunSQL(GUARD_FUNCTION, migrations.RunSQL.noop)]
