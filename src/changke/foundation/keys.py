"""The installation's own secrets: made once into the data folder, never committed, readable by their owner only."""

import base64
import os
import secrets
from collections.abc import Mapping
from pathlib import Path


def secret_key(environ: Mapping[str, str], data_dir: Path) -> str:
    """The signing key: SECRET_KEY, else the file SECRET_KEY_FILE names, else the data folder's.

    Without any of them (a build, a type check, a test) a key that lives as long as the process: nothing signed with it
    outlives it, so nothing can be forged by knowing a default.
    """
    if environ.get("SECRET_KEY"):
        return environ["SECRET_KEY"]
    file = Path(environ.get("SECRET_KEY_FILE") or key_file(data_dir))
    if file.exists() or "SECRET_KEY_FILE" in environ:
        return file.read_text().strip()
    return secrets.token_urlsafe(50)


def make_secret_key(data_dir: Path) -> None:
    """Make the data folder's signing key if it has none."""
    if not key_file(data_dir).exists():
        write_secret(key_file(data_dir), secrets.token_urlsafe(50))


def make_master_key(environ: Mapping[str, str], data_dir: Path) -> None:
    """Make the data folder's master key if it has none and no other was named. What is sealed with it is lost with it:
    it is never made anew beside data, `settle_keys` notices."""
    file = master_key_file({}, data_dir)
    if not environ.get("MASTER_KEY") and not environ.get("MASTER_KEY_FILE") and not file.exists():
        write_secret(file, f"1 {base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}\n")


def master_key_file(environ: Mapping[str, str], data_dir: Path) -> Path:
    return Path(environ.get("MASTER_KEY_FILE") or data_dir / "secrets" / "master_key")


def key_file(data_dir: Path) -> Path:
    return data_dir / "secrets" / "secret_key"


def write_secret(file: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.parent.chmod(0o700)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(descriptor)
    unfinished.replace(file)
