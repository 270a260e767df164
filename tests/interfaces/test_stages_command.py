"""`changke stages`: models listed, tried from a file, published, switched."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from changke.profiles.lifecycle.models import StageModel
from tests.cast import Cast, know_everybody

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def known(cast: Cast, settings: Settings, tmp_path: Path) -> Cast:
    settings.DATA_DIR = tmp_path
    know_everybody()
    return cast


def told(*words: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("stages", *words, "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue().strip().splitlines()[-1])
    return found


def test_it_lists_what_is_in_use_and_what_waits(known: Cast) -> None:
    models = {one["model"]: one["in_use"] for one in told()["models"]}
    assert models == {"m4": True, "m1": True, "m2": True, **dict.fromkeys(["m3", "m5", "m6", "m7", "m8", "m12"], False)}


def test_a_file_is_tried_and_only_yes_publishes_it(known: Cast, tmp_path: Path) -> None:
    definition = told("--show", "m4")["definition"]
    definition["ask"][0]["when"] = {"attribute": "silent_days", "op": ">=", "value": 30}
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(definition), encoding="utf-8")
    tried = told("--file", str(file))
    assert (tried["published"], tried["moving"]) == (False, sum(one["customers"] for one in tried["moves"]))
    assert tried["moving"] > 0
    assert StageModel.objects.get(key="m4").version == 1
    assert told("--file", str(file), "--yes")["published"] is True
    assert StageModel.objects.get(key="m4").version == 2


def test_a_file_is_asked_of_any_day_of_the_past(known: Cast, tmp_path: Path) -> None:
    definition = told("--show", "m4")["definition"]
    definition["ask"][0]["when"] = {"attribute": "silent_days", "op": ">=", "value": 30}
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(definition), encoding="utf-8")
    [day] = told("--file", str(file), "--day", "2026-02-14")["past"]
    assert day["day"] == "2026-02-14"
    assert day["differing"] == sum(one["customers"] for one in day["moves"]) > 0
    with pytest.raises(CommandError, match="2999-01-01"):
        told("--file", str(file), "--day", "2999-01-01")


def test_models_are_switched(known: Cast) -> None:
    assert {"model": "m8", "version": 1, "in_use": True, "default": False} in told("--on", "m8")["models"]
    assert told("--lists-by", "m8")["models"][0]["model"] == "m8"
    assert {"model": "m4", "version": 1, "in_use": False, "default": False} in told("--off", "m4")["models"]


@pytest.mark.parametrize(("words", "said"), [
    (["--on", "m99"], "Models: m4"),
    (["--off", "m4"], "choose another one"),
    (["--show", "m99"], "Models: m4"),
    (["--file", "/nowhere.json"], "is not a definition"),
])  # fmt: skip
def test_what_cannot_be_done_says_why(known: Cast, words: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        told(*words)


@pytest.mark.parametrize(
    ("content", "said"), [("[]", "is not a definition"), ("{", "is not a definition"), ("{}", "key: a short word")]
)
def test_a_file_of_something_else_is_refused(known: Cast, tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(CommandError, match=said):
        told("--file", str(file))
