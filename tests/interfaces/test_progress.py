"""Progress is shown for what takes longer than two seconds, and never gets in the way of data."""

import io
from pathlib import Path

import pytest
from django.core.management import call_command

from changke.interfaces import progress
from changke.interfaces.importers import reporting
from changke.interfaces.progress import Progress, Steps, watched
from tests.cast import Cast


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def work(stream: io.StringIO, clock: Clock, *, steps: int, seconds: float, total: int | None) -> str:
    with Progress("loading", total, stream=stream, clock=clock) as progress:
        for _ in range(steps):
            clock.seconds += seconds
            progress.advance()
    return stream.getvalue()


def test_what_is_quick_says_nothing(clock: Clock) -> None:
    assert work(Terminal(), clock, steps=10, seconds=0.1, total=10) == ""


def test_a_terminal_gets_one_line_that_is_redrawn_and_ended(clock: Clock) -> None:
    shown = work(Terminal(), clock, steps=10, seconds=1, total=10)
    assert shown.count("\n") == 1
    assert shown.endswith("\n")
    assert "100%  10 of 10" in shown.rpartition("\r")[2]


def test_a_log_gets_a_plain_line_every_ten_seconds(clock: Clock) -> None:
    lines = work(io.StringIO(), clock, steps=60, seconds=1, total=60).splitlines()
    assert len(lines) == 7
    assert not any("\r" in line or "\x1b" in line for line in lines)


def test_without_a_total_it_counts(clock: Clock) -> None:
    assert "loading  3,000  0:50" in count_to_3000(clock)


def count_to_3000(clock: Clock) -> str:
    stream = Terminal()
    with Progress("loading", stream=stream, clock=clock) as progress:
        clock.seconds = 50
        progress.to(3000)
    return stream.getvalue()


def test_the_time_left_follows_from_the_share_that_is_done(clock: Clock) -> None:
    progress = Progress("loading", 100, stream=Terminal(), clock=clock)
    clock.seconds = 30
    progress.to(25)
    assert progress.text() == "loading  ██████░░░░░░░░░░░░░░░░░░   25%  25 of 100  1:30 left"


def test_watched_things_come_through_unchanged() -> None:
    assert list(watched("reading", "abc")) == ["a", "b", "c"]


def test_each_step_of_a_work_has_a_line_of_its_own(clock: Clock) -> None:
    stream = Terminal()
    with Steps(stream=stream, clock=clock) as steps:
        for step in ("reading", "writing"):
            for done in range(11):
                clock.seconds += 1
                steps(step, done, 10)
    first, second, rest = stream.getvalue().split("\n")
    assert first.rpartition("\x1b[2K")[2].startswith("reading")
    assert "100%  10 of 10" in first
    assert "reading" not in second
    assert second.endswith("writing  ████████████████████████  100%  10 of 10  0:10"), "each counts its own time"
    assert rest == ""


def test_a_step_that_is_quick_leaves_no_line_between_long_ones(clock: Clock) -> None:
    stream = io.StringIO()
    with Steps(stream=stream, clock=clock) as steps:
        for step, seconds in (("reading", 3), ("understanding", 0.1), ("writing", 3)):
            for done in range(3):
                clock.seconds += seconds
                steps(step, done, 2)
    assert {line.split()[0] for line in stream.getvalue().splitlines()} == {"reading", "writing"}


def test_a_work_that_breaks_off_ends_its_line_where_it_stood(clock: Clock) -> None:
    stream = Terminal()

    def breaks_off() -> None:
        with Steps(stream=stream, clock=clock) as steps:
            steps("reading", 0, 10)
            clock.seconds = 5
            steps("reading", 4, 10)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        breaks_off()
    assert stream.getvalue().rpartition("\r")[2].endswith("40%  4 of 10  0:08 left\n")


def test_a_load_tells_how_far_it_is_beside_its_data(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 0)
    monkeypatch.setattr(reporting, "REPORT_SECONDS", 0)
    file = tmp_path / "sales.csv"
    file.write_text("门店,日期,金额\n" + "静安店,2026-03-01,100\n" * 50)
    call_command("load", str(file), "--as", "purchases", "--json")
    said = capsys.readouterr()
    told = dict.fromkeys(line.split()[0] for line in said.err.splitlines())
    assert list(told) == ["reading", "understanding", "writing", "batch"], "and its result"
    assert "writing" not in said.out
    assert said.out.splitlines()[-1].startswith('{"batch":')
