"""Whoever writes to people asks `sending_paused` first: a restored copy must not write to a chain's customers again.

Nothing sends yet. The day a channel arrives (`actions/channels/<name>`), or a module that reaches the network anywhere,
this test is red until it asks.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "changke"
NETWORK = {"aiohttp", "boto3", "ftplib", "httpx", "imaplib", "paramiko", "requests", "smtplib", "urllib3", "websockets"}
NETWORK |= {"http.client", "urllib.request", "django.core.mail"}
HARMLESS: dict[str, str] = {}
"""Modules that reach the network and write to nobody, and why they may while sending is paused."""


def silent_senders(source: Path) -> Iterator[str]:
    """Channels of which no module asks, and modules that reach the network without asking."""
    channels = source / "actions" / "channels"
    for one in sorted(channels.iterdir()) if channels.exists() else []:
        files = [*one.rglob("*.py")] if one.is_dir() else [one] if one.suffix == ".py" else []
        if one.name not in {"__init__.py", "__pycache__"} and not any(asks(file) for file in files):
            yield f"actions/channels/{one.name}"
    for file in sorted(source.rglob("*.py")):
        name = str(file.relative_to(source))
        if name not in HARMLESS and imported(file) & NETWORK and not asks(file):
            yield name


def asks(file: Path) -> bool:
    called = (node.func for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call))
    return any("sending_paused" in {getattr(one, "id", ""), getattr(one, "attr", "")} for one in called)


def imported(file: Path) -> set[str]:
    """Every module imported anywhere in the file, with the packages around it."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{one.name}" for one in node.names}
    return {".".join(name.split(".")[:parts]) for name in names for parts in range(1, name.count(".") + 2)}


def test_nobody_sends_without_asking() -> None:
    found = list(silent_senders(SOURCE))
    assert not found, f"call foundation.instance.queries.sending_paused() before every portion: {found}"


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("actions/channels/sms/services.py", "def send(): ...", "actions/channels/sms"),
        ("actions/channels/sms.py", "def send(): ...", "actions/channels/sms.py"),
        ("actions/channels/sms/services.py", "def send():\n    if sending_paused(): return", ""),
        ("interfaces/webhooks_out.py", "import httpx", "interfaces/webhooks_out.py"),
        ("interfaces/post.py", "from urllib import request", "interfaces/post.py"),
        ("interfaces/post.py", "from django.core.mail import send_mail", "interfaces/post.py"),
        ("interfaces/post.py", "import httpx\nif not queries.sending_paused():\n    httpx.get('')", ""),
        ("interfaces/quiet.py", "from changke.interfaces import requests", ""),
    ],
)
def test_a_channel_that_does_not_ask_is_named(tmp_path: Path, path: str, text: str, found: str) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(text)
    assert list(silent_senders(tmp_path)) == ([found] if found else [])
