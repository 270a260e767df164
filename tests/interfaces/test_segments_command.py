"""`changke segments`: listed, counted, printed, saved, frozen, dropped."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from changke.facts.customers.models import Customer
from changke.profiles.lifecycle.services import refresh_customers
from changke.profiles.segments.models import Segment
from changke.profiles.segments.services.save import save_segment
from tests.cast import NOW, Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def known(cast: Cast) -> Cast:
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)
    return cast


def told(*words: str) -> dict[str, Any]:
    out = StringIO()
    call_command("segments", *words, json=True, stdout=out, stderr=StringIO())
    found: dict[str, Any] = json.loads(out.getvalue().splitlines()[-1])
    return found


def test_it_counts_saves_lists_prints_and_drops(known: Cast) -> None:
    counted = told("--count", "purchases >= 1")
    assert 0 < counted["customers"] < counted["total"]
    (saved,) = told("--save", "purchases>=1", "--name", "Bought")["segments"]
    assert saved == {"key": "bought", "name": "Bought", "text": "purchases >= 1", "kind": "followed",
                     "customers": counted["customers"]}  # fmt: skip
    members = told("--members", "bought")
    assert len(members["customers"]) == counted["customers"]
    assert told("--members", "bought", "--most", "1")["customers"] == members["customers"][:1]
    listed = told("--freeze", "segment has bought", "--name", "Then")["segments"]
    kinds = {one["key"]: (one["kind"], one["customers"]) for one in listed}
    assert kinds == {"bought": ("followed", counted["customers"]), "then": ("frozen", counted["customers"])}
    assert [one["key"] for one in told("--drop", "then")["segments"]] == ["bought"]


def test_a_segment_that_can_no_longer_be_asked_is_listed_all_the_same(known: Cast) -> None:
    one = save_segment(None, name="Other", text="visits > 1", now=NOW)
    Segment.objects.filter(pk=one.pk).update(tree={"attribute": "gone", "op": ">", "value": 1})
    assert told()["segments"][0]["customers"] is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--count", "purchasess >= 1"], "purchases"),
        (["--count", "purchases >="], "1"),
        (["--members", "nobody"], "bought"),
        (["--drop", "nobody"], "bought"),
        (["--save", "visits > 1", "--name", "Bought"], "."),
        (["--save", "visits > 1"], "60"),
    ],
)
def test_what_cannot_be_done_says_why(known: Cast, words: list[str], said: str) -> None:
    save_segment(None, name="Bought", text="purchases >= 1", now=NOW)
    with pytest.raises(CommandError, match=said):
        call_command("segments", *words, stdout=StringIO())
    assert Segment.objects.count() == 1


def test_it_prints_who_came_and_who_went_and_who_was_in_it_on_a_day(known: Cast) -> None:
    told("--save", "purchases>=1", "--name", "Bought")
    inside = sorted(told("--members", "bought")["customers"])
    moves = told("--moves", "bought")["moves"]
    assert [(one["customer"], one["move"], one["why"]) for one in moves] == [
        (pk, "entered", "publish") for pk in inside
    ]
    assert told("--moves", "bought", "--since", "2999-01-01")["moves"] == []
    assert told("--members", "bought", "--at", "2999-01-01")["customers"] == inside
    with pytest.raises(CommandError, match="才有记录"):
        told("--members", "bought", "--at", "2020-01-01")
