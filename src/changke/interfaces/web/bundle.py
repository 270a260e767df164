"""One style sheet out of many small ones.

A person reads `css/components/table.css`; a phone fetches `web/app.css`. The finder writes the joined file when it is
asked for and a part is newer, so neither development nor installation has a build step.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage, Storage

SOURCES = Path(__file__).parent / "static" / "web" / "css"
BUNDLE = "web/app.css"

# Later files win over earlier ones, so the order is from the general to the special.
ORDER = ("tokens.css", "base.css", "layout.css", "components/*.css", "pages/*.css", "print.css")


def parts() -> list[Path]:
    return [part for pattern in ORDER for part in sorted(SOURCES.glob(pattern))]


def joined(files: Iterable[Path]) -> str:
    """The files one after the other, without comments and indentation."""
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return "\n".join(line.strip() for line in text.splitlines() if line.strip()) + "\n"


class BundleFinder(BaseFinder):
    """Hands out `web/app.css`; everything else is left to the other finders."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.folder = Path(settings.STATIC_ROOT).parent / "bundle"

    def check(self, **kwargs: Any) -> list[Any]:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        if path != BUNDLE:
            return []
        found = str(self.written())
        return [found] if find_all else found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        self.written()
        yield BUNDLE, FileSystemStorage(location=str(self.folder))

    def written(self) -> Path:
        target = self.folder / BUNDLE
        files = parts()
        newest = max(file.stat().st_mtime for file in files)
        if not target.exists() or target.stat().st_mtime < newest:
            target.parent.mkdir(parents=True, exist_ok=True)
            unfinished = target.with_suffix(".tmp")
            unfinished.write_text(joined(files), encoding="utf-8")
            unfinished.replace(target)
        return target
