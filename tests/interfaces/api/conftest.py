"""A chain with keys of every role, and callers that speak JSON."""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from pytest_django import Settings

from changke.foundation.access.services import issue_key
from tests.cast import Cast, assemble
from tests.rows import as_app, roles

__all__ = ["as_app", "roles"]

NOW = dt.datetime.now(dt.UTC)
YESTERDAY = (NOW - dt.timedelta(days=1)).replace(microsecond=0).isoformat()


@dataclass(frozen=True)
class Files:
    """A form with files, by their names, and what else it says."""

    files: Mapping[str, bytes]
    said: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        files = [SimpleUploadedFile(name, content) for name, content in self.files.items()]
        return encode_multipart(BOUNDARY, {**self.said, "files": files})


@dataclass
class Caller:
    """A machine with a key."""

    secret: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    client: Client = field(default_factory=Client)

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/v1{path}", query, headers=self._headers())

    def send(self, method: str, path: str, body: object, **headers: str) -> Any:
        kind = "application/json"
        if isinstance(body, Files):
            raw: bytes | str = body.encoded()
            kind = MULTIPART_CONTENT
        else:
            raw = body if isinstance(body, bytes | str) else json.dumps(body)
        return self.client.generic(method, f"/api/v1{path}", raw, content_type=kind, headers=self._headers() | headers)

    def post(self, path: str, body: object, **headers: str) -> Any:
        return self.send("POST", path, body, **headers)

    def patch(self, path: str, body: object, **headers: str) -> Any:
        return self.send("PATCH", path, body, **headers)

    def _headers(self) -> dict[str, str]:
        bearer = {"Authorization": f"Bearer {self.secret}"} if self.secret else {}
        return {"Accept-Language": "en"} | bearer | self.headers


@pytest.fixture
def cast(db: None, settings: Settings) -> Cast:
    """The tiny chain; its passwords are weak here, because nobody logs in with one."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return assemble()


@pytest.fixture
def key_of(cast: Cast) -> Callable[[str], Caller]:
    """A caller with a key of the role; manager and staff have the store 静安."""

    def make(role: str) -> Caller:
        stores = [] if role in {"owner", "hq"} else [cast.jing_an]
        return Caller(issue_key(name=role, role=role, stores=stores, now=NOW).secret)

    return make


@pytest.fixture
def hq(key_of: Callable[[str], Caller]) -> Caller:
    return key_of("hq")


@pytest.fixture
def manager(key_of: Callable[[str], Caller]) -> Caller:
    return key_of("manager")


def sale(**changes: Any) -> dict[str, Any]:
    """A right sale of one facial, with some fields changed; None leaves one out."""
    right: dict[str, Any] = {
        "number": "R-1",
        "store": "JA",
        "happened_at": YESTERDAY,
        "customer": {"phone": "138 0000 7831", "name": "张三"},
        "currency": "CNY",
        "lines": [{"item": "F1", "amount_minor": 28_800}],
        "tenders": [{"kind": "wechat", "amount_minor": 28_800}],
    } | changes
    return {name: value for name, value in right.items() if value is not None}
