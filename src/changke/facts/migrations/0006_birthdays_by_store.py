from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("facts", "0005_what_a_batch_replaced"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="customer", name="customer_birthday"),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(fields=["birth_month", "birth_day", "home_store"], name="customer_birthday"),
        ),
    ]
