"""What goes together over the API, in files and by command: the same numbers as on the pages, of one's own stores."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from changke.foundation.access.services.keys import issue_key
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import Scope
from changke.interfaces.exporters.shape import DATASETS, Ask
from tests.cast import NOW, TODAY, Cast
from tests.interfaces.api.conftest import Caller
from tests.interfaces.together import SUMMER, counted

pytestmark = pytest.mark.django_db
PATHS = ("pairs", "starters", "seasons", "groups")


def told(*words: str) -> dict[str, Any]:
    out = StringIO()
    call_command("together", *words, "--json", stdout=out, stderr=StringIO())
    found: dict[str, Any] = json.loads(out.getvalue().strip().splitlines()[-1])
    return found


def test_pairs_of_the_chain_and_of_ones_stores(hq: Caller, manager: Caller, cast: Cast) -> None:
    counted(cast)
    whole, mine = hq.get("/together/pairs").json(), manager.get("/together/pairs").json()
    assert (whole["as_of"], whole["receipts"], whole["with_lines"]) == (str(TODAY), 590, 570)
    assert [(one["together"], one["had"]) for one in whole["pairs"]] == [(43, 100)]
    assert [(one["together"], one["had"]) for one in mine["pairs"]] == [(40, 50)]
    assert mine["total"] == 200
    assert hq.get("/together/pairs", store="JA").json() == mine
    assert hq.get("/together/pairs", store="XH").json()["too_few"] == 1
    assert hq.get("/together/pairs", among="baskets").json()["total"] == 800


def test_a_foreign_store_and_other_words_are_refused(hq: Caller, manager: Caller, cast: Cast) -> None:
    counted(cast)
    for path in PATHS:
        assert manager.get(f"/together/{path}", store="XH").json()["code"] == "unknown_store", path
    assert hq.get("/together/pairs", among="weather").status_code == 422
    assert hq.get("/together/groups", by="shoe size").status_code == 422


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("held_to", "status"), [("analytics.view", 200), ("customer.view", 403)])
def test_who_may_analyse_may_ask(path: str, held_to: str, status: int, cast: Cast) -> None:
    key = issue_key(name="reads", role="hq", scopes=[held_to], now=NOW)
    assert Caller(key.secret).get(f"/together/{path}").status_code == status


def test_starters_seasons_and_groups(hq: Caller, manager: Caller, cast: Cast) -> None:
    counted(cast)
    (one,) = manager.get("/together/starters").json()["starters"]
    assert (one["customers"], one["returned"], one["alone"], one["alone_returned"]) == (40, 30, 60, 15)
    assert one["difference_bp"] == 5_000
    seasons = hq.get("/together/seasons").json()
    assert (seasons["months"][0], seasons["months"][SUMMER]) == ("2026-03-01", "2026-06-01")
    assert max(seasons["items"][0]["index_milli"]) == seasons["items"][0]["index_milli"][SUMMER] > 1_300
    (group,) = hq.get("/together/groups", by="gender").json()["groups"]
    assert (group["words"], group["members"]) == ("Female", 43)
    assert group["favourites"][0]["customers"] == 41


@pytest.mark.parametrize("path", PATHS)
def test_before_the_first_night_there_is_no_day_and_nothing(path: str, hq: Caller, cast: Cast) -> None:
    said = hq.get(f"/together/{path}").json()
    assert (said["as_of"], said["receipts"]) == (None, 0)
    assert [value for value in said.values() if isinstance(value, list)].count([]) >= 1
    assert told(path) == {"as_of": None, path: []}


def test_the_command_and_the_files_say_the_same(hq: Caller, cast: Cast) -> None:
    counted(cast)
    ask = Ask(Scope(frozenset({Store.objects.get(code="JA").pk})))
    for path in PATHS:
        dataset = DATASETS[f"together_{path}"]
        rows = [[cell if isinstance(cell, int | None) else str(cell) for cell in row] for row in dataset.rows(ask)]
        by_command = told(path, "--store", "JA")
        assert by_command["receipts"] == 500
        assert [list(row.values()) for row in by_command[path]] == rows
        assert dataset.count(ask) == len(rows) > 0
    with pytest.raises(CommandError, match="there is no store"):
        told("pairs", "--store", "nowhere")
