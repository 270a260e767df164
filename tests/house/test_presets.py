"""Every preset that lies in the folder can be used: found by being there."""

import pytest

from changke.interfaces.importers import columns
from changke.interfaces.importers.kinds import NEEDED
from changke.interfaces.importers.presets import Preset, all_presets


@pytest.mark.parametrize("preset", [pytest.param(one, id=key) for key, one in all_presets().items()])
def test_a_preset_names_known_fields_and_those_that_are_needed(preset: Preset) -> None:
    assert preset.kind in columns.KINDS
    assert set(preset.columns) <= set(columns.fields_of(preset.kind))
    missing = [group for group in NEEDED[preset.kind] if not set(group) & set(preset.columns)]
    assert not missing
    assert preset.options.get("source"), "without a source, member numbers of two systems would meet"
    assert set(preset.words) == {"zh-hans", "en", "zh-hant"}
    assert all(preset.words.values())
    assert len(set(preset.columns.values())) == len(preset.columns), "one column serves one field"
