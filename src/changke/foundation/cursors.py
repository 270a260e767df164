"""Durable reading positions: how a floor pulls from the one before."""

from dataclasses import dataclass

from django.db import connection, models, transaction

from changke.foundation.database.append_only import Xid8Field


class Cursor(models.Model):
    """Up to where a reader has read. The position is a transaction id: a row's own id may become visible late."""

    name = models.CharField(max_length=80, primary_key=True)
    read_below = Xid8Field(default=0)
    """Everything of transactions below this id has been read."""


@dataclass(frozen=True)
class Window:
    """Facts of transactions `since <= txid < below`. All of them have ended, so the window never grows later."""

    since: int
    below: int

    @property
    def is_empty(self) -> bool:
        return self.since >= self.below


def open_window(name: str) -> Window:
    """What the reader has not read yet: from its position to the oldest transaction still running."""
    with connection.cursor() as sql:
        sql.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        below = int(sql.fetchone()[0])
    position = Cursor.objects.filter(name=name).first()
    return Window(position.read_below if position else 0, below)


def close_window(name: str, window: Window) -> None:
    """Remember that the window has been read. In the transaction of what was made of it: both or neither."""
    with transaction.atomic():
        Cursor.objects.update_or_create(name=name, defaults={"read_below": window.below})
