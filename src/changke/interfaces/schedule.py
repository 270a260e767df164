"""All recurrent work on one page: which job, when, why.

Times are UTC. Ticks that were missed while the worker was off are made up for, all at once; a queueing lock leaves one
of them. A job must not mind being late and must not mind running twice.
"""

from dataclasses import dataclass
from typing import Any

from procrastinate.contrib.django import app

from changke.interfaces import jobs


@dataclass(frozen=True)
class Recurring:
    """A job, its cron line, and the reason somebody will want to read before changing either."""

    job: Any
    cron: str
    why: str


SCHEDULE = [
    # Every ten minutes because the chain's midnight is a setting, and because a shop's machine sleeps at night.
    Recurring(jobs.refresh_if_due, "*/10 * * * *", "stages move with time alone: yesterday's are wrong this morning"),
    Recurring(
        jobs.renew_columns, "*/5 * * * *", "counting a segment asks PostgreSQL about everybody with a newer fact"
    ),
    Recurring(
        jobs.sample_spells, "15 20 * * *", "how long customers stay in a stage is their past, recomputed one by one"
    ),
    Recurring(jobs.retry_stalled, "* * * * *", "a killed worker's job must not wait for a person"),
    Recurring(jobs.settle_returns, "* * * * *", "a purchase that came by a file frees the returns that wait for it"),
    Recurring(jobs.forget_letters, "55 18 * * *", "letters of web shops hold names and phones"),
    Recurring(jobs.forget_exports, "*/10 * * * *", "a file that left the house is kept for a day and no longer"),
    Recurring(jobs.forget_answers, "50 18 * * *", "kept answers hold customers' data; they are needed for a week"),
    Recurring(jobs.verify_audit, "10 19 * * *", "who rewrites the past must be found within a day, and named"),
    Recurring(jobs.forget_attempts, "30 18 * * *", "who guesses names leaves a row for each; they delay for a day"),
    Recurring(jobs.take_stale_tags_off, "20 18 * * *", "a tag nobody confirmed in its time is no knowledge any more"),
    Recurring(jobs.find_duplicates, "35 18 * * *", "who was written down twice today is one person tomorrow morning"),
    Recurring(jobs.forget_finished, "40 18 * * *", "the table of jobs is read at every fetch; keep it small"),
    Recurring(jobs.forget_drafts, "50 18 * * *", "uploaded files of an import nobody finished hold names and phones"),
    Recurring(jobs.forget_results, "52 18 * * *", "files of refused rows and of bulk changes hold names and phones"),
    Recurring(jobs.take_clear_texts_out, "15 19 * * *", "former versions kept samples of files and searched names"),
]

for recurring in SCHEDULE:
    app.periodic(cron=recurring.cron)(recurring.job)
