"""Who may look around in the demo, and the password that every start prints again."""

import json
import secrets as randomness
from dataclasses import dataclass
from pathlib import Path

FILE = "demo_logins.json"
ROLES = ("owner", "hq", "manager", "staff")
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without letters that are taken for digits


@dataclass(frozen=True)
class Login:
    username: str
    password: str


def keep_logins(folder: Path) -> list[Login]:
    """The log-ins of the demo; the password is made up at the first call and kept for its owner's eyes only."""
    if known := kept_logins(folder):
        return known
    folder.mkdir(parents=True, exist_ok=True)
    password = "-".join("".join(randomness.choice(ALPHABET) for _ in range(4)) for _ in range(3))
    path = folder / FILE
    path.touch(mode=0o600)
    path.write_text(json.dumps({"password": password}))
    return kept_logins(folder)


def kept_logins(folder: Path) -> list[Login]:
    """What an earlier start made up; empty where this data folder holds no demo."""
    try:
        password = json.loads((folder / FILE).read_text())["password"]
    except FileNotFoundError:
        return []
    return [Login(role, password) for role in ROLES]
