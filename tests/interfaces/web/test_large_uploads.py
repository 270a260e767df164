"""A file of gigabytes through the page: it goes to disk as it arrives and is never held, and above the limit the page
says what to do. The bytes are made while they are read, so that only the product could hold them."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from changke.foundation.batches.models import Batch
from tests.cast import Cast

MEGABYTE = 1024**2
SENT = 64 * MEGABYTE
HEAD = (
    b'--edge\r\nContent-Disposition: form-data; name="kind"\r\n\r\nvisits\r\n'
    b'--edge\r\nContent-Disposition: form-data; name="files"; filename="large.csv"\r\n\r\n'
)
ROW = "静安店,2026-03-01,13800138000,薇拉\n".encode()
NAMES = "门店,到店日期,手机,姓名\n".encode()
END = b"\r\n--edge--\r\n"

pytestmark = pytest.mark.django_db


class Sent:
    """The body of a form with one large file, as a server hands it to us."""

    def __init__(self) -> None:
        self.rows = SENT // len(ROW)
        self.length = len(HEAD) + len(NAMES) + self.rows * len(ROW) + len(END)
        self.parts = self._parts()
        self.held = b""

    def _parts(self) -> Iterator[bytes]:
        yield HEAD + NAMES
        left = self.rows
        while left:
            some = min(left, 1000)
            left -= some
            yield ROW * some
        yield END

    def read(self, size: int = -1) -> bytes:
        assert size >= 0, "somebody wants it all"
        while len(self.held) < size and (part := next(self.parts, b"")):
            self.held += part
        found, self.held = self.held[:size], self.held[size:]
        return found

    def readline(self, size: int = -1) -> bytes:
        raise AssertionError("a file may be one line of many gigabytes")


@pytest.fixture(autouse=True)
def _own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)


def send(cast: Cast, sent: Sent) -> tuple[HttpResponse, int]:
    """The answer, and how many megabytes were held at once on the way to it."""
    cast.hq.language = "en"
    cast.hq.save(update_fields=["language"])
    client = Client()
    client.force_login(cast.hq)
    asked = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/imports/new/",
        "CONTENT_TYPE": "multipart/form-data; boundary=edge",
        "CONTENT_LENGTH": str(sent.length),
        "wsgi.input": sent,
    }
    client.get("/imports/new/")  # what a first answer loads is not of the file
    tracemalloc.start()
    answer = client.request(**asked)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return answer, peak // MEGABYTE


def on_disk() -> list[int]:
    return [path.stat().st_size for path in (settings.DATA_DIR / "uploads").rglob("*") if path.is_file()]


def test_a_file_above_the_limit_is_read_to_its_end_kept_nowhere_and_answered_with_the_way_out(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "UPLOAD_LIMIT_BYTES", 2 * MEGABYTE)
    sent = Sent()
    answer, megabytes = send(cast, sent)
    assert answer.status_code == 422
    told = answer.content.decode()
    assert "large.csv" in told
    assert "Larger than 2 MB. Split it, or load it on the server with “changke load”." in told
    assert sent.read(1) == b"", "or the browser never hears why"
    assert megabytes < 8
    assert on_disk() == []
    assert not Batch.objects.exists()


def test_a_large_file_below_the_limit_lies_whole_on_the_disk_and_was_never_held(cast: Cast) -> None:
    sent = Sent()
    answer, megabytes = send(cast, sent)
    assert answer.status_code == 303
    *beside, whole = sorted(on_disk())
    assert whole == len(NAMES) + sent.rows * len(ROW)
    assert sum(beside) < 10_000, "what the page shows of it"
    assert megabytes < 8
