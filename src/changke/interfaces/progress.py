"""A progress line for whatever takes longer than two seconds; nothing for whatever does not.

On a terminal one line on stderr is redrawn; elsewhere (a log, a pipe) a plain line every ten seconds, so that stdout
stays clean for data and a log stays readable.
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from types import TracebackType
from typing import Self, TextIO, TypeVar

T = TypeVar("T")

PATIENCE_SECONDS = 2.0
REDRAW_SECONDS = 0.1
LOG_SECONDS = 10.0
BAR_CELLS = 24


class Progress:
    """How far a long work is. Use as a context; call `advance` or `to` as often as you like, it is cheap.

    Without a `total` it counts and shows the time only.
    """

    def __init__(
        self,
        label: str,
        total: int | None = None,
        *,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.label, self.total, self.done = label, total, 0
        self._stream = stream or sys.stderr
        self._clock = clock
        self._began = clock()
        self._drawn_at = self._began
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            self._draw(last=True)

    def advance(self, count: int = 1) -> None:
        """`count` more are done."""
        self.to(self.done + count)

    def to(self, done: int, total: int | None = None) -> None:
        """`done` are done altogether; the total may become known late."""
        self.done = done
        self.total = self.total if total is None else total
        now = self._clock()
        pause = REDRAW_SECONDS if self._stream.isatty() else LOG_SECONDS
        if now - self._began >= PATIENCE_SECONDS and (not self._shown or now - self._drawn_at >= pause):
            self._draw()

    def text(self) -> str:
        """The line without its line ending."""
        seconds = self._clock() - self._began
        if not self.total:
            return f"{self.label}  {self.done:,}  {_clock_face(seconds)}"
        share = min(1.0, self.done / self.total)
        filled = round(share * BAR_CELLS)
        bar = "█" * filled + "░" * (BAR_CELLS - filled)
        left = f"  {_clock_face(seconds / share - seconds)} left" if 0 < share < 1 else f"  {_clock_face(seconds)}"
        return f"{self.label}  {bar}  {share:4.0%}  {self.done:,} of {self.total:,}{left}"

    def _draw(self, *, last: bool = False) -> None:
        self._shown, self._drawn_at = True, self._clock()
        if self._stream.isatty():
            self._stream.write(f"\r\x1b[2K{self.text()}" + ("\n" if last else ""))
        else:
            self._stream.write(self.text() + "\n")
        self._stream.flush()


class Steps:
    """Progress of a work that names its steps: call it with step, done and total; end it as a context."""

    def __init__(self, *, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._current: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._current:
            self._current.__exit__(None, None, None)

    def __call__(self, step: str, done: int, total: int) -> None:
        if self._current is None or self._current.label != step:
            self.__exit__(None, None, None)
            self._current = Progress(step, total, stream=self._stream, clock=self._clock)
        self._current.to(done, total)


def watched(label: str, things: Iterable[T], total: int | None = None) -> Iterator[T]:
    """The same things, with their progress shown while they are taken."""
    if total is None and isinstance(things, Sized):
        total = len(things)
    with Progress(label, total) as progress:
        for thing in things:
            yield thing
            progress.advance()


def _clock_face(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"
