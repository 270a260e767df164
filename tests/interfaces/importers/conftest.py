"""Files written by a test, loaded into a tiny chain with two stores."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings

from changke.foundation.organisation.models import Store
from changke.foundation.organisation.services import add_store, found_chain
from changke.interfaces.importers import pipeline
from changke.interfaces.importers.pipeline import Outcome, SourceFile

NOW = dt.datetime(2026, 3, 4, 18, 0, tzinfo=ZoneInfo("Asia/Shanghai"))

Load = Callable[..., Outcome]


@pytest.fixture
def stores(db: None, tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    found_chain(name="花漾", second_factor_required=False, now=NOW)
    data_dir, settings.DATA_DIR = settings.DATA_DIR, tmp_path / "data"
    yield add_store(code="JA", name="静安店", now=NOW), add_store(code="XH", name="徐汇店", now=NOW)
    settings.DATA_DIR = data_dir


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """A file of text (or bytes) in the folder of the test."""

    def _write(content: str | bytes, name: str = "file.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return _write


@pytest.fixture
def load(stores: tuple[Store, Store], write: Callable[..., Path]) -> Load:
    """Load text as one file (or several paths) and hand back the outcome; the counts must add up to the rows."""

    def _load(content: str | bytes | list[Path], kind: str = "purchases", **options: Any) -> Outcome:
        options.setdefault("store", "JA")
        options.setdefault("language", "en")
        now = options.pop("now", NOW)
        paths = content if isinstance(content, list) else [write(content, options.pop("name", "file.csv"))]
        batch = pipeline.start([SourceFile(path, path.name) for path in paths], kind=kind, now=now, **options)
        outcome = pipeline.run(batch.pk, now=now)
        assert outcome.created + outcome.updated + outcome.skipped + outcome.refused == outcome.total
        return outcome

    return _load


def counts(outcome: Outcome) -> tuple[int, int, int, int]:
    """created, updated, skipped, refused"""
    return outcome.created, outcome.updated, outcome.skipped, outcome.refused
