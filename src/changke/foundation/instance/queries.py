"""May this installation write to people? Whoever sends asks here, before every portion."""

from django.conf import settings
from django.db import connection

from changke.foundation.instance import file
from changke.foundation.instance.rules import Database, Paused, why_paused


def sending_paused() -> Paused | None:
    """Why nothing may leave this installation; None where it may. Never kept: a restore changes the answer."""
    confirmed, inode = file.read(settings.DATA_DIR)
    if confirmed is None:
        return Paused.UNCONFIRMED
    return why_paused(confirmed, database=this_database(), inode=inode)


def this_database() -> Database:
    with connection.cursor() as sql:
        sql.execute(
            "SELECT (SELECT system_identifier FROM pg_control_system()),"
            " (SELECT oid::bigint FROM pg_database WHERE datname = current_database()),"
            " to_regclass('foundation_chain')::oid::bigint"
        )
        return Database(*sql.fetchone())
