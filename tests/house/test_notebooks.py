"""A notebook is one code with words in three languages; it uses public names, and it runs."""

import ast
import importlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scripts import notebooks

from tests.engine.clv.real import FOLDER, needs_cdnow

WRITTEN = notebooks.written()
PUBLIC = ("changke.engine", "changke.engine.synthetic")
SOURCES = sorted(notebooks.FOLDER.glob("*.py"))


def code_of(path: Path) -> list[str]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(one["source"]) for one in cells if one["cell_type"] == "code"]


def run(path: Path) -> dict[str, Any]:
    """Cell by cell, as whoever opens it does."""
    names: dict[str, Any] = {}
    for cell in code_of(path):
        exec(compile(cell, path.name, "exec"), names)
    return names


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.name)
def test_what_is_committed_is_what_code_and_words_give(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == WRITTEN[path], "run `make docs` and commit what it writes"


def test_each_stands_there_in_three_languages_with_the_same_code() -> None:
    assert {path.name for path in notebooks.FOLDER.glob("*.ipynb")} == {path.name for path in WRITTEN}
    for source in SOURCES:
        codes = {tuple(code_of(notebooks.FOLDER / f"{source.stem}.{one}.ipynb")) for one in notebooks.LANGUAGES}
        assert len(codes) == 1


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_it_uses_public_names_only(source: Path) -> None:
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("changke"):
            assert node.module in PUBLIC
            assert all(not one.name.startswith("_") for one in node.names)
        if isinstance(node, ast.Attribute):
            assert not node.attr.startswith("_")
            if isinstance(node.value, ast.Name) and node.value.id in ("churn", "clv"):
                assert node.attr in importlib.import_module(f"changke.engine.{node.value.id}").__all__


def test_without_the_data_it_runs_on_the_chain_that_never_existed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDNOW", "nowhere")
    names = run(notebooks.FOLDER / "cdnow.zh-Hans.ipynb")
    assert not names["has_cdnow"]
    assert np.isfinite(names["model"].fit_.log_likelihood)
    assert names["auc"]["P(active)"] > 0.6
    assert names["said"].rows == len(names["split"].calibration)
    assert names["judged"].rules


def test_what_stands_on_the_page_for_analysts_runs_from_top_to_bottom() -> None:
    page = (notebooks.FOLDER.parent / "howto" / "notebook.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, "notebook.md", "exec"), names)
    assert {"p_active", "expected_purchases", "expected_spend"} <= set(names["said"])
    assert list(names["each"])[:4] == ["customer_id", "p_alive", "p_active", "expected_purchases"]
    assert names["again"].values() == names["model"].values()
    assert list(names["best"])[:5] == ["customer_id", "place", "item_id", "chance", "reason"]
    assert list(names["months"]) == ["cohort", "age", "customers", "active", "is_over"]
    assert names["judged"].signal
    assert names["order"].is_above_chance


@needs_cdnow
@pytest.mark.data
def test_with_the_data_it_shows_the_fit_of_the_papers_and_what_p_alive_is_worth(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CDNOW", str(FOLDER / "cdnow"))
    names = run(notebooks.FOLDER / "cdnow.en.ipynb")
    assert names["has_cdnow"]
    assert names["model"].fit_.log_likelihood == pytest.approx(-9582.43, abs=0.005)
    assert names["model"].values() == pytest.approx({"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}, rel=2e-3)
    auc = names["auc"]
    assert auc["P(alive)"] == pytest.approx(0.32, abs=0.005)
    assert auc["P(alive)"] < 0.5 < 0.74 < min(auc["silence"], auc["P(active)"], auc["outlook"])
