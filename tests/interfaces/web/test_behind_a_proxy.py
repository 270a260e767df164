"""Who ends TLS says so in a header; it is believed only where a setting says that there is such a one.

The settings are those that the file makes of the environment, read anew; the pages are asked as a proxy asks them, over
plain HTTP.
"""

import runpy
from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import Settings

import changke.settings
from tests.cast import PASSWORD, Cast

pytestmark = pytest.mark.django_db

HTTPS = {"Host": "testserver", "X-Forwarded-Proto": "https"}
Start = Callable[..., None]


@pytest.fixture
def start(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Start the site with that environment."""

    def started(**environ: str) -> None:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        read = runpy.run_path(changke.settings.__file__)
        for name in ("SECURE_PROXY_SSL_HEADER", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"):
            setattr(settings, name, read.get(name))

    monkeypatch.delenv("BEHIND_HTTPS", raising=False)
    return started


def every_cookie(cast: Cast) -> dict[str, bool]:
    """Names of the cookies that pages set, and whether a browser sends them over HTTPS only."""
    client = Client(headers=HTTPS)
    client.get("/login/")
    client.post("/language/", {"language": "en"})
    client.post("/login/", {"username": "manager", "password": PASSWORD})
    client.post("/devices/", {"store": cast.jing_an.pk, "name": "tablet"})
    return {name: bool(cookie["secure"]) for name, cookie in client.cookies.items()}


COOKIES = {"csrftoken", "django_language", "known", "sessionid", "device", "messages"}


def test_behind_a_proxy_that_ends_tls_every_cookie_is_for_https_only(cast: Cast, start: Start) -> None:
    start(BEHIND_HTTPS="1")
    assert every_cookie(cast) == dict.fromkeys(COOKIES, True)


def test_without_the_setting_the_header_makes_no_cookie_secure(cast: Cast, start: Start) -> None:
    """Else the browser of a shop that is served over plain HTTP would never send it back: nobody could log in."""
    start()
    assert every_cookie(cast) == dict.fromkeys(COOKIES, False)


@pytest.mark.parametrize(
    ("environ", "header", "scheme"),
    [
        ({"BEHIND_HTTPS": "1"}, "https", "https"),
        ({"BEHIND_HTTPS": "1"}, "http", "http"),
        ({}, "https", "http"),
    ],
)
def test_a_link_made_for_another_leads_where_the_visitor_is(
    cast: Cast, start: Start, environ: dict[str, str], header: str, scheme: str
) -> None:
    start(**environ)
    client = Client(headers=HTTPS | {"X-Forwarded-Proto": header})
    client.force_login(cast.owner)
    made = client.post(f"/settings/staff/{cast.clerk.pk}/reset/")
    assert str(made.context["url"]).startswith(f"{scheme}://testserver/reset/")


@pytest.mark.parametrize(
    ("environ", "leads"),
    [({"BEHIND_HTTPS": "1"}, "/"), ({}, "http://testserver/customers/")],
)
def test_a_log_in_over_https_leads_to_no_page_over_http(
    cast: Cast, start: Start, environ: dict[str, str], leads: str
) -> None:
    start(**environ)
    form = {"username": "clerk", "password": PASSWORD, "next": "http://testserver/customers/"}
    assert Client(headers=HTTPS).post("/login/", form)["Location"] == leads


@pytest.mark.parametrize(("environ", "status"), [({"BEHIND_HTTPS": "1"}, 302), ({}, 403)])
def test_a_form_from_an_https_page_is_taken_for_ours_where_the_proxy_is_trusted(
    cast: Cast, start: Start, environ: dict[str, str], status: int
) -> None:
    start(**environ)
    client = Client(headers=HTTPS, enforce_csrf_checks=True)
    token = str(client.get("/login/").context["csrf_token"])
    form = {"username": "clerk", "password": PASSWORD, "csrfmiddlewaretoken": token}
    assert client.post("/login/", form, headers={"Origin": "https://testserver"}).status_code == status
