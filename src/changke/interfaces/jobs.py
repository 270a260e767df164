"""Background jobs. Thin: a job moves a batch or keeps the house; it holds no rule and serves no single customer."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import close_old_connections, connection, transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from changke.facts.customers.services import tags
from changke.facts.duplicates import services as duplicates
from changke.facts.purchases.services.receive import settle_late
from changke.foundation.access.models import ApiKey, Staff
from changke.foundation.audit.rules import By
from changke.foundation.batches.models import Batch, BatchStatus
from changke.foundation.batches.registry import kind_of
from changke.foundation.batches.services import change_draft, discard, fail, report_progress
from changke.foundation.errors import said_plainly
from changke.foundation.login.services import delays
from changke.foundation.organisation.queries import the_chain
from changke.foundation.periods import business_date
from changke.interfaces import analytics, kept_in_clear, trail
from changke.interfaces.api import services
from changke.interfaces.exporters import services as exports
from changke.interfaces.exporters.models import Export
from changke.interfaces.exporters.services import AT_ONCE_ROWS
from changke.interfaces.importers import beside, folders, pipeline
from changke.interfaces.importers.problems import UnreadableFile
from changke.interfaces.web.services import forget_sent
from changke.interfaces.web.uploads import incoming
from changke.interfaces.webhooks.models import PrivacyRequest
from changke.interfaces.webhooks.services import forget as letters
from changke.interfaces.webhooks.services.privacy import forget_the_shop
from changke.profiles.affinity.models import TagRule
from changke.profiles.affinity.services.follow import apply_to_past
from changke.profiles.attributes.models import Profile
from changke.profiles.lifecycle.models import StageReplay
from changke.profiles.lifecycle.services import past, spells
from changke.profiles.risk.models import BackTest, State
from changke.profiles.risk.services import backtests
from changke.profiles.segments import copies

STALLED_AFTER_SECONDS = 30  # workers say every 10 s that they live
KEEP_FINISHED = timedelta(days=7)
KEEP_DRAFTS = timedelta(days=14)
KEEP_RESULTS = timedelta(days=30)  # long enough to mend the refused rows and load them again
REPLAYED_AT_ONCE = 20_000  # customers: a month end of theirs takes a fraction of a second
KEEP_INCOMING = timedelta(days=1)  # no upload takes longer


@app.task(name="refresh_if_due", queueing_lock="refresh_if_due", lock="refresh")
def refresh_if_due(timestamp: int) -> int:
    """Compute everybody once per day of the chain; how many there were."""
    now = datetime.now(UTC)
    return analytics.refresh(now=now).customers if analytics.is_due(now) else 0


@app.task(name="refresh_everybody", queueing_lock="refresh_everybody", lock="refresh")
def refresh_everybody() -> int:
    """Compute everybody again because a rule changed; how many there were. Asked for twice it runs once."""
    return analytics.refresh(now=datetime.now(UTC)).customers


@app.task(name="renew_columns", queueing_lock="renew_columns", lock="refresh")
def renew_columns(timestamp: int) -> int:
    """Write the columns that segments are counted from anew where many had facts since; how many customers."""
    _fresh_connection()
    return copies.renew_if_due()


def ask_for_refresh() -> None:
    """Have everybody computed again soon. A second wish before the first began is the same wish."""
    with suppress(AlreadyEnqueued), transaction.atomic():  # a refused insert must not end the caller's transaction
        refresh_everybody.defer()


@app.task(name="sample_spells", queueing_lock="sample_spells", lock="sample_spells")
def sample_spells(timestamp: int = 0) -> int:
    """How long customers stay in the stages, of some of each; how many were asked."""
    _fresh_connection()
    return spells.sample_spells(now=datetime.now(UTC))


def ask_for_spells() -> None:
    """Have the times in stages taken soon. A second wish before the first began is the same wish."""
    with suppress(AlreadyEnqueued), transaction.atomic():
        sample_spells.defer()


@app.task(name="forget_answers", queueing_lock="forget_answers")
def forget_answers(timestamp: int) -> int:
    """Delete the API's answers that nobody will ask for again, and the numbers of forms; how many answers."""
    forget_sent(now=datetime.now(UTC))
    return services.forget_answers(now=datetime.now(UTC))


@app.task(name="forget_attempts", queueing_lock="forget_attempts")
def forget_attempts(timestamp: int) -> int:
    """Delete counters of wrong log-ins that delay nobody any more; how many."""
    return delays.forget_attempts(now=datetime.now(UTC))


@app.task(name="forget_letters", queueing_lock="forget_letters")
def forget_letters(timestamp: int) -> int:
    """Take out letters of web shops that are older than their address keeps them; how many."""
    return letters.forget_letters(now=datetime.now(UTC))


@app.task(name="run_export", lock="exports")
def run_export(export_id: int) -> None:
    """Make the file of an export, or make it again after a kill."""
    _fresh_connection()
    exports.run(export_id, now=datetime.now(UTC))


def make_export(made: Export) -> None:
    """A small file while one waits, a large one in the background."""
    if made.total > AT_ONCE_ROWS:
        run_export.defer(export_id=made.pk)
        return
    exports.run(made.pk, now=datetime.now(UTC))
    made.refresh_from_db()


@app.task(name="forget_exports", queueing_lock="forget_exports")
def forget_exports(timestamp: int) -> int:
    """Delete the files of exports whose day is over; how many."""
    return exports.forget_expired(now=datetime.now(UTC))


@app.task(name="settle_returns", queueing_lock="settle_returns")
def settle_returns(timestamp: int) -> int:
    """Record waiting returns whose purchase came by a file, or in the same moment as they; how many."""
    return settle_late(now=datetime.now(UTC))


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


@app.task(name="verify_audit", queueing_lock="verify_audit")
def verify_audit(timestamp: int) -> int:
    """Walk the whole audit trail; how many lines or seals are not as they were. Each is in the log, by name."""
    _fresh_connection()
    return trail.verified().broken_count


def ask_for_verification(*, now: datetime) -> None:
    """Have the trail walked soon. A second wish before the first began is the same wish."""
    with suppress(AlreadyEnqueued), transaction.atomic():
        verify_audit.defer(timestamp=int(now.timestamp()))


@app.task(name="take_stale_tags_off", queueing_lock="take_stale_tags_off")
def take_stale_tags_off(timestamp: int) -> int:
    """Take off the tags nobody confirmed in time; how many."""
    _fresh_connection()
    now, taken = datetime.now(UTC), 0
    today = business_date(now, the_chain().time_zone)
    while some := tags.take_stale_off(today=today, now=now):
        taken += some
    return taken


@app.task(name="find_duplicates", queueing_lock="find_duplicates", lock="duplicates")
def find_duplicates(timestamp: int = 0) -> int:
    """Look for records that may be of one person; how many pairs wait for somebody."""
    _fresh_connection()
    return duplicates.find_duplicates(now=datetime.now(UTC)).pairs


def ask_for_duplicates() -> None:
    """Have everybody looked at soon. A second wish before the first began is the same wish."""
    with suppress(AlreadyEnqueued), transaction.atomic():
        find_duplicates.defer()


@app.task(name="apply_tag_rule", lock="tag-rules")
def apply_tag_rule(rule_id: int) -> int:
    """Look through every purchase there is with the eyes of one rule; how many tags it put on or confirmed."""
    _fresh_connection()
    rule = TagRule.objects.filter(pk=rule_id).first()
    return apply_to_past(rule, now=datetime.now(UTC)) if rule else 0


@app.task(name="run_backtest", lock="backtest")
def run_backtest(backtest_id: int) -> None:
    """Ask the past which rule would have warned, or ask it again after a kill."""
    _fresh_connection()
    if not BackTest.objects.filter(pk=backtest_id, state__in=(State.WAITING, State.RUNNING)).exists():
        return
    try:
        analytics.backtest(backtest_id, now=datetime.now(UTC))
    except Exception:
        backtests.give_up(backtest_id, now=datetime.now(UTC))
        raise


@app.task(name="answer_past", lock="answer_past")
def answer_past(replay_id: int) -> None:
    """Ask rules of past days, or ask them again after a kill."""
    _fresh_connection()
    asked = StageReplay.objects.filter(pk=replay_id).first()
    if asked is not None and asked.is_busy:
        _answer_past(asked)


def ask_past(asked: StageReplay) -> None:
    """A small chain is answered while one waits, a large one in the background."""
    if Profile.objects.count() > REPLAYED_AT_ONCE:
        answer_past.defer(replay_id=asked.pk)
    else:
        _answer_past(asked)


def _answer_past(asked: StageReplay) -> None:
    try:
        analytics.answer_past(asked, now=datetime.now(UTC))
    except Exception:
        past.give_up(asked.pk, now=datetime.now(UTC))
        raise


# Batches. One load, bulk change or undo at a time: two may create the same store or change the same customer. All may
# be run again after a kill; `retry_stalled` gives them back.


@app.task(name="check_batch", lock="imports-check")
def check_batch(batch_id: int, check: int) -> None:
    """Read all files of a draft and write down what would be refused and what is unknown. No fact is written.

    `check` is the number of the wish: when the mapping was changed meanwhile, an older answer is thrown away.
    """
    _fresh_connection()
    batch = Batch.objects.filter(pk=batch_id, status=BatchStatus.DRAFT).first()
    if batch is None or batch.options.get("check") != check:
        return
    language = str(batch.options.get("language", "zh-hans"))
    try:
        analysis = pipeline.analyse(
            batch_id,
            now=datetime.now(UTC),
            progress=lambda done, total, words: report_progress(batch_id, done=total, total=0),
        )
    except UnreadableFile as error:
        _note_check(batch_id, check, {"error": error.words(language)})
    except Exception as error:
        _note_check(batch_id, check, {"error": said_plainly(error)})
        raise
    else:
        # The first rows were shown before; whom the rows meet and what stands in them lies beside the files.
        beside.put(folders.analysis_of(batch_id, check), {**asdict(analysis), "sheets": []})
        _note_check(batch_id, check, {"error": ""})


def _note_check(batch_id: int, check: int, found: Mapping[str, Any]) -> None:
    with transaction.atomic():
        batch = Batch.objects.select_for_update().filter(pk=batch_id).first()
        if batch is not None and batch.options.get("check") == check:
            change_draft(batch_id, options={"analysis": {**found, "check": check}})


@app.task(name="run_batch", lock="imports")
def run_batch(batch_id: int) -> None:
    """Do what a batch that was handed over says, or finish one whose worker was killed."""
    _fresh_connection()
    batch = Batch.objects.filter(pk=batch_id, status__in=(BatchStatus.WAITING, BatchStatus.RUNNING)).first()
    if batch is None:
        return
    try:
        kind_of(batch.kind).run(batch_id, datetime.now(UTC))
    except Exception as error:
        fail(batch_id, message=said_plainly(error), now=datetime.now(UTC))
        raise


@app.task(name="undo_batch", lock="imports")
def undo_batch(batch_id: int) -> None:
    """Take back what a batch did, as far as it can be."""
    _fresh_connection()
    batch = Batch.objects.filter(pk=batch_id, status=BatchStatus.WITHDRAWING).first()
    if batch is not None:
        kind_of(batch.kind).undo(batch_id, datetime.now(UTC))


@app.task(name="forget_shop", lock="forget_shop")
def forget_shop(request_id: int, staff_id: int = 0, key_id: int = 0) -> int:
    """Erase everybody whom only a web shop knew that took its access away; how many. Killed, it goes on."""
    _fresh_connection()
    asked = PrivacyRequest.objects.select_related("address").filter(pk=request_id, handled_at__isnull=True).first()
    staff, key = Staff.objects.filter(pk=staff_id).first(), ApiKey.objects.filter(pk=key_id).first()
    if asked is None or (staff is None and key is None):
        return 0
    by = By("staff", staff.pk, staff.name) if staff else By("key", key_id, f"{key.name} ({key.prefix})" if key else "")
    return forget_the_shop(asked, by=by, now=datetime.now(UTC))


@app.task(name="forget_drafts", queueing_lock="forget_drafts")
def forget_drafts(timestamp: int) -> int:
    """Delete drafts nobody went on with, the files of loads that failed, and what broken uploads left; how many drafts.
    These files hold names and phones, and are at home in the old system."""
    _fresh_connection()
    now = datetime.now(UTC)
    old = list(
        Batch.objects.filter(status=BatchStatus.DRAFT, created_at__lt=now - KEEP_DRAFTS).values_list("pk", flat=True)
    )
    for batch_id in old:
        if discard(batch_id):
            folders.forget_uploads(batch_id)
    failed = Batch.objects.filter(status=BatchStatus.FAILED, finished_at__lt=now - KEEP_DRAFTS)
    for batch_id in failed.values_list("pk", flat=True):
        folders.forget_uploads(batch_id)
    for left in incoming().glob("*"):
        if now.timestamp() - left.stat().st_mtime > KEEP_INCOMING.total_seconds():
            left.unlink(missing_ok=True)
    return len(old)


@app.task(name="forget_results", queueing_lock="forget_results")
def forget_results(timestamp: int) -> int:
    """Delete files of refused rows, and of whom bulk changes meant, a month after they were made; of how many
    batches."""
    _fresh_connection()
    return folders.forget_old(ended_before=datetime.now(UTC) - KEEP_RESULTS)


@app.task(name="take_clear_texts_out", queueing_lock="take_clear_texts_out")
def take_clear_texts_out(timestamp: int) -> int:
    """Take out of batches, exports and audit lines what former versions kept there of persons; how many rows."""
    _fresh_connection()
    return kept_in_clear.take_out(now=datetime.now(UTC))


def _fresh_connection() -> None:
    """A thread of the worker keeps its connection from job to job; one that died meanwhile is dropped."""
    if not connection.in_atomic_block:
        close_old_connections()
