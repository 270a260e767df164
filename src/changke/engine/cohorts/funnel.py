"""How far customers come along ordered steps."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING

from changke.engine.days import Day, as_date
from changke.engine.engines.frames import quoted, reading
from changke.engine.experiments.moments import Moments
from changke.engine.experiments.rates import wilson
from changke.engine.later import Later
from changke.engine.refusals import Refusal

if TYPE_CHECKING:
    import duckdb
else:
    duckdb = Later("duckdb")


class NotAFunnel(Refusal):
    """Two steps or more, named; a window of one day or more, which needs an end of observation."""

    code = "not_a_funnel"


@dataclass(frozen=True)
class FunnelStep:
    """One step.

    Attributes
    ----------
    customers, before
        Who reached it, of those who reached the step before. For the first step the same.
    low, share, high
        customers / before with Wilson's bounds at 95 per cent.
    median_days
        From the step before, of the start that came furthest; None if nobody reached it, or for the first.
    """

    name: str
    customers: int
    before: int
    low: float
    share: float
    high: float
    median_days: float | None

    @property
    def lost(self) -> int:
        return self.before - self.customers


@dataclass(frozen=True)
class Funnel:
    """Steps in order; and customers left out because no window of theirs is over."""

    steps: tuple[FunnelStep, ...]
    unfinished: int


def funnel(
    events: object,
    *,
    steps: Sequence[str],
    within_days: int | None = None,
    observation_end: Day | None = None,
    customer_id: str = "customer_id",
    name: str = "name",
    at: str = "at",
) -> Funnel:
    """Count customers per step.

    Parameters
    ----------
    events
        One row per event: a Polars, pandas, Arrow or DuckDB frame, or the path of a Parquet file.
    steps
        Names of events in the order in which they have to happen. A name may return.
    within_days
        From the start to the last step; then `observation_end` says which windows are over.
    customer_id, name, at
        Names of the columns; `at` holds days or moments.

    Raises
    ------
    NotAFunnel, UnreadableFrame
    """
    wrong = within_days is not None and (
        not isinstance(within_days, Integral) or within_days < 1 or observation_end is None
    )
    if len(steps) < 2 or wrong:
        raise NotAFunnel(f"steps {list(steps)} within {within_days} days until {observation_end}")
    with reading(events, needs=(customer_id, name, at)) as database:
        until = dt.datetime.combine(as_date(observation_end), dt.time.max) if observation_end else None
        database.execute(
            f"""CREATE TABLE events AS SELECT {quoted(customer_id)} AS customer, {quoted(name)} AS name,
                CAST({quoted(at)} AS TIMESTAMP) AS moment FROM given
            WHERE {quoted(customer_id)} IS NOT NULL AND {quoted(at)} IS NOT NULL
              AND list_contains($steps, {quoted(name)})
              AND ($until IS NULL OR CAST({quoted(at)} AS TIMESTAMP) <= $until)""",  # noqa: S608 -- names, quoted
            {"steps": list(steps), "until": until},
        )
        unfinished = _starts(database, steps[0], within_days, until)
        for place in range(1, len(steps)):
            _follow(database, place, steps, within_days)
        return Funnel(_counted(database, steps), unfinished)


def _starts(
    database: "duckdb.DuckDBPyConnection", first: str, within_days: int | None, until: dt.datetime | None
) -> int:
    """The table of starts whose window is over; returns how many customers have none but began."""
    over = "true" if within_days is None else "moment + to_days($within) <= $until"
    values = {} if within_days is None else {"within": within_days, "until": until}
    database.execute(
        f"""CREATE TABLE starts AS SELECT DISTINCT customer, moment AS at_0, {over} AS is_over
            FROM events WHERE name = $first""",  # noqa: S608 -- constants
        {"first": first, **values},
    )
    query = "SELECT count(*) FROM (SELECT 1 FROM starts GROUP BY customer HAVING NOT bool_or(is_over))"
    return int(database.execute(query).fetchall()[0][0])


def _follow(database: "duckdb.DuckDBPyConnection", place: int, steps: Sequence[str], within_days: int | None) -> None:
    """Add to each start when it reached this step: the first such event from its reaching of the step before."""
    after = ">" if steps[place] in steps[:place] else ">="
    limit = "" if within_days is None else f"AND event.moment <= one.at_0 + to_days({int(within_days)})"
    database.execute(
        f"""CREATE OR REPLACE TABLE starts AS
        SELECT one.*, CASE WHEN event.moment IS NOT NULL {limit} THEN event.moment END AS at_{place}
        FROM (FROM starts WHERE is_over) AS one
        ASOF LEFT JOIN (SELECT customer, moment FROM events WHERE name = $name) AS event
          ON one.customer = event.customer AND event.moment {after} one.at_{place - 1}""",  # noqa: S608 -- numbers
        {"name": steps[place]},
    )


def _counted(database: "duckdb.DuckDBPyConnection", steps: Sequence[str]) -> tuple[FunnelStep, ...]:
    reached = " + ".join(f"(at_{place} IS NOT NULL)::INT" for place in range(len(steps)))
    waits = [f"median(date_diff('second', at_{place - 1}, at_{place}))" for place in range(1, len(steps))]
    counts = [f"count(at_{place})" for place in range(len(steps))]
    row = database.execute(
        f"""SELECT {", ".join([*counts, *waits])} FROM (
            FROM starts WHERE is_over
            QUALIFY row_number() OVER (PARTITION BY customer ORDER BY {reached} DESC, at_0) = 1)"""  # noqa: S608
    ).fetchall()[0]
    customers, seconds = row[: len(steps)], (None, *row[len(steps) :])
    found = []
    for place, step in enumerate(steps):
        before = customers[max(0, place - 1)]
        low, share, high = wilson(Moments.of_rate(before, customers[place])) if before else (0.0, 0.0, 1.0)
        days = None if seconds[place] is None else seconds[place] / 86_400
        found.append(FunnelStep(step, customers[place], before, low, share, high, days))
    return tuple(found)
