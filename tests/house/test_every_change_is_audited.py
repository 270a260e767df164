"""A setting or a rule that changes without a line is a change nobody can explain; found here, not by a customer."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection

import changke
from changke.foundation.audit.kinds import kinds, left_out
from changke.foundation.database import grants
from tests.house.test_who_writes import writes

SOURCE = Path(changke.__file__).parent

WITHOUT_A_LINE = {
    "foundation/access/services/keys.py:key_of": "when a key was last used is no change of it",
    "foundation/access/services/staff.py:choose_language": "one's own language is nobody else's business",
    "foundation/access/services/grants.py:stand": "follows role and stores, whose change is the line",
    "profiles/segments/services/members.py": "who entered and left follows from the facts and is a row of its own",
    "profiles/risk/services/lines.py": "what the past of a line says follows from the facts; the choice is a line",
    "foundation/batches/services.py": "a batch has its lines when it ran and when it was undone",
    "facts/catalog/services/intake.py": "what a file names and nobody knew: the batch has its line",
    "facts/customers/services/put_back.py": "the undo of a batch, which has one line",
    "facts/customers/services/hide.py": "the undo of a batch, which has one line",
    "interfaces/webhooks/services/record.py:note_wish": "what was asked is the row itself; its answer has a line",
    "facts/fields/services/join.py": "part of a merge and its undo, which have their lines",
    "facts/purchases/services/record.py:record_receipt": "her first day follows from the fact",
    "facts/visits/services/record.py:record_visit": "her first day follows from the fact",
    "facts/customers/services/tags.py:take_stale_off": "follows from the age decided for the tag",
    "facts/customers/services/meet.py": "a machine's facts are their own record",
    "facts/customers/services/erase.py": "the erasure of a person is one line, written by whoever asks for it",
}
"""Verbs of audited tables (or whole files of them) that rightly write no line."""


def tables() -> list[str]:
    return [model._meta.db_table for model in apps.get_models() if model.__module__.startswith("changke.")]


@pytest.mark.django_db
@pytest.mark.parametrize("table", tables())
def test_of_every_table_somebody_said_whether_its_changes_are_written_down(table: str) -> None:
    with connection.cursor():
        facts = {one.table for one in grants.guarded_tables(connection.connection)}
    audited = {name for kind in kinds().values() for name in kind.tables}
    assert table in facts | audited | set(left_out()), (
        f"say in the room's audited.py what {table} is: settings or rules are registered as a Kind and every verb that "
        f"writes them calls audit.services.record; anything else is left out with a reason"
    )


def functions(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def names(node: ast.AST) -> set[str]:
    plain = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    return plain | {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}


def root(node: ast.AST) -> str:
    """`store` of `store.save` and `Store` of `Store.objects.filter(...).update`."""
    while not isinstance(node, ast.Name):
        node = next(iter(ast.iter_child_nodes(node)), ast.Name(""))
    return node.id


def written(function: ast.FunctionDef) -> Iterator[str]:
    """Names of what the function writes: of a model itself, or of what a variable was annotated with or made of."""
    arguments = [*function.args.args, *function.args.kwonlyargs]
    made_of: dict[str, set[str]] = {one.arg: names(one.annotation) for one in arguments if one.annotation}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                of = {root(node.value.func)} if isinstance(node.value, ast.Call) else names(node.value)
                made_of.setdefault(root(target), set()).update(of)
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and list(writes(ast.Expr(node))) and isinstance(node.func, ast.Attribute):
            yield root(node.func)
            yield from made_of.get(root(node.func), ())


def silent_verbs(tree: ast.Module, models: set[str]) -> Iterator[str]:
    """Public functions that write one of the models, alone or through helpers of their file, and record nothing."""
    local = functions(tree)
    for name, node in local.items():
        if name.startswith("_"):
            continue
        reached, ahead = {name: node}, [node]
        while ahead:
            for called in names(ahead.pop()) & set(local) - set(reached):
                reached[called] = local[called]
                ahead.append(local[called])
        wrote = any(models & set(written(one)) for one in reached.values())
        if wrote and not any({"record", "_record"} & names(one) for one in reached.values()):
            yield name


def verbs() -> Iterator[tuple[str, Path]]:
    for path in sorted(SOURCE.rglob("*.py")):
        inside = path.relative_to(SOURCE)
        if "services" in inside.parts or path.stem == "services":
            yield str(inside), path


@pytest.mark.parametrize(("place", "path"), list(verbs()))
def test_every_verb_that_writes_an_audited_table_writes_a_line(place: str, path: Path) -> None:
    audited = {name for kind in kinds().values() for name in kind.tables}
    models = {model.__name__ for model in apps.get_models() if model._meta.db_table in audited}
    silent = [f"{place}:{name}" for name in silent_verbs(ast.parse(path.read_text()), models)]
    assert [verb for verb in silent if not {verb, place} & set(WITHOUT_A_LINE)] == []


def test_the_net_catches_a_silent_verb() -> None:
    code = """
def change_store(store: Store) -> None:
    _write(store)
def _write(store: Store) -> None:
    store.save()
def add_store() -> None:
    Store.objects.create()
    record()
"""
    assert list(silent_verbs(ast.parse(code), {"Store"})) == ["change_store"]


@functools.cache
def verbs_with_an_asker() -> set[str]:
    """Names of verbs that ask by whom, read once for all pages that are asked about."""
    found = set()
    for _, path in verbs():
        for name, node in functions(ast.parse(path.read_text())).items():
            asker = [one for one in node.args.kwonlyargs if one.arg == "by" and one.annotation]
            if any(ast.unparse(one.annotation) == "By" for one in asker if one.annotation):
                found.add(name)
    return found


def nameless_calls(tree: ast.AST, asking: set[str]) -> Iterator[str]:
    """Calls of imported verbs that ask by whom, and are not told."""
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and "services" in (node.module or "")
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in asking & imported:
            said = {one.arg for one in node.keywords}
            if "by" not in said and None not in said:
                yield f"{node.func.id} in line {node.lineno}"


@pytest.mark.parametrize("path", sorted((SOURCE / "interfaces").rglob("*.py")), ids=lambda path: path.stem)
def test_whoever_has_a_face_says_who_asks(path: Path) -> None:
    """Verbs write `changke` where nobody says who: a page, a route or a command always knows."""
    assert list(nameless_calls(ast.parse(path.read_text()), verbs_with_an_asker())) == []
