"""A code beside the password, and the list of devices: set up, asked, refused, taken away, ended from elsewhere."""

import datetime as dt
import re
from collections.abc import Callable

import pyotp
import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from changke.foundation.access.models import Staff
from changke.foundation.access.services import add_staff, change_staff
from changke.foundation.audit.models import AuditLine
from changke.foundation.login.models import Attempt, RecoveryCode, SecondFactor, SignIn
from changke.foundation.login.sealing import CannotUnseal, seal, unseal
from changke.foundation.login.services import second_factor
from tests.cast import NOW, PASSWORD, Cast
from tests.clock import Clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch, NOW)


@pytest.fixture
def strict(cast: Cast) -> Cast:
    """The chain asks its owner and headquarters for a code."""
    cast.chain.second_factor_required = True
    cast.chain.save()
    return cast


def password(username: str, *, client: Client | None = None, **more: str) -> tuple[Client, str]:
    """A browser after name and password, and where it was sent."""
    client = client or Client()
    answer = client.post("/login/", {"username": username, "password": PASSWORD, **more})
    assert answer.status_code == 302, answer.content
    return client, str(answer.url)  # type: ignore[attr-defined]


def set_up(client: Client, clock: Clock) -> tuple[Callable[[], str], list[str]]:
    """Scan and confirm; what the phone shows from now on, and the recovery codes."""
    page = client.get("/me/second-factor/")
    phone = pyotp.TOTP(page.context["secret"].replace(" ", ""))
    done = client.post("/me/second-factor/", {"code": phone.at(clock.now)})
    assert done.status_code == 200
    return lambda: phone.at(clock.now), list(done.context["codes"])


@pytest.fixture
def owner_phone(strict: Cast, clock: Clock) -> tuple[Callable[[], str], list[str]]:
    """The owner has set up a second factor half an hour ago."""
    client, _ = password("owner")
    found = set_up(client, clock)
    clock.passes(minutes=30)
    return found


# Setting up


@pytest.mark.parametrize(("who", "must"), [("owner", True), ("hq", True), ("manager", False), ("clerk", False)])
def test_the_first_log_in_of_who_may_change_the_chain_leads_into_setting_up(strict: Cast, who: str, must: bool) -> None:
    client, _ = password(who)
    answer = client.get("/customers/")
    assert (answer.status_code == 302) is must
    if must:
        assert answer["Location"] == "/me/second-factor/?next=%2Fcustomers%2F"
        fragment = client.get("/customers/", headers={"HX-Request": "true"})
        assert (fragment.status_code, fragment["HX-Redirect"]) == (204, "/me/second-factor/?next=%2Fcustomers%2F")
        assert client.post("/settings/stores/new/", {}).status_code == 302
        assert client.get("/api/v1/customers").status_code == 401
        assert client.post("/language/", {"language": "en", "next": "/me/second-factor/"}).status_code == 302


def test_a_chain_that_does_not_ask_lets_everybody_in_with_the_password(cast: Cast) -> None:
    client, there = password("owner")
    assert (there, client.get("/me/").status_code) == ("/", 200)


def test_a_demo_begins_without_and_the_settings_say_so(cast: Cast) -> None:
    client, _ = password("owner")
    assert "示例" in client.get("/settings/").content.decode()


def test_scanning_twice_shows_the_same_picture_and_a_wrong_code_sets_nothing_up(strict: Cast, clock: Clock) -> None:
    client, _ = password("owner")
    first, second = (client.get("/me/second-factor/").context["secret"] for _ in range(2))
    assert first == second
    wrong = client.post("/me/second-factor/", {"code": "000000"})
    assert wrong.status_code == 422
    assert wrong.context["form"].errors["code"]
    assert SecondFactor.objects.get().confirmed_at is None
    assert password("owner")[1] == "/"  # a picture that nobody scanned locks nobody out


def test_set_up_one_goes_on_and_sessions_without_a_code_end(strict: Cast, clock: Clock) -> None:
    elsewhere, _ = password("owner")
    client, _ = password("owner")
    _, codes = set_up(client, clock)
    assert len({*codes}) == second_factor.RECOVERY_CODES
    assert client.get("/me/").status_code == 200
    assert elsewhere.get("/me/").status_code == 302
    assert not any(code in str(list(RecoveryCode.objects.values())) for code in codes), "only digests are kept"
    assert AuditLine.objects.filter(action="staff.second_factor_set").count() == 1


def test_the_secret_is_sealed_in_the_database_and_belongs_to_its_person(strict: Cast, clock: Clock) -> None:
    client, _ = password("owner")
    shown = client.get("/me/second-factor/").context["secret"].replace(" ", "")
    kept = SecondFactor.objects.get()
    assert shown not in kept.secret
    assert unseal(kept.secret, belongs_to=f"second-factor:{strict.owner.pk}") == shown
    with pytest.raises(CannotUnseal):
        unseal(kept.secret, belongs_to=f"second-factor:{strict.hq.pk}")


@pytest.mark.parametrize("sealed", ["", "AAAA", "not base64!", "A" * 80])
def test_what_was_not_sealed_by_us_is_not_unsealed(sealed: str) -> None:
    with pytest.raises(CannotUnseal):
        unseal(sealed, belongs_to="x")


def test_another_signing_key_reads_nothing(settings: Settings) -> None:
    sealed = seal("secret", belongs_to="x")
    settings.SECRET_KEY = "another"
    with pytest.raises(CannotUnseal):
        unseal(sealed, belongs_to="x")


# Coming in


Phone = tuple[Callable[[], str], list[str]]


def test_a_password_alone_opens_nothing_any_more(owner_phone: Phone, clock: Clock) -> None:
    client, there = password("owner", next="/customers/")
    assert there == "/login/code/?next=%2Fcustomers%2F"
    assert client.get("/me/").status_code == 302
    assert client.get("/api/v1/customers").status_code == 401
    before = client.cookies["sessionid"].value
    answer = client.post("/login/code/", {"code": owner_phone[0](), "next": "/customers/"})
    assert answer["Location"] == "/customers/"
    assert client.cookies["sessionid"].value != before
    assert client.get("/me/").status_code == 200


def test_a_code_is_taken_once(owner_phone: Phone, clock: Clock) -> None:
    code = owner_phone[0]()
    first, second = password("owner")[0], password("owner")[0]
    assert first.post("/login/code/", {"code": code}).status_code == 302
    again = second.post("/login/code/", {"code": code})
    assert again.status_code == 401
    assert "用过" in again.content.decode()
    clock.passes(seconds=30)
    assert second.post("/login/code/", {"code": owner_phone[0]()}).status_code == 302


@pytest.mark.parametrize(("seconds", "status"), [(-90, 401), (-30, 302), (0, 302), (30, 302), (90, 401)])
def test_a_phone_whose_clock_is_half_a_minute_off_comes_in(
    owner_phone: Phone, clock: Clock, seconds: int, status: int
) -> None:
    client, _ = password("owner")
    clock.passes(seconds=seconds)
    code = owner_phone[0]()
    clock.passes(seconds=-seconds)
    assert client.post("/login/code/", {"code": code}).status_code == status


@pytest.mark.parametrize("code", ["", "12345", "abcdef", "١٢٣٤٥٦", "0" * 40, "' OR 1=1"])
def test_what_is_no_code_is_refused(owner_phone: Phone, clock: Clock, code: str) -> None:
    client, _ = password("owner")
    assert client.post("/login/code/", {"code": code}).status_code in (401, 422)
    assert client.get("/me/").status_code == 302


def test_guessing_codes_waits(owner_phone: Phone, clock: Clock) -> None:
    client, _ = password("owner")
    for _ in range(5):
        assert client.post("/login/code/", {"code": "000000"}).status_code == 401
    assert client.post("/login/code/", {"code": owner_phone[0]()}).status_code == 429
    clock.passes(seconds=1)
    assert client.post("/login/code/", {"code": owner_phone[0]()}).status_code == 302
    assert not Attempt.objects.filter(key__startswith="second-factor").exists()


@pytest.mark.parametrize("write", [str, str.lower, lambda code: code.replace("-", " "), lambda code: f" {code} "])
def test_a_recovery_code_opens_once_however_it_is_written(
    owner_phone: Phone, clock: Clock, write: Callable[[str], str]
) -> None:
    code = write(owner_phone[1][3])
    assert password("owner")[0].post("/login/code/", {"code": code}).status_code == 302
    assert password("owner")[0].post("/login/code/", {"code": code}).status_code == 401
    assert password("owner")[0].post("/login/code/", {"code": owner_phone[1][4]}).status_code == 302


def test_a_password_given_ten_minutes_ago_is_asked_again(owner_phone: Phone, clock: Clock) -> None:
    client, _ = password("owner")
    clock.passes(minutes=10, seconds=1)
    assert client.post("/login/code/", {"code": owner_phone[0]()})["Location"] == "/login/"
    assert Client().get("/login/code/")["Location"] == "/login/"


def test_a_password_changed_meanwhile_is_asked_again(owner_phone: Phone, strict: Cast, clock: Clock) -> None:
    client, _ = password("owner")
    change_staff(strict.owner, password="amber-kettle-moss", now=NOW)
    assert client.post("/login/code/", {"code": owner_phone[0]()})["Location"] == "/login/"


def test_new_recovery_codes_need_a_code_and_end_the_old_ones(owner_phone: Phone, clock: Clock) -> None:
    client, _ = password("owner")
    client.post("/login/code/", {"code": owner_phone[0]()})
    clock.passes(minutes=1)
    assert client.post("/me/second-factor/", {"code": "000000"}).status_code == 422
    assert Attempt.objects.get(key__startswith="second-factor").failures == 1, "a refused try stays counted"
    new = client.post("/me/second-factor/", {"code": owner_phone[0]()}).context["codes"]
    assert password("owner")[0].post("/login/code/", {"code": owner_phone[1][0]}).status_code == 401
    assert password("owner")[0].post("/login/code/", {"code": new[0]}).status_code == 302


def test_who_becomes_headquarters_is_asked_at_the_next_page(strict: Cast) -> None:
    client, _ = password("manager")
    assert client.get("/me/").status_code == 200
    change_staff(strict.manager, role="hq", now=NOW)
    assert client.get("/me/")["Location"].startswith("/me/second-factor/")


def test_a_session_without_a_code_is_out_once_the_chain_asks_for_one(cast: Cast, clock: Clock) -> None:
    by_password, _ = password("owner")
    set_up(password("owner")[0], clock)
    SignIn.objects.update(ended_at=None, second_factor=False)
    cast.chain.second_factor_required = True
    cast.chain.save()
    assert by_password.get("/me/")["Location"].startswith("/login/")


# Taking it away


@pytest.fixture
def second_owner(strict: Cast) -> Staff:
    return add_staff(username="owner2", name="林二", role="owner", password=PASSWORD, now=NOW)


def test_another_owner_takes_it_away_and_the_next_log_in_sets_it_up_anew(
    owner_phone: Phone, second_owner: Staff, strict: Cast, clock: Clock
) -> None:
    session = password("owner")[0]
    session.post("/login/code/", {"code": owner_phone[0]()})
    helper, _ = password("owner2")
    set_up(helper, clock)
    page = f"/settings/staff/{strict.owner.pk}/"
    assert "恢复码都不见了" in helper.get(page).content.decode()
    assert helper.post(f"{page}second-factor/reset/").status_code == 303
    assert session.get("/me/").status_code == 302, "her sessions have ended"
    client, there = password("owner")
    assert there == "/"
    assert client.get("/")["Location"].startswith("/me/second-factor/")
    line = AuditLine.objects.get(action="staff.second_factor_reset")
    assert (line.actor_id, line.subject) == (second_owner.pk, f"staff:{strict.owner.pk}")


@pytest.mark.parametrize(
    ("who", "whom"), [("owner", "owner"), ("hq", "owner"), ("hq", "manager"), ("manager", "clerk")]
)
def test_nobody_but_another_owner_may(cast: Cast, who: str, whom: str) -> None:
    client, _ = password(who)
    assert client.post(f"/settings/staff/{getattr(cast, whom).pk}/second-factor/reset/").status_code == 403


def test_the_last_owner_is_let_in_on_the_machine_itself(owner_phone: Phone, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("let_in", "OWNER", "--lost-phone")
    path = re.search(r"/reset/\S+", capsys.readouterr().out)
    assert path is not None
    new = {"password": "amber-kettle-moss", "again": "amber-kettle-moss"}
    assert Client().post(path[0], new).status_code == 302
    assert not SecondFactor.objects.exists()
    ours = AuditLine.objects.filter(
        actor_kind="system", action__in=["staff.second_factor_reset", "staff.reset_link_made"]
    )
    assert ours.count() == 2


# My devices


def test_the_list_says_where_when_and_which_one_is_this(cast: Cast, clock: Clock) -> None:
    phone = Client(headers={"User-Agent": "Mozilla/5.0 (iPhone) Mobile Safari/605", "Accept-Language": "en"})
    password("clerk", client=phone)
    clock.passes(minutes=5)
    desk, _ = password("clerk", client=Client(headers={"Accept-Language": "en"}))
    page = desk.get("/me/devices/").content.decode()
    assert "Safari · iPhone" in page
    assert "127.0.0.1" in page
    assert page.count("This device") == 1
    assert "苏晴" not in phone.get("/me/devices/").context["rows"][0][1]


def test_what_is_ended_elsewhere_is_out_at_its_next_request(cast: Cast) -> None:
    lost, _ = password("clerk")
    here, _ = password("clerk")
    row = SignIn.objects.earliest("id")
    assert here.post(f"/me/devices/{row.pk}/end/").status_code == 303
    assert lost.get("/customers/")["Location"].startswith("/login/")
    assert lost.get("/api/v1/customers").status_code == 401
    assert here.get("/me/").status_code == 200


def test_all_others_end_at_once_and_this_one_stays(cast: Cast) -> None:
    others = [password("clerk")[0] for _ in range(3)]
    here, _ = password("clerk")
    assert here.post("/me/devices/others/end/").status_code == 303
    assert [one.get("/me/").status_code for one in [*others, here]] == [302, 302, 302, 200]


def test_nobody_ends_a_session_of_somebody_else(cast: Cast) -> None:
    owner, _ = password("owner")
    clerk, _ = password("clerk")
    row = SignIn.objects.get(staff=cast.owner)
    assert clerk.post(f"/me/devices/{row.pk}/end/").status_code == 404
    assert clerk.get(f"/me/devices/{row.pk}/end/").status_code == 405
    assert owner.get("/me/").status_code == 200


def test_logging_out_takes_it_off_the_list(cast: Cast) -> None:
    client, _ = password("clerk")
    client.post("/logout/")
    assert SignIn.objects.get().ended_at is not None


def test_the_last_use_is_noted_once_a_minute(cast: Cast, clock: Clock) -> None:
    client, _ = password("clerk")
    began = clock.now
    clock.passes(seconds=59)
    client.get("/me/")
    assert SignIn.objects.get().used_at == began
    clock.passes(seconds=1)
    client.get("/me/")
    assert SignIn.objects.get().used_at == began + dt.timedelta(minutes=1)


def test_a_session_from_before_the_list_gets_its_row(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.clerk)
    assert client.get("/me/").status_code == 200
    assert SignIn.objects.get().staff == cast.clerk
    client.get("/me/")
    assert SignIn.objects.count() == 1


def test_a_month_old_session_is_off_the_list(cast: Cast, clock: Clock) -> None:
    password("clerk")
    clock.at(timezone.now() + dt.timedelta(days=31))
    client, _ = password("clerk")
    assert len(client.get("/me/devices/").context["rows"]) == 1
