"""Whether the database that is found is the one that was confirmed from this data folder."""

from dataclasses import dataclass
from enum import StrEnum


class Paused(StrEnum):
    """Why nothing is sent. `words.SENDING_PAUSED` says it in the reader's language."""

    UNCONFIRMED = "unconfirmed"
    """There are data, and no file beside them that knows them: a restored copy, or an upgrade of an older version."""
    OTHER_DATABASE = "other_database"
    """The file knows another database: a backup was put in its place, or the address leads elsewhere."""
    COPIED_FOLDER = "copied_folder"
    """The file was not written where it lies: the data folder is a copy, and its original may be sending."""


@dataclass(frozen=True)
class Database:
    """By which a database is known again. A restore makes each of its tables anew, also in the same database."""

    server: int
    database: int
    table: int


@dataclass(frozen=True)
class Confirmed:
    """What somebody confirmed: this installation, for the how-manieth time, on this database, from this file."""

    instance: str
    epoch: int
    database: Database
    inode: int
    since: str


def why_paused(confirmed: Confirmed | None, *, database: Database, inode: int) -> Paused | None:
    if confirmed is None:
        return Paused.UNCONFIRMED
    if confirmed.database != database:
        return Paused.OTHER_DATABASE
    return Paused.COPIED_FOLDER if confirmed.inode != inode else None
