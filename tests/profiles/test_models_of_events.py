"""Stage models that ask for events and consents: copied from the first model on that asks, and whoever is told of is
restaged at once."""

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import pytest

from changke.engine.engines import duckdb as on_duckdb
from changke.facts.consents.models import Consent
from changke.facts.customers.models import Customer
from changke.facts.events.models import Event
from changke.foundation.batches.models import Batch
from changke.foundation.database.append_only import current_xid
from changke.foundation.organisation.queries import the_chain
from changke.profiles.lifecycle.models import Standing
from changke.profiles.lifecycle.services import (
    bring_into_use,
    dry_run,
    explain,
    fold,
    refresh_all,
    refresh_customers,
    replay,
    some,
)
from tests.profiles.test_models_of_deeds import model, store, two
from tests.profiles.world import NOW, TODAY, Book

__all__ = ["store", "two"]


def opened(days: int) -> dict[str, Any]:
    deed = {"kind": "event", "of": "app.opened"}
    return {"measure": "count", "deed": deed, "days": days, "op": ">=", "value": 1}


BOTH = {"or": [opened(30), {"consent": "marketing", "channel": "sms"}]}


def event(one: Customer, days: int, kind: str = "app.opened") -> Event:
    told = Event(customer=one, kind=kind, **Book()._fact(TODAY - dt.timedelta(days=days)))
    told.save(force_insert=True)
    return told


def consent(one: Customer, days: int, given: bool) -> None:
    Consent(
        customer=one, purpose="marketing", channel="sms", given=given, how="counter",
        **Book()._fact(TODAY - dt.timedelta(days=days)),
    ).save(force_insert=True)  # fmt: skip


def stages() -> dict[int, str]:
    return dict(Standing.objects.filter(model="told").values_list("customer", "stage"))


@pytest.mark.django_db(transaction=True)
def test_everything_agrees_and_what_is_told_restages_her_at_once(
    two: list[Customer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(some, "SEVERAL", 1)  # by column: what several are computed of holds what is seldom asked
    mirror, (one, other) = tmp_path / "mirror.duckdb", [person.pk for person in two]
    consent(two[1], 20, given=True)
    consent(two[1], 10, given=False)
    event(two[0], 35)
    refresh_all(now=NOW, mirror=mirror, months=0)
    with duckdb.connect(str(mirror), read_only=True) as duck:
        assert not on_duckdb.has_table(duck, "facts_event"), "nobody asks for events"
    days = [TODAY - dt.timedelta(days=ago) for ago in (15, 10, 6, 5)]
    past = replay(model(BOTH, key="fresh"), now=NOW, days=days, mirror=mirror)
    assert [day.after.get("in", 0) for day in past] == [2, 1, 1, 0]
    bring_into_use(model(BOTH, key="told"), chain=the_chain(), now=NOW)
    refresh_all(now=NOW, mirror=mirror, months=0)
    assert stages() == {one: "out", other: "out"}
    told = event(two[0], 0)
    event(two[1], 0, kind="stage.changed")
    consent(two[1], 1, given=True)
    assert fold(NOW).customers == 2
    assert stages() == {one: "in", other: "in"}
    assert fold(NOW).customers == 0, "what we say of stages ourselves moves nobody"
    refresh_customers([one], now=NOW)
    bands = [(band.stage, (TODAY - band.first).days) for band in explain(other, TODAY, now=NOW, model="told").bands]
    assert bands[-3:] == [("in", 20), ("out", 10), ("in", 1)]
    assert [band.stage for band in explain(one, TODAY, now=NOW, model="told").bands][-3:] == ["in", "out", "in"]
    assert dry_run(model(BOTH, key="told")).moving == 0
    monkeypatch.setattr(some, "MANY", 1)
    Standing.objects.filter(model="told").delete()
    refresh_customers([one, other], now=NOW, mirror=mirror)
    assert stages() == {one: "in", other: "in"}, "out of the mirror, which was brought up to date"
    batch = Batch.objects.create(kind="load", created_at=NOW)
    Event.objects.filter(pk=told.pk).update(withdrawn_by=batch, txid=current_xid())
    refresh_all(now=NOW, mirror=mirror, months=0)
    assert stages() == {one: "out", other: "in"}, "the night sees that it was withdrawn"
