"""The lifecycle page before anything was computed."""

from django.test import Client

from tests.cast import Cast


def test_before_the_first_fact_the_page_says_what_will_be_here(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.owner)  # type: ignore[arg-type]
    page = client.get("/lifecycle/")
    assert page.status_code == 200
    assert b"/imports/" in page.content
