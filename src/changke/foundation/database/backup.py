"""Everything into one file and back: the database and the files that people gave us.

The archive is a tar: `manifest.json` (first, so that it can be judged without reading the rest), `database.dump`
(pg_dump's own format, compressed), `media/...`, `secrets/secret_key`. Consistent without stopping anything: pg_dump
reads one snapshot, and the files are copied after it; files are only ever added, but for those of who is erased, so
every file a row names is there.

What can be computed again (the mirror, static files) and what belongs to one machine (database passwords) stays out.
"""

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg import sql

from changke.foundation.database.binaries import Binaries
from changke.foundation.database.config import DATABASE_NAME, Connection, Connections, read_embedded
from changke.foundation.database.launcher import create_database, mark_leakproof
from changke.foundation.database.rows_seen import SETTING, WHOLE_CHAIN
from changke.foundation.keys import key_file, write_secret
from changke.foundation.persons import tombstones

FORMAT = 1
DUMP = "database.dump"
MANIFEST = "manifest.json"
SECRET_KEY = "secrets/secret_key"
MEDIA = "media"
ERASED = "erased.jsonl"
IN_USE = "somebody is using these data: stop `changke up` first"

Say = Callable[[str], None]


class BackupFailed(Exception):
    """pg_dump or pg_restore refused; the message carries its own words."""


class NotABackup(Exception):
    """The file is damaged, of another program, or of a newer version than this one."""


class TargetInUse(Exception):
    """There is something where the backup should go, or somebody is using it."""


@dataclass(frozen=True)
class Manifest:
    """What the archive says of itself."""

    format: int
    version: str
    taken_at: str
    postgresql: int
    dump_sha256: str
    files: int


def backup(
    archive: Path,
    *,
    connections: Connections,
    binaries: Binaries,
    data_dir: Path,
    erased: Path,
    version: str,
    now: datetime,
    say: Say = lambda _: None,
) -> Manifest:
    """Write `archive`, whole or not at all, readable by its owner only: it holds every customer and the signing key."""
    unfinished = archive.with_name(f".{archive.name}.unfinished")
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix=".backup-") as folder:
        dump = Path(folder) / DUMP
        say("saving the database")
        _dump(dump, connections.reader, binaries)
        media = sorted(file for file in (data_dir / MEDIA).rglob("*") if file.is_file())
        manifest = Manifest(
            format=FORMAT,
            version=version,
            taken_at=now.isoformat(),
            postgresql=_server_major(connections.reader),
            dump_sha256=_digest(dump),
            files=len(media),
        )
        say("writing the archive")
        try:
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as stream, tarfile.open(fileobj=stream, mode="w") as tar:
                _add_text(tar, MANIFEST, json.dumps(asdict(manifest), indent=2), now)
                tar.add(dump, DUMP)
                if key_file(data_dir).exists():
                    tar.add(key_file(data_dir), SECRET_KEY)
                if erased.exists():
                    tar.add(erased, ERASED)
                for file in media:
                    with suppress(FileNotFoundError):  # a photo of somebody who is erased at this moment
                        tar.add(file, str(file.relative_to(data_dir)))
                stream.flush()
                os.fsync(stream.fileno())
            unfinished.replace(archive)
        finally:
            unfinished.unlink(missing_ok=True)
    return manifest


def read_manifest(archive: Path) -> Manifest:
    """What the archive is, or why it is none."""
    try:
        with tarfile.open(archive) as tar:
            first = tar.next()
            stream = tar.extractfile(first) if first and first.name == MANIFEST else None
            if stream is None:
                raise NotABackup(f"{archive} was not written by `changke backup`")
            manifest = Manifest(**json.load(stream))
    except (tarfile.TarError, OSError, TypeError, ValueError) as error:
        raise NotABackup(f"{archive} cannot be read as a backup: {error}") from error
    if manifest.format > FORMAT:
        raise NotABackup(f"{archive} was written by version {manifest.version}, which is newer: upgrade first")
    return manifest


def restore(
    archive: Path,
    *,
    connections: Connections,
    binaries: Binaries,
    data_dir: Path,
    erased: Path,
    replace: bool,
    say: Say = lambda _: None,
) -> Manifest:
    """Bring the archive back. Where something is already, only with `replace`; until the end the old stays untouched.

    The owner's tables still have to be migrated (an older backup) and granted afterwards: `changke prepare`.
    """
    manifest = read_manifest(archive)
    if not replace and not is_empty(connections.owner):
        raise TargetInUse("there are data already; --replace puts the backup in their place")
    with tempfile.TemporaryDirectory(dir=data_dir, prefix=".restore-") as name:
        folder = Path(name)
        say("reading the archive")
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")  # refuses paths that leave the folder
        if _digest(folder / DUMP) != manifest.dump_sha256:
            raise NotABackup(f"{archive} is damaged: its database does not have the checksum it was written with")
        say("restoring the database")
        if connections.embedded:
            _restore_beside_and_swap(folder / DUMP, connections, binaries, data_dir)
        else:
            _restore_into_empty(folder / DUMP, connections.owner, binaries)
        _put_files(folder, data_dir, erased)
    return manifest


def is_empty(connection: Connection) -> bool:
    """Whether the database has no tables of anybody's yet."""
    with psycopg.connect(connection.conninfo) as server:
        found = server.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname !~ '^(pg_|information_schema)'"
        ).fetchone()
    return found == (0,)


def _dump(dump: Path, reader: Connection, binaries: Binaries) -> None:
    command = [binaries.program("pg_dump"), "--format=custom", "--no-owner", "--no-acl", f"--file={dump}"]
    if _sees_every_row(reader):
        done = _tool(command, reader)
    else:  # one user for everything: row-level security binds it, and its setting opens the whole chain
        done = _tool([*command, "--enable-row-security"], reader, options=f"-c {SETTING}={WHOLE_CHAIN}")
    if done.returncode:
        raise BackupFailed(f"pg_dump: {done.stderr.strip()}")


def _sees_every_row(connection: Connection) -> bool:
    with psycopg.connect(connection.conninfo) as server:
        found = server.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user").fetchone()
    return found == (True,)


def _restore_beside_and_swap(dump: Path, connections: Connections, binaries: Binaries, data_dir: Path) -> None:
    """Into a new database of the embedded server, which takes the name when it is complete."""
    embedded = read_embedded(data_dir)
    beside = f"{DATABASE_NAME}_restoring"
    # The superuser stays here: extensions of the dump may be beyond the owner.
    with psycopg.connect(embedded.connection("superuser", dbname="postgres").conninfo, autocommit=True) as server:
        if server.execute("SELECT 1 FROM pg_stat_activity WHERE datname = %s", [DATABASE_NAME]).fetchone():
            raise TargetInUse(IN_USE)
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(beside)))
        create_database(server, beside)
        mark_leakproof(embedded, beside)
        _restore_into_empty(dump, embedded.connection("owner", dbname=beside), binaries)
        try:
            server.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(DATABASE_NAME)))
        except psycopg.errors.ObjectInUse as error:
            server.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(beside)))
            raise TargetInUse(IN_USE) from error
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        server.execute(rename.format(sql.Identifier(beside), sql.Identifier(DATABASE_NAME)))


def _restore_into_empty(dump: Path, owner: Connection, binaries: Binaries) -> None:
    if not is_empty(owner):
        raise TargetInUse("DATABASE_URL leads to a database with tables in it: create an empty one for the restore")
    command = [binaries.program("pg_restore"), "--no-owner", "--no-acl", f"--dbname={owner.parameters['dbname']}"]
    done = _tool([*command, str(dump)], owner)
    errors = [line for line in done.stderr.splitlines() if line.startswith("pg_restore: error:")]
    # An older server than the program does not know this setting; nothing depends on it.
    serious = [line for line in errors if "transaction_timeout" not in line]
    if serious or (done.returncode and not errors):
        raise BackupFailed("; ".join(serious) or done.stderr.strip())


def _put_files(folder: Path, data_dir: Path, erased: Path) -> None:
    if (folder / SECRET_KEY).exists():
        write_secret(key_file(data_dir), (folder / SECRET_KEY).read_text())
    # A union: whoever was erased after the backup is known here, whoever before it perhaps only there.
    tombstones.merge(erased, folder / ERASED)
    if (folder / MEDIA).exists():
        shutil.copytree(folder / MEDIA, data_dir / MEDIA, dirs_exist_ok=True)


def _tool(command: list[str], connection: Connection, *, options: str = "") -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    ours = {"PGOPTIONS": f"{connection.parameters.get('options', '')} {options}"} if options else {}
    environ = inherited | connection.environment() | ours | {"LC_ALL": "C.UTF-8"}
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environ)


def _server_major(connection: Connection) -> int:
    with psycopg.connect(connection.conninfo) as server:
        return server.info.server_version // 10000


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _add_text(tar: tarfile.TarFile, name: str, text: str, now: datetime) -> None:
    data = text.encode()
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = len(data), int(now.timestamp()), 0o600
    tar.addfile(entry, io.BytesIO(data))
