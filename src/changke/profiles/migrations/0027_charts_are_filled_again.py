"""Charts of before know no profit: the next refreshes fill them again, the newest first."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("profiles", "0026_profit_of_stages"),
    ]

    operations = [
        migrations.RunSQL("UPDATE profiles_seriesfill SET snapshot = 0", migrations.RunSQL.noop),
    ]
