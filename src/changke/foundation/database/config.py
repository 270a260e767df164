"""Which PostgreSQL, as whom: the one place that turns environment and data folder into connections.

Three roles, because three kinds of work need three kinds of permission:

- `owner` owns the tables; migrations run as it.
- `app` serves pages and jobs: it reads, adds, and changes only what may change (see `grants`).
- `reader` reads everything and writes nothing: the mirror and the backup.

`DATABASE_URL` wins over the embedded server. It is the owner; `DATABASE_APP_URL` and `DATABASE_READER_URL` name the
other two and default to it, which works but leaves the net of grants absent: `changke doctor` says so.

Nothing here opens a connection or writes a file, so settings may call it at import.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

DATABASE_NAME = "changke"
ROLES = {"owner": "changke_owner", "app": "changke_app", "reader": "changke_reader"}
PORT = 5432  # of the embedded server: names the socket file only, no TCP port is opened


class DatabaseMisconfigured(Exception):
    """A connection setting that cannot be read; the message says which and what it should look like."""


@dataclass(frozen=True)
class Connection:
    """Where to connect and as whom, in libpq's own keywords. Not shown by `repr`: it holds the password."""

    parameters: Mapping[str, str] = field(repr=False)

    @property
    def conninfo(self) -> str:
        """For psycopg, ADBC and libpq's tools (`host=... dbname=...`)."""
        return make_conninfo("", **self.parameters)

    def django(self) -> dict[str, Any]:
        """An entry of Django's DATABASES."""
        named = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
        return {
            "ENGINE": "django.db.backends.postgresql",
            **{key: self.parameters.get(name, "") for name, key in named.items()},
            "OPTIONS": {name: value for name, value in self.parameters.items() if name not in named},
        }

    def environment(self) -> dict[str, str]:
        """For psql, pg_dump and pg_restore: the password stays out of the process list."""
        variables = {
            "dbname": "PGDATABASE",
            "user": "PGUSER",
            "password": "PGPASSWORD",
            "host": "PGHOST",
            "port": "PGPORT",
        }
        return {variables.get(name, "PG" + name.upper()): value for name, value in self.parameters.items()}


@dataclass(frozen=True)
class Connections:
    """The three roles of one database, and whether it is the server that we start ourselves."""

    owner: Connection
    app: Connection
    reader: Connection
    embedded: bool

    def as_role(self, role: str) -> Connection:
        """The connection of a role by its name, as the setting DATABASE_ROLE gives it."""
        if role not in ROLES:
            raise DatabaseMisconfigured(f"DATABASE_ROLE is {role!r}; it must be one of {', '.join(ROLES)}")
        return {"owner": self.owner, "app": self.app, "reader": self.reader}[role]


def data_folder(environ: Mapping[str, str]) -> Path:
    """The folder of everything that is not in the program: DATA_DIR, else `data` in the current folder."""
    return Path(environ.get("DATA_DIR") or "data").expanduser().resolve()


def databases(environ: Mapping[str, str], data_dir: Path) -> Connections:
    """The connections of the three roles: from DATABASE_URL if given, else of the embedded server of `data_dir`.

    Before the embedded server's first start there is nothing to connect to; the connections are then formally right and
    fail when used, so that commands which need no database still run.
    """
    if environ.get("DATABASE_URL"):
        return _of_urls(environ)
    embedded = read_embedded(data_dir)
    return Connections(
        owner=embedded.connection("owner"),
        app=embedded.connection("app"),
        reader=embedded.connection("reader"),
        embedded=True,
    )


@dataclass(frozen=True)
class Embedded:
    """What the launcher remembers of its server between starts, in `secrets/database.json`."""

    cluster: Path
    socket: Path
    passwords: Mapping[str, str] = field(repr=False)

    def connection(self, role: str, *, dbname: str = DATABASE_NAME) -> Connection:
        """As `owner`, `app`, `reader`, or `superuser` for the launcher itself."""
        return Connection(
            {
                "host": str(self.socket),
                "port": str(PORT),
                "dbname": dbname,
                "user": ROLES.get(role, "postgres"),
                "password": self.passwords.get(role, ""),
            }
        )


def embedded_file(data_dir: Path) -> Path:
    """Where the launcher keeps `Embedded`."""
    return data_dir / "secrets" / "database.json"


def read_embedded(data_dir: Path) -> Embedded:
    """What the launcher remembered; without a first start, the default places and no passwords."""
    try:
        saved = json.loads(embedded_file(data_dir).read_text())
    except FileNotFoundError:
        return Embedded(cluster=data_dir / "postgres", socket=data_dir / "run", passwords={})
    # Both are relative to the data folder where they lie inside it, so that the folder can be moved.
    return Embedded(
        cluster=data_dir / saved["cluster"],
        socket=data_dir / saved["socket"],
        passwords=saved["passwords"],
    )


def _of_urls(environ: Mapping[str, str]) -> Connections:
    owner = _of_url("DATABASE_URL", environ["DATABASE_URL"])
    app, reader = (
        _of_url(name, environ[name]) if environ.get(name) else owner
        for name in ("DATABASE_APP_URL", "DATABASE_READER_URL")
    )
    return Connections(owner=owner, app=app, reader=reader, embedded=False)


def _of_url(name: str, value: str) -> Connection:
    try:
        parameters = {key: str(part) for key, part in conninfo_to_dict(value).items() if part is not None}
    except ProgrammingError as error:
        raise DatabaseMisconfigured(
            f"{name} cannot be read ({str(error).strip()}); it looks like postgresql://user:password@host:5432/database"
        ) from error
    if not parameters.get("dbname"):
        raise DatabaseMisconfigured(
            f"{name} names no database; it looks like postgresql://user:password@host:5432/database"
        )
    return Connection(parameters)
