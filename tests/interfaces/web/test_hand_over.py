"""Somebody leaves: her customers are handed over, with the money at risk shown, in one deed that can be undone."""

import datetime as dt

import pytest
from django.test import Client

from changke.actions.tasks import services
from changke.decisions.next_best_action.queries import broken_promises
from changke.decisions.next_best_action.services import record_followup
from changke.facts.customers.models import Advising, Customer
from changke.facts.customers.services.change import change
from changke.facts.customers.services.merge import merge
from changke.facts.events.models import Event
from changke.foundation.access.models import Staff
from changke.foundation.access.services import add_staff, change_staff
from changke.foundation.audit.rules import HOUSE
from changke.foundation.batches.models import Batch
from changke.foundation.errors import Invalid
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.interfaces import jobs
from changke.profiles.lifecycle.services import refresh_customers
from tests.cast import NOW, TODAY, Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(computed_cast: Cast) -> Cast:
    for customer in (computed_cast.vera, computed_cast.mo, computed_cast.qiu):
        change(customer.pk, {"adviser": computed_cast.clerk}, now=NOW)
    return computed_cast


@pytest.fixture
def anna(shop: Cast) -> Staff:
    return add_staff(username="anna", name="安娜", role="staff", stores=[shop.jing_an], now=NOW)


def advised_by(staff: Staff) -> set[str]:
    return set(Customer.objects.filter(adviser=staff).values_list("name", flat=True))


def test_whoever_works_in_her_customers_stores_is_offered_first(shop: Cast, anna: Staff, client: Client) -> None:
    add_staff(username="yuan", name="远远", role="staff", stores=[shop.xu_hui], now=NOW)
    client.force_login(shop.owner)
    page = client.get(f"/advisers/{shop.clerk.pk}/hand-over/").content.decode()
    assert page.index("安娜") < page.index("其他门店的人") < page.index("远远")


def test_shown_done_and_undone(shop: Cast, anna: Staff, client: Client) -> None:
    client.force_login(shop.manager)
    address = f"/advisers/{shop.clerk.pk}/hand-over/"
    assert "3 位客户" in client.get(address).content.decode()
    asked = {"receivers": [str(anna.pk), str(shop.manager.pk)], "how": "even"}
    shown = client.post(address, asked).content.decode()
    assert "每人接手多少" in shown
    assert advised_by(shop.clerk) == {"薇拉", "莫愁", "秋月"}, "showing writes nothing"
    done = client.post(address, {**asked, "run": "1"})
    assert done.status_code == 303
    batch = Batch.objects.get(kind="hand_over")
    jobs.run_batch(batch.pk)
    assert advised_by(shop.clerk) == set()
    assert advised_by(anna) | advised_by(shop.manager) == {"薇拉", "莫愁", "秋月"}
    assert Advising.objects.filter(batch=batch, reason="handed_over", given_by=shop.manager).count() == 3
    jobs.run_batch(batch.pk)
    change(shop.mo.pk, {"adviser": shop.owner}, now=NOW)
    page = client.get(f"/advisers/hand-overs/{batch.pk}/undo/").content.decode()
    assert "莫愁" in page, "whom somebody else took over since stays, and is named"
    client.post(f"/advisers/hand-overs/{batch.pk}/undo/")
    jobs.undo_batch(batch.pk)
    assert advised_by(shop.clerk) == {"薇拉", "秋月"}
    assert advised_by(shop.owner) == {"莫愁"}


def test_whoever_got_another_adviser_meanwhile_keeps_that_one(shop: Cast, anna: Staff) -> None:
    batch = services.hand_over(
        shop.clerk, [anna], "even", title="x", scope=CHAIN_WIDE, by=HOUSE, created_by=None, now=NOW
    )
    change(shop.vera.pk, {"adviser": shop.manager}, now=NOW)
    services.run(batch.pk, NOW)
    assert advised_by(anna) == {"莫愁", "秋月"}
    assert advised_by(shop.manager) == {"薇拉"}
    batch.refresh_from_db()
    assert (batch.updated_count, batch.skipped_count) == (2, 1)


def test_the_refusals(shop: Cast, anna: Staff) -> None:
    change_staff(anna, is_active=False, now=NOW)
    for receivers, how in (([], "even"), ([shop.clerk], "even"), ([anna], "even"), ([shop.manager], "at random")):
        with pytest.raises(Invalid):
            services.plan(shop.clerk, receivers, how, scope=CHAIN_WIDE)
    with pytest.raises(Invalid):
        services.hand_over(
            shop.owner, [shop.manager], "even", title="x", scope=CHAIN_WIDE, by=HOUSE, created_by=None, now=NOW
        )


def test_who_may_not_hand_over_and_whose_customers_are_not_ones_own(shop: Cast, client: Client) -> None:
    change(shop.lan.pk, {"adviser": shop.hq}, now=NOW)
    client.force_login(shop.clerk)
    assert client.get("/advisers/").status_code == 403
    assert client.get(f"/advisers/{shop.clerk.pk}/hand-over/").status_code == 403
    client.force_login(shop.manager)
    assert client.get("/advisers/").status_code == 200
    assert client.get(f"/advisers/{shop.hq.pk}/hand-over/").status_code == 404, "Lan belongs to another store"
    batch = services.hand_over(
        shop.clerk, [shop.manager], "even", title="x", scope=CHAIN_WIDE, by=HOUSE, created_by=shop.owner, now=NOW
    )
    assert client.get(f"/advisers/hand-overs/{batch.pk}/").status_code == 404
    client.force_login(shop.owner)
    assert client.get(f"/advisers/hand-overs/{batch.pk}/").status_code == 200


def test_the_api_says_first_and_does_then(shop: Cast, anna: Staff, client: Client) -> None:
    client.force_login(shop.owner)
    address, body = f"/api/v1/staff/{shop.clerk.pk}/hand-over", {"receivers": [anna.pk], "dry_run": True}
    told = client.post(address, body, content_type="application/json").json()
    assert told["batch_id"] is None
    assert [one["customers"] for one in told["shares"]] == [3]
    assert not Batch.objects.exists()
    done = client.post(address, body | {"dry_run": False}, content_type="application/json")
    assert done.status_code == 201
    assert Batch.objects.get().pk == done.json()["batch_id"]
    wrong = client.post(address, {"receivers": [999999]}, content_type="application/json")
    assert wrong.status_code == 422


def test_who_slips_through(shop: Cast, client: Client) -> None:
    client.force_login(shop.owner)
    promised = {"reason": "by_hand", "outcome": "postponed", "by": shop.clerk, "chain": shop.chain}
    record_followup(shop.vera, **promised, source_key="a", now=NOW)
    record_followup(shop.mo, **promised, source_key="b", now=NOW)
    record_followup(
        shop.mo, reason="by_hand", outcome="done", by=None, source_key="c", chain=shop.chain,
        now=NOW + dt.timedelta(hours=1),
    )  # fmt: skip
    assert broken_promises(TODAY + dt.timedelta(days=1)) == [], "tomorrow is the promised day"
    assert broken_promises(TODAY + dt.timedelta(days=2)) == [shop.vera.pk]
    never = client.get("/customers/?care=never_contacted").content.decode()
    assert "岚岚" in never
    assert "薇拉" not in never
    assert "莫愁" not in never
    assert client.get("/advisers/").status_code == 200


@pytest.mark.parametrize(
    ("reason", "contacted"),
    [("call", True), ("book", True), ("verify", False)],
)
def test_who_was_called_is_not_one_who_was_never_contacted(
    shop: Cast, client: Client, reason: str, contacted: bool
) -> None:
    client.force_login(shop.owner)
    never = "/customers/?care=never_contacted"
    assert "薇拉" in client.get(never).content.decode()
    assert client.post(f"/customers/{shop.vera.pk}/call/", {"reason": reason}).status_code == 200
    page = client.get(never).content.decode()
    assert ("薇拉" not in page) == contacted
    assert "岚岚" in page, "nobody called her"


def test_who_was_dialled_from_todays_list_was_contacted_under_any_of_her_records(shop: Cast, client: Client) -> None:
    client.force_login(shop.owner)
    assert client.post(f"/today/{shop.qiu.pk}/phone/").status_code == 200
    assert "秋月" not in client.get("/customers/?care=never_contacted").content.decode()
    merge(shop.qiu.pk, shop.vera.pk, now=NOW)
    refresh_customers([shop.qiu.pk, shop.vera.pk], now=NOW)
    assert "薇拉" not in client.get("/customers/?care=never_contacted").content.decode()


def test_follow_ups_that_a_file_brought_are_contacts_and_notes_of_the_shop_are_none(shop: Cast, client: Client) -> None:
    client.force_login(shop.owner)
    batch = Batch.objects.create(kind="import", title="follow-ups", created_at=NOW)
    for customer, of in ((shop.vera, batch), (shop.lan, None)):
        Event.objects.create(
            kind="note.written", customer=customer, data={}, happened_at=NOW, business_date=TODAY, recorded_at=NOW,
            source_key=f"note:{customer.pk}", batch=of,
        )  # fmt: skip
    page = client.get("/customers/?care=never_contacted").content.decode()
    assert "薇拉" not in page
    assert "岚岚" in page
