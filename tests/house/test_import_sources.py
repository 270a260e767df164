"""Every old system whose folder lies among the sources can be used: found by being there."""

import importlib.util
from pathlib import Path

import pytest

from changke.interfaces.importers import columns
from changke.interfaces.importers.kinds import NEEDED, WAITING, WORKS
from changke.interfaces.importers.parts import Part
from changke.interfaces.importers.readers import open_sheets
from changke.interfaces.importers.sources import SOURCES, Source, understood

SAMPLES = Path(__file__).parents[1] / "interfaces" / "importers" / "samples"
PARTS = [pytest.param(part, id=f"{key} {part.key}") for key, source in SOURCES.all.items() for part in source.PARTS]


@pytest.mark.parametrize("source", [pytest.param(one, id=key) for key, one in SOURCES.all.items()])
def test_a_source_has_its_words_and_says_each_part_once(source: Source) -> None:
    assert set(source.WORDS) == {"zh-hans", "en", "zh-hant"}
    assert all(source.WORDS.values())
    assert len({part.key for part in source.PARTS}) == len(source.PARTS)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_names_known_fields_and_those_that_are_needed(part: Part) -> None:
    assert part.kind in columns.KINDS
    assert set(part.columns) <= set(columns.fields_of(part.kind))
    assert not [group for group in NEEDED[part.kind] if not set(group) & set(part.columns)]
    assert len(set(part.mapping.values())) == len(part.mapping), "one column serves one field"


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*/*.csv")), ids=lambda path: f"{path.parent.name} {path.stem}")
def test_a_sample_is_recognised_by_its_own_source_and_by_no_other(path: Path) -> None:
    [sheet] = open_sheets(path, name=path.name)
    names = next(iter(sheet.rows))[1]
    found = understood(names)
    assert found is not None
    assert found.source == path.parent.name
    assert [key for key in SOURCES if understood(names, only=key)] == [path.parent.name]


def test_every_source_has_a_sample_or_a_workbook_in_its_test() -> None:
    written = (SAMPLES.parent / "test_sources.py").read_text(encoding="utf-8")
    for key in SOURCES:
        assert list((SAMPLES / key).glob("*.csv")) or f'understood(names, kind="customers", only="{key}")' in written


def test_every_kind_has_its_work_and_what_waits_has_no_room_yet() -> None:
    """Turns red when the room of balances arrives: then cards are taken in, and what is kept is handed over."""
    assert set(WORKS) == set(NEEDED) == set(columns.KINDS)
    assert importlib.util.find_spec("changke.facts.ledger") is None or not WAITING
