"""Keys of machines: what they look like, what they are held to, how they follow each other, how fast they ask."""

import datetime as dt
import hashlib
import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client

from changke.foundation.access.models import ApiKey, Grant, RateBucket, Role
from changke.foundation.access.services import issue_key, key_of, revoke_key, rotate_key
from changke.foundation.access.services.keys import FORM, KeyRevoked, RotationUnderWay, is_taken_from
from changke.foundation.access.services.rate import take
from changke.foundation.audit.models import AuditLine
from tests.cast import Cast, assemble
from tests.interfaces.api.conftest import NOW, Caller, sale


def made(**given: Any) -> Any:
    return issue_key(**{"name": "till", "role": "hq", "now": NOW} | given)


# What a key is


@pytest.mark.django_db
def test_a_key_is_known_by_its_form_and_kept_as_a_digest(cast: Cast) -> None:
    issued = made()
    assert re.fullmatch(r"ck_live_[a-z0-9]{12}_[A-Za-z0-9_-]{43}", issued.secret)
    kept = ApiKey.objects.get()
    assert kept.digest == hashlib.sha256(issued.secret.encode()).hexdigest()
    assert issued.secret.startswith(f"{kept.begins_with}_")
    assert issued.secret.removeprefix(f"{kept.begins_with}_") not in str(list(ApiKey.objects.values()))
    assert key_of(issued.secret, now=NOW) == kept


@pytest.mark.django_db
def test_a_key_of_the_old_form_still_opens(cast: Cast) -> None:
    key, secret = made().key, "ck_" + "a" * 43
    ApiKey.objects.filter(pk=key.pk).update(prefix=secret[:12], digest=hashlib.sha256(secret.encode()).hexdigest())
    assert Caller(secret).get("/stores").status_code == 200
    key.refresh_from_db()
    assert key.begins_with == "ck_aaaaaaaaa"


@pytest.mark.django_db
@pytest.mark.parametrize("spoil", [
    lambda secret: secret[:-1] + ("a" if secret[-1] != "a" else "b"),
    lambda secret: secret[:-1],
    lambda secret: secret + "a",
    lambda secret: secret.upper(),
    lambda secret: secret.replace("ck_live_", "ck_test_"),
    lambda secret: secret[:20],
])  # fmt: skip
def test_a_key_that_is_almost_right_opens_nothing(cast: Cast, spoil: Callable[[str], str]) -> None:
    assert Caller(spoil(made().secret)).get("/stores").status_code == 401


# What it is held to


@pytest.mark.django_db
def test_a_key_held_to_recording_reads_nothing(cast: Cast) -> None:
    till = Caller(made(scopes=["facts.record"]).secret)
    assert till.post("/purchases", {"purchases": [sale()]}).json()["created"] == 1
    answer = till.get("/customers")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


@pytest.mark.django_db
def test_a_scope_gives_nothing_that_the_role_does_not(cast: Cast) -> None:
    staff = Caller(made(role="staff", stores=[cast.jing_an], scopes=["keys.manage", "customer.view"]).secret)
    assert staff.get("/customers").status_code == 200
    assert staff.get("/keys").status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize(("networks", "status"), [
    ([], 200), (["127.0.0.1"], 200), (["10.0.0.0/8", "127.0.0.0/8"], 200), (["203.0.113.7"], 403), (["::1"], 403),
])  # fmt: skip
def test_a_key_is_taken_from_its_addresses_only(cast: Cast, networks: list[str], status: int) -> None:
    answer = Caller(made(networks=networks).secret).get("/stores")
    assert answer.status_code == status
    if status == 403:
        assert (answer.json()["code"], "127.0.0.1" in answer.json()["message"]) == ("wrong_address", True)


def test_what_is_no_address_is_taken_from_nowhere() -> None:
    assert not is_taken_from(ApiKey(networks=["127.0.0.1/32"]), "")


# Rotation


@pytest.mark.django_db
def test_a_successor_may_do_the_same_and_the_old_one_opens_for_the_overlap(cast: Cast) -> None:
    old = made(role="manager", stores=[cast.jing_an], scopes=["customer.view"], networks=["127.0.0.1"], per_minute=100)
    new = rotate_key(old.key, overlap=dt.timedelta(hours=1), now=NOW)
    assert key_of(old.secret, now=NOW + dt.timedelta(minutes=59)) == old.key
    assert key_of(old.secret, now=NOW + dt.timedelta(minutes=60)) is None
    assert key_of(new.secret, now=NOW + dt.timedelta(days=900)) == new.key
    for field in ("name", "role", "scopes", "networks", "per_minute"):
        assert getattr(new.key, field) == getattr(ApiKey.objects.get(pk=old.key.pk), field)
    assert [g.store for g in Grant.objects.filter(key=new.key)] == [cast.jing_an]
    assert Caller(new.secret).get("/customers").status_code == 200


@pytest.mark.django_db
def test_at_most_two_of_a_line_are_valid(cast: Cast) -> None:
    old = made()
    new = rotate_key(old.key, overlap=dt.timedelta(hours=1), now=NOW)
    with pytest.raises(RotationUnderWay):
        rotate_key(old.key, overlap=dt.timedelta(hours=1), now=NOW)
    revoke_key(new.key, now=NOW)
    rotate_key(old.key, overlap=dt.timedelta(0), now=NOW)
    with pytest.raises(KeyRevoked):
        rotate_key(old.key, overlap=dt.timedelta(0), now=NOW + dt.timedelta(seconds=1))


@pytest.mark.django_db
def test_a_second_rotation_never_lengthens_an_end(cast: Cast) -> None:
    old = made()
    new = rotate_key(old.key, overlap=dt.timedelta(hours=1), now=NOW)
    revoke_key(new.key, now=NOW)
    rotate_key(old.key, overlap=dt.timedelta(days=1), now=NOW)
    assert ApiKey.objects.get(pk=old.key.pk).revoked_at == NOW + dt.timedelta(hours=1)


@pytest.mark.django_db
def test_a_machine_rotates_itself(cast: Cast) -> None:
    till = Caller(made(role="staff", stores=[cast.jing_an]).secret)
    answer = till.post("/keys/self/rotate", {"overlap_hours": 1})
    assert answer.status_code == 201
    assert FORM.fullmatch(answer.json()["secret"])
    assert Caller(answer.json()["secret"]).get("/stores").status_code == 200
    assert till.get("/stores").status_code == 200
    assert till.post("/keys/self/rotate", {}).json()["code"] == "rotation_under_way"
    browser = Client()
    browser.force_login(cast.owner)
    by_session = browser.post("/api/v1/keys/self/rotate", "{}", content_type="application/json")
    assert by_session.status_code == 403


# Making them by API


@pytest.mark.django_db
def test_a_key_makes_rotates_and_revokes_others_under_its_own_name(cast: Cast, hq: Caller) -> None:
    body = {"name": "till 3", "role": "staff", "stores": ["JA"], "scopes": ["facts.record"], "per_minute": 60}
    new = hq.post("/keys", body).json()
    assert (new["begins_with"], new["stores"], new["per_minute"]) == (new["secret"][:20], ["JA"], 60)
    assert "secret" not in str(hq.get("/keys").json())
    rotated = hq.post(f"/keys/{new['id']}/rotate", {"overlap_hours": 0})
    assert rotated.status_code == 201
    assert Caller(new["secret"]).get("/stores").status_code == 401
    assert hq.send("DELETE", f"/keys/{rotated.json()['id']}", "").status_code == 204
    assert Caller(rotated.json()["secret"]).get("/stores").status_code == 401
    told = list(AuditLine.objects.filter(actor_kind="key").order_by("id").values_list("action", "actor_kind"))
    assert told == [("key.issued", "key"), ("key.rotated", "key"), ("key.revoked", "key")]


@pytest.mark.django_db
@pytest.mark.parametrize(("changes", "status"), [
    ({"role": "owner"}, 403), ({"role": "king"}, 422), ({"role": "staff"}, 422), ({"scopes": ["fly"]}, 422),
    ({"networks": ["home"]}, 422), ({"per_minute": 0}, 422), ({"name": ""}, 422),
    ({"stores": ["NO"], "role": "staff"}, 404),
    ({"networks": ["10.0.0.1"] * 21}, 422),
])  # fmt: skip
def test_a_key_that_cannot_be_is_refused(cast: Cast, hq: Caller, changes: dict[str, Any], status: int) -> None:
    answer = hq.post("/keys", {"name": "x", "role": "hq"} | changes)
    assert answer.status_code == status
    assert ApiKey.objects.count() == 1


@pytest.mark.django_db
def test_nobody_takes_over_a_key_that_may_more(cast: Cast, hq: Caller) -> None:
    owners = made(role=Role.OWNER).key
    assert hq.post(f"/keys/{owners.pk}/rotate", {}).json()["code"] == "more_than_ones_own"
    assert hq.send("DELETE", f"/keys/{owners.pk}", "").status_code == 403
    assert hq.post("/keys/999999/rotate", {}).status_code == 404


# How fast


@pytest.mark.django_db
def test_a_bucket_holds_a_minute_and_fills_evenly(cast: Cast) -> None:
    key = made(per_minute=60).key
    rates = [take(key, now=NOW) for _ in range(61)]
    assert [one.remaining for one in rates[:3]] == [59, 58, 57]
    assert all(one.is_taken for one in rates[:60])
    assert (rates[59].remaining, rates[59].reset_seconds) == (0, 60)
    assert (rates[60].is_taken, rates[60].retry_seconds) == (False, 1)
    assert not take(key, now=NOW + dt.timedelta(milliseconds=900)).is_taken
    assert take(key, now=NOW + dt.timedelta(seconds=1)).is_taken
    assert not take(key, now=NOW + dt.timedelta(seconds=1)).is_taken
    assert take(key, now=NOW + dt.timedelta(minutes=5)).remaining == 59


@pytest.mark.django_db
def test_a_clock_that_runs_behind_gives_nothing_extra(cast: Cast) -> None:
    key = made(per_minute=60).key
    assert take(key, now=NOW).remaining == 59
    assert take(key, now=NOW - dt.timedelta(seconds=5)).remaining <= 58


@pytest.mark.django_db
def test_answers_say_what_is_left_and_a_refused_one_when_to_come_again(cast: Cast) -> None:
    caller = Caller(made(per_minute=2).secret)
    first = caller.get("/stores")
    assert {name: first.headers[f"RateLimit-{name}"] for name in ("Limit", "Remaining", "Policy")} == {
        "Limit": "2", "Remaining": "1", "Policy": "2;w=60",
    }  # fmt: skip
    assert 1 <= int(first.headers["RateLimit-Reset"]) <= 30
    assert caller.get("/customers/999999").headers["RateLimit-Remaining"] == "0"
    refused = caller.get("/stores")
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    assert 1 <= int(refused.headers["Retry-After"]) <= 30
    assert refused.json()["remedy"]


@pytest.mark.django_db
def test_a_page_in_a_browser_is_not_counted(cast: Cast) -> None:
    browser = Client()
    browser.force_login(cast.hq)
    assert "RateLimit-Limit" not in browser.get("/api/v1/stores").headers
    assert not RateBucket.objects.exists()


@pytest.mark.django_db
def test_the_buckets_cost_no_disk(cast: Cast) -> None:
    with connection.cursor() as sql:
        sql.execute("SELECT relpersistence FROM pg_class WHERE relname = 'foundation_ratebucket'")
        assert sql.fetchone() == ("u",)


@pytest.mark.django_db(transaction=True)
def test_many_processes_share_one_bucket() -> None:
    assemble()
    key = made(per_minute=50).key
    taken: list[bool] = []
    gate = threading.Barrier(8)

    def ask() -> None:
        gate.wait()
        try:
            taken.extend(take(key, now=NOW).is_taken for _ in range(20))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert (len(taken), sum(taken)) == (160, 50)
