"""Where the files of a batch lie, and freeing their disk."""

import datetime as dt
import shutil
from pathlib import Path

from django.conf import settings

from changke.foundation.batches.models import Batch, BatchStatus


def folder_of(batch: Batch) -> Path:
    """Where the batch keeps its scratch database and its error file."""
    return Path(settings.DATA_DIR) / "imports" / str(batch.pk)


def uploads_of(batch_id: int) -> Path:
    """Where files that came through the page lie until they are loaded."""
    return Path(settings.DATA_DIR) / "uploads" / str(batch_id)


def look_of(batch_id: int) -> Path:
    """The first rows of the uploaded files, for the page on which their columns are chosen."""
    return uploads_of(batch_id) / "look.json"


def analysis_of(batch_id: int, check: int) -> Path:
    """What the check of that number found in the uploaded files."""
    return uploads_of(batch_id) / f"analysis-{check}.json"


def problems_of(batch: Batch) -> Path:
    """What stands in the first refused cells, beside the file of all of them."""
    return folder_of(batch) / "problems.json"


def forget_files(batch: Batch) -> None:
    """Free the disk of a finished batch: scratch and error file."""
    shutil.rmtree(folder_of(batch), ignore_errors=True)


def forget_uploads(batch_id: int) -> None:
    """Delete the files that came through the page; files named on the command line stay where they are."""
    shutil.rmtree(uploads_of(batch_id), ignore_errors=True)


def forget_old(*, ended_before: dt.datetime) -> int:
    """Delete what lies on the disk of batches that ended before: refused rows, results of bulk changes; how many
    batches. What they did, and how many rows were refused why, the database keeps."""
    place = Path(settings.DATA_DIR) / "imports"
    ids = [int(one.name) for one in place.glob("*") if one.name.isdigit()]
    busy = (BatchStatus.WAITING, BatchStatus.RUNNING, BatchStatus.WITHDRAWING)
    old = list(Batch.objects.filter(pk__in=ids, finished_at__lt=ended_before).exclude(status__in=busy))
    for batch in old:
        forget_files(batch)
    return len(old)
