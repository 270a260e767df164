"""As whom the server runs. PostgreSQL refuses root; as root we hand it to an unprivileged user that already exists."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The first that the machine has: one made for us, PostgreSQL's own, the user of nothing.
CANDIDATES = ("changke", "postgres", "nobody")

# Where the server lives when its user cannot reach the data folder (a folder under /root is closed to all others).
SERVICE_HOME = Path("/var/lib/changke")


class WrongUser(Exception):
    """The cluster belongs to somebody else than who starts it."""


@dataclass(frozen=True)
class ServiceUser:
    """Whom the server's processes belong to."""

    uid: int
    gid: int
    name: str

    @property
    def is_us(self) -> bool:
        return self.uid == os.geteuid()

    def spawn(self) -> dict[str, Any]:
        """Arguments for `subprocess` that make a child this user's."""
        return {} if self.is_us else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_reach(self, path: Path) -> bool:
        """Whether this user may enter every folder on the way to `path` and use what is there."""
        if self.is_us:
            return True
        test = ["/usr/bin/test", "-x", str(path)]
        return subprocess.run(test, check=False, cwd="/", **self.spawn()).returncode == 0

    def give(self, path: Path) -> None:
        """Make `path` this user's own, closed to everybody else."""
        if not self.is_us:
            os.chown(path, self.uid, self.gid)
        path.chmod(0o700)


def choose(cluster: Path) -> ServiceUser:
    """Whose server it is: an existing cluster's owner, else ourselves, else (as root) the first candidate."""
    if cluster.exists():
        return _owner(cluster)
    if os.geteuid() != 0:
        return _of(pwd.getpwuid(os.geteuid()))
    for name in CANDIDATES:
        try:
            return _of(pwd.getpwnam(name))
        except KeyError:
            continue
    raise WrongUser("as root, PostgreSQL needs an unprivileged user to run as: useradd --system changke")


def _owner(cluster: Path) -> ServiceUser:
    uid = cluster.stat().st_uid
    if uid == 0:
        raise WrongUser(f"{cluster} belongs to root, and PostgreSQL does not run as root: chown -R nobody {cluster}")
    if os.geteuid() not in (0, uid):
        raise WrongUser(f"{cluster} belongs to user {uid}: run as that user, or choose another folder with --data")
    return _of(pwd.getpwuid(uid))


def _of(entry: pwd.struct_passwd) -> ServiceUser:
    return ServiceUser(uid=entry.pw_uid, gid=entry.pw_gid, name=entry.pw_name)
