"""Progress is shown for what takes longer than two seconds, and never gets in the way of data."""

import io

import pytest

from changke.interfaces.progress import Progress, watched


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
