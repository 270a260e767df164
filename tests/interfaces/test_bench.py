"""`changke bench` tells programs what it told people: the smallest of the benchmarks, which needs no server."""

import json
from pathlib import Path

import pytest

from changke.interfaces.cli import bench
from changke.interfaces.cli import run as cli

SMALL = ["--only", "refresh", "--customers", "200", "--purchases", "2000"]


def test_its_numbers_are_one_object_on_the_last_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code = bench.bench([*SMALL, "--folder", str(tmp_path), "--json"])
    said = capfd.readouterr()
    (line,) = said.out.splitlines()
    told = json.loads(line)
    assert told["benchmarks"].keys() == {"refresh"}
    refresh = told["benchmarks"]["refresh"]
    assert (refresh["customers"], refresh["rows_that_differ"], refresh["ratio_at_most"]) == (200, 0, 1.5)
    assert refresh["seconds"] > 0
    assert told["ok"] == refresh["kept"] == (refresh["ratio"] <= 1.5) == (code == 0)
    assert f"ratio {refresh['ratio']:.2f}" in said.err, "the table for people is still there"


def test_a_benchmark_that_breaks_off_kept_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a_file").touch()
    assert bench.bench([*SMALL, "--folder", str(tmp_path / "a_file"), "--json"]) == 1
    assert json.loads(capfd.readouterr().out) == {"ok": False, "benchmarks": {"refresh": {"kept": False}}}


def test_a_benchmark_that_there_is_not_is_refused_with_those_that_there_are(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["bench", "--only", "speed"]) == 2
    assert "first_paint" in capfd.readouterr().err
