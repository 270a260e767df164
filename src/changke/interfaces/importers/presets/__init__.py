"""Files that the product knows: one TOML each, found by being here."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from changke.foundation.errors import DomainError


class NoSuchPreset(DomainError):
    code, status = "no_such_preset", 404
    message = "There is no preset %(name)s. There are: %(known)s."


@dataclass(frozen=True)
class Preset:
    """How a known file is understood: its columns, its currency and the options of the load."""

    key: str
    kind: str
    currency: str
    columns: Mapping[str, str]
    options: Mapping[str, Any]
    words: Mapping[str, str]


@cache
def all_presets() -> Mapping[str, Preset]:
    return {file.stem: _read(file) for file in sorted(Path(__file__).parent.glob("*.toml"))}


def preset(name: str) -> Preset:
    try:
        return all_presets()[name]
    except KeyError:
        raise NoSuchPreset(name=name, known=", ".join(all_presets())) from None


def _read(file: Path) -> Preset:
    loaded = tomllib.loads(file.read_text(encoding="utf-8"))
    options = {key: value for key, value in loaded.items() if key not in {"kind", "currency", "columns", "words"}}
    return Preset(file.stem, loaded["kind"], loaded["currency"], loaded["columns"], options, loaded["words"])
