"""Migrations are named after their intent and stand in one line: no `auto`, no two heads, no gap."""

import re
import sys
from pathlib import Path

NAME = re.compile(r"^(\d{4})_([a-z0-9_]+)\.py$")


def problems(source: Path) -> list[str]:
    found = []
    for folder in sorted(source.glob("*/migrations")):
        names = sorted(path.name for path in folder.glob("*.py") if path.name != "__init__.py")
        for expected, name in enumerate(names, start=1):
            match = NAME.match(name)
            if not match:
                found.append(f"{folder}/{name}: a migration is called NNNN_what_it_is_for.py")
            elif int(match[1]) != expected:
                found.append(f"{folder}/{name}: expected number {expected:04}")
            elif "auto" in match[2].split("_") or match[2] == "initial":
                found.append(f"{folder}/{name}: name it after its intent")
    return found


if __name__ == "__main__":
    found = problems(Path("src/changke"))
    sys.exit("\n".join(found) if found else 0)
