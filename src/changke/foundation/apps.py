from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate

from changke.foundation.database import row_security, rows_seen


class FoundationConfig(AppConfig):
    name = "changke.foundation"
    label = "foundation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        connection_created.connect(rows_seen.install)
        post_migrate.connect(row_security.apply)
