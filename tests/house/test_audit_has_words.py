"""Every action that is written down can be read: its code has words in three languages."""

import ast
from collections.abc import Iterator
from pathlib import Path

import changke
from changke.interfaces.audited_words import ACTIONS

SOURCE = Path(changke.__file__).parent
RECORDERS = {"record", "_record", "tell"}


def actions(tree: ast.AST) -> Iterator[str]:
    """Codes that are handed to a recorder: `action="..."`, or the first argument of a helper of one file."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in RECORDERS:
            said = [one.value for one in node.keywords if one.arg == "action"]
            for value in said:
                yield from (one.value for one in ast.walk(value) if isinstance(one, ast.Constant) and one.value)


def test_every_action_has_words() -> None:
    """A new action gets its line in `interfaces/audited_words.py`, and its translation."""
    found = {action for path in SOURCE.rglob("*.py") for action in actions(ast.parse(path.read_text()))}
    assert "chain.changed" in found, "the net holds"
    assert sorted(action for action in found if isinstance(action, str) and action not in ACTIONS) == []
