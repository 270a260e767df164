"""The one door to the mirror: refreshes of several processes wait for each other instead of failing.

DuckDB lets one process open a file for writing. The worker refreshes by schedule, a person by command; whoever comes
second waits here and then finds little left to do.
"""

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from changke.engine.engines import spark as on_spark
from changke.engine.engines.spark_scores import CannotScore
from changke.facts.customers.services import advising
from changke.foundation.audit.rules import By
from changke.foundation.database.connections import conninfo
from changke.foundation.errors import DomainError
from changke.foundation.organisation.queries import NoChainYet, the_chain
from changke.foundation.periods import business_date
from changke.interfaces.publish import Published, publish
from changke.profiles.affinity.services import follow as tagging
from changke.profiles.affinity.services.propose import propose_to_everybody
from changke.profiles.affinity.services.together import count_together
from changke.profiles.attributes.queries import days_at, last_bulk_run
from changke.profiles.lifecycle.models import StageReplay
from changke.profiles.lifecycle.services import (
    Comparison,
    PastDay,
    Refreshed,
    compare,
    fold,
    hand_out,
    recount,
    refresh_all,
    take_back,
    take_scores,
    too_many,
)
from changke.profiles.lifecycle.services import answer_past as answer_replay
from changke.profiles.lifecycle.services import replay as replay_rules
from changke.profiles.lifecycle.services.mirror import alone, mirror_file, open_mirror
from changke.profiles.lifecycle.services.series import Progress, silent
from changke.profiles.risk.models import BackTest
from changke.profiles.risk.queries import any_open, card_is_due, looks_at_lines, purchase_days, rule_in_use
from changke.profiles.risk.services import backtests
from changke.profiles.risk.services import warn as warnings
from changke.profiles.risk.services.causes import find_causes
from changke.profiles.risk.services.line_days import read_line_days
from changke.profiles.risk.services.lines import warn_of_lines
from changke.profiles.risk.services.seen import Expected
from changke.profiles.segments import copies
from changke.profiles.segments.services import members
from changke.profiles.value.queries import current_fit, fitted
from changke.profiles.value.services import follow as valuing
from changke.profiles.value.services.kept import known_of_everybody
from changke.profiles.value.services.lines import count_lines
from changke.profiles.value.services.predict import Predicted, ReadDays, predict_everybody

EXPECT = "what to expect"
EXPECT_HERE = "what to expect, by this machine: Spark said nothing of it, or by a fit or numbers that hold no more"


class SparkNotInstalled(DomainError):
    code, status = "spark_not_installed", 409
    message = "Spark cannot run here: %(missing)s is missing. Install it: %(remedy)s"


class SparkCannotScore(DomainError):
    code, status = "spark_cannot_score", 409
    message = "%(problem)s"


def refresh(*, now: datetime, progress: Progress = silent) -> Refreshed:
    """Compute everybody and what to propose to them, after whoever is at it already."""
    with _alone(progress):
        done = refresh_all(now=now, progress=progress)
        progress(EXPECT, 0, done.customers)
        _predict(now=now, anew=False)
        _what_follows(done, now=now, progress=progress)
    copies.copy_columns()
    members.refresh_everybody(now=now)
    _at_last(done, progress=progress)
    return done


def learn(*, now: datetime, progress: Progress = silent) -> Predicted:
    """Learn anew what is to be expected, and predict everybody by it, after whoever is at the mirror already."""
    with _alone(progress):
        progress("copying facts", 0, 1)
        with open_mirror(mirror_file()) as (_, copy):
            copy.sync(conninfo("reader"))
        progress(EXPECT, 0, 0)
        done = _predict(now=now, anew=True)
    copies.copy_columns()  # lists are put in the order of what is expected from there
    return done


def publish_to(target: Path, *, by: By, now: datetime, progress: Progress = silent) -> Published:
    """Write the analysts' file, after whoever is at the mirror already."""
    with _alone(progress), open_mirror(mirror_file()) as (duck, copy):
        progress("copying facts", 0, 1)
        copy.sync(conninfo("reader"))
        return publish(duck, target, by=by, now=now, progress=lambda table: progress(table, 0, 0))


def _what_follows(done: Refreshed, *, now: datetime, progress: Progress) -> None:
    """What is learned of everybody once their profiles and scores are written, whoever computed them."""
    progress("what to propose", 0, done.customers)
    propose_to_everybody(today=done.as_of, now=now)
    progress("who may be leaving", 0, done.customers)
    _warn(done.as_of, now)


def _at_last(done: Refreshed, *, progress: Progress) -> None:
    """What nothing else waits for: if it fails, the day's work is done all the same."""
    progress("product lines", 0, done.customers)
    count_lines(today=done.as_of)
    progress("what goes together", 0, done.customers)
    count_together(today=done.as_of)


def _predict(*, now: datetime, anew: bool) -> Predicted:
    with open_mirror(mirror_file()) as (duck, copy):
        return predict_everybody(duck, snapshot=copy.read_below or 0, now=now, anew=anew)


def refresh_on_spark(
    *,
    now: datetime,
    master: str | None,
    memory: str,
    folder: Path | None = None,
    with_scores: bool = True,
    progress: Progress = silent,
) -> Refreshed:
    """The same, computed by Spark: facts go out as Parquet, its answers come back.

    Parameters
    ----------
    folder
        Where they lie, seen by the cluster under the same name, and kept; unless given a temporary one of this machine.
    with_scores
        Whether Spark says what to expect too; else it is said here.

    Raises
    ------
    SparkNotInstalled
        Before anything is written.
    SparkCannotScore
        Before anything is computed.
    """
    require_spark()
    with tempfile.TemporaryDirectory(dir=mirror_file().parent, prefix="spark-") as temporary:
        lies = (folder or Path(temporary) / "run").absolute()
        export_to(lies, now=now, progress=progress)
        progress("Spark", 0, 0)
        try:
            on_spark.compute_folder(str(lies), master=master, memory=memory, with_scores=with_scores)
        except CannotScore as problem:
            raise SparkCannotScore(problem=problem) from None
        return load_from(lies, now=now, progress=progress)


def export_to(folder: Path, *, now: datetime, progress: Progress = silent) -> None:
    """Facts and what to compute of them into a folder, for Spark on another machine."""
    with _alone(progress):
        hand_out(folder.absolute(), now=now, progress=progress)


def load_from(folder: Path, *, now: datetime, progress: Progress = silent) -> Refreshed:
    """Write what Spark computed in a folder, as if it had been computed here; and what follows from it."""
    with _alone(progress):
        done = take_back(folder.absolute(), now=now, progress=progress)
        progress(EXPECT, 0, done.customers)
        if take_scores(folder.absolute()) is None:
            progress(EXPECT_HERE, 0, done.customers)
            _predict(now=now, anew=False)
        _what_follows(done, now=now, progress=progress)
    copies.copy_columns()
    members.refresh_everybody(now=now)
    _at_last(done, progress=progress)
    return done


def require_spark() -> None:
    """Raises SparkNotInstalled."""
    try:
        on_spark.require()
    except on_spark.SparkMissing as missing:
        raise SparkNotInstalled(missing=missing.missing, remedy=missing.remedy) from None


def replay(
    definition: Mapping[str, Any],
    *,
    now: datetime,
    months: int = 0,
    days: Sequence[date] = (),
    progress: Progress = silent,
) -> list[PastDay]:
    """Ask other rules over past days, after whoever is at the mirror already."""
    with _alone(progress):
        return replay_rules(definition, now=now, months=months, days=days, progress=progress)


def answer_past(asked: StageReplay, *, now: datetime) -> StageReplay:
    """Answer a question about the past that was written down, after whoever is at the mirror already."""
    with _alone(silent):
        return answer_replay(asked, now=now)


def compare_paths(*, now: datetime, sample: int) -> Comparison:
    """Hold stored, incremental and bulk results against each other."""
    with _alone(silent):
        return compare(now=now, sample=sample)


def backtest(backtest_id: int, *, now: datetime, progress: Progress = silent) -> BackTest:
    """Answer a back-test over everybody's past, after whoever is at the mirror already; the past is read, then let go
    of, so that a long answer keeps nobody waiting."""
    yesterday = business_date(now, the_chain().time_zone) - timedelta(days=1)
    with _alone(progress):
        days = _purchase_days(yesterday)
    return backtests.run(backtest_id, days, now=now)


def _purchase_days(until: date) -> dict[str, Any]:
    """Customers and days as columns, the mirror brought up to date first."""
    with open_mirror(mirror_file()) as (duck, copy):
        copy.sync(conninfo("reader"))
        return duck.sql(purchase_days(until)).fetchnumpy()


def _warn(today: date, now: datetime) -> None:
    """Everybody's purchase days are read only where somebody is or could be warned of."""
    if rule_in_use() is None and not any_open():
        return
    with open_mirror(mirror_file()) as (duck, _):
        days = duck.sql(purchase_days(today)).fetchnumpy()
        expected = _expected(duck, today)
        of_lines = read_line_days(duck, today) if looks_at_lines() else None
    lost = the_chain().lost_after_days
    warnings.warn(days, today=today, lost_after_days=lost, now=now, expected=expected)
    if of_lines is not None:
        warn_of_lines(of_lines, days, today=today, now=now)
    find_causes(today=today)


def _expected(duck: DuckDBPyConnection, today: date) -> Expected | None:
    """What predictions are made by, for warnings that say the same; None before the first fit."""
    fit = current_fit()
    if fit is None:
        return None
    read = ReadDays(duck, today)
    past = read.days()[0] if rule_in_use() and card_is_due(today) else None
    return Expected(fitted(fit).on(today), known_of_everybody(duck, read.known, today=today).summary, past)


def is_due(now: datetime) -> bool:
    """Whether a midnight has passed in the chain or in a store since everybody was computed (or nobody ever was)."""
    try:
        chain = the_chain()
    except NoChainYet:
        return False
    last = last_bulk_run()
    return last is None or days_at(last.finished_at, chain) != days_at(now, chain)


def follow(now: datetime) -> bool:
    """One turn of following the facts; whether another one is worth while at once."""
    try:
        the_chain()
    except NoChainYet:
        return False
    done = fold(now, many=too_many())
    if done.wants_bulk:
        refresh(now=now)
    advising.follow(now)
    tagging.follow(now)
    valuing.follow(now)
    warnings.follow(now)
    members.follow(now)
    recount(now)
    return done.wants_bulk or done.customers > 0


def _alone(progress: Progress) -> AbstractContextManager[None]:
    return alone(mirror_file(), lambda: progress("waiting for another refresh", 0, 0))
