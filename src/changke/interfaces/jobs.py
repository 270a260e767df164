"""Background jobs. Thin: a job moves a batch or keeps the house; it holds no rule and serves no single customer."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from changke.interfaces import analytics
from changke.interfaces.api import services

STALLED_AFTER_SECONDS = 30  # workers say every 10 s that they live
KEEP_FINISHED = timedelta(days=7)


@app.task(name="refresh_if_due", queueing_lock="refresh_if_due", lock="refresh")
def refresh_if_due(timestamp: int) -> int:
    """Compute everybody once per day of the chain; how many there were."""
    now = datetime.now(UTC)
    return analytics.refresh(now=now).customers if analytics.is_due(now) else 0


@app.task(name="refresh_everybody", queueing_lock="refresh_everybody", lock="refresh")
def refresh_everybody() -> int:
    """Compute everybody again because a rule changed; how many there were. Asked for twice it runs once."""
    return analytics.refresh(now=datetime.now(UTC)).customers


def ask_for_refresh() -> None:
    """Have everybody computed again soon. A second wish before the first began is the same wish."""
    with suppress(AlreadyEnqueued), transaction.atomic():  # a refused insert must not end the caller's transaction
        refresh_everybody.defer()


@app.task(name="forget_answers", queueing_lock="forget_answers")
def forget_answers(timestamp: int) -> int:
    """Delete the API's answers that nobody will ask for again; how many."""
    return services.forget_answers(now=datetime.now(UTC))


@app.task(name="retry_stalled", queueing_lock="retry_stalled")
async def retry_stalled(timestamp: int) -> int:
    """Give back the jobs of workers that died; nobody else does. Jobs are written to be run twice."""
    stalled = list(await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_SECONDS))
    for job in stalled:
        await app.job_manager.retry_job(job, retry_at=datetime.now(UTC))
    return len(stalled)


@app.task(name="forget_finished", queueing_lock="forget_finished")
async def forget_finished(timestamp: int) -> None:
    """Delete the record of jobs that ended well; failed ones stay to be looked at."""
    await app.job_manager.delete_old_jobs(nb_hours=int(KEEP_FINISHED.total_seconds() // 3600))
