"""The charts: how many stood where at the end of each month, who went whereto, and what they brought in it. Recomputed
from facts."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import duckdb
from django.db import transaction
from django.db.models import Sum

from changke.engine.definitions import Cases, Registry
from changke.foundation.cursors import Cursor, Window, close_window
from changke.foundation.organisation.queries import the_chain
from changke.foundation.periods import month_ends
from changke.profiles.attributes.catalogue import REGISTRY
from changke.profiles.attributes.queries import days_at, settings_of, values_for
from changke.profiles.attributes.services.everybody import compute_everybody, shared_tables
from changke.profiles.attributes.services.lasting import kept_up
from changke.profiles.attributes.services.populations import compute_populations, forget_month_end
from changke.profiles.lifecycle.models import SeriesFill, StageCount, StageFlow, StageProfit, StoreMonth
from changke.profiles.lifecycle.queries import composer_for, models_in_use
from changke.profiles.lifecycle.rules import LifecycleModel
from changke.profiles.lifecycle.services.changes import oldest_day
from changke.profiles.lifecycle.services.stores import count_stores
from changke.profiles.lifecycle.services.today import one_at_a_time
from changke.profiles.value.profit import SUMMED, moved

MONTHS = 36
"""How far back the charts reach: three years, so that every season is seen three times."""

CURSOR = "profiles.series"

Progress = Callable[[str, int, int], None]
"""Told now and then: what is being done, how much of it, out of how much (0: unknown)."""


def silent(step: str, done: int, total: int) -> None:
    """The progress of nobody watching."""


def fill_series(
    duck: duckdb.DuckDBPyConnection,
    *,
    snapshot: int,
    now: dt.datetime,
    months: int = MONTHS,
    at_most: int | None = None,
    progress: Progress = silent,
) -> int:
    """Compute the days of the charts that are missing or outdated, today always. Returns how many were computed.

    Parameters
    ----------
    snapshot
        What the mirror knows: every transaction below it.
    at_most
        Month ends computed by this call, the newest first; None for all.
    """
    chain = the_chain()
    today = days_at(now, chain).chain
    models = models_in_use()
    rules = {model.key: model.version for model in models}
    days = chart_days(first_day(duck), today, months)
    if not days:
        return 0
    _forget(days, today)
    _outdate(snapshot)
    filled = {fill.day: fill for fill in SeriesFill.objects.all()}
    before = dict(zip(days[1:], days, strict=False))

    def is_good(day: dt.date) -> bool:
        fill = filled.get(day)
        return bool(fill and fill.snapshot and fill.rules == rules and fill.before == before.get(day))

    missing = [day for day in reversed(days[:-1]) if not is_good(day)]
    # After what is missing: whoever moves to another store every day must not keep old months from being filled.
    wanted = [*missing, *_miscounted(duck, models[0], [day for day in reversed(days[:-1]) if is_good(day)])]
    wanted = [today, *(wanted if at_most is None else wanted[:at_most])]
    work = _Work(duck, models, settings_of(chain), snapshot, now)
    for place, day in enumerate(wanted):
        progress("charts", place, len(wanted))
        work.keep_only({day, before.get(day)})
        table = work.table(day, is_month_end=day != today)
        earlier = before.get(day)
        flows_from = work.table(earlier, is_month_end=True) if earlier else None
        counts, flows = work.counts(table, day), work.flows(flows_from, table, day) if flows_from else []
        profits = work.profits(table, day, since=earlier)
        stores = count_stores(duck, day, is_whole=day != today)
        with transaction.atomic():
            one_at_a_time()
            StageCount.objects.filter(day=day).delete()
            StageFlow.objects.filter(day=day).delete()
            StageProfit.objects.filter(day=day).delete()
            StageCount.objects.bulk_create(counts)
            StageProfit.objects.bulk_create(profits)
            StoreMonth.objects.filter(day=day).delete()
            StoreMonth.objects.bulk_create(stores)
            StageFlow.objects.bulk_create(flows)
            SeriesFill.objects.update_or_create(
                day=day, defaults={"snapshot": snapshot, "rules": rules, "before": earlier, "filled_at": now}
            )
    work.keep_only(set())
    progress("charts", len(wanted), len(wanted))
    return len(wanted)


def flowed(stage: str, earlier: str, later: str) -> str:
    """By home store, how many went from which stage to which; of two tables of everybody, as `stages_on` makes them."""
    return (
        f"SELECT later.home_store_id, COALESCE(earlier.{stage}, '') AS was, later.{stage},"  # noqa: S608 -- our words
        f" COUNT(*), SUM(later.value_at_risk)::BIGINT FROM {later} AS later"
        f" LEFT JOIN {earlier} AS earlier ON earlier.customer_id = later.customer_id"
        f" GROUP BY later.home_store_id, COALESCE(earlier.{stage}, ''), later.{stage}"
    )


def chart_days(first: dt.date | None, today: dt.date, months: int) -> list[dt.date]:
    """The month ends since the first fact, `months` of them at most, and today; in order."""
    return [day for day in month_ends(today, months + 1) if day == today or (first and day >= first)]


def stages_on(
    duck: duckdb.DuckDBPyConnection,
    day: dt.date,
    cases: Mapping[str, Cases],
    *,
    settings: Mapping[str, int],
    snapshot: int,
    now: dt.datetime,
    keep: bool = False,
    is_today: bool = False,
    registry: Registry = REGISTRY,
) -> str:
    """Everybody's home store, value at risk and cases as of the end of a day, as a temporary table; its name.

    `keep`: the day's population values stay, as those of a month end. Otherwise they are gone with this call.
    `is_today`: what the night keeps speaks of this day already.
    """
    tables = kept_up if is_today else shared_tables
    with tables(duck, settings=settings, today=day, registry=registry) as composer:
        version = compute_populations(
            duck, composer, settings=settings, today=day, snapshot=snapshot, now=now, nightly=False
        )
        values = values_for(settings, today=day, version=version.pk)
        table = f"stages_{day:%Y%m%d}"
        compute_everybody(duck, composer, table, ["home_store_id", "value_at_risk"], cases, values)
    if not keep:  # the night has values of its own for today
        version.delete()
    return table


class _Work:
    """The stages of everybody as of some days, each computed once, as temporary tables of DuckDB."""

    def __init__(
        self,
        duck: duckdb.DuckDBPyConnection,
        models: Sequence[LifecycleModel],
        settings: dict[str, int],
        snapshot: int,
        now: dt.datetime,
    ) -> None:
        self.duck, self.models, self.settings, self.snapshot, self.now = duck, models, settings, snapshot, now
        self.tables: dict[dt.date, str] = {}

    def table(self, day: dt.date, *, is_month_end: bool) -> str:
        if day not in self.tables:
            if is_month_end:
                forget_month_end(day)
            cases = {model.column: model.cases for model in self.models}
            self.tables[day] = stages_on(
                self.duck,
                day,
                cases,
                settings=self.settings,
                snapshot=self.snapshot,
                now=self.now,
                registry=composer_for(self.models).registry,
                keep=is_month_end,
                is_today=not is_month_end,
            )
        return self.tables[day]

    def keep_only(self, days: Iterable[dt.date | None]) -> None:
        for day in set(self.tables) - set(days):
            self.duck.execute(f"DROP TABLE {self.tables.pop(day)}")

    def counts(self, table: str, day: dt.date) -> list[StageCount]:
        return [
            StageCount(day=day, model=model.key, store_id=store, stage=stage, customers=people, value_minor=value)
            for model in self.models
            for store, stage, people, value in self._rows(
                f"SELECT home_store_id, {model.column}, COUNT(*), SUM(value_at_risk)::BIGINT FROM {table} GROUP BY ALL"  # noqa: S608
            )
        ]

    def flows(self, earlier: str, later: str, day: dt.date) -> list[StageFlow]:
        return [
            StageFlow(
                day=day,
                model=model.key,
                store_id=store,
                from_stage=was,
                to_stage=is_now,
                customers=people,
                value_minor=value,
            )
            for model in self.models
            for store, was, is_now, people, value in self._rows(flowed(model.column, earlier, later))
        ]

    def profits(self, table: str, day: dt.date, *, since: dt.date | None) -> list[StageProfit]:
        """What those who stand in a stage on the day brought after `since`; on the first day, in its month."""
        after = since or day.replace(day=1) - dt.timedelta(days=1)
        self.duck.execute(
            f"CREATE OR REPLACE TEMP TABLE brought AS SELECT customer_id, {SUMMED} FROM ({moved()}) AS moved"  # noqa: S608
            " WHERE business_date > $1 AND business_date <= $2 GROUP BY customer_id",
            [after, day],
        )
        found = [
            StageProfit(
                day=day, model=model.key, store_id=store, stage=stage,
                margin_minor=margin, revenue_minor=revenue, known_minor=known,
            )
            for model in self.models
            for store, stage, margin, revenue, known in self._rows(
                f"SELECT here.home_store_id, here.{model.column}, SUM(margin_minor)::BIGINT,"  # noqa: S608
                " SUM(revenue_minor)::BIGINT, SUM(known_minor)::BIGINT"
                f" FROM {table} AS here JOIN brought ON brought.customer_id = here.customer_id GROUP BY ALL"
            )
        ]  # fmt: skip
        self.duck.execute("DROP TABLE brought")
        return found

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.duck.execute(query).fetchall()


def first_day(duck: duckdb.DuckDBPyConnection) -> dt.date | None:
    found = duck.execute("SELECT MIN(known_on) FROM live.customers").fetchone()
    return found[0] if found else None


def _forget(days: Sequence[dt.date], today: dt.date) -> None:
    """Yesterday's today is no day of the charts, unless a month ended with it."""
    with transaction.atomic():
        for model in (StageCount, StageFlow, StageProfit, StoreMonth, SeriesFill):
            model._default_manager.exclude(day__in=days).delete()


def _miscounted(duck: duckdb.DuckDBPyConnection, model: LifecycleModel, days: Sequence[dt.date]) -> list[dt.date]:
    """The days on which another number of people belonged to a store than the charts say: somebody moved, was written
    down with a day of the past, or went with a batch that was undone. No fact of hers tells that."""
    stored: dict[dt.date, dict[int | None, int]] = {day: {} for day in days}
    rows = StageCount.objects.filter(model=model.key, day__in=days).values("day", "store_id")
    for day, store, people in rows.annotate(people=Sum("customers")).values_list("day", "store_id", "people"):
        stored[day][store] = people
    living = "SELECT home_store_id, COUNT(*) FROM live.customers WHERE known_on <= $1 GROUP BY home_store_id"
    return [day for day in days if stored[day] != dict(duck.execute(living, [day]).fetchall())]


def _outdate(snapshot: int) -> None:
    """What a fact of the past has touched since the last filling has to be computed again."""
    position = Cursor.objects.filter(name=CURSOR).first()
    window = Window(position.read_below if position else 0, snapshot)
    with transaction.atomic():
        if position and (oldest := oldest_day(window)):
            SeriesFill.objects.filter(day__gte=oldest).update(snapshot=0)
        close_window(CURSOR, window)
