"""What was decided about pairs, on a desk and on a phone: everything that can be done stands where it can be seen."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from changke.facts.customers.services.register import register
from changke.facts.duplicates.models import Duplicate
from changke.facts.duplicates.services import find_duplicates, not_same
from tests.browser.audit import sideways
from tests.cast import NOW, Cast

Visit = Callable[..., Page]


@pytest.mark.parametrize(("size", "width"), [("phone", 390), ("desktop", 1440)])
def test_asking_again_is_within_reach(visit: Visit, people: Cast, size: str, width: int) -> None:
    register(name="欧阳娜娜的女儿小秋", phone="13800000002", home_store=people.jing_an, share=True, now=NOW)
    find_duplicates(now=NOW)
    not_same(Duplicate.objects.get().pk, now=NOW)
    page = visit("/duplicates/?state=decided", size=size, by=people.owner)
    asks = page.get_by_role("button", name="重新判断").locator("visible=true")
    expect(asks).to_have_count(1)
    box = asks.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert sideways(page) == 0
