"""`changke grants`: roles beside the position, given and taken back by whoever commands the machine."""

import datetime as dt
import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from changke.foundation.access.models import Grant, Staff
from changke.foundation.access.services.grants import save_role
from changke.foundation.access.services.staff import add_staff
from changke.foundation.audit.models import AuditLine
from changke.interfaces.management.commands.grants import GIVER
from tests.cast import NOW, Cast

pytestmark = pytest.mark.django_db
NEXT_YEAR = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=365)


@pytest.fixture
def chen(cast: Cast) -> Staff:
    return add_staff(username="chen", name="陈静", stores=[cast.jing_an], now=NOW)


def told(*words: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("grants", *words, "--json", stdout=out, stderr=io.StringIO())
    found: dict[str, Any] = json.loads(out.getvalue().strip().splitlines()[-1])
    return found


def test_a_deputy_gets_a_store_until_a_day_and_loses_it_again(cast: Cast, chen: Staff) -> None:
    given = told(
        "--give", "manager", "--to", "chen", "--store", cast.xu_hui.code, "--sees", "visited", "--until", str(NEXT_YEAR)
    )
    grant = Grant.objects.get(pk=given["grant"])
    assert (grant.staff, grant.store, grant.built_in, grant.sees) == (chen, cast.xu_hui, "manager", "visited")
    assert grant.until is not None
    assert (
        grant.until.astimezone(dt.timezone(dt.timedelta(hours=8))).isoformat()[:19]
        == f"{NEXT_YEAR + dt.timedelta(days=1)}T00:00:00"
    )
    assert AuditLine.objects.filter(action="role.granted").latest("pk").actor_name == "changke grants"
    assert [one["role"] for one in told("--to", "chen")["grants"]] == ["staff", "manager"]
    assert told("--take", str(grant.pk))["on"] == f"store {cast.xu_hui.name}"
    assert [one["role"] for one in told("--to", "chen")["grants"]] == ["staff"]


def test_a_role_of_the_chains_own_is_called_by_its_name(cast: Cast, chen: Staff) -> None:
    save_role(None, name="盘点", capabilities=["customer.view"], giver=GIVER, now=NOW)
    assert told("--give", "盘点", "--to", "CHEN")["on"] == "chain"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--give", "manager"], "to whom"),
        (["--give", "manager", "--to", "nobody"], "nobody who works here"),
        (["--give", "boss", "--to", "chen"], "choose one of"),
        (["--give", "manager", "--to", "chen", "--store", "XX"], "no store XX"),
        (["--give", "manager", "--to", "chen", "--region", "XX"], "no region XX"),
        (["--give", "manager", "--to", "chen", "--until", "2020-01-01"], "必须在将来"),
        (["--take", "987654"], "no role 987654"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(chen: Staff, words: list[str], why: str) -> None:
    before = Grant.objects.count()
    with pytest.raises(CommandError, match=why):
        call_command("grants", *words)
    assert Grant.objects.count() == before


def test_what_follows_from_the_position_and_the_last_owner_stay(cast: Cast, chen: Staff) -> None:
    standing = Grant.objects.get(staff=chen)
    with pytest.raises(CommandError, match="position"):
        call_command("grants", "--take", str(standing.pk))
    assert Grant.objects.filter(pk=standing.pk).exists()
