from django.db import migrations


class Migration(migrations.Migration):
    """Nobody asks where else somebody was: the index with the store first answers for the few stores of a grant, and
    each fact of somebody new in a store has one index less to write."""

    dependencies = [("facts", "0032_what_a_batch_names_looked_up_at_once")]
    operations = [migrations.RemoveIndex("guest", "guest_person")]
