"""Every kind of batch can be run, looked at before an undo, and undone; what an undo says has its words."""

import ast
from pathlib import Path

import changke
from changke.foundation.batches.registry import BatchKind, kind_of, kinds
from changke.interfaces.bulk.undo_words import GOES, STAYS
from changke.interfaces.importers import columns

SOURCE = Path(changke.__file__).parent


def test_every_kind_of_batch_has_its_verbs() -> None:
    assert {"", "mixed", "bulk_edit", *columns.KINDS} <= set(kinds())
    for key in kinds():
        found = kind_of(key)
        assert isinstance(found, BatchKind)
        assert found.needs
        assert found.undo_needs


def test_every_part_of_an_undo_has_its_words() -> None:
    said: dict[str, set[str]] = {"goes": set(), "stays": set()}
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Undo":
                for side in node.keywords:
                    parts = [part for part in ast.walk(side.value) if isinstance(part, ast.Call)]
                    codes = [
                        part.args[0] for part in parts if isinstance(part.func, ast.Name) and part.func.id == "Part"
                    ]
                    said[str(side.arg)] |= {str(code.value) for code in codes if isinstance(code, ast.Constant)}
    assert said["goes"] == set(GOES)
    assert said["stays"] == set(STAYS)
