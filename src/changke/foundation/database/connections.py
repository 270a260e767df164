"""The three roles' connection strings for those who speak to PostgreSQL without Django: the mirror, the backup."""

from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

from changke.foundation.database.config import Connections


def conninfo(role: str) -> str:
    """libpq's keywords for `owner`, `app` or `reader`, of the database that Django is connected to right now."""
    connections: Connections = settings.CONNECTIONS
    return make_conninfo(connections.as_role(role).conninfo, dbname=str(connection.settings_dict["NAME"]))
