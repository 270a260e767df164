"""What is to be expected of everybody by night, and of some at once after a fact; both by the same stored fit.

By night the purchase days come from the mirror in columns, one customer's from PostgreSQL by the same definitions; the
same closed form answers, and the same writer takes the rows: an older one, by day or by snapshot, changes nothing.
"""

import datetime as dt
import io
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import duckdb
import numpy as np
from django.db import connection, transaction

from changke.engine.definitions import Scope
from changke.engine.engines import postgres as on_postgres
from changke.engine.prediction.days import Days
from changke.engine.prediction.known import Known
from changke.engine.prediction.margins import Margins
from changke.engine.prediction.scores import COLUMNS, UNKNOWN, Columns, in_parts, predictions, purchase_days
from changke.engine.prediction.stores import NOWHERE
from changke.foundation.database import rows_seen
from changke.foundation.organisation.queries import the_chain
from changke.profiles.attributes.catalogue import COMPOSER
from changke.profiles.attributes.queries import days_at
from changke.profiles.value.models import Prediction, ValueFit, ValueRules
from changke.profiles.value.queries import current_fit, fitted, value_rules
from changke.profiles.value.services.kept import known_of_everybody
from changke.profiles.value.services.learn import fit_for
from changke.profiles.value.services.marks import begin_everybody, end_everybody

SLICE = 5_000
"""Rows of one transaction by night: some 0.2 s, so that no cursor waits a second for it."""

NO_MARGIN = str(UNKNOWN)

BOUGHT, BEFORE, HOMES = "days_bought", "days_before", "person"

ROW = (*COLUMNS, "fit_id", "as_of", "snapshot", "horizon_days")

PREPARE = """
CREATE TEMPORARY TABLE IF NOT EXISTS predicted (LIKE profiles_prediction) ON COMMIT DELETE ROWS;
DELETE FROM predicted
"""
_SAME = tuple(name for name in ROW if name not in ("customer_id", "snapshot"))
MERGE = f"""
INSERT INTO profiles_prediction ({", ".join(ROW)})
SELECT {", ".join(ROW)} FROM predicted ORDER BY customer_id
ON CONFLICT (customer_id) DO UPDATE SET {", ".join(f"{name} = EXCLUDED.{name}" for name in ROW[1:])}
WHERE profiles_prediction.snapshot <= EXCLUDED.snapshot AND profiles_prediction.as_of <= EXCLUDED.as_of
  AND ({", ".join(f"profiles_prediction.{name}" for name in _SAME)})
      IS DISTINCT FROM ({", ".join(f"EXCLUDED.{name}" for name in _SAME)})
"""  # noqa: S608 -- names of our own
COPY = f"COPY predicted ({', '.join(ROW)}) FROM STDIN (FORMAT csv)"


@dataclass(frozen=True)
class Predicted:
    """What a run did. `seconds` names its parts."""

    customers: int
    written: int
    fit: ValueFit | None
    is_new_fit: bool = False
    seconds: Mapping[str, float] = field(default_factory=dict)


def predict_everybody(
    duck: duckdb.DuckDBPyConnection, *, snapshot: int, now: dt.datetime, anew: bool = False
) -> Predicted:
    """Predict everybody who ever bought, over an open mirror that knows every transaction below `snapshot`: up to there
    facts count as followed afterwards."""
    clock = _Clock()
    today, rules, before = days_at(now, the_chain()).chain, value_rules(), current_fit()
    read = ReadDays(duck, today)
    known = known_of_everybody(duck, read.known, today=today)
    clock.part("purchase days")
    fit = fit_for(known.purchase_days, read.days, today=today, now=now, anew=anew)
    clock.part("fit")
    found = _predicted(fit, known, rules, today)
    clock.part("predict")
    written = keep_everybody(found, fit, as_of=today, snapshot=snapshot)
    clock.part("write")
    return Predicted(
        len(found["customer_id"]), written, fit, is_new_fit=before is None or before.pk != fit.pk, seconds=clock.parts
    )


def keep_everybody(found: Columns, fit: ValueFit, *, as_of: dt.date, snapshot: int) -> int:
    """Take everybody's rows over and forget whoever is not among them; how many were new or had changed.

    They know every transaction below `snapshot`."""
    _count_anew()
    begin_everybody()
    written = 0
    for begin in range(0, len(found["customer_id"]), SLICE):
        some = {name: column[begin : begin + SLICE] for name, column in found.items()}
        with transaction.atomic():
            written += _write(some, fit, as_of=as_of, snapshot=snapshot)
    _drop_others(found["customer_id"], snapshot)
    # A row of a later day stays, though it may know fewer facts: whoever follows looks at them again.
    end_everybody(None if Prediction.objects.filter(as_of__gt=as_of).exists() else snapshot)
    return written


def predict_customers(customer_ids: Sequence[int], *, now: dt.datetime) -> int:
    """Predict some by the stored fit, from what PostgreSQL knows of them; how many. Nothing before the first fit."""
    fit = current_fit()
    if fit is None or not customer_ids:
        return 0
    today, rules = days_at(now, the_chain()).chain, value_rules()
    ids = sorted(set(customer_ids))
    with transaction.atomic():
        with connection.cursor() as sql:
            sql.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
            snapshot = int(sql.fetchone()[0])
        found = _predicted(fit, Known.of(*days_of(ids, today=today)), rules, today)
        _write(found, fit, as_of=today, snapshot=snapshot)
        gone = set(ids) - set(found["customer_id"].tolist())
        if gone:
            Prediction.objects.filter(pk__in=gone, snapshot__lte=snapshot).delete()
    return len(found["customer_id"])


def _predicted(fit: ValueFit, known: Known, rules: ValueRules, today: dt.date) -> dict[str, Any]:
    said = partial(
        predictions,
        fitted(fit).on(today),
        margins=Margins.from_json(fit.margins),
        margin_percent=rules.margin_percent,
        discount_percent=rules.discount_percent,
        worth_years=rules.worth_years,
    )
    return in_parts(said, known)


class ReadDays:
    """Purchase days of all that an open mirror shows."""

    def __init__(self, duck: duckdb.DuckDBPyConnection, today: dt.date) -> None:
        self._duck, self._today = duck, today

    def known(self) -> Known:
        return Known.of(*self.days())

    def days(self) -> tuple[Days, Columns]:
        statements = (COMPOSER.rows(name, engine="duckdb") for name in (BOUGHT, BEFORE, HOMES))
        bought, before, homes = (
            self._duck.execute(one.sql, one.bind({"today": self._today})).fetchnumpy() for one in statements
        )
        return purchase_days(bought, before, homes, today=self._today), bought


def days_of(customer_ids: Sequence[int], *, today: dt.date) -> tuple[Days, Mapping[str, Any]]:
    """The purchase days of some, and their rows, over PostgreSQL by the same definitions."""
    scope = Scope(customer_ids[0] if len(customer_ids) == 1 else list(customer_ids))
    bought, before, homes = (_asked(name, scope, today) for name in (BOUGHT, BEFORE, HOMES))
    return purchase_days(bought, before, homes, today=today), bought


DTYPES = {"business_date": "datetime64[D]", "until_on": "datetime64[D]"}


def _asked(name: str, scope: Scope, today: dt.date) -> dict[str, Any]:
    statement = COMPOSER.rows(name, engine="postgres", scope=scope)
    connection.ensure_connection()
    with rows_seen.aloud():
        rows = on_postgres.run(connection.connection, statement, {"today": today, **scope.values})
    columns = zip(*rows, strict=True) if rows else [()] * len(statement.columns)
    return {
        column: np.array([NOWHERE if one is None else one for one in values], DTYPES.get(column, "int64"))
        for column, values in zip(statement.columns, columns, strict=True)
    }


def _write(found: Mapping[str, Any], fit: ValueFit, *, as_of: dt.date, snapshot: int) -> int:
    """Take rows over; returns how many were new or had changed. In the caller's transaction."""
    if not len(found["customer_id"]):
        return 0
    rest = f",{fit.pk},{as_of:%Y-%m-%d},{snapshot},{fit.horizon_days}\n"
    lines = io.StringIO()
    for row in zip(*(found[name].tolist() for name in COLUMNS), strict=True):
        *numbers, margin_bp = map(str, row)
        lines.write(",".join([*numbers, "" if margin_bp == NO_MARGIN else margin_bp]) + rest)
    with connection.cursor() as sql:
        sql.execute(PREPARE)
        with sql.copy(COPY) as copy:
            copy.write(lines.getvalue().encode())
        sql.execute(MERGE)
        return int(sql.rowcount)


def _count_anew() -> None:
    """After a restore transaction ids are smaller than those that rows remember: nothing would ever be newer."""
    with connection.cursor() as sql:
        sql.execute(
            "UPDATE profiles_prediction SET snapshot = 0"
            " WHERE snapshot > pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
        )


def _drop_others(known: Any, snapshot: int) -> None:
    """Forget whoever has no purchase day any more, or is read as somebody else."""
    kept = np.fromiter(
        Prediction.objects.filter(snapshot__lte=snapshot).values_list("pk", flat=True).iterator(chunk_size=50_000),
        dtype=np.int64,
    )
    gone = np.setdiff1d(kept, known).tolist()
    while some := gone[:SLICE]:
        gone = gone[SLICE:]
        Prediction.objects.filter(pk__in=some, snapshot__lte=snapshot).delete()


class _Clock:
    def __init__(self) -> None:
        self.parts: dict[str, float] = {}
        self._since = time.perf_counter()

    def part(self, name: str) -> None:
        now = time.perf_counter()
        self.parts[name], self._since = round(now - self._since, 3), now
