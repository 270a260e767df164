"""Rule 9 of the house: rows are written in services and models of the owning room, and nowhere else."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import changke

SOURCE = Path(changke.__file__).parent
WRITES = {"save", "create", "delete", "bulk_create", "bulk_update", "update_or_create", "get_or_create"}
MANAGERS = {"objects"}


def writes(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Calls like `Model.objects.create(...)`, `queryset.update(field=...)`, `row.save()`."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        verb = node.func.attr
        through_manager = any(isinstance(part, ast.Attribute) and part.attr in MANAGERS for part in ast.walk(node.func))
        written = verb in WRITES and (through_manager or verb in {"save", "bulk_create"})
        if written or (verb == "update" and through_manager):
            yield node.lineno, verb


def places() -> Iterator[Path]:
    for path in sorted(SOURCE.rglob("*.py")):
        inside = path.relative_to(SOURCE).parts
        if (
            inside[0] == "engine"
            or "migrations" in inside
            or "services" in inside
            or path.stem in {"services", "models"}
        ):
            continue
        if inside[:2] == ("foundation", "cursors.py"):  # a mechanism: its table and its verbs are one page
            continue
        yield path


@pytest.mark.parametrize("path", list(places()), ids=lambda path: str(path.relative_to(SOURCE)))
def test_only_services_and_models_write(path: Path) -> None:
    found = [f"{path.name}:{line} {verb}()" for line, verb in writes(ast.parse(path.read_text()))]
    allowed = {"save"} if "importers" in path.parts or "notes" in path.name else set()
    assert [one for one in found if one.split()[1][:-2] not in allowed] == []


def test_the_net_catches_a_write() -> None:
    """The check itself can fail: a planted write is found."""
    assert list(writes(ast.parse("Store.objects.filter(code='x').update(name='y')\nstore.save()"))) == [
        (1, "update"),
        (2, "save"),
    ]
