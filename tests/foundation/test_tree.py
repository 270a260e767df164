"""Regions in regions: whoever answers for a node answers for everything below it, wherever it is moved."""

import pytest
from django.db import connection

from changke.foundation.errors import Invalid
from changke.foundation.organisation import rules
from changke.foundation.organisation.models import Region, Store
from changke.foundation.organisation.queries import names_of_regions, stores_below, tree
from changke.foundation.organisation.services import (
    RegionNameTaken,
    RegionNotEmpty,
    TreeTooDeep,
    add_region,
    add_store,
    change_region,
    change_store,
    found_chain,
    remove_region,
)
from tests.cast import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def china() -> dict[str, Region | Store]:
    """East with 上海 (two districts, three stores) and 杭州 (one); south with 广州 (one); one store of the chain."""
    found_chain(name="花漾", now=NOW)
    east, south = add_region(name="华东", now=NOW), add_region(name="华南", now=NOW)
    shanghai = add_region(name="上海", parent=east, now=NOW)
    jing_an, xu_hui = (
        add_region(name="静安", parent=shanghai, now=NOW),
        add_region(name="徐汇", parent=shanghai, now=NOW),
    )
    add_store(code="J1", name="静安一店", region=jing_an, now=NOW)
    add_store(code="J2", name="静安二店", region=jing_an, now=NOW)
    add_store(code="X1", name="徐汇店", region=xu_hui, now=NOW)
    add_store(code="H1", name="杭州店", region=add_region(name="杭州", parent=east, now=NOW), now=NOW)
    add_store(code="G1", name="广州店", region=add_region(name="广州", parent=south, now=NOW), now=NOW)
    add_store(code="WEB", name="网店", now=NOW)
    return {"east": east, "south": south, "shanghai": shanghai, "jing_an": jing_an}


def below(region: Region) -> list[str]:
    region.refresh_from_db()
    return sorted(Store.objects.filter(pk__in=stores_below(region.path)).values_list("code", flat=True))


def test_a_node_holds_every_store_below_it(china: dict[str, Region]) -> None:
    assert below(china["east"]) == ["H1", "J1", "J2", "X1"]
    assert below(china["jing_an"]) == ["J1", "J2"]
    assert len(stores_below(rules.TOP)) == 6


def test_the_number_3_is_not_the_beginning_of_31(china: dict[str, Region]) -> None:
    first = min(Region.objects.values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence('foundation_region', 'id'), %s)", [first * 10])
    other = add_region(name="x", parent=None, now=NOW)
    assert other.pk == first * 10 + 1
    add_store(code="O", name="o", region=other, now=NOW)
    assert "O" not in below(Region.objects.get(pk=first))


def test_a_region_moves_with_all_that_hangs_from_it(china: dict[str, Region]) -> None:
    change_region(china["shanghai"], name="上海", parent=china["south"], now=NOW)
    assert below(china["east"]) == ["H1"]
    assert below(china["south"]) == ["G1", "J1", "J2", "X1"]
    assert names_of_regions()[china["jing_an"].pk] == "华南 / 上海 / 静安"
    change_region(china["shanghai"], name="沪", parent=None, now=NOW)
    assert below(china["south"]) == ["G1"]
    assert below(china["shanghai"]) == ["J1", "J2", "X1"]


def test_a_store_moves_alone(china: dict[str, Region]) -> None:
    change_store(Store.objects.get(code="J1"), {"region": china["south"]}, now=NOW)
    assert below(china["south"]) == ["G1", "J1"]
    change_store(Store.objects.get(code="J1"), {"region": None}, now=NOW)
    assert below(china["south"]) == ["G1"]


def test_nothing_hangs_below_itself(china: dict[str, Region]) -> None:
    for parent in (china["east"], china["shanghai"], china["jing_an"]):
        with pytest.raises(Invalid, match="below itself"):
            change_region(china["east"], name="华东", parent=parent, now=NOW)
    assert below(china["east"]) == ["H1", "J1", "J2", "X1"]


def test_two_of_one_name_at_one_place_are_refused(china: dict[str, Region]) -> None:
    with pytest.raises(RegionNameTaken):
        change_region(china["east"], name="华南", parent=None, now=NOW)
    assert add_region(name="上海", parent=china["east"], now=NOW) == china["shanghai"]
    with pytest.raises(Invalid, match="is missing"):
        change_region(china["east"], name="  ", parent=None, now=NOW)


def test_the_tree_has_an_end(china: dict[str, Region]) -> None:
    node = china["south"]
    for level in range(rules.DEEPEST - 1):
        node = add_region(name=f"level {level}", parent=node, now=NOW)
    with pytest.raises(TreeTooDeep):
        add_region(name="one more", parent=node, now=NOW)
    with pytest.raises(TreeTooDeep):
        change_region(china["south"], name="华南", parent=china["east"], now=NOW)


def test_only_what_is_empty_is_taken_away(china: dict[str, Region]) -> None:
    for region in (china["east"], china["jing_an"]):
        with pytest.raises(RegionNotEmpty):
            remove_region(region, now=NOW)
    remove_region(add_region(name="西部", now=NOW), now=NOW)
    assert not Region.objects.filter(name="西部").exists()


def test_the_tree_reads_from_the_top(china: dict[str, Region]) -> None:
    read = [(node.depth, (node.region or node.store).name) for node in tree()]  # type: ignore[union-attr]
    assert read[0][0] == 0
    assert read[-1] == (0, "网店")
    assert (3, "静安一店") in read
    assert len(read) == 13
