"""What Lin changed by mistake is put back as it was, through the room's own verb; not over what somebody did since."""

import pytest

from changke.facts.customers.services.change import change
from changke.facts.customers.services.tags import add_tag
from changke.foundation.access.services import change_staff
from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.queries import preview
from changke.foundation.audit.rules import By
from changke.foundation.audit.services import ChangedSince, NotRestorable, blank_values, restore
from changke.foundation.errors import DomainError, Invalid, NotFound
from changke.foundation.organisation.models import Region
from changke.foundation.organisation.services import (
    add_region,
    change_region,
    change_settings,
    change_store,
    remove_region,
)
from changke.profiles.lifecycle.models import StageModel
from changke.profiles.lifecycle.services.publish import publish_models, shipped_models
from tests.cast import NOW, Cast

LIN = By("staff", 1, "林老板")


def last(action: str) -> AuditLine:
    return AuditLine.objects.filter(action=action).latest("id")


def test_days_of_stages_are_put_back(cast: Cast) -> None:
    change_settings(cast.chain, {"silent_after_days": 45, "name": "花海"}, by=LIN, now=NOW)
    assert restore(last("chain.changed"), by=LIN, now=NOW) == ["name", "silent_after_days"]
    cast.chain.refresh_from_db()
    assert (cast.chain.silent_after_days, cast.chain.name) == (60, "花漾")
    told = last("audit.restored")
    assert (told.subject, told.after["fields"]) == (f"chain:{cast.chain.pk}", ["name", "silent_after_days"])
    assert last("chain.changed").after == {"name": "花漾", "silent_after_days": 60}, "the verb wrote its own line"


def test_not_over_what_somebody_did_since(cast: Cast) -> None:
    change_settings(cast.chain, {"silent_after_days": 45, "name": "花海"}, by=LIN, now=NOW)
    line = last("chain.changed")
    change_settings(cast.chain, {"silent_after_days": 50}, by=LIN, now=NOW)
    found = preview(line)
    assert found is not None
    assert [(one.name, one.before, one.after, one.now, one.changed_since) for one in found.fields] == [
        ("name", "花漾", "花海", "花海", False),
        ("silent_after_days", 60, 45, 50, True),
    ]
    with pytest.raises(ChangedSince) as refused:
        restore(line, by=LIN, now=NOW)
    assert refused.value.fields == ["silent_after_days"]
    assert restore(line, fields=["name"], by=LIN, now=NOW) == ["name"]
    cast.chain.refresh_from_db()
    assert cast.chain.silent_after_days == 50
    assert restore(line, fields=["silent_after_days"], by=LIN, now=NOW) == ["silent_after_days"], "who saw it, may"


def test_what_stands_there_already_is_not_written_twice(cast: Cast) -> None:
    change_settings(cast.chain, {"silent_after_days": 45}, by=LIN, now=NOW)
    line = last("chain.changed")
    restore(line, by=LIN, now=NOW)
    with pytest.raises(NotRestorable):
        restore(line, by=LIN, now=NOW)


def test_a_value_that_is_wrong_today_is_refused_by_its_room(cast: Cast) -> None:
    change_settings(cast.chain, {"silent_after_days": 45}, by=LIN, now=NOW)
    line = last("chain.changed")
    change_settings(cast.chain, {"lost_after_days": 50}, by=LIN, now=NOW)
    with pytest.raises(Invalid):
        restore(line, by=LIN, now=NOW)


def test_a_store_goes_back_to_its_region(cast: Cast) -> None:
    north = add_region(name="北方", now=NOW)
    was = cast.jing_an.region_id
    change_store(cast.jing_an, {"region": north, "is_open": False}, by=LIN, now=NOW)
    restore(last("store.changed"), by=LIN, now=NOW)
    cast.jing_an.refresh_from_db()
    assert (cast.jing_an.region_id, cast.jing_an.is_open) == (was, True)


def test_a_region_goes_back_where_it_hung_unless_that_is_gone(cast: Cast) -> None:
    east, district = add_region(name="华东", now=NOW), add_region(name="静安", now=NOW)
    district = change_region(district, name="静安", parent=east, now=NOW)
    change_region(district, name="静安区", parent=None, now=NOW)
    line = last("region.changed")
    restore(line, by=LIN, now=NOW)
    assert Region.objects.get(pk=district.pk).parent == east
    change_region(Region.objects.get(pk=district.pk), name="静安区", parent=None, now=NOW)
    remove_region(east, now=NOW)
    with pytest.raises(NotFound):
        restore(last("region.changed"), by=LIN, now=NOW)


def test_profile_fields_are_put_back(cast: Cast) -> None:
    change(cast.mo.pk, {"name": "莫愁女士", "adviser": cast.clerk, "birth_month": 2, "birth_day": 29}, by=LIN, now=NOW)
    restore(last("customer.changed"), by=LIN, now=NOW)
    cast.mo.refresh_from_db()
    assert (cast.mo.name, cast.mo.adviser, cast.mo.birth_day, cast.mo.pinyin) == ("莫愁", None, None, "mochou")


def test_stages_are_published_as_they_were(cast: Cast) -> None:
    publish_models(cast.chain, now=NOW)
    (m4,) = (one for one in shipped_models() if one["key"] == "m4")
    publish_models(cast.chain, definitions=[{**m4, "position": 77}], by=LIN, now=NOW)
    restore(last("stages.published"), by=LIN, now=NOW)
    assert StageModel.objects.get(key="m4").definition == m4


@pytest.mark.parametrize("what", ["made", "right", "erased", "gone", "tag"])
def test_some_lines_hold_nothing_to_put_back(cast: Cast, what: str) -> None:
    if what == "made":
        add_region(name="北方", now=NOW)
    elif what == "right":
        change_staff(cast.clerk, role="manager", now=NOW)
    elif what == "erased":
        change(cast.mo.pk, {"city": "上海"}, now=NOW)
        blank_values([cast.mo.pk])
    elif what == "gone":
        change_region(add_region(name="北方", now=NOW), name="北", parent=None, now=NOW)
        Region.objects.filter(name="北").delete()
    else:
        add_tag(cast.mo, "怕疼", now=NOW)
    line = AuditLine.objects.latest("id")
    with pytest.raises(DomainError):
        restore(line, by=LIN, now=NOW)
