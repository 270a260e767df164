"""The audit trail for machines that keep it elsewhere."""

from collections.abc import Callable

import pytest

from changke.facts.customers.services.tags import add_tag
from tests.cast import Cast
from tests.interfaces.api.conftest import NOW, Caller


@pytest.mark.parametrize("role", ["manager", "staff"])
def test_a_key_of_a_store_is_refused(cast: Cast, key_of: Callable[[str], Caller], role: str) -> None:
    assert key_of(role).get("/audit").status_code == 403


def test_lines_come_newest_first_in_pages(cast: Cast, hq: Caller) -> None:
    for number in range(5):
        add_tag(cast.mo, f"t{number}", now=NOW)
    first = hq.get("/audit", customer_id=cast.mo.pk, action="tag.added", limit=3).json()
    second = hq.get("/audit", customer_id=cast.mo.pk, action="tag.added", limit=3, cursor=first["next"]).json()
    told = [one["after"]["tag"] for one in first["items"] + second["items"]]
    assert (told, second["next"]) == (["t4", "t3", "t2", "t1", "t0"], None)
    line = first["items"][0]
    assert (line["subject"], line["words"], line["erased"]) == (f"customer:{cast.mo.pk}", "Tag added", False)


def test_what_is_no_position_is_refused(cast: Cast, hq: Caller) -> None:
    assert hq.get("/audit", cursor="zzz").status_code == 422
