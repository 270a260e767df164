"""Where the files of a batch lie, and freeing their disk."""

import shutil
from pathlib import Path

from django.conf import settings

from changke.foundation.batches.models import Batch


def folder_of(batch: Batch) -> Path:
    """Where the batch keeps its scratch database and its error file."""
    return Path(settings.DATA_DIR) / "imports" / str(batch.pk)


def uploads_of(batch_id: int) -> Path:
    """Where files that came through the page lie until they are loaded."""
    return Path(settings.DATA_DIR) / "uploads" / str(batch_id)


def forget_files(batch: Batch) -> None:
    """Free the disk of a finished batch: scratch and error file."""
    shutil.rmtree(folder_of(batch), ignore_errors=True)


def forget_uploads(batch_id: int) -> None:
    """Delete the files that came through the page; files named on the command line stay where they are."""
    shutil.rmtree(uploads_of(batch_id), ignore_errors=True)
