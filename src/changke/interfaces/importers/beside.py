"""What a page shows of the rows of a file lies beside the file, never in the database. docs/decisions/0110.

The first rows of a sheet, whom the rows would meet, what stands in a refused cell: names and phones in clear. In the
batch they would outlive every erasure, and a stolen dump would hold them. Beside the file they go when it goes.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from changke.interfaces.importers.problems import Problem, all_words

TYPED = frozenset({"word"})
"""Places of a problem's words that hold what somebody wrote into the cell."""
LEFT_OUT = "…"


def put(path: Path, shown: object) -> None:
    """Write it whole or not at all, readable by this installation only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(shown, file, ensure_ascii=False, default=str)
    unfinished.replace(path)


def taken(path: Path) -> Any:
    """What `put` wrote; None where it is gone."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


ROWS = ("first_rows", "titles")


def apart(look: Sequence[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The sheets of a look without their rows, for the database; and the rows, in the same order."""
    bare = [{name: value for name, value in sheet.items() if name not in ROWS} for sheet in look]
    return bare, [{name: sheet.get(name) or [] for name in ROWS} for sheet in look]


def together(look: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    """The look as it was; without rows where they are gone, or are those of other sheets."""
    empty: dict[str, Any] = {name: [] for name in ROWS}
    if rows is None or len(rows) != len(look):
        return [{**sheet, **empty} for sheet in look]
    return [{**sheet, **one} for sheet, one in zip(look, rows, strict=True)]


def without_values(problems: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Problems of a batch as the database may keep them: code, counts, lines and columns, and nobody's values."""
    return [_without_values(group) for group in problems]


def _without_values(group: Mapping[str, Any]) -> dict[str, Any]:
    if "code" not in group:  # of a file of scores: column, reason and count
        return dict(group)
    places = {name: LEFT_OUT if name in TYPED else value for name, value in (group.get("places") or {}).items()}
    words = str(group.get("words") or "")
    if group["code"] in all_words() and TYPED & set(places):
        words = Problem(group["code"], places).words("en")
    return {
        **group,
        "places": places,
        "words": words,
        "example_value": "",
        "examples": [{**each, "value": ""} for each in group.get("examples") or ()],
    }
