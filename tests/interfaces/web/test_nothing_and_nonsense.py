"""Pages of understanding in a shop that knows nobody yet, at addresses of nothing, with what nobody asks."""

import pytest
from django.test import Client

from changke.foundation.access.services import add_staff
from changke.foundation.organisation.services import add_store, found_chain
from changke.profiles.lifecycle.services import publish_models
from changke.profiles.segments.models import Segment
from changke.profiles.segments.services.save import drop_segment, save_segment
from tests.cast import NOW
from tests.clock import Clock

pytestmark = pytest.mark.django_db

PAGES = (
    "/segments/", "/segments/new/", "/lifecycle/", "/lifecycle/models/", "/lifecycle/models/m4/", "/lifecycle/stages/",
    "/lifecycle/health/", "/risk/", "/risk/rules/", "/risk/model/", "/risk/lines/", "/value/", "/value/people/?r=5&f=5",
    "/value/lines/", "/value/referrers/", "/value/model/", "/value/numbers/", "/together/", "/together/starters/",
    "/together/seasons/", "/together/groups/", "/together/model/", "/numbers/", "/settings/scores/",
)  # fmt: skip
NOWHERE = (
    "/segments/nobody/", "/segments/nobody/edit/", "/segments/nobody/day/", "/segments/nobody/portrait/",
    "/segments/nobody/overlap/", "/lifecycle/models/nobody/", "/lifecycle/models/past/999999/",
    "/lifecycle/people/?model=nobody&stage=x", "/lifecycle/people/?model=m4&stage=nobody",
    "/customers/999999/", "/customers/999999/outlook/", "/customers/999999/value/", "/numbers/nobody/",
    "/settings/scores/999999/",
)  # fmt: skip
NONSENSE = (
    "/lifecycle/?model=nobody&day=9999-99-99&show=%00", "/lifecycle/?day=0001-01-01", "/lifecycle/stages/?model=nobody",
    "/lifecycle/people/?model=m4&stage=lost&after=99999999999999999999~1", "/risk/?after=99999999999999999999~1",
    "/risk/?store=99999999999999999999&line=99999999999999999999&adviser=x", "/risk/?stage=%00&cause=x&state=x",
    "/risk/model/?fit=99999999999999999999", "/risk/model/?line=99999999999999999999",
    "/risk/rules/?test=99999999999999999999",
    "/value/?money=9&show=x", "/value/model/?fit=99999999999999999999", "/value/model/?fit=x",
    "/value/people/?r=5&f=5&after=99999999999999999999~1", "/value/referrers/?after=99999999999999999999~1",
    "/value/lines/?line=99999999999999999999", "/together/?item=99999999999999999999&category=99999999999999999999",
    "/together/groups/?trait=x&group=%00", "/together/model/?fit=99999999999999999999",
)  # fmt: skip


@pytest.fixture
def owner(client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Of a chain that was founded this morning."""
    Clock(monkeypatch, NOW)
    chain = found_chain(name="花漾", second_factor_required=False, now=NOW)
    add_store(code="JA", name="静安店", now=NOW)
    publish_models(chain, now=NOW)
    client.force_login(add_staff(username="boss", name="老板", role="owner", password="a long password 9", now=NOW))
    return client


def test_a_shop_that_knows_nobody_opens_every_page(owner: Client) -> None:
    save_segment(None, name="Nobody", text="visits >= 0", key="empty", now=NOW)
    pages = (*PAGES, *(f"/segments/empty/{part}" for part in ("", "edit/", "day/", "portrait/")))
    assert {page: owner.get(page).status_code for page in pages} == dict.fromkeys(pages, 200)


def test_what_does_not_exist_is_not_found(owner: Client) -> None:
    assert {page: owner.get(page).status_code for page in NOWHERE} == dict.fromkeys(NOWHERE, 404)


def test_what_nobody_asks_breaks_nothing(owner: Client) -> None:
    answers = {page: owner.get(page).status_code for page in NONSENSE}
    assert {page: status for page, status in answers.items() if status not in {200, 302, 404, 422}} == {}


def test_a_segment_that_somebody_dropped_meanwhile_is_not_found(owner: Client) -> None:
    one = save_segment(None, name="Gone", text="visits >= 0", key="gone", now=NOW)
    drop_segment(one, now=NOW)
    asked = {"name": "Gone", "ask-text": "visits >= 1", "way": "text"}
    for part in ("edit/", "freeze/", "drop/"):
        assert owner.post(f"/segments/gone/{part}", asked).status_code == 404, part
    assert owner.get("/customers/?segment=gone").status_code in {200, 404}
    assert not Segment.objects.exists()
