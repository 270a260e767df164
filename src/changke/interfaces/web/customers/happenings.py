"""One thing that happened to a customer as her timeline tells it, whose timeline is asked for, and from where on."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from changke.foundation.organisation.scope import Scope
from changke.foundation.periods import start_of_day

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Happening:
    """One thing that happened, in words. `title`, `text` and `who` are translated; `photo` is an address."""

    kind: str
    at: dt.datetime
    on: dt.date
    title: str
    text: str = ""
    who: str = ""
    tone: str = ""
    icon: str = "event"
    photo: str = ""
    label: str = ""
    sorting: tuple[int, int, int] = field(default=(0, 0, 0), compare=False)

    @property
    def position(self) -> str:
        return f"{self.at.isoformat()}~{self.sorting[1]}~{self.sorting[2]}"


@dataclass(frozen=True)
class Position:
    """Behind which thing a page begins."""

    at: dt.datetime
    source: int
    pk: int


@dataclass(frozen=True)
class Asked:
    """Whose timeline, of which kinds, up to which day; stages as one model sees them. `scope`: whom the reader sees, of
    those who stand in it beside her."""

    customer_id: int
    kind: str
    model: str
    stage_words: dict[str, str]
    time_zone: str
    scope: Scope
    as_of: dt.date | None = None
    position: Position | None = None
    family: tuple[int, ...] = ()
    """All her records, where they are several."""
    role: str = ""
    """The reader's: which of the chain's own scores she sees; "" is all."""

    referrals: bool = True
    """Whether any referral speaks of her (`spoken_of`); of most customers none does, and nothing is looked up."""

    @property
    def records(self) -> tuple[int, ...]:
        return self.family or (self.customer_id,)


def read_position(text: str) -> Position | None:
    """Addresses may be typed by hand: what is no position is none."""
    parts = text.split("~")
    try:
        at, source, pk = dt.datetime.fromisoformat(parts[0]), int(parts[1]), int(parts[2])
    except (ValueError, IndexError):
        return None
    return Position(at, source, pk) if at.tzinfo else None


def sorting(at: dt.datetime, number: int, pk: int) -> tuple[int, int, int]:
    """Newest first; microseconds as a whole number, which a float would round."""
    return (EPOCH - at) // dt.timedelta(microseconds=1), number, pk


def behind(rows: Any, asked: Asked, number: int, moment: str, size: int, *, key: str = "pk") -> list[Any]:
    """Rows of one table behind the position, newest first. A receipt and its visit may tie, so the order is total."""
    return list(narrowed(rows, asked, number, moment, key=key).order_by(f"-{moment}", key)[:size])


def narrowed(rows: Any, asked: Asked, number: int, moment: str, *, key: str = "pk") -> Any:
    """Those of the rows that lie behind the position and before the end of the day that is looked at."""
    if position := asked.position:
        later = Q(**{f"{moment}__lt": position.at})
        if number > position.source:
            later |= Q(**{moment: position.at})
        elif number == position.source:
            later |= Q(**{moment: position.at, f"{key}__gt": position.pk})
        rows = rows.filter(later)
    if asked.as_of:
        end = start_of_day(asked.as_of + dt.timedelta(days=1), asked.time_zone)
        rows = rows.filter(**{f"{moment}__lt": end})
    return rows
