"""The demo chain: an invented world becomes facts, all of them, and people can log in."""

import datetime as dt
from collections import Counter
from pathlib import Path

import pytest

from changke.engine import synthetic
from changke.facts.duplicates.models import Duplicate
from changke.facts.models import Customer, Event, Line, Note, Opening, Receipt, Referral, Tag, Tender, Visit
from changke.foundation.login.services.log_in import log_in
from changke.interfaces.demo import create_demo
from changke.interfaces.demo.load import ChainExists
from changke.interfaces.demo.warning import choose_rule
from changke.interfaces.webhooks.models import WebhookDelivery
from changke.interfaces.webhooks.services.process import process_some
from changke.profiles.affinity.models import TagRule
from changke.profiles.affinity.services.follow import apply_to_past
from changke.profiles.risk.queries import rule_in_use
from changke.profiles.risk.rules import Wanted
from changke.profiles.risk.services.choose import use

NOW = dt.datetime(2026, 3, 4, 4, tzinfo=dt.UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    create_demo(now=NOW, secrets=tmp_path, customers=300, stores=3, years=1, seed=7)
    return tmp_path


def test_every_row_of_the_world_becomes_a_fact(demo: Path) -> None:
    world = synthetic.invent(7, today=NOW.date(), customers=300, stores=3, years=1, until=NOW)
    for model, table in [
        (Receipt, world.receipts),
        (Line, world.lines),
        (Tender, world.tenders),
        (Visit, world.visits),
        (Opening, world.openings),
        (Event, world.events),
        (Note, world.events),
    ]:
        assert model.objects.count() == len(table) > 0, model.__name__
    written_twice = Duplicate.objects.values("other").distinct().count()
    assert Customer.objects.count() == len(world.customers) + written_twice


def test_some_are_written_down_twice_and_found(demo: Path) -> None:
    assert {one.rule for one in Duplicate.objects.all()} >= {"phone_name", "phone", "name_birthday"}


def test_friends_say_who_brought_them_and_nobody_came_before_her(demo: Path) -> None:
    said = Referral.objects.select_related("customer", "referrer")
    came_by_friends = Customer.objects.filter(source="朋友介绍").count()
    assert came_by_friends / 2 < len(said) < came_by_friends
    for one in said:
        assert one.referrer is not None
        assert one.referrer.known_on <= one.customer.known_on == one.business_date
        assert one.referrer.home_store_id == one.customer.home_store_id
    most = Counter(one.referrer_id for one in said).most_common(1)
    assert most[0][1] > 1, "few bring many"


def test_nobody_is_known_later_than_her_first_fact(demo: Path) -> None:
    known = dict(Customer.objects.values_list("id", "known_on"))
    assert all(day >= known[customer] for customer, day in Visit.objects.values_list("customer_id", "business_date"))


@pytest.mark.parametrize("username", ["owner", "hq", "manager", "staff"])
def test_one_of_each_role_can_log_in(demo: Path, username: str) -> None:
    logins = {login.username: login.password for login in create_again(demo)}
    person = log_in(username=username, password=logins[username], address="test", now=NOW)
    assert person.role == username
    assert person.stores.count() == (1 if username in {"manager", "staff"} else 0)


def create_again(folder: Path) -> list[object]:
    from changke.interfaces.demo.logins import kept_logins  # noqa: PLC0415

    return list(kept_logins(folder))


def test_a_chain_that_exists_is_not_overwritten(demo: Path) -> None:
    with pytest.raises(ChainExists):
        create_demo(now=NOW, secrets=demo, customers=10, stores=1, years=1)


def test_what_a_chain_has_set_up_is_there_and_does_its_work(demo: Path) -> None:
    """Rules that tag, and a web shop: its order and refund go in, the order from a place unknown waits and says so."""
    later = NOW + dt.timedelta(seconds=5)
    for rule in TagRule.objects.all():
        assert apply_to_past(rule, now=later) == Tag.objects.filter(name=rule.tag, rule=rule.name).count() > 0, (
            rule.name
        )
    while process_some(later):
        pass
    states = {one.delivery_id: (one.state, one.reason) for one in WebhookDelivery.objects.all()}
    assert {name: state for name, (state, _) in states.items()} == {
        "demo-5001": "done", "demo-9001": "done", "demo-5002": "waiting",
    }  # fmt: skip
    assert Receipt.objects.filter(source="shopify").count() == 2


def test_a_rule_warns_from_the_first_night_on_and_a_choice_stays(demo: Path) -> None:
    choose_rule(now=NOW)
    assert (rule_in_use().kind, rule_in_use().threshold) == ("outlook", 2_600)
    use(Wanted("fixed", 45), now=NOW)
    choose_rule(now=NOW)
    assert rule_in_use().kind == "fixed", "what somebody chose is not chosen again"
