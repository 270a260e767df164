"""What holds for every page: who gets in, in which language, with which headers, and how errors look."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import path
from django.utils import timezone

from changke.foundation.errors import DomainError
from changke.foundation.login.models import Attempt
from changke.interfaces.web.policy import CONTENT_SECURITY_POLICY
from changke.urls import handler403, handler404, handler500
from changke.urls import urlpatterns as house
from tests.cast import PASSWORD, Cast

pytestmark = pytest.mark.django_db


class Refused(DomainError):
    code, status = "last_owner", 409
    message = "The last owner cannot be changed: somebody has to hold the keys."


def refusing(request: object) -> None:
    raise Refused


def breaking(request: object) -> None:
    raise ValueError("a surprise")


urlpatterns = [*house, path("refusing/", refusing), path("breaking/", breaking)]
__all__ = ["handler403", "handler404", "handler500", "urlpatterns"]


@pytest.fixture
def owner(client: Client, cast: Cast) -> Client:
    client.force_login(cast.owner)
    return client


def test_a_stranger_is_sent_to_the_front_door(client: Client, cast: Cast) -> None:
    answer = client.get("/me/")
    assert (answer.status_code, answer["Location"]) == (302, "/login/?next=/me/")


def test_a_fragment_asks_the_browser_to_go_to_the_front_door(client: Client, cast: Cast) -> None:
    answer = client.get("/me/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (204, "/login/")


def test_the_front_door_leads_only_to_our_own_pages(client: Client, cast: Cast) -> None:
    answer = client.post("/login/", {"username": "OWNER", "password": PASSWORD, "next": "https://elsewhere.example/"})
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_wrong_tries_wait_and_the_name_stays_in_the_form(client: Client, cast: Cast) -> None:
    for _ in range(3):
        answer = client.post("/login/", {"username": "owner", "password": "wrong"})
        assert answer.status_code == 401
        assert 'value="owner"' in answer.content.decode()
    assert set(Attempt.objects.values_list("failures", flat=True)) == {3}
    # The first wait is one second, which a slow machine spends on the way; a minute makes the test hold everywhere.
    Attempt.objects.update(not_before=timezone.now() + dt.timedelta(minutes=1))
    answer = client.post("/login/", {"username": "owner", "password": PASSWORD})
    assert answer.status_code == 429
    assert "秒后再试" in answer.content.decode()


def test_every_page_carries_the_policy(owner: Client) -> None:
    for address in ("/me/", "/nowhere/", "/styleguide/"):
        assert owner.get(address)["Content-Security-Policy"] == CONTENT_SECURITY_POLICY


def test_files_carry_only_what_protects_a_file(client: Client, settings: Any) -> None:
    """A page fetches some twenty of them on a slow line; a picture that can be opened by itself keeps the policy."""
    settings.WHITENOISE_USE_FINDERS = settings.WHITENOISE_AUTOREFRESH = True
    script, picture = (client.get(f"/static/web/{name}") for name in ("js/main.js", "logo.svg"))
    assert (script.status_code, picture.status_code) == (200, 200)
    assert script["X-Content-Type-Options"] == picture["X-Content-Type-Options"] == "nosniff"
    assert picture["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert set(script.headers) <= {
        "Content-Type", "Content-Length", "Cache-Control", "Last-Modified", "ETag", "Vary", "X-Content-Type-Options",
        "Content-Encoding",
    }  # fmt: skip


def test_pages_have_no_inline_script_or_style(owner: Client) -> None:
    html = owner.get("/styleguide/").content.decode()
    scripts = [tag.split(">")[0] for tag in html.split("<script")[1:]]
    assert scripts
    assert all("src=" in tag or 'type="application/json"' in tag for tag in scripts)
    assert "<style" not in html
    assert "onclick=" not in html
    assert "hx-on" not in html


@pytest.mark.parametrize(
    ("asked", "language", "word"),
    [
        ("zh-CN,zh;q=0.9", "zh-hans", "登录"),
        ("zh-TW", "zh-hant", "登入"),
        ("en-GB", "en", "Log in"),
        ("fr", "zh-hans", "登录"),
    ],
)
def test_the_browser_chooses_the_language_of_the_front_door(
    client: Client, cast: Cast, asked: str, language: str, word: str
) -> None:
    answer = client.get("/login/", headers={"Accept-Language": asked})
    assert answer["Content-Language"] == language
    assert word in answer.content.decode()


def test_the_chosen_language_outlives_the_session(owner: Client, cast: Cast) -> None:
    owner.post("/language/", {"language": "en", "next": "/me/"})
    elsewhere = Client(headers={"Accept-Language": "zh-CN"})
    elsewhere.force_login(cast.owner)
    assert "Account" in elsewhere.get("/me/").content.decode()
    assert owner.post("/language/", {"language": "xx"}).status_code == 404


def test_a_manager_cannot_choose_a_store_of_somebody_else(client: Client, cast: Cast) -> None:
    client.force_login(cast.manager)
    assert client.post("/store/", {"store": cast.xu_hui.pk}).status_code == 404
    assert client.post("/store/", {"store": cast.jing_an.pk}).status_code == 302


@pytest.mark.urls("tests.interfaces.web.test_shell")
def test_a_refusal_is_a_page_that_says_why(owner: Client) -> None:
    page = owner.get("/refusing/")
    assert page.status_code == 409
    assert "总得有人拿着钥匙" in page.content.decode()
    fragment = owner.get("/refusing/", headers={"HX-Request": "true"})
    assert fragment.status_code == 409
    assert "<html" not in fragment.content.decode()


@pytest.mark.urls("tests.interfaces.web.test_shell")
def test_a_surprise_is_a_page_that_says_what_is_safe(owner: Client) -> None:
    owner.raise_request_exception = False
    page = owner.get("/breaking/")
    assert page.status_code == 500
    assert "之前保存的内容都在" in page.content.decode()
    assert "a surprise" not in page.content.decode()


def test_nothing_here_says_so_in_a_page_of_ours(owner: Client) -> None:
    page = owner.get("/nowhere/")
    assert page.status_code == 404
    assert "这里没有内容" in page.content.decode()


def test_a_form_without_its_token_is_refused_kindly(cast: Cast) -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post("/login/", {"username": "owner", "password": PASSWORD})
    assert answer.status_code == 403
    assert "页面打开太久了" in answer.content.decode()


def test_logging_out_needs_a_post(owner: Client) -> None:
    assert owner.get("/logout/").status_code == 405
    owner.post("/logout/")
    assert owner.get("/me/").status_code == 302
