"""A slow phone on a slow line, in front of the demo chain: what benchmarks of pages share.

The phone is the one of the promise: 390 x 844, processor slowed four times, 6.4 Mbit/s, 80 ms to the server and back.
Browser and server share the machine, so the numbers are pessimistic.
"""

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, Playwright

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2,
}  # fmt: skip
CPU_SLOWDOWN = 4
LATENCY_MS = 80
BYTES_A_SECOND = 6_400_000 / 8
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
STARTS_SECONDS = 900


def launched(playwright: Playwright) -> Browser:
    """The browser of the machine."""
    found = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if found is None:
        raise SystemExit("no chromium here: apt install chromium-headless-shell fonts-noto-cjk")
    return playwright.chromium.launch(executable_path=found, args=FLAGS)


def password_of(folder: Path) -> str:
    """Of everybody in the demo chain of the folder."""
    return str(json.loads((folder / "secrets" / "demo_logins.json").read_text())["password"])


def phone(browser: Browser, url: str, cookies: list[Any]) -> BrowserContext:
    """A phone of somebody who is logged in, with nothing cached."""
    context = browser.new_context(**PHONE, base_url=url, locale="zh-CN")
    context.add_cookies(cookies)
    return context


def slowed(context: BrowserContext) -> tuple[Page, CDPSession]:
    """A page of it, processor and line slowed."""
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    line = {"latency": LATENCY_MS, "downloadThroughput": BYTES_A_SECOND, "uploadThroughput": BYTES_A_SECOND}
    session.send("Network.emulateNetworkConditions", {"offline": False, **line})
    session.send("Emulation.setCPUThrottlingRate", {"rate": CPU_SLOWDOWN})
    return page, session


@contextmanager
def site(folder: Path, url: str | None) -> Iterator[str]:
    if url:
        yield url
        return
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["demo", "--data", str(folder), "--port", str(port)]
    serving = subprocess.Popen([sys.executable, "-m", "changke.interfaces.cli", *words])
    try:
        here = f"http://127.0.0.1:{port}"
        _wait(f"{here}/login/", serving)
        yield here
    finally:
        serving.terminate()
        serving.wait()


def _wait(url: str, serving: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + STARTS_SECONDS
    while time.monotonic() < deadline:
        if serving.poll() is not None:
            raise SystemExit("the demo ended; its reason stands above")
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.URLError:
            time.sleep(0.5)
        else:
            return
    raise SystemExit(f"the demo did not open within {STARTS_SECONDS} s")


def log_in(browser: Browser, url: str, password: str, *, name: str = "owner") -> list[Any]:
    context = browser.new_context(base_url=url, locale="zh-CN")
    page = context.new_page()
    page.goto("/login/")
    page.locator("input[name=username]").fill(name)
    page.locator("input[name=password]").fill(password)
    page.locator("button:not([type=button])").last.click()
    page.wait_for_url(f"{url}/")
    cookies: list[Any] = context.cookies()
    page.goto("/customers/")
    context.close()
    return cookies
