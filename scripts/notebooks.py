"""Write docs/notebooks/*.ipynb: one code, and words in three languages beside it.

    python -m scripts.notebooks

tests/house/test_notebooks.py compares the files with a fresh run. NAME.py holds the cells; `# %% [markdown] WHAT`
stands for the words under `<!-- WHAT -->` of words/NAME.LANGUAGE.md.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "notebooks"
LANGUAGES = ("zh-Hans", "en", "zh-Hant")
CELL = re.compile(r"^# %%(?: \[markdown\] (\w+))?\n", re.MULTILINE)
PART = re.compile(r"^<!-- (\w+) -->\n", re.MULTILINE)


def main() -> None:
    for path, text in written().items():
        path.write_text(text, encoding="utf-8")
        print(f"docs/notebooks/{path.name}")


def written() -> dict[Path, str]:
    """Each notebook as it should stand in its file."""
    return {
        FOLDER / f"{source.stem}.{language}.ipynb": notebook(source, language)
        for source in sorted(FOLDER.glob("*.py"))
        for language in LANGUAGES
    }


def notebook(source: Path, language: str) -> str:
    words = dict(parts(PART, (FOLDER / "words" / f"{source.stem}.{language}.md").read_text(encoding="utf-8")))
    cells = list(parts(CELL, source.read_text(encoding="utf-8")))
    named = [name for name, _ in cells if name]
    if named != list(words):
        raise SystemExit(f"{source.name} asks for {named}, the words in {language} are {list(words)}")
    made = [cell(place, name, words[name] if name else body) for place, (name, body) in enumerate(cells)]
    about = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    about["language_info"] = {"name": "python"}
    whole = {"cells": made, "metadata": about, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def cell(place: int, name: str, text: str) -> dict[str, object]:
    given: dict[str, object] = {"id": name or f"code-{place}", "metadata": {}, "source": text.splitlines(keepends=True)}
    if name:
        return {"cell_type": "markdown", **given}
    return {"cell_type": "code", "execution_count": None, **given, "outputs": []}


def parts(mark: re.Pattern[str], text: str) -> Iterator[tuple[str, str]]:
    """Name and text of what follows each mark."""
    found = [*mark.finditer(text)]
    ends = [one.start() for one in found[1:]] + [len(text)]
    for one, end in zip(found, ends, strict=True):
        yield one.group(1) or "", text[one.end() : end].strip()


if __name__ == "__main__":
    main()
