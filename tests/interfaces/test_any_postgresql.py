"""The product on a PostgreSQL of one's own, as another process would use it: the smoke of docs/operations/install.md.

It runs on whatever the run has: the embedded server, or the one that DATABASE_URL names (15 or newer):

    DATABASE_URL=postgresql://me:secret@host/postgres .venv/bin/python -m pytest tests/interfaces/test_any_postgresql.py
"""

import datetime as dt
import http.client
import ipaddress
import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit, urlunsplit

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from psycopg import sql

from changke.interfaces.cli.address import Address
from tests.interfaces.processes import (
    STARTS_SECONDS,
    STOPS_SECONDS,
    changke,
    changke_from_nothing,
    environment,
    free_port,
    last_line,
    wait_until,
)

OLDEST = 15_00_00
SALES = "单号,日期,手机号,门店,金额\n1,2026-01-03,13800000001,静安店,288\n2,2026-01-04,13800000002,静安店,98\n"
BACK = "单号,原单号,类型,日期,手机号,门店,金额\nT1,1,退款,2026-01-05,13800000001,静安店,-288\n"


@pytest.fixture(scope="module")
def server() -> str:
    """The server of the run, by the database in which others are made."""
    return os.environ["DATABASE_URL"].replace("/changke?", "/postgres?", 1)


@pytest.fixture(scope="module")
def url(server: str) -> Iterator[str]:
    """An empty database of its own, whose locale knows Chinese letters."""
    name = f"changke_smoke_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as admin:
        version = admin.info.server_version
        assert version >= OLDEST, f"PostgreSQL 15 or newer, not {version}"
        admin.execute(sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0").format(
            sql.Identifier(name)))  # fmt: skip
    parts = urlsplit(server)
    yield urlunsplit(parts._replace(path=f"/{name}"))
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def home(url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder beside the database, with tables and a chain."""
    path = tmp_path_factory.mktemp("own")
    for words in (["prepare"], ["found", "花漾"]):
        done = changke_from_nothing(*words, "--data", path, DATABASE_URL=url)
        assert done.returncode == 0, done.stderr
    return path


def test_facts_go_in_and_are_understood(home: Path, url: str) -> None:
    """Load, refresh, list, undo nothing twice: every engine, trigger and view of the product on this server."""
    for name, content in (("sales.csv", SALES), ("back.csv", BACK)):
        file = home / name
        file.write_text(content)
        done = last_line(
            changke("load", file, "--as", "purchases", "--create", "--json", "--data", home, DATABASE_URL=url)
        )
        assert (done["refused"], done["skipped"]) == (0, 0)
    again = changke("load", home / "sales.csv", "--as", "purchases", "--json", "--data", home, DATABASE_URL=url)
    assert last_line(again)["skipped"] == 2
    assert changke("refresh", "--data", home, DATABASE_URL=url).returncode == 0
    with psycopg.connect(url) as owner:
        found = owner.execute("SELECT purchases, net_spend FROM profiles_profile ORDER BY customer_id").fetchall()
        assert found == [(0, 0), (1, 9_800)]
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
            owner.execute("UPDATE facts_receipt SET cash_minor = 1")
    report = last_line(changke("today", "--json", "--data", home, DATABASE_URL=url))
    assert report
    findings = changke("doctor", "--json", "--data", home, DATABASE_URL=url)
    assert '"failed"' not in findings.stdout


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for this machine, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    me = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "changke test")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(me)
        .issuer_name(me)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("certificate")
    files = folder / "chain.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


def test_the_site_speaks_https_with_a_certificate_that_is_given(home: Path, url: str, pair: tuple[Path, Path]) -> None:
    """Trusted by whoever trusts the certificate; cookies never leave it; a form of the page itself is taken."""
    certificate, key = pair
    port = free_port()
    words = ["up", "--data", home, "--host", "127.0.0.1", "--port", port, "--certificate", certificate, "--key", key]
    serving = subprocess.Popen(
        [sys.executable, "-m", "changke.interfaces.cli", *map(str, words)],
        env=environment(DATABASE_URL=url), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
        start_new_session=True,
    )  # fmt: skip
    try:
        wait_until(lambda: serving.poll() is not None or Address("127.0.0.1", port).answers(), "open", STARTS_SECONDS)
        here, trusting = f"https://127.0.0.1:{port}", ssl.create_default_context(cafile=certificate)
        site = http.client.HTTPSConnection("127.0.0.1", port, context=trusting, timeout=20)
        site.request("GET", "/login/")
        answer = site.getresponse()
        page = answer.read().decode()
        assert answer.status == 200
        cookies = answer.headers.get_all("Set-Cookie") or []
        assert cookies
        assert all("Secure" in cookie for cookie in cookies)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token
        form = urlencode({"csrfmiddlewaretoken": token[1], "username": "nobody", "password": "wrong"})
        kept = "; ".join(cookie.partition(";")[0] for cookie in cookies)
        headers = {"Cookie": kept, "Origin": here, "Content-Type": "application/x-www-form-urlencoded"}
        site.request("POST", "/login/", form, headers | {"Referer": f"{here}/login/"})
        assert site.getresponse().status == 401, "read as a wrong password, not as a foreign page"
        with pytest.raises(ssl.SSLCertVerificationError):
            http.client.HTTPSConnection("127.0.0.1", port, context=ssl.create_default_context()).request("GET", "/")
        plain = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        plain.request("GET", "/login/")
        with pytest.raises((http.client.HTTPException, OSError)):
            plain.getresponse()
    finally:
        os.killpg(serving.pid, signal.SIGINT)
        serving.wait(STOPS_SECONDS)


def test_a_key_that_is_not_the_certificate_s_is_refused_before_anything_starts(
    home: Path, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    done = changke("up", "--data", home, "--certificate", pair[0], "--key", other)
    assert done.returncode == 1
    assert "do not work together" in done.stderr
