from django.db import migrations, models


class Migration(migrations.Migration):
    """Whether somebody brought her. Nothing is written into the rows there are: a default of the column."""

    dependencies = [("profiles", "0023_lines_of_services"), ("facts", "0037_that_she_was_brought")]
    operations = [migrations.AddField("profile", "was_brought", models.BooleanField(db_default=False))]
