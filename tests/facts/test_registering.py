"""Written down by hand: who is met anew, and which birthdays nobody has."""

import datetime as dt

import pytest

from changke.facts.customers.queries import by_phone, values_of
from changke.facts.customers.services.change import change
from changke.facts.customers.services.hide import hide
from changke.facts.customers.services.meet import IdentifierTaken, add_identifiers, reference
from changke.facts.customers.services.register import PhoneKnown, register
from changke.foundation.errors import Invalid
from tests.cast import NOW, TODAY, Cast

pytestmark = pytest.mark.django_db


def test_a_phone_that_only_an_undone_batch_knew_is_free_again(cast: Cast) -> None:
    phone = "13800000077"
    loaded = register(name="陌生", phone=phone, home_store=cast.xu_hui, profile={"allergies": "酒精"}, now=NOW)
    hide([loaded.pk])
    assert by_phone(phone) is None
    met = register(name="青青", phone=phone, email="q@example.com", home_store=cast.jing_an, now=NOW)
    assert (met.pk, met.is_active, met.allergies) == (loaded.pk, True, "")
    assert sorted(values_of(met.identifiers.all()).values()) == ["+8613800000077", "q@example.com"]
    assert by_phone(phone) == met
    with pytest.raises(PhoneKnown):
        register(name="另一位", phone=phone, home_store=cast.jing_an, now=NOW)


def test_a_member_number_comes_over_from_whom_only_an_undone_batch_knew(cast: Cast) -> None:
    number = reference("external", "M-1", "till")
    add_identifiers(cast.bai, [number])
    with pytest.raises(IdentifierTaken):
        add_identifiers(cast.mo, [number])
    hide([cast.bai.pk])
    add_identifiers(cast.mo, [number])
    assert cast.mo.identifiers.filter(kind="external", value="M-1").exists()


@pytest.mark.parametrize(
    ("birthday", "refused"),
    [
        ({"birth_year": TODAY.year, "birth_month": TODAY.month, "birth_day": TODAY.day}, False),
        ({"birth_year": TODAY.year, "birth_month": TODAY.month, "birth_day": TODAY.day + 1}, True),
        (
            {"birth_month": TODAY.month, "birth_day": TODAY.day + 1},
            False,
        ),  # a birthday without its year comes every year
    ],
)
def test_nobody_is_born_tomorrow(cast: Cast, birthday: dict[str, int], refused: bool) -> None:
    if refused:
        with pytest.raises(Invalid, match="birth_day"):
            change(cast.mo.pk, birthday, now=NOW)
    else:
        assert change(cast.mo.pk, birthday, now=NOW).birth_day == birthday["birth_day"]


def test_today_is_the_day_in_her_store(cast: Cast) -> None:
    cast.jing_an.time_zone = "Pacific/Honolulu"
    cast.jing_an.save()
    born = {"birth_year": TODAY.year, "birth_month": TODAY.month, "birth_day": TODAY.day}
    early = dt.datetime.combine(TODAY, dt.time(1), tzinfo=dt.UTC)  # in Honolulu it is still yesterday
    with pytest.raises(Invalid, match="birth_day"):
        change(cast.mo.pk, born, now=early)
