"""Uploads go to disk as they arrive, into the data folder, and no further than the limit.

The data folder, because `/tmp` is often small or in memory, and because moving a file within one disk costs nothing.
"""

import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler
from django.http import HttpRequest


def incoming() -> Path:
    """Where files lie while they arrive."""
    return Path(settings.DATA_DIR) / "uploads" / "incoming"


class IncomingFile(TemporaryUploadedFile):
    """A temporary file in the data folder; it goes when the request ends, unless a view moved it away."""

    def __init__(self, name: str, content_type: str | None, charset: str | None, extra: Any) -> None:
        folder = incoming()
        folder.mkdir(parents=True, exist_ok=True)
        file = tempfile.NamedTemporaryFile(suffix=".upload", dir=folder)  # noqa: SIM115  closed with the request
        UploadedFile.__init__(self, file, name, content_type or "", 0, charset, extra)


class BoundedUpload(TemporaryFileUploadHandler):
    """Counts the bytes of a request. Above the limit nothing is written any more, what was is taken off the disk, and
    the view finds `too_large(request)`.

    The rest is still received, piece by piece, or the browser never hears why. Django would read it by lines, and a
    file may be one of many gigabytes.

    What a visitor without a log-in or a key sends is never written: nobody may fill the disk from the front door.
    """

    received = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super(TemporaryFileUploadHandler, self).new_file(*args, **kwargs)
        logged_in = getattr(getattr(self.request, "user", None), "is_authenticated", False)
        if not logged_in and getattr(self.request, "auth", None) is None:  # the latter where a machine showed its key
            raise StopUpload(connection_reset=True)
        self.file = IncomingFile(self.file_name or "", self.content_type, self.charset, self.content_type_extra)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.received += len(raw_data)
        if self._above():
            self.request._too_large = self.file_name  # type: ignore[union-attr]
            self.file.close()
        else:
            self.file.write(raw_data)

    def file_complete(self, file_size: int) -> "UploadedFile[Any] | None":
        return None if self._above() else super().file_complete(file_size)

    def _above(self) -> bool:
        return self.received > settings.UPLOAD_LIMIT_BYTES


def too_large(request: HttpRequest) -> str:
    """The name of the file at which the limit was reached, or ""."""
    name: str = getattr(request, "_too_large", "")
    return name
