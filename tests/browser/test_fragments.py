"""One view, two answers, with the real htmx under the real content security policy."""

from collections.abc import Callable

import pytest
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path
from playwright.sync_api import Page, expect

from changke.interfaces.web.answers import go, toast, wants_part
from changke.urls import urlpatterns as house
from tests.cast import Cast

pytestmark = [pytest.mark.browser, pytest.mark.urls("tests.browser.test_fragments")]

Visit = Callable[..., Page]

PAGE = """
{% extends "web/page.html" %}
{% block title %}Parts{% endblock %}
{% block main %}
<h1>Parts</h1>
<form hx-get="/parts/" hx-target="#rows" hx-push-url="true" hx-indicator="#loading"
      hx-trigger="submit, input changed delay:100ms from:#q">
  <input id="q" name="q" aria-label="q" value="{{ q }}">
</form>
<div id="rows" class="dims">PART</div>
{% endblock %}
"""
PART = """
<p id="answer">found {{ q }}</p>
<button hx-post="/parts/save/" hx-target="#rows">save</button>
<button hx-post="/parts/refuse/" hx-target="#rows">refuse</button>
<button hx-post="/parts/leave/" hx-target="#rows">leave</button>
{% include "web/_toasts_oob.html" %}
"""


def parts(request: HttpRequest) -> HttpResponse:
    text = (
        PART if wants_part(request) else PAGE.replace("PART", PART.replace('{% include "web/_toasts_oob.html" %}', ""))
    )
    return HttpResponse(engines["django"].from_string(text).render({"q": request.GET.get("q", "")}, request))


def save(request: HttpRequest) -> HttpResponse:
    toast(request, "保存好了", undo_url="/parts/undo/")
    return parts(request)


UNDONE: list[str] = []


def undo(request: HttpRequest) -> HttpResponse:
    UNDONE.append(request.method or "")
    return HttpResponse(status=204)


def refuse(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<p>手机号应有 11 位</p>", status=422)


def leave(request: HttpRequest) -> HttpResponse:
    return go(request, "/me/")


urlpatterns = [
    *house,
    path("parts/", parts),
    path("parts/save/", save),
    path("parts/undo/", undo),
    path("parts/refuse/", refuse),
    path("parts/leave/", leave),
]


def test_a_filter_swaps_the_rows_and_lives_in_the_address(visit: Visit, people: Cast) -> None:
    page = visit("/parts/", by=people.owner)
    page.get_by_label("q").fill("谭")
    expect(page.locator("#answer")).to_have_text("found 谭")
    assert page.url.endswith("?q=%E8%B0%AD")
    page.goto("/me/")
    page.go_back()
    expect(page.get_by_label("q")).to_have_value("谭")
    expect(page.get_by_role("heading", name="Parts")).to_be_visible()


def test_a_post_brings_its_toast_and_the_toast_undoes(visit: Visit, people: Cast) -> None:
    UNDONE.clear()
    page = visit("/parts/", by=people.owner)
    page.get_by_role("button", name="save").click()
    expect(page.locator("#toasts [data-toast]")).to_contain_text("保存好了")
    with page.expect_response("**/parts/undo/"):
        page.get_by_role("button", name="撤销").click()
    assert UNDONE == ["POST"]
    expect(page.locator("#toasts [data-toast]")).to_have_count(0)


def test_a_refused_form_comes_back_with_its_words(visit: Visit, people: Cast) -> None:
    page = visit("/parts/", by=people.owner)
    page.get_by_role("button", name="refuse").click()
    expect(page.locator("#rows")).to_contain_text("手机号应有 11 位")
    visit.said.clear()  # type: ignore[attr-defined]  the browser logs the status 422 as an error


def test_leaving_is_a_whole_page(visit: Visit, people: Cast) -> None:
    page = visit("/parts/", by=people.owner)
    page.get_by_role("button", name="leave").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("林老板")
    assert page.url.endswith("/me/")


def test_a_lost_network_says_so(visit: Visit, people: Cast) -> None:
    page = visit("/parts/", by=people.owner)
    page.context.set_offline(True)
    page.get_by_role("button", name="save").click()
    expect(page.locator("#toasts [data-toast]")).to_contain_text("没发出去")
    visit.said.clear()  # type: ignore[attr-defined]  the browser logs the failed request
